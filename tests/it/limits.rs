//! Rate limits over HTTP: who counts for what, and what the answers say.

use serde_json::json;

use crate::server::{SILENT, Server, body, text};

#[test]
fn strangers_are_limited_by_address_and_callers_by_key() {
    let server = Server::start("[limits]\nper_ip_per_minute = 5\nper_key_per_minute = 8\n");
    let caller = server.register();
    for left in (0..4).rev() {
        let response = server.get("/api/v1/health").header("x-forwarded-for", format!("192.0.2.{left}")).send().unwrap();
        assert_eq!(response.headers()["ratelimit-policy"], "\"default\";q=5;w=60");
        assert!(response.headers()["ratelimit"].to_str().unwrap().starts_with(&format!("\"default\";r={left};")));
    }
    let response = server.get("/api/v1/health").header("x-forwarded-for", "192.0.2.99").send().unwrap();
    assert_eq!(response.status(), 429);
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let refused = body(response);
    assert_eq!((refused["error_code"].as_str(), refused["retry_after_seconds"].as_u64()), (Some("RATE_LIMITED"), Some(seconds)));
    assert!((1..=60).contains(&seconds));
    assert_eq!(server.get("/api/v1/account").bearer_auth("tn_wrong").send().unwrap().status(), 429, "wrong keys are strangers");
    for _ in 0..8 {
        assert_eq!(caller.get("/api/v1/account").status(), 200);
    }
    assert_eq!(caller.get("/api/v1/account").status(), 429);
}

#[test]
fn numbers_given_back_again_and_again_for_nothing_cost_a_pause() {
    let server = Server::start(&format!("{SILENT}[orders]\nfree_cancels_per_hour = 2\ncancel_pause_seconds = 300\n"));
    let (caller, other) = (server.funded("50"), server.funded("50"));
    let give_back = |order: &str| assert_eq!(caller.post(&format!("/api/v1/order/{order}/cancel"), &json!({})).status(), 200);
    let keyed = json!({ "platform": "google", "idempotency_key": "third" });
    give_back(&text(&caller.google()["order_id"]));
    give_back(&text(&caller.google()["order_id"]));
    let third = text(&caller.order(&keyed)["order_id"]);
    give_back(&third);
    for (path, order) in [
        ("order", json!({ "platform": "google" })),
        ("verify", json!({ "platform": "google" })),
        ("batch", json!({ "orders": [{ "platform": "google" }] })),
    ] {
        let refused = caller.post(&format!("/api/v1/{path}"), &order);
        assert_eq!(refused.status(), 429, "{path}");
        let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        let refused = body(refused);
        assert_eq!((refused["error_code"].as_str(), refused["retryable"].as_bool()), (Some("RATE_LIMITED"), Some(true)), "{path}");
        assert!((1..=300).contains(&seconds), "{path}: {seconds}");
    }
    assert_eq!(text(&caller.order(&keyed)["order_id"]), third, "a retry is answered as ever");
    assert_eq!(caller.balance(), (50.0, 0.0));
    other.google();
    let key = caller.key.clone();
    let server = server.kill_and_restart();
    let refused = server.post("/api/v1/order").bearer_auth(key).json(&json!({ "platform": "google" })).send().unwrap();
    assert_eq!(refused.status(), 429, "a restart forgets nothing");
}

#[test]
fn a_crowd_of_questions_about_the_past_is_answered_or_told_to_come_again() {
    let server = Server::start(SILENT);
    let caller = server.funded("50");
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..60)
            .map(|number| {
                let (caller, path) = (&caller, ["/api/v1/account?as_of=2", "/api/v1/account/ledger", "/api/v1/usage"][number % 3]);
                scope.spawn(move || caller.get(path))
            })
            .collect();
        for answer in asked.into_iter().map(|asked| asked.join().unwrap()) {
            let (status, body) = (answer.status().as_u16(), body(answer));
            assert!(status == 200 || (status == 429 && body["retryable"] == true), "{status} {body}");
        }
    });
    assert_eq!(body(caller.get("/api/v1/account?as_of=2"))["balance"], 50.0);
}
