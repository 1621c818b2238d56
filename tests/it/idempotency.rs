//! Idempotency keys: one effect and one answer, whatever the number of retries and kills.

use serde_json::{Value, json};

use crate::server::{Caller, QUICK, SILENT, Server, body, text};

fn keyed(caller: &Caller<'_>, path: &str, key: &str, value: &Value) -> (u16, bool, Value) {
    let response = caller.request("POST", path).header("Idempotency-Key", key).json(value).send().unwrap();
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
    let again = keyed(&caller, "/api/v1/order", "a", &json!({ "country": "US", "platform": "google" }));
    assert_eq!(again, (200, true, first.2.clone()));
    let in_body = caller.post("/api/v1/order", &json!({ "platform": "google", "country": "US", "idempotency_key": "a" }));
    assert_eq!(body(in_body), first.2);
    assert_eq!(caller.balance(), (9.5, 0.5));
    let other = keyed(&caller, "/api/v1/order", "a", &json!({ "platform": "discord", "country": "US" }));
    assert_eq!((other.0, other.2["error_code"].as_str()), (422, Some("INVALID_REQUEST")));
    assert_eq!(keyed(&caller, "/api/v1/verify", "a", &wanted).0, 422, "another call is another request");
}

#[test]
fn a_hundred_retries_at_once_are_one_order() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let wanted = json!({ "platform": "google" });
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(|| keyed(&caller, "/api/v1/order", "k", &wanted))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|(status, _, reply)| *status == 200 && *reply == answers[0].2), "{answers:?}");
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
    let (_, _, placed) = keyed(&caller, "/api/v1/order", "lost reply/1", &json!({ "platform": "google" }));
    let known = body(caller.get("/api/v1/idempotency/lost%20reply%2F1"));
    assert_eq!((known["effect"].as_str(), &known["orders"][0]["order_id"]), (Some("order"), &placed["order_id"]));
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
    assert_eq!((first.0, first.2["understood"].as_bool(), first.2["interpretation"]["country"].as_str()), (200, Some(true), Some("DE")));
    assert_eq!(keyed(&caller, "/api/v1/agent", "agent", &query), (200, true, first.2.clone()));
    let cancel = format!("/api/v1/order/{}/cancel", text(&first.2["order_id"]));
    let cancelled = keyed(&caller, &cancel, "cancel", &json!({}));
    assert_eq!(keyed(&caller, &cancel, "cancel", &json!({})), (200, true, cancelled.2));
    assert_eq!(keyed(&caller, &cancel.replace("ord_0", "ord_1"), "cancel", &json!({})).0, 404);

    let claim = json!({ "tx_hash": "ab".repeat(32) });
    assert_eq!(keyed(&caller, "/api/v1/deposit/verify", "money", &claim).0, 200);
    let again = keyed(&caller, "/api/v1/deposit/verify", "money", &claim);
    assert_eq!((again.0, again.1), (200, true));
    assert_eq!(keyed(&caller, "/api/v1/deposit/verify", "money", &json!({ "tx_hash": "cd".repeat(32) })).0, 422);
}

#[test]
fn what_is_refused_uses_up_no_key() {
    let server = Server::start(SILENT);
    let caller = server.register();
    let wanted = json!({ "platform": "google" });
    assert_eq!(keyed(&caller, "/api/v1/order", "k", &wanted).0, 402);
    assert_eq!(keyed(&caller, "/api/v1/order", "k", &json!({ "platform": "nosuch" })).0, 400);
    let done = server.cli(&["admin", "credit", &caller.account, "1", "--reason", "test", "--operator", "tester"]);
    assert!(done.status.success());
    let (status, replayed, _) = keyed(&caller, "/api/v1/order", "k", &wanted);
    assert_eq!((status, replayed), (200, false));
}

#[test]
fn an_order_that_failed_answers_its_key_as_it_failed() {
    let server = Server::start(&QUICK.replace("delivery_seconds = [0.05, 0.1]", "no_stock_rate = 1.0"));
    let caller = server.funded("10");
    let wanted = json!({ "platform": "google" });
    let first = keyed(&caller, "/api/v1/order", "k", &wanted);
    let again = keyed(&caller, "/api/v1/order", "k", &wanted);
    assert_eq!((first.0, first.1, again.0, again.1), (503, false, 503, true));
    assert_eq!(first.2["detail"]["order_id"], again.2["detail"]["order_id"]);
}

#[test]
fn hostile_keys_are_refused() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    for key in [json!(""), json!("é"), json!("k".repeat(256)), json!(7), json!(["k"]), json!("a\nb")] {
        assert_eq!(caller.post("/api/v1/order", &json!({ "platform": "google", "idempotency_key": key })).status(), 400, "{key}");
    }
    let differing =
        caller.request("POST", "/api/v1/order").header("Idempotency-Key", "a").json(&json!({ "platform": "google", "idempotency_key": "b" }));
    assert_eq!(differing.send().unwrap().status(), 400);
    let twice =
        caller.request("POST", "/api/v1/order").header("Idempotency-Key", "a").header("Idempotency-Key", "a").json(&json!({ "platform": "google" }));
    assert_eq!(twice.send().unwrap().status(), 400);
    assert_eq!(caller.balance(), (10.0, 0.0));
}
