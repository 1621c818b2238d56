//! `POST /agent`: an order in a sentence, or why not.

use serde_json::json;

use crate::server::{QUICK, SILENT, Server, body, text};

#[test]
fn a_sentence_orders_what_it_says() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let reply =
        body(caller.post(
            "/api/v1/agent",
            &json!({ "query": "I need a Google verification number for UK" }),
        ));
    assert_eq!((reply["understood"].as_bool(), reply["price"].as_f64()), (Some(true), Some(0.45)));
    assert!(text(&reply["phone"]).starts_with("+44"));
    assert_eq!(reply["check_status"], format!("/api/v1/order/{}", text(&reply["order_id"])));
    assert_eq!(caller.ended(&text(&reply["order_id"]))["status"], "completed");
}

#[test]
fn a_dry_run_prices_and_orders_nothing() {
    let server = Server::start(SILENT);
    let caller = server.register();
    let reply = body(
        caller.post("/api/v1/agent", &json!({ "query": "Telegram, Deutschland", "dry_run": true })),
    );
    assert_eq!(
        (reply["interpretation"]["platform"].as_str(), reply["interpretation"]["country"].as_str()),
        (Some("telegram"), Some("DE"))
    );
    assert_eq!((reply["quote"].as_f64(), reply["order_id"].is_null()), (Some(0.91), true));
}

#[test]
fn what_is_not_understood_orders_nothing_and_says_what_would_be() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    for (query, reason) in [
        ("hello there", "ambiguous"),
        ("google or discord", "ambiguous"),
        ("google in Switzerland", "unsupported_country"),
        ("google number from Vienna", "unsupported_country"),
        ("google number from Gondor", "unknown_place"),
        ("google in France or Spain", "ambiguous"),
        ("how much is a google number?", "price"),
        ("do you have google numbers", "question"),
        ("where is my google code", "status"),
        ("cancel my google order", "cancel"),
        ("google number, but not from India", "negated"),
        ("5 google numbers", "quantity"),
        ("a number for Signal", "unsupported_platform"),
    ] {
        let refused = caller.post("/api/v1/agent", &json!({ "query": query }));
        assert_eq!(refused.status(), 422, "{query}");
        let refused = body(refused);
        assert_eq!(
            (refused["understood"].as_bool(), refused["error_code"].as_str()),
            (Some(false), Some("INVALID_REQUEST")),
            "{query}"
        );
        assert_eq!(refused["detail"]["reason"], reason, "{query}");
        assert!(!refused["suggestions"].as_array().unwrap().is_empty(), "{query}");
    }
    for query in [json!(""), json!("   "), json!("x".repeat(1_001)), json!(7)] {
        assert_eq!(caller.post("/api/v1/agent", &json!({ "query": query })).status(), 400);
    }
    assert_eq!(caller.balance(), (10.0, 0.0));
}

#[test]
fn a_dry_run_above_the_maximum_is_refused_as_its_order_would_be() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    for dry_run in [true, false] {
        let query =
            json!({ "query": "Telegram, Deutschland", "dry_run": dry_run, "max_price": 0.90 });
        let refused = caller.post("/api/v1/agent", &query);
        assert_eq!(refused.status(), 400);
        assert_eq!(body(refused)["detail"], json!({ "price": 0.91, "max_price": 0.9 }));
    }
    let enough = body(caller.post(
        "/api/v1/agent",
        &json!({ "query": "Telegram, Deutschland", "dry_run": true, "max_price": 0.91 }),
    ));
    assert_eq!(enough["quote"], 0.91);
}

#[test]
fn suggestions_name_the_right_call() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let refused = |query: &str| body(caller.post("/api/v1/agent", &json!({ "query": query })));
    let batch = refused("3 telegram numbers from Germany");
    assert_eq!(batch["detail"]["batch"]["orders"].as_array().unwrap().len(), 3);
    assert_eq!(
        batch["detail"]["batch"]["orders"][2],
        json!({ "platform": "telegram", "country": "DE" })
    );
    assert!(text(&batch["suggestions"][0]).starts_with("POST /api/v1/batch {"), "{batch}");
    assert_eq!(
        refused("Google and Discord numbers in France")["detail"]["batch"]["orders"][1],
        json!({ "platform": "discord", "country": "FR" })
    );
    assert!(
        text(&refused("price of a Google number in Germany")["suggestions"][0])
            .ends_with("/services?country=DE")
    );
    assert_eq!(refused("status of my order")["suggestions"][0], "GET /api/v1/orders");
    let order = text(
        &body(caller.post("/api/v1/agent", &json!({ "query": "a Google number" })))["order_id"],
    );
    assert_eq!(
        refused("status of my order")["suggestions"][0],
        format!("GET /api/v1/order/{order}")
    );
    assert_eq!(
        refused("please cancel my order")["suggestions"][0],
        format!("POST /api/v1/order/{order}/cancel")
    );
}
