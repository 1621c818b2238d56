//! Idempotency keys: one effect and one answer, whatever the number of retries and kills.

use serde_json::{Value, json};

use crate::server::{Caller, QUICK, SILENT, Server, body, text};

fn keyed(caller: &Caller<'_>, path: &str, key: &str, value: &Value) -> (u16, bool, Value) {
    let response =
        caller.request("POST", path).header("Idempotency-Key", key).json(value).send().unwrap();
    let replayed = response.headers().contains_key("idempotency-replayed");
    (response.status().as_u16(), replayed, body(response))
}

#[test]
fn the_same_key_and_body_is_one_order_and_one_answer() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let wanted = json!({ "platform": "google", "country": "US" });
    let first = keyed(&caller, "/api/v1/order", "a", &wanted);
    assert_eq!((first.0, first.1), (200, false));
    let again =
        keyed(&caller, "/api/v1/order", "a", &json!({ "country": "US", "platform": "google" }));
    assert_eq!(again, (200, true, first.2.clone()));
    let in_body = caller.post(
        "/api/v1/order",
        &json!({ "platform": "google", "country": "US", "idempotency_key": "a" }),
    );
    assert_eq!(body(in_body), first.2);
    assert_eq!(caller.balance(), (9.5, 0.5));
    let other =
        keyed(&caller, "/api/v1/order", "a", &json!({ "platform": "discord", "country": "US" }));
    assert_eq!((other.0, other.2["error_code"].as_str()), (422, Some("INVALID_REQUEST")));
    assert_eq!(
        keyed(&caller, "/api/v1/verify", "a", &wanted).0,
        422,
        "another call is another request"
    );
}

#[test]
fn a_hundred_retries_at_once_are_one_order() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let wanted = json!({ "platform": "google" });
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..100)
            .map(|_| scope.spawn(|| keyed(&caller, "/api/v1/order", "k", &wanted)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(
        answers.iter().all(|(status, _, reply)| *status == 200 && *reply == answers[0].2),
        "{answers:?}"
    );
    assert_eq!(answers.iter().filter(|(_, replayed, _)| !replayed).count(), 1);
    assert_eq!(body(caller.get("/api/v1/account"))["stats"]["total_orders"], 1);
    assert_eq!(caller.balance(), (9.5, 0.5));
}

#[test]
fn keys_survive_a_kill_and_the_order_s_end() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let wanted = json!({ "platform": "google" });
    let (_, _, placed) = keyed(&caller, "/api/v1/order", "k", &wanted);
    caller.ended(&text(&placed["order_id"]));
    // Past what the account remembers of ended orders.
    for _ in 0..6 {
        let order = text(&caller.google()["order_id"]);
        caller.ended(&order);
    }
    drop(caller);
    let server = server.kill_and_restart();
    let caller = Caller { server: &server, key, account };
    assert_eq!(keyed(&caller, "/api/v1/order", "k", &wanted), (200, true, placed));
    assert_eq!(body(caller.get("/api/v1/account"))["stats"]["total_orders"], 7);
}

#[test]
fn a_lost_reply_can_be_looked_up() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let (_, _, placed) =
        keyed(&caller, "/api/v1/order", "lost reply/1", &json!({ "platform": "google" }));
    let known = body(caller.get("/api/v1/idempotency/lost%20reply%2F1"));
    assert_eq!(
        (known["effect"].as_str(), &known["orders"][0]["order_id"]),
        (Some("order"), &placed["order_id"])
    );
    let id = text(&placed["order_id"]);
    keyed(&caller, &format!("/api/v1/order/{id}/cancel"), "c", &json!({}));
    assert_eq!(body(caller.get("/api/v1/idempotency/c"))["effect"], "cancel");
    assert_eq!(caller.get("/api/v1/idempotency/never").status(), 404);
    let other = server.register();
    assert_eq!(other.get("/api/v1/idempotency/c").status(), 404, "keys are the account's own");
}

#[test]
fn cancels_deposits_and_agents_take_keys_too() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let query = json!({ "query": "google number in germany" });
    let first = keyed(&caller, "/api/v1/agent", "agent", &query);
    assert_eq!(
        (first.0, first.2["understood"].as_bool(), first.2["interpretation"]["country"].as_str()),
        (200, Some(true), Some("DE"))
    );
    assert_eq!(keyed(&caller, "/api/v1/agent", "agent", &query), (200, true, first.2.clone()));
    let cancel = format!("/api/v1/order/{}/cancel", text(&first.2["order_id"]));
    let cancelled = keyed(&caller, &cancel, "cancel", &json!({}));
    assert_eq!(keyed(&caller, &cancel, "cancel", &json!({})), (200, true, cancelled.2));
    assert_eq!(keyed(&caller, &cancel.replace("ord_0", "ord_1"), "cancel", &json!({})).0, 404);

    let claim = json!({ "tx_hash": "ab".repeat(32) });
    assert_eq!(keyed(&caller, "/api/v1/deposit/verify", "money", &claim).0, 200);
    let again = keyed(&caller, "/api/v1/deposit/verify", "money", &claim);
    assert_eq!((again.0, again.1), (200, true));
    assert_eq!(
        keyed(&caller, "/api/v1/deposit/verify", "money", &json!({ "tx_hash": "cd".repeat(32) })).0,
        422
    );
}

#[test]
fn what_is_refused_uses_up_no_key() {
    let server = Server::start(SILENT);
    let caller = server.register();
    let wanted = json!({ "platform": "google" });
    assert_eq!(keyed(&caller, "/api/v1/order", "k", &wanted).0, 402);
    assert_eq!(keyed(&caller, "/api/v1/order", "k", &json!({ "platform": "nosuch" })).0, 400);
    let done = server.cli(&[
        "admin",
        "credit",
        &caller.account,
        "1",
        "--reason",
        "test",
        "--operator",
        "tester",
    ]);
    assert!(done.status.success());
    let (status, replayed, _) = keyed(&caller, "/api/v1/order", "k", &wanted);
    assert_eq!((status, replayed), (200, false));
}

#[test]
fn an_order_that_came_to_nothing_lets_its_key_go() {
    let server =
        Server::start(&QUICK.replace("delivery_seconds = [0.05, 0.1]", "no_stock_rate = 1.0"));
    let caller = server.funded("10");
    let sentence = json!({ "query": "google number in germany" });
    for (path, wanted) in [
        ("order", json!({ "platform": "google" })),
        ("verify", json!({ "platform": "google" })),
        ("agent", sentence),
    ] {
        let path = format!("/api/v1/{path}");
        let tries: Vec<_> = (0..3).map(|_| keyed(&caller, &path, &path, &wanted)).collect();
        assert!(
            tries.iter().all(|(status, replayed, _)| (*status, *replayed) == (503, false)),
            "{tries:?}"
        );
    }
    assert_eq!(body(caller.get("/api/v1/account"))["stats"]["failed"], 9);
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let wanted = json!({ "platform": "google" });
    let first = text(&keyed(&caller, "/api/v1/order", "k", &wanted).2["order_id"]);
    let cancel = format!("/api/v1/order/{first}/cancel");
    assert_eq!(keyed(&caller, &cancel, "c", &json!({})).0, 200);
    assert_eq!(caller.get("/api/v1/idempotency/k").status(), 404);
    let (status, replayed, second) = keyed(&caller, "/api/v1/order", "k", &wanted);
    assert_eq!((status, replayed, text(&second["order_id"]) == first), (200, false, false));
    assert!(keyed(&caller, &cancel, "c", &json!({})).1, "a cancel has done what it was for");
    assert!(server.cli(&["audit", "verify"]).status.success());
}

#[test]
fn of_a_batch_the_rows_that_came_to_nothing_are_placed_again_alone() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let wanted = json!({
        "orders": [
            { "platform": "google" }, { "platform": "nosuch" }, { "platform": "discord" },
            { "platform": "steam" },
        ],
    });
    let ids = |batch: &Value| {
        batch["orders"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["order_id"].clone())
            .collect::<Vec<_>>()
    };
    let (_, _, first) = keyed(&caller, "/api/v1/batch", "b", &wanted);
    let again = keyed(&caller, "/api/v1/batch", "b", &wanted);
    assert_eq!((again.0, again.1, ids(&again.2)), (200, true, ids(&first)));
    let gone = text(&first["orders"][0]["order_id"]);
    assert_eq!(caller.post(&format!("/api/v1/order/{gone}/cancel"), &json!({})).status(), 200);
    drop(caller);
    let server = server.kill_and_restart();
    let caller = Caller { server: &server, key, account };
    let (status, replayed, second) = keyed(&caller, "/api/v1/batch", "b", &wanted);
    assert_eq!((status, replayed, second["accepted"].as_u64()), (200, false, Some(3)));
    assert_eq!(ids(&second)[1..], ids(&first)[1..]);
    assert_ne!(ids(&second)[0], ids(&first)[0]);
    assert_eq!(second["orders"][0]["status"], "queued", "it waits behind those that have waited");
    assert!(keyed(&caller, "/api/v1/batch", "b", &wanted).1);
    assert_eq!(body(caller.get("/api/v1/account"))["stats"]["total_orders"], 4);
    for id in ids(&second).iter().rev().filter_map(Value::as_str) {
        caller.post(&format!("/api/v1/order/{id}/cancel"), &json!({}));
    }
    assert_eq!(caller.balance(), (10.0, 0.0));
    assert!(server.cli(&["audit", "verify"]).status.success());
}

#[test]
fn hostile_keys_are_refused() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    for key in
        [json!(""), json!("é"), json!("k".repeat(256)), json!(7), json!(["k"]), json!("a\nb")]
    {
        assert_eq!(
            caller
                .post("/api/v1/order", &json!({ "platform": "google", "idempotency_key": key }))
                .status(),
            400,
            "{key}"
        );
    }
    let differing = caller
        .request("POST", "/api/v1/order")
        .header("Idempotency-Key", "a")
        .json(&json!({ "platform": "google", "idempotency_key": "b" }));
    assert_eq!(differing.send().unwrap().status(), 400);
    let twice = caller
        .request("POST", "/api/v1/order")
        .header("Idempotency-Key", "a")
        .header("Idempotency-Key", "a")
        .json(&json!({ "platform": "google" }));
    assert_eq!(twice.send().unwrap().status(), 400);
    assert_eq!(caller.balance(), (10.0, 0.0));
}
