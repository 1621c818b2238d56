//! `POST /order`, `GET /order/:id`, `POST /order/:id/cancel`: their refusals, their replies, their
//! idempotence.

use serde_json::json;

use crate::server::{QUICK, SILENT, Server, body, text};

#[test]
fn a_second_order_waits_for_the_first() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let first = text(&caller.google()["order_id"]);
    let response = caller.post("/api/v1/order", &json!({ "platform": "discord" }));
    assert_eq!(
        (response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()),
        (409, "5")
    );
    let refused = body(response);
    assert_eq!(
        (refused["error_code"].as_str(), refused["retryable"].as_bool()),
        (Some("ORDER_IN_PROGRESS"), Some(true))
    );
    assert_eq!(refused["detail"]["open_orders"], json!([first]));
}

#[test]
fn an_order_needs_its_price_and_keeps_to_the_caller_s_limit() {
    let server = Server::start(SILENT);
    let caller = server.funded("0.49");
    let refused = caller.post("/api/v1/order", &json!({ "platform": "google" }));
    assert_eq!(refused.status(), 402);
    let refused = body(refused);
    assert_eq!(refused["error_code"], "INSUFFICIENT_BALANCE");
    assert_eq!(
        (refused["detail"]["needed"].as_f64(), refused["detail"]["balance"].as_f64()),
        (Some(0.5), Some(0.49))
    );
    let limited = caller.post("/api/v1/order", &json!({ "platform": "google", "max_price": 0.4 }));
    assert_eq!(limited.status(), 400);
    assert_eq!(body(limited)["detail"]["price"].as_f64(), Some(0.5));
}

#[test]
fn cancelling_gives_the_hold_back_and_does_so_once() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    assert_eq!(caller.balance(), (9.5, 0.5));
    let path = format!("/api/v1/order/{order}/cancel");
    let first = body(caller.post(&path, &json!({})));
    assert_eq!(
        first,
        json!({ "status": "ok", "order_id": order, "refunded": 0.5, "livemode": true })
    );
    assert_eq!(body(caller.post(&path, &json!({}))), first);
    assert_eq!(caller.balance(), (10.0, 0.0));
    let cancelled = body(caller.get(&format!("/api/v1/order/{order}")));
    assert_eq!(
        (
            cancelled["status"].as_str(),
            cancelled["refunded"].as_f64(),
            cancelled["can_cancel"].as_bool()
        ),
        (Some("cancelled"), Some(0.5), Some(false))
    );
}

#[test]
fn an_order_whose_code_came_first_is_shown_instead_of_cancelled() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let ended = caller.ended(&order);
    let refused = caller.post(&format!("/api/v1/order/{order}/cancel"), &json!({}));
    assert_eq!(refused.status(), 409);
    let refused = body(refused);
    assert_eq!(
        (refused["error_code"].as_str(), &refused["order"]["code"]),
        (Some("INVALID_REQUEST"), &ended["code"])
    );
}

#[test]
fn orders_long_ended_are_read_and_refused_as_ever() {
    let server = Server::start(QUICK);
    let caller = server.funded("100");
    let first = text(&caller.google()["order_id"]);
    let code = caller.ended(&first)["code"].clone();
    let cancelled = text(&caller.order(&json!({ "platform": "wise" }))["order_id"]);
    let answer = caller.post(&format!("/api/v1/order/{cancelled}/cancel"), &json!({}));
    let answer = (answer.status(), body(answer));
    // More orders than an account remembers in full.
    for _ in 0..6 {
        let order = text(&caller.google()["order_id"]);
        caller.ended(&order);
    }
    let old = body(caller.get(&format!("/api/v1/order/{first}")));
    assert_eq!((old["status"].as_str(), &old["code"]), (Some("completed"), &code));
    assert_eq!(caller.post(&format!("/api/v1/order/{first}/cancel"), &json!({})).status(), 409);
    let again = caller.post(&format!("/api/v1/order/{cancelled}/cancel"), &json!({}));
    assert_eq!((again.status(), body(again)), answer);
}

#[test]
fn somebody_else_s_order_and_one_that_never_was_are_answered_alike() {
    let server = Server::start(SILENT);
    let (owner, other) = (server.funded("10"), server.register());
    let order = text(&owner.google()["order_id"]);
    let never = "ord_0352zIeWJTLg4eWpKrvVcR";
    for path in ["", "/stream"] {
        let answers: Vec<_> = [order.as_str(), never, "nonsense"]
            .iter()
            .map(|id| {
                let response = other.get(&format!("/api/v1/order/{id}{path}"));
                let status = response.status().as_u16();
                let mut body = body(response);
                body["request_id"] = json!(null);
                (status, body)
            })
            .collect();
        assert_eq!(answers[0].0, 404);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    assert_eq!(other.post(&format!("/api/v1/order/{order}/cancel"), &json!({})).status(), 404);
    assert_eq!(owner.balance(), (9.5, 0.5));
}

#[test]
fn no_number_anywhere_is_the_provider_s_fault_and_costs_nothing() {
    let server =
        Server::start(&QUICK.replace("delivery_seconds = [0.05, 0.1]", "no_stock_rate = 1.0"));
    let caller = server.funded("10");
    let response = caller.post("/api/v1/order", &json!({ "platform": "google" }));
    assert_eq!(
        (response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()),
        (503, "30")
    );
    assert_eq!(body(response)["error_code"], "PROVIDER_UNAVAILABLE");
    assert_eq!(caller.balance(), (10.0, 0.0));
    let availability = body(server.get("/api/v1/availability").send().unwrap());
    assert_eq!(availability["platforms"][0]["stock"], "none");
}

#[test]
fn waiting_returns_at_the_change_and_only_takes_sensible_times() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    for wait in ["0", "56", "-1", "x", ""] {
        assert_eq!(
            caller.get(&format!("/api/v1/order/{order}?wait={wait}")).status(),
            400,
            "{wait}"
        );
    }
    assert_eq!(body(caller.get(&format!("/api/v1/order/{order}?wait=1")))["status"], "active");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| body(caller.get(&format!("/api/v1/order/{order}?wait=55"))));
        caller.post(&format!("/api/v1/order/{order}/cancel"), &json!({}));
        assert_eq!(waiting.join().unwrap()["status"], "cancelled");
    });
}

#[test]
fn an_order_expires_on_time_and_its_hold_comes_back() {
    let server = Server::start(&format!("{SILENT}[orders]\nlifetime_seconds = 1\n"));
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let ended = caller.ended(&order);
    assert_eq!(
        (ended["status"].as_str(), ended["refunded"].as_f64()),
        (Some("expired"), Some(0.5))
    );
    assert_eq!(caller.balance(), (10.0, 0.0));
}

#[test]
fn twenty_completed_orders_make_silver() {
    let server = Server::start(&QUICK.replace("[0.05, 0.1]", "[0.0, 0.0]"));
    let caller = server.funded("100");
    for _ in 0..20 {
        let order = text(&caller.google()["order_id"]);
        assert_eq!(caller.ended(&order)["status"], "completed");
    }
    let account = body(caller.get("/api/v1/account"));
    assert_eq!(
        (account["tier"].as_str(), account["discount"].as_f64()),
        (Some("Silver"), Some(0.05))
    );
    assert_eq!(caller.google()["price"].as_f64(), Some(0.475));
}
