//! `POST /agent`: an order in a sentence, or why not.

use serde_json::json;

use crate::server::{QUICK, SILENT, Server, body, text};

#[test]
fn a_sentence_orders_what_it_says() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let reply = body(caller.post("/api/v1/agent", &json!({ "query": "I need a Google verification number for UK" })));
    assert_eq!((reply["understood"].as_bool(), reply["price"].as_f64()), (Some(true), Some(0.45)));
    assert!(text(&reply["phone"]).starts_with("+44"));
    assert_eq!(reply["check_status"], format!("/api/v1/order/{}", text(&reply["order_id"])));
    assert_eq!(caller.ended(&text(&reply["order_id"]))["status"], "completed");
}

#[test]
fn a_dry_run_prices_and_orders_nothing() {
    let server = Server::start(SILENT);
    let caller = server.register();
    let reply = body(caller.post("/api/v1/agent", &json!({ "query": "Telegram, Deutschland", "dry_run": true })));
    assert_eq!((reply["interpretation"]["platform"].as_str(), reply["interpretation"]["country"].as_str()), (Some("telegram"), Some("DE")));
    assert_eq!((reply["quote"].as_f64(), reply["order_id"].is_null()), (Some(0.91), true));
}

#[test]
fn what_is_not_understood_orders_nothing_and_says_what_would_be() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    for (query, reason) in [
        ("hello there", "no_platform"),
        ("google or discord", "several_platforms"),
        ("google in Switzerland", "unsupported_country"),
        ("google in France or Spain", "several_countries"),
        ("how much is a google number?", "not_an_order"),
    ] {
        let refused = caller.post("/api/v1/agent", &json!({ "query": query }));
        assert_eq!(refused.status(), 422, "{query}");
        let refused = body(refused);
        assert_eq!((refused["understood"].as_bool(), refused["error_code"].as_str()), (Some(false), Some("INVALID_REQUEST")), "{query}");
        assert_eq!(refused["detail"]["reason"], reason, "{query}");
        assert!(!refused["suggestions"].as_array().unwrap().is_empty(), "{query}");
    }
    for query in [json!(""), json!("   "), json!("x".repeat(1_001)), json!(7)] {
        assert_eq!(caller.post("/api/v1/agent", &json!({ "query": query })).status(), 400);
    }
    assert_eq!(caller.balance(), (10.0, 0.0));
}
