//! Access that is taken away, by a suspension or with a key: whatever waits for news ends, and an
//! order that runs may be looked at and given up.

use serde_json::json;

use crate::mcp::rpc;
use crate::server::{Caller, SILENT, Server, body, text};

fn suspend(server: &Server, account: &str) {
    let done = server.cli(&["admin", "suspend", account, "--reason", "abuse", "--operator", "ada"]);
    assert!(done.status.success(), "{done:?}");
}

/// Once the account has an open order.
fn opened(caller: &Caller<'_>) -> String {
    loop {
        if let Some(order) = body(caller.get("/api/v1/account"))["active_order"].as_str() {
            return order.to_owned();
        }
    }
}

/// Opens every kind of wait with the caller's key, takes the access away, and looks at how each has
/// ended.
fn every_wait_ends(
    server: &Server,
    caller: &Caller<'_>,
    take_away: impl FnOnce(),
    status: u16,
    code: &str,
    reason: &str,
) {
    std::thread::scope(|scope| {
        let verify = scope.spawn(|| {
            caller.post(
                "/api/v1/verify",
                &json!({ "platform": "google", "timeout_seconds": 300, "on_timeout": "keep" }),
            )
        });
        let order = opened(caller);
        let path = format!("/api/v1/order/{order}");
        let waits = [format!("{path}?wait=55"), format!("{path}/stream")]
            .map(|path| scope.spawn(move || caller.get(&path)));
        let tool = scope.spawn(|| {
            let call = json!({
                "name": "sms_verify", "arguments": { "platform": "steam", "timeout_seconds": 300 },
            });
            rpc(server, &caller.key, "tools/call", call, false).text().unwrap()
        });
        while body(caller.get("/api/v1/account"))["active_orders"].as_array().unwrap().len() < 2 {}
        take_away();
        let [wait, stream] = waits.map(|wait| wait.join().unwrap());
        let verify = verify.join().unwrap();
        assert_eq!(verify.status(), status);
        let verified = body(verify);
        assert_eq!(
            (verified["error_code"].as_str(), verified["detail"]["order_id"].as_str()),
            (Some(code), Some(order.as_str())),
            "{verified}"
        );
        // A wait that had begun is refused like one that begins now.
        assert_eq!(
            (wait.status().as_u16(), body(wait)["error_code"].as_str().unwrap()),
            (status, code)
        );
        let stream = stream.text().unwrap();
        let last = stream.trim_end().rsplit("\n\n").next().unwrap();
        let told: serde_json::Value =
            serde_json::from_str(last.strip_prefix("data: ").unwrap_or_else(|| panic!("{stream}")))
                .unwrap();
        assert_eq!(
            (told["event"].as_str(), told["reason"].as_str()),
            (Some("suspended"), Some(reason)),
            "{stream}"
        );
        assert!(!stream.contains("completed"));
        assert!(tool.join().unwrap().contains(code));
    });
}

const WAITING: &str = "[orders]\nlifetime_seconds = 600\nmax_concurrent_per_account = 3\n";

#[test]
fn every_wait_ends_with_the_suspension() {
    let server = Server::start(&format!("{SILENT}{WAITING}"));
    let caller = server.funded("50");
    every_wait_ends(
        &server,
        &caller,
        || suspend(&server, &caller.account),
        403,
        "ACCOUNT_SUSPENDED",
        "account_suspended",
    );
}

#[test]
fn a_test_key_s_waits_end_with_the_suspension_of_the_account_it_belongs_to() {
    let server = Server::start(&format!("{SILENT}{WAITING}"));
    let live = server.funded("50");
    let created = body(live.post("/api/v1/keys", &json!({ "name": "ci", "mode": "test" })));
    let tests = Caller {
        server: &server,
        key: text(&created["api_key"]),
        account: text(&created["account_id"]),
    };
    every_wait_ends(
        &server,
        &tests,
        || suspend(&server, &live.account),
        403,
        "ACCOUNT_SUSPENDED",
        "account_suspended",
    );
}

#[test]
fn every_wait_ends_with_the_key_it_was_opened_with() {
    let server = Server::start(&format!("{SILENT}{WAITING}"));
    let first = server.funded("50");
    let created = body(first.post("/api/v1/keys", &json!({ "name": "runner" })));
    let second =
        Caller { server: &server, key: text(&created["api_key"]), account: first.account.clone() };
    let remove = || {
        assert_eq!(
            first
                .request("DELETE", &format!("/api/v1/keys/{}", text(&created["key_id"])))
                .send()
                .unwrap()
                .status(),
            200
        );
    };
    every_wait_ends(&server, &second, remove, 401, "INVALID_API_KEY", "key_removed");
    // An operator's new key in place of all others, for an owner whose keys somebody else has.
    let third = server.funded("50");
    let rotate = || {
        let done = server.cli(&[
            "admin",
            "rotate-key",
            &third.account,
            "--reason",
            "stolen",
            "--operator",
            "ada",
        ]);
        assert!(done.status.success(), "{done:?}");
    };
    every_wait_ends(&server, &third, rotate, 401, "INVALID_API_KEY", "key_removed");
    // Waits with another key of the account go on.
    let order = text(&body(first.get("/api/v1/account"))["active_order"]);
    assert_eq!(first.get(&format!("/api/v1/order/{order}?wait=1")).status(), 200);
}

#[test]
fn the_running_order_of_a_suspended_account_may_be_read_and_cancelled_and_nothing_else() {
    let server = Server::start(SILENT);
    let (caller, stranger) = (server.funded("50"), server.funded("50"));
    let order = text(&caller.google()["order_id"]);
    suspend(&server, &caller.account);
    let path = format!("/api/v1/order/{order}");
    let shown = caller.get(&path);
    assert_eq!((shown.status().as_u16(), body(shown)["status"].as_str().unwrap()), (200, "active"));
    for refused in [
        caller.get(&format!("{path}?wait=5")),
        caller.get(&format!("{path}/stream")),
        caller.get("/api/v1/account"),
        caller.post("/api/v1/order", &json!({ "platform": "google" })),
        caller.post("/api/v1/webhook/test", &json!({})),
    ] {
        assert_eq!(
            (refused.status().as_u16(), body(refused)["error_code"].as_str().unwrap()),
            (403, "ACCOUNT_SUSPENDED")
        );
    }
    suspend(&server, &stranger.account);
    assert_eq!(stranger.get(&path).status(), 404, "another's order is none, also here");
    let cancelled = caller.post(&format!("{path}/cancel"), &json!({}));
    assert_eq!(
        (cancelled.status().as_u16(), body(cancelled)["refunded"].as_f64()),
        (200, Some(0.5))
    );
    assert_eq!(body(caller.get(&path))["status"], "cancelled");
    server.cli(&["admin", "reinstate", &caller.account, "--reason", "talked", "--operator", "ada"]);
    assert_eq!(caller.balance(), (50.0, 0.0));
}
