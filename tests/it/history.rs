//! What was: lists, histories, ledgers, and the past itself.

use serde_json::{Value, json};

use crate::server::{QUICK, SILENT, Server, body, text};

#[test]
fn orders_are_listed_newest_first_in_pages_and_by_what_they_are() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let mut placed = Vec::new();
    for platform in ["google", "discord", "google", "steam", "google"] {
        let order = text(&caller.order(&json!({ "platform": platform }))["order_id"]);
        caller.ended(&order);
        placed.insert(0, order);
    }
    let ids = |page: &Value| {
        page["orders"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| text(&order["order_id"]))
            .collect::<Vec<_>>()
    };
    let all = body(caller.get("/api/v1/orders"));
    assert_eq!((ids(&all), all["next_cursor"].is_null()), (placed.clone(), true));
    let first = body(caller.get("/api/v1/orders?limit=2"));
    let second =
        body(caller.get(&format!("/api/v1/orders?limit=3&cursor={}", text(&first["next_cursor"]))));
    assert_eq!([ids(&first), ids(&second)].concat(), placed);
    assert!(second["next_cursor"].is_null());
    assert_eq!(ids(&body(caller.get("/api/v1/orders?platform=google&status=completed"))).len(), 3);
    assert_eq!(ids(&body(caller.get("/api/v1/orders?status=expired"))).len(), 0);
    assert_eq!(ids(&body(caller.get("/api/v1/orders?to=2020-01-01"))).len(), 0);
    for query in
        ["status=lost", "platform=nosuch", "limit=0", "limit=201", "from=soon", "color=red"]
    {
        assert_eq!(caller.get(&format!("/api/v1/orders?{query}")).status(), 400, "{query}");
    }
    assert_eq!(caller.get("/api/v1/orders?cursor=x").status(), 404);
    assert!(
        ids(&body(server.register().get("/api/v1/orders"))).is_empty(),
        "others see nothing of it"
    );
}

#[test]
fn an_order_tells_its_history_and_what_each_fact_did_to_the_money() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    caller.ended(&order);
    let history = body(caller.get(&format!("/api/v1/order/{order}/events")));
    let kinds: Vec<_> =
        history["events"].as_array().unwrap().iter().map(|event| text(&event["type"])).collect();
    assert_eq!(kinds, ["placed", "number_assigned", "sms_received", "completed"]);
    assert_eq!(
        history["events"][0]["money"],
        json!({ "type": "hold", "balance": -0.5, "held": 0.5 })
    );
    assert_eq!(
        history["events"][3]["money"],
        json!({ "type": "capture", "balance": 0.0, "held": -0.5 })
    );
    assert_eq!(
        (history["events"][1]["attempt"].as_u64(), history["events"][1]["number"].as_u64()),
        (Some(1), Some(2))
    );
    assert_eq!(server.register().get(&format!("/api/v1/order/{order}/events")).status(), 404);
}

#[test]
fn the_past_can_be_asked_for() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let ended = caller.ended(&order);
    let was = |as_of: &str| caller.get(&format!("/api/v1/order/{order}?as_of={as_of}"));
    assert_eq!(
        (body(was("1"))["status"].as_str(), body(was("2"))["status"].as_str()),
        (Some("pending"), Some("active"))
    );
    assert_eq!(body(was("3"))["code"], Value::Null);
    assert_eq!(body(was("99"))["code"], ended["code"]);
    assert_eq!(
        body(was(&text(&ended["created_at"])))["status"],
        "active",
        "the number came in the order's own append"
    );
    assert_eq!(
        (
            was("2020-01-01T00:00:00Z").status().as_u16(),
            was("0").status().as_u16(),
            was("then").status().as_u16()
        ),
        (404, 400, 400)
    );

    let account = |as_of: &str| caller.get(&format!("/api/v1/account?as_of={as_of}"));
    let balances: Vec<_> = (1..=4)
        .map(|event| body(account(&event.to_string())))
        .map(|reply| (reply["balance"].as_f64(), reply["held"].as_f64()))
        .collect();
    assert_eq!(
        balances,
        [
            (Some(0.0), Some(0.0)),
            (Some(10.0), Some(0.0)),
            (Some(10.0), Some(0.0)),
            (Some(9.5), Some(0.5))
        ]
    );
    let now = body(caller.get("/api/v1/account"));
    assert_eq!(body(account(&now["event"].to_string())), now);
    assert_eq!(account("2020-01-01T00:00:00Z").status(), 404);
}

#[test]
fn the_ledger_has_every_entry_with_the_balance_before_and_after() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    for _ in 0..3 {
        let order = text(&caller.google()["order_id"]);
        caller.ended(&order);
    }
    let whole = body(caller.get("/api/v1/account/ledger"));
    let kinds: Vec<_> =
        whole["entries"].as_array().unwrap().iter().map(|entry| text(&entry["type"])).collect();
    assert_eq!(kinds, ["capture", "hold", "capture", "hold", "capture", "hold", "credit"]);
    assert!(whole["next_cursor"].is_null());
    let mut paged: Vec<Value> = Vec::new();
    let mut path = "/api/v1/account/ledger?limit=2".to_owned();
    loop {
        let page = body(caller.get(&path));
        paged.extend(page["entries"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/account/ledger?limit=2&cursor={cursor}");
    }
    assert_eq!(json!(paged), whole["entries"]);
    for pair in paged.windows(2) {
        assert_eq!(
            (&pair[0]["balance_before"], &pair[0]["held_before"]),
            (&pair[1]["balance_after"], &pair[1]["held_after"])
        );
    }
    let (newest, oldest) = (&paged[0], &paged[paged.len() - 1]);
    assert_eq!(
        (newest["balance_after"].as_f64(), newest["held_after"].as_f64()),
        (Some(8.5), Some(0.0))
    );
    assert_eq!(
        (oldest["balance_before"].as_f64(), oldest["amount"].as_f64()),
        (Some(0.0), Some(10.0))
    );
    for cursor in ["x", "OTk5OTkuMC4w"] {
        assert_eq!(
            caller.get(&format!("/api/v1/account/ledger?cursor={cursor}")).status(),
            404,
            "{cursor}"
        );
    }
}

#[test]
fn a_queued_order_s_stream_waits_with_it() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let batch = body(caller.post(
        "/api/v1/batch",
        &json!({ "orders": [{ "platform": "google" }, { "platform": "discord" }] }),
    ));
    let second = text(&batch["orders"][1]["order_id"]);
    let history = body(caller.get(&format!("/api/v1/order/{second}/events")));
    assert_eq!(
        history["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| text(&event["type"]))
            .collect::<Vec<_>>(),
        ["placed", "queued"]
    );
    caller.post(&format!("/api/v1/order/{second}/cancel"), &json!({}));
    let stream = caller.get(&format!("/api/v1/order/{second}/stream")).text().unwrap();
    assert!(
        stream.contains("\"status\":\"queued\"") && stream.contains("\"event\":\"cancelled\""),
        "{stream}"
    );
}
