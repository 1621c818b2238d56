//! `POST /batch`: many orders, one after the other, each accepted or refused alone.

use serde_json::{Value, json};

use crate::server::{QUICK, SILENT, Server, body, text};

fn ids(batch: &Value) -> Vec<String> {
    batch["orders"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|order| order["order_id"].as_str())
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn a_batch_runs_one_order_after_the_other_to_its_end() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let batch = caller.post(
        "/api/v1/batch",
        &json!({
            "orders": [
                { "platform": "google" }, { "platform": "discord", "country": "UK" },
                { "platform": "steam" },
            ],
        }),
    );
    assert_eq!(batch.status(), 200);
    let batch = body(batch);
    assert_eq!(
        (batch["accepted"].as_u64(), batch["refused"].as_u64(), batch["held"].as_f64()),
        (Some(3), Some(0), Some(1.025))
    );
    let statuses: Vec<_> =
        batch["orders"].as_array().unwrap().iter().map(|order| text(&order["status"])).collect();
    assert_eq!(statuses, ["active", "queued", "queued"]);
    assert!(
        text(&batch["orders"][0]["phone"]).starts_with("+1")
            && batch["orders"][1]["phone"].is_null()
    );
    assert_eq!(
        (batch["orders"][1]["country"].as_str(), batch["orders"][1]["price"].as_f64()),
        (Some("GB"), Some(0.225))
    );
    for id in ids(&batch) {
        assert_eq!(caller.ended(&id)["status"], "completed");
    }
    assert_eq!(caller.balance(), (10.0 - 1.025, 0.0));
}

#[test]
fn a_batch_is_listed_as_it_was_asked_for_and_its_active_order_is_the_one_that_runs() {
    let server = Server::start(SILENT);
    let caller = server.funded("100");
    for _ in 0..3 {
        let batch = body(caller.post(
            "/api/v1/batch",
            &json!({ "orders": vec![json!({ "platform": "google" }); 20] }),
        ));
        let asked = ids(&batch);
        let account = body(caller.get("/api/v1/account"));
        assert_eq!(
            (&account["active_order"], &account["active_orders"]),
            (&json!(asked[0]), &json!(asked))
        );
        let listed = body(caller.get("/api/v1/orders?limit=20"));
        let listed: Vec<String> = listed["orders"]
            .as_array()
            .unwrap()
            .iter()
            .rev()
            .map(|order| text(&order["order_id"]))
            .collect();
        assert_eq!(listed, asked);
        for id in asked.iter().rev() {
            caller.post(&format!("/api/v1/order/{id}/cancel"), &json!({}));
        }
    }
    assert!(body(caller.get("/api/v1/account"))["active_order"].is_null());
}

#[test]
fn what_cannot_be_accepted_is_refused_in_its_place() {
    let server = Server::start(SILENT);
    let caller = server.funded("1.2");
    let batch = body(caller.post(
        "/api/v1/batch",
        &json!({ "orders": [
            { "platform": "google" }, { "platform": "nosuch" },
            { "platform": "google", "country": "ZZ" }, { "platform": "google", "max_price": 0.1 },
            { "platform": "google" }, { "platform": "google" }] }),
    ));
    let orders = batch["orders"].as_array().unwrap();
    let codes: Vec<&str> =
        orders.iter().map(|order| order["error_code"].as_str().unwrap_or("-")).collect();
    let expected = [
        "-",
        "UNKNOWN_PLATFORM",
        "INVALID_REQUEST",
        "INVALID_REQUEST",
        "-",
        "INSUFFICIENT_BALANCE",
    ];
    assert_eq!(codes, expected);
    assert_eq!(
        (orders[5]["detail"]["needed"].as_f64(), orders[5]["detail"]["balance"].as_f64()),
        (Some(0.5), Some(0.2))
    );
    assert!(orders.iter().enumerate().all(|(index, order)| order["index"] == index));
    assert!(orders[1]["request_id"].is_string() && orders[1]["service"] == "Telenumerus");
    assert_eq!((batch["accepted"].as_u64(), batch["refused"].as_u64()), (Some(2), Some(4)));
    assert_eq!(caller.balance(), (0.2, 1.0));
}

#[test]
fn waiting_orders_can_be_cancelled_and_a_cancelled_one_gives_way() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let batch = body(caller.post(
        "/api/v1/batch",
        &json!({
            "orders": [
                { "platform": "google" }, { "platform": "discord" },
                { "platform": "steam" },
            ],
        }),
    ));
    let ids = ids(&batch);
    let cancel = |id: &str| body(caller.post(&format!("/api/v1/order/{id}/cancel"), &json!({})));
    assert_eq!(cancel(&ids[1])["refunded"].as_f64(), Some(0.25));
    assert_eq!(body(caller.get(&format!("/api/v1/order/{}", ids[2])))["status"], "queued");
    cancel(&ids[0]);
    let third = body(caller.get(&format!("/api/v1/order/{}?wait=10", ids[2])));
    assert!(["pending", "active"].contains(&third["status"].as_str().unwrap()));
    cancel(&ids[2]);
    assert_eq!(caller.balance(), (10.0, 0.0));
}

#[test]
fn a_batch_waits_for_nobody_and_nobody_passes_it() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let first = text(&caller.google()["order_id"]);
    let refused = caller.post("/api/v1/batch", &json!({ "orders": [{ "platform": "google" }] }));
    assert_eq!(
        (refused.status().as_u16(), body(refused)["error_code"].as_str()),
        (409, Some("ORDER_IN_PROGRESS"))
    );
    caller.post(&format!("/api/v1/order/{first}/cancel"), &json!({}));
    caller.post(
        "/api/v1/batch",
        &json!({ "orders": [{ "platform": "google" }, { "platform": "discord" }] }),
    );
    assert_eq!(caller.post("/api/v1/order", &json!({ "platform": "google" })).status(), 409);
    for orders in [
        json!([]),
        json!(vec![json!({ "platform": "google" }); 21]),
        json!({}),
        json!(null),
        json!([7]),
        json!([{ "platform": "google", "extra": 1 }]),
        json!([{}]),
    ] {
        assert_eq!(caller.post("/api/v1/batch", &json!({ "orders": orders })).status(), 400);
    }
}

#[test]
fn a_batch_survives_a_kill_in_its_middle() {
    let server = Server::start(&QUICK.replace("[0.05, 0.1]", "[0.3, 0.3]"));
    let caller = server.funded("10");
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let orders =
        json!({ "orders": vec![json!({ "platform": "google" }); 4], "idempotency_key": "b" });
    let before = body(caller.post("/api/v1/batch", &orders));
    caller.ended(&ids(&before)[0]);
    drop(caller);
    let server = server.kill_and_restart();
    let caller = crate::server::Caller { server: &server, key, account };
    let replayed = caller.post("/api/v1/batch", &orders);
    assert_eq!(replayed.headers()["idempotency-replayed"], "true");
    assert_eq!(body(replayed), before);
    for id in ids(&before) {
        assert_eq!(caller.ended(&id)["status"], "completed");
    }
    assert_eq!(caller.balance(), (8.0, 0.0));
}
