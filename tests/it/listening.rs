//! After the code: the order keeps its number, a resend heals a wrong code at no cost, `finish` and
//! `report` end it, and a kill changes nothing.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use crate::inbound::{config, deliver, sms};
use crate::server::{Caller, Server, body, text};

const NUMBER: &str = "+12025550123";
const WRONG: &str = "Your verification code is 777888";
const RIGHT: &str = "G-482913 is your Google verification code.";

fn order(caller: &Caller<'_>, id: &str) -> Value {
    body(caller.get(&format!("/api/v1/order/{id}")))
}

fn outcome(server: &Server, id: &str, said: &str) -> Value {
    body(deliver(server, &sms(id, NUMBER, said)))["outcome"].clone()
}

/// The next message of an open stream.
fn next(stream: &mut impl BufRead) -> Value {
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream has ended");
        if let Some(data) = line.strip_prefix("data: ") {
            return serde_json::from_str(data).unwrap();
        }
    }
}

#[test]
fn a_wrong_first_code_heals_and_costs_nothing_more() {
    let server = Server::start(&config(&[(NUMBER, "US"), ("+12025550124", "US")]));
    let caller = server.funded("10");
    let id = text(&caller.google()["order_id"]);
    let mut stream = BufReader::new(caller.get(&format!("/api/v1/order/{id}/stream?until=expiry")));
    assert_eq!(outcome(&server, "m1", WRONG), "taken");
    let first = caller.ended(&id);
    assert_eq!(
        (&first["status"], &first["code"], &first["listening"]),
        (&json!("completed"), &json!("777888"), &json!(true))
    );
    assert_eq!(
        (caller.balance(), first["listening_until"].clone()),
        ((9.5, 0.0), first["expires_at"].clone())
    );
    // The slot is free: the next order runs beside it.
    let beside = text(&caller.google()["order_id"]);
    assert_eq!(outcome(&server, "m2", RIGHT), "taken");
    let healed = order(&caller, &id);
    assert_eq!(
        (&healed["code"], &healed["sms"], healed["messages"].as_array().unwrap().len()),
        (&json!("482913"), &json!(RIGHT), 2)
    );
    let codes: Vec<&str> = healed["codes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["code"].as_str().unwrap())
        .collect();
    assert_eq!((codes, &healed["ended_at"]), (vec!["777888", "482913"], &first["ended_at"]));
    assert_eq!(outcome(&server, "m3", "Welcome to Google!"), "taken");
    let account = body(caller.get("/api/v1/account"));
    assert_eq!(
        (&account["active_order"], &account["listening_orders"]),
        (&json!(beside), &json!([id]))
    );
    assert_eq!(caller.balance(), (9.0, 0.5));

    let finished = caller.finish(&id);
    assert_eq!((&finished["code"], caller.finish(&id)), (&json!("482913"), finished.clone()));
    assert_eq!(outcome(&server, "m4", "G-111222 is your Google verification code."), "order_ended");
    let over = order(&caller, &id);
    assert_eq!(
        (&over["listening"], &over["listening_until"], &over["finish"]),
        (&json!(false), &finished["finished_at"], &Value::Null)
    );
    let story: Vec<String> = (0..8).map(|_| text(&next(&mut stream)["event"])).collect();
    assert_eq!(
        story,
        ["status", "number", "code", "completed", "code", "replaced", "message", "finished"]
    );
}

#[test]
fn a_stream_ends_with_the_code_unless_it_is_to_go_on() {
    let server = Server::start(&config(&[(NUMBER, "US")]));
    let caller = server.funded("10");
    let id = text(&caller.google()["order_id"]);
    outcome(&server, "m1", WRONG);
    caller.ended(&id);
    outcome(&server, "m2", RIGHT);
    caller.finish(&id);
    let events = |until: &str| {
        let stream = caller.get(&format!("/api/v1/order/{id}/stream{until}")).text().unwrap();
        let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| text(&serde_json::from_str::<Value>(data).unwrap()["event"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(events(""), ["status", "number", "code", "completed"]);
    assert_eq!(events("?until=code"), events(""));
    assert_eq!(
        events("?until=expiry"),
        ["status", "number", "code", "completed", "code", "replaced", "finished"]
    );
    assert_eq!(caller.get(&format!("/api/v1/order/{id}/stream?until=doomsday")).status(), 400);
}

#[test]
fn a_listening_order_survives_a_kill_and_gives_its_number_back_on_time() {
    let server = Server::start(&(config(&[(NUMBER, "US")]) + "[orders]\nlifetime_seconds = 6\n"));
    let caller = server.funded("10");
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let id = text(&caller.google()["order_id"]);
    outcome(&server, "m1", WRONG);
    assert_eq!(caller.ended(&id)["code"], "777888");
    drop(caller);
    let server = server.kill_and_restart();
    let caller = Caller { server: &server, key, account };
    assert_eq!(outcome(&server, "m2", RIGHT), "taken");
    assert_eq!(
        (&order(&caller, &id)["code"], &order(&caller, &id)["listening"]),
        (&json!("482913"), &json!(true))
    );
    assert_eq!(
        caller.post("/api/v1/order", &json!({ "platform": "discord" })).status(),
        503,
        "its number is on no other order"
    );
    let over = body(caller.get(&format!("/api/v1/order/{id}?wait=30&until=expiry")));
    assert_eq!((&over["listening"], &over["code"]), (&json!(false), &json!("482913")));
    assert_eq!(caller.order(&json!({ "platform": "discord" }))["phone"], NUMBER);
    assert!(server.cli(&["audit", "verify"]).status.success());
}

#[test]
fn an_operator_says_how_long_orders_listen() {
    let server =
        Server::start(&(config(&[(NUMBER, "US")]) + "[orders]\nlisten_after_code_seconds = 0\n"));
    let caller = server.funded("10");
    let id = text(&caller.google()["order_id"]);
    outcome(&server, "m1", RIGHT);
    let ended = caller.ended(&id);
    assert_eq!(
        (&ended["listening"], &ended["finish"], &ended["listening_until"]),
        (&json!(false), &Value::Null, &ended["ended_at"])
    );
    assert_eq!(caller.order(&json!({ "platform": "discord" }))["phone"], NUMBER);
    let open = body(caller.get("/api/v1/account"))["active_order"].clone();
    let refused = caller.post(&format!("/api/v1/order/{}/finish", text(&open)), &json!({}));
    assert_eq!(
        (refused.status().as_u16(), &body(refused)["order"]["status"]),
        (409, &json!("active"))
    );
    let (started, said) = {
        let data = Server::prepare("[orders]\nlisten_after_code_seconds = 301\n");
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"))
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(data.path().join("config.toml"))
            .arg("--data-dir")
            .arg(data.path())
            .output()
            .unwrap();
        (done.status.success(), String::from_utf8(done.stderr).unwrap())
    };
    assert!(!started && said.contains("listen_after_code_seconds"), "{said}");
}

#[test]
fn a_stranger_s_code_is_paid_back_once_and_the_operator_sees_it() {
    let server = Server::start(&config(&[(NUMBER, "US"), ("+12025550124", "US")]));
    let caller = server.funded("10");
    let report = |id: &str, reason: &str| {
        let response =
            caller.post(&format!("/api/v1/order/{id}/report"), &json!({ "reason": reason }));
        (response.status().as_u16(), body(response))
    };
    let stranger = |message: &str| {
        let placed = caller.google();
        assert_eq!(
            body(deliver(&server, &sms(message, &text(&placed["phone"]), WRONG)))["outcome"],
            "taken"
        );
        let id = text(&placed["order_id"]);
        caller.ended(&id);
        id
    };
    let first = stranger("m1");
    let (status, reply) = report(&first, "wrong_code");
    assert_eq!(
        (status, reply["refunded"].as_f64(), caller.balance()),
        (200, Some(0.5), (10.0, 0.0))
    );
    assert_eq!(report(&first, "wrong_code").0, 200, "said again, nothing happens");
    let shown = order(&caller, &first);
    assert_eq!(
        (&shown["status"], shown["refunded"].as_f64(), &shown["listening"]),
        (&json!("completed"), Some(0.5), &json!(false))
    );
    let late = sms("m2", &text(&shown["phone"]), RIGHT);
    assert_eq!(
        body(deliver(&server, &late))["outcome"],
        "order_ended",
        "no code follows the money"
    );
    let second = stranger("m3");
    let (status, reply) = report(&second, "wrong_code");
    assert_eq!(
        (status, &reply["refunded"], caller.balance()),
        (200, &Value::Null, (9.5, 0.0)),
        "once"
    );
    assert_eq!(report(&second, "no_code").0, 409);
    assert_eq!(report(&second, "bad_luck").0, 400);
    let kinds: Vec<Value> = body(caller.get("/api/v1/account/ledger"))["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["type"].clone())
        .collect();
    assert!(kinds.contains(&json!("refund")), "{kinds:?}");
    let sums = body(caller.get("/api/v1/account"))["stats"].clone();
    assert_eq!(
        (&sums["completed"], sums["total_spent"].as_f64(), &sums["active"]),
        (&json!(2), Some(0.5), &json!(0))
    );
    let told = server.cli(&["admin", "reports", "--json"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let reports: Vec<(&str, bool)> = told["reports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|report| (report["order_id"].as_str().unwrap(), report["refunded"].as_bool().unwrap()))
        .collect();
    assert_eq!(reports, [(second.as_str(), false), (first.as_str(), true)]);
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let server = server.kill_and_restart();
    let caller = Caller { server: &server, key, account };
    assert_eq!(caller.balance(), (9.5, 0.0));
    assert!(server.cli(&["audit", "verify"]).status.success());
}

#[test]
fn no_stamp_gives_an_order_another_s_code() {
    let server = Server::start(&config(&[(NUMBER, "US")]));
    let (first, second) = (server.funded("10"), server.funded("10"));
    let given_up = text(&first.google()["order_id"]);
    assert_eq!(first.post(&format!("/api/v1/order/{given_up}/cancel"), &json!({})).status(), 200);
    let id = text(&second.google()["order_id"]);
    let now: events::time::Timestamp = text(&order(&second, &id)["created_at"]).parse().unwrap();
    let hour = std::time::Duration::from_hours(1);
    let stamps = [
        now.minus(hour),
        now.plus(hour),
        events::time::Timestamp::default(),
        now.minus(hour * 7),
        now.plus(hour * 14),
        now.plus(hour / 30),
    ];
    for (place, stamp) in stamps.into_iter().enumerate() {
        let mut message = sms(
            &format!("m{place}"),
            NUMBER,
            &format!("G-48291{place} is your Google verification code."),
        );
        message["received_at"] = json!(stamp.to_string());
        assert_eq!(
            body(deliver(&server, &message))["outcome"],
            "order_ended",
            "{stamp}: it may have been the other's"
        );
    }
    assert_eq!(order(&second, &id)["messages"], json!([]));
    assert!(server.log().contains("cannot be believed"), "{}", server.log());
    // The same stamps on numbers that nobody else had give each order its code.
    let numbers: Vec<String> =
        (0..stamps.len()).map(|place| format!("+1202555020{place}")).collect();
    let listed: Vec<(&str, &str)> = numbers.iter().map(|number| (number.as_str(), "US")).collect();
    let server = Server::start(&(config(&listed) + "[orders]\nmax_concurrent_per_account = 10\n"));
    let caller = server.funded("10");
    for (place, stamp) in stamps.into_iter().enumerate() {
        let placed = caller.google();
        let mut message = sms(
            &format!("m{place}"),
            &text(&placed["phone"]),
            &format!("G-48291{place} is your Google verification code."),
        );
        message["received_at"] = json!(stamp.to_string());
        assert_eq!(body(deliver(&server, &message))["outcome"], "taken", "{stamp}");
        let ended = caller.ended(&text(&placed["order_id"]));
        assert_eq!(ended["code"], format!("48291{place}"));
        assert!(
            text(&ended["messages"][0]["received_at"]) <= text(&ended["ended_at"]),
            "never after it arrived"
        );
    }
}
