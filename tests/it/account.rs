//! `GET /account` and `GET /usage`: the caller always sees its own writes.

use serde_json::json;

use crate::server::{QUICK, SILENT, Server, body, text};

#[test]
fn a_write_is_in_the_next_read() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    for round in 1..=10u64 {
        let order = text(&caller.google()["order_id"]);
        assert_eq!(caller.balance(), (9.5, 0.5));
        let account = body(caller.get("/api/v1/account"));
        assert_eq!(
            (account["active_order"].as_str(), account["stats"]["total_orders"].as_u64()),
            (Some(order.as_str()), Some(round))
        );
        caller.post(&format!("/api/v1/order/{order}/cancel"), &json!({}));
        assert_eq!(caller.balance(), (10.0, 0.0));
        let usage = body(caller.get("/api/v1/usage"));
        assert_eq!(usage["totals"]["cancelled"].as_u64(), Some(round));
    }
}

#[test]
fn usage_is_a_series_without_holes_in_groups() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    for (platform, country) in [("google", "US"), ("discord", "DE"), ("google", "DE")] {
        let order =
            text(&caller.order(&json!({ "platform": platform, "country": country }))["order_id"]);
        caller.ended(&order);
    }
    let usage = body(caller.get("/api/v1/usage?granularity=hour&group_by=platform"));
    let series = usage["series"].as_array().unwrap();
    assert!(series.len() >= 30 * 24, "{}", series.len());
    let sum =
        |field: &str| series.iter().map(|bucket| bucket[field].as_f64().unwrap()).sum::<f64>();
    assert_eq!((sum("orders"), sum("completed")), (3.0, 3.0));
    assert!((sum("spent") - usage["totals"]["spent"].as_f64().unwrap()).abs() < 1e-9);
    assert_eq!(usage["groups"].as_array().unwrap().len(), 2);
    assert_eq!(usage["groups"][1]["platform"], "google");
    assert_eq!(usage["groups"][1]["totals"]["completed"], 2);
    let months = body(caller.get("/api/v1/usage?granularity=month&group_by=country"));
    assert!(months["series"].as_array().unwrap().len() <= 2);
}

#[test]
fn availability_has_a_rate_after_five_ended_orders() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    for round in 1..=5u64 {
        let order = text(&caller.google()["order_id"]);
        caller.ended(&order);
        caller.balance();
        let row =
            body(server.get("/api/v1/availability?platform=google").send().unwrap())["platforms"]
                [0]
            .clone();
        assert_eq!(row["sample_size"].as_u64(), Some(round));
        assert_eq!(row["success_rate"].as_f64(), (round >= 5).then_some(1.0));
    }
}
