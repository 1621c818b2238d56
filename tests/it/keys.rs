//! Keys of an account: a second one, taken away alone, and replaced by an operator.

use serde_json::{Value, json};

use crate::server::{Caller, SILENT, Server, body, text};

fn keys(caller: &Caller<'_>) -> Vec<Value> {
    body(caller.get("/api/v1/keys"))["keys"].as_array().unwrap().clone()
}

#[test]
fn an_owner_adds_lists_and_removes_keys_through_a_restart() {
    let server = Server::start(SILENT);
    let first = server.funded("5");
    let created = body(first.post("/api/v1/keys", &json!({ "name": "ci runner" })));
    assert_eq!(
        (created["status"].as_str(), created["name"].as_str()),
        (Some("ok"), Some("ci runner"))
    );
    let second =
        Caller { server: &server, key: text(&created["api_key"]), account: first.account.clone() };
    assert_eq!(second.balance(), (5.0, 0.0), "both open the same account");
    let listed = keys(&second);
    let shown: Vec<_> = listed
        .iter()
        .map(|key| {
            (
                key["name"].as_str().unwrap(),
                key["current"].as_bool().unwrap(),
                key["last_used_at"].is_null(),
            )
        })
        .collect();
    assert_eq!(shown, [("first", false, false), ("ci runner", true, false)]);
    assert!(!listed.iter().any(|key| key.to_string().contains(&second.key)), "a key is shown once");
    for wrong in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": " " }),
        json!({ "name": "x".repeat(65) }),
        json!({ "name": "a\nb" }),
        json!({ "name": "x", "more": 1 }),
    ] {
        assert_eq!(first.post("/api/v1/keys", &wrong).status(), 400, "{wrong}");
    }
    let path = format!("/api/v1/keys/{}", text(&listed[0]["key_id"]));
    assert_eq!(second.request("DELETE", &path).send().unwrap().status(), 200);
    assert_eq!(second.request("DELETE", &path).send().unwrap().status(), 404);
    assert_eq!(second.request("DELETE", "/api/v1/keys/key_nonsense").send().unwrap().status(), 404);
    let refused = first.get("/api/v1/account");
    assert_eq!(
        (refused.status().as_u16(), body(refused)["error_code"].as_str().unwrap()),
        (401, "INVALID_API_KEY")
    );
    let last = format!("/api/v1/keys/{}", text(&created["key_id"]));
    assert_eq!(
        second.request("DELETE", &last).send().unwrap().status(),
        409,
        "nobody could open it any more"
    );
    let (first, second) = (first.key.clone(), second.key.clone());
    let server = server.kill_and_restart();
    assert_eq!(server.get("/api/v1/account").bearer_auth(first).send().unwrap().status(), 401);
    assert_eq!(server.get("/api/v1/account").bearer_auth(second).send().unwrap().status(), 200);
}

#[test]
fn an_operator_puts_one_key_in_the_place_of_all() {
    let server = Server::start(SILENT);
    let (caller, other) = (server.funded("5"), server.funded("5"));
    let second = text(&body(caller.post("/api/v1/keys", &json!({ "name": "x" })))["api_key"]);
    let order = text(&caller.google()["order_id"]);
    let rotate = |reason: &str| {
        server.cli(&[
            "admin",
            "rotate-key",
            &caller.account,
            "--reason",
            reason,
            "--operator",
            "ada",
        ])
    };
    assert!(!rotate(" ").status.success());
    let done = rotate("lost");
    assert!(done.status.success(), "{done:?}");
    let rotated: Value = serde_json::from_slice(&done.stdout).unwrap();
    for key in [&caller.key, &second] {
        assert_eq!(server.get("/api/v1/account").bearer_auth(key).send().unwrap().status(), 401);
    }
    let fresh =
        Caller { server: &server, key: text(&rotated["api_key"]), account: caller.account.clone() };
    assert_eq!(fresh.balance(), (4.5, 0.5));
    assert_eq!(
        body(fresh.get(&format!("/api/v1/order/{order}")))["status"],
        "active",
        "orders go on"
    );
    assert_eq!(other.balance(), (5.0, 0.0));
    let log = String::from_utf8(
        server
            .cli(&[
                "audit",
                "events",
                "--stream",
                &format!("account-{}", &caller.account[4..]),
                "--json",
            ])
            .stdout,
    )
    .unwrap();
    assert!(
        log.contains("AccountApiKeysReplaced")
            && log.contains("operator:ada")
            && !log.contains(&fresh.key),
        "{log}"
    );
}
