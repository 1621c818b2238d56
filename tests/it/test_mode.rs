//! Test keys: every scenario by polling, stream, webhook and tool, the same each time; and nothing
//! of it is live money's.

use serde_json::{Value, json};

use crate::mcp::rpc;
use crate::receiver::Receiver;
use crate::server::{Caller, QUICK, Server, body, text};

const SCENARIOS: [&str; 10] = [
    "code",
    "two_codes",
    "late_code",
    "wrong_brand_first",
    "no_code",
    "no_stock",
    "dead_number",
    "supplier_down",
    "webhook_fails",
    "deposit_reorg",
];

/// Several orders of an account at once, and real numbers that would never come.
const MANY: &str =
    "[orders]\nmax_concurrent_per_account = 20\n[webhooks]\nallow_private_targets = true\n";

fn service() -> Server {
    Server::start(&format!("{QUICK}{MANY}"))
}

/// A key of the caller's test account.
fn test_key<'a>(caller: &Caller<'a>) -> Caller<'a> {
    let reply = body(caller.post("/api/v1/keys", &json!({ "name": "ci", "mode": "test" })));
    assert_eq!((&reply["mode"], &reply["livemode"]), (&json!("test"), &json!(true)), "{reply}");
    assert!(reply["webhook_secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
    Caller {
        server: caller.server,
        key: text(&reply["api_key"]),
        account: text(&reply["account_id"]),
    }
}

fn place(caller: &Caller<'_>, scenario: &str) -> Value {
    body(caller.post("/api/v1/order", &json!({ "platform": "google", "scenario": scenario })))
}

/// What `GET /order/:id/stream?until=expiry` says, to the end of the order.
fn stream(caller: &Caller<'_>, order: &str) -> Vec<Value> {
    let text = caller.get(&format!("/api/v1/order/{order}/stream")).text().unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn words(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

#[test]
fn each_scenario_is_what_its_name_says_by_polling_and_in_the_stream() {
    let server = service();
    let caller = test_key(&server.register());
    // Side by side: the slowest of them takes twenty seconds.
    let placed: Vec<(&str, Value)> =
        SCENARIOS.iter().map(|scenario| (*scenario, place(&caller, scenario))).collect();
    std::thread::scope(|scope| {
        for (scenario, placed) in &placed {
            scope.spawn(|| outcome(&caller, scenario, placed));
        }
    });
    let account = body(caller.get("/api/v1/account"));
    assert_eq!(
        (&account["balance"], &account["held"], &account["livemode"]),
        (&json!(0.0), &json!(0.0), &json!(false)),
        "{account}"
    );
}

fn outcome(caller: &Caller<'_>, scenario: &str, placed: &Value) {
    assert_eq!(placed["livemode"], false, "{placed}");
    if ["no_stock", "supplier_down"].contains(&scenario) {
        assert_eq!(placed["error_code"], "PROVIDER_UNAVAILABLE", "{scenario}: {placed}");
        let order = text(&placed["detail"]["order_id"]);
        assert_eq!(
            words(&stream(caller, &order)),
            ["status", "status", "status", "failed"],
            "{scenario}"
        );
        return;
    }
    assert_eq!(
        (&placed["status"], &placed["price"]),
        (&json!("ok"), &json!(0.0)),
        "{scenario}: {placed}"
    );
    let order = text(&placed["order_id"]);
    let events = stream(caller, &order);
    assert!(events.iter().all(|event| event["livemode"] == false), "{events:?}");
    let ended = caller.ended(&order);
    assert_eq!(
        (&ended["scenario"], &ended["livemode"]),
        (&json!(scenario), &json!(false)),
        "{ended}"
    );
    let expected: &[&str] = match scenario {
        "no_code" => &["status", "status", "number", "expired"],
        "wrong_brand_first" => &["status", "status", "number", "status", "code", "completed"],
        "dead_number" => &["status", "status", "number", "status", "number", "code", "completed"],
        _ => &["status", "status", "number", "code", "completed"],
    };
    assert_eq!(words(&events), expected, "{scenario}");
    let code = if scenario == "no_code" { Value::Null } else { json!("482913") };
    assert_eq!(ended["code"], code, "{scenario}: {ended}");
    if scenario == "two_codes" {
        while body(caller.get(&format!("/api/v1/order/{order}?wait=30&until=expiry")))["code"]
            != "730586"
        {}
    }
}

#[test]
fn the_header_chooses_too_and_both_must_agree() {
    let server = service();
    let caller = test_key(&server.register());
    let ask = |header: &str, body: Value| {
        let request =
            caller.request("POST", "/api/v1/order").header("Telenumerus-Scenario", header);
        request.json(&body).send().unwrap()
    };
    assert_eq!(ask("no_stock", json!({ "platform": "google" })).status(), 503);
    assert_eq!(
        ask("no_stock", json!({ "platform": "google", "scenario": "no_stock" })).status(),
        503
    );
    assert_eq!(ask("no_stock", json!({ "platform": "google", "scenario": "code" })).status(), 409);
    let unknown = ask("nonsense", json!({ "platform": "google" }));
    assert_eq!(unknown.status(), 400);
    assert_eq!(
        body(unknown)["detail"]["supported_scenarios"].as_array().unwrap().len(),
        SCENARIOS.len()
    );
    let keyed = |scenario: &str| {
        let request = caller
            .request("POST", "/api/v1/order")
            .header("Idempotency-Key", "k1")
            .header("Telenumerus-Scenario", scenario);
        request.json(&json!({ "platform": "google" })).send().unwrap().status()
    };
    assert_eq!(
        (keyed("code"), keyed("code"), keyed("late_code")),
        (200.try_into().unwrap(), 200.try_into().unwrap(), 422.try_into().unwrap())
    );
}

#[test]
fn a_live_key_orders_no_scenario_and_pays_nothing_for_asking() {
    let server = service();
    let caller = server.funded("10");
    for (path, request) in [
        ("/order", json!({ "platform": "google", "scenario": "code" })),
        ("/verify", json!({ "platform": "google", "scenario": "code" })),
        ("/agent", json!({ "query": "a Google number", "scenario": "code" })),
        ("/batch", json!({ "orders": [{ "platform": "google" }], "scenario": "code" })),
    ] {
        let response = caller.post(&format!("/api/v1{path}"), &request);
        assert_eq!(response.status(), 409, "{path}");
        let refused = body(response);
        assert_eq!(
            (&refused["detail"]["field"], &refused["livemode"]),
            (&json!("scenario"), &json!(true)),
            "{refused}"
        );
    }
    assert_eq!(caller.balance(), (10.0, 0.0));
    assert_eq!(caller.google()["livemode"], true);
}

#[test]
fn tests_are_not_in_the_live_account_nor_in_anybodys_rates() {
    let server = service();
    let live = server.funded("10");
    let test = test_key(&live);
    for _ in 0..6 {
        let failed = place(&test, "no_stock");
        assert_eq!(failed["error_code"], "PROVIDER_UNAVAILABLE");
    }
    let order = text(&place(&test, "deposit_reorg")["order_id"]);
    test.ended(&order);
    let ledger = body(test.get("/api/v1/account/ledger"));
    let kinds: Vec<&str> = ledger["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds.iter().take(4).copied().collect::<Vec<_>>(),
        ["reversal", "capture", "deposit", "hold"],
        "{ledger}"
    );
    assert_eq!(live.balance(), (10.0, 0.0));
    let account = body(live.get("/api/v1/account"));
    assert_eq!(
        (&account["stats"]["total_orders"], &account["tier"]),
        (&json!(0), &json!("Standard"))
    );
    assert!(body(live.get("/api/v1/orders"))["orders"].as_array().unwrap().is_empty());
    let google = &body(
        server.get("/api/v1/availability?country=US&platform=google").send().unwrap(),
    )["platforms"][0]
        .clone();
    assert_eq!(google["sample_size"], 0, "{google}");
    // Nor do the operator's hours count tests.
    let usage = server.cli(&["admin", "usage"]);
    let hours: Value = serde_json::from_slice(&usage.stdout).unwrap();
    assert!(!hours.to_string().contains("\"completed\":1"), "{hours}");
    // One test account, however many keys; both are listed, and either can go.
    let again = test_key(&live);
    assert_eq!(again.account, test.account);
    let keys = body(live.get("/api/v1/keys"))["keys"].as_array().unwrap().clone();
    assert_eq!(
        keys.iter().map(|key| key["mode"].as_str().unwrap()).collect::<Vec<_>>(),
        ["live", "test", "test"]
    );
    for key in &keys[1..] {
        let removed = live
            .request("DELETE", &format!("/api/v1/keys/{}", key["key_id"].as_str().unwrap()))
            .send()
            .unwrap();
        assert_eq!(removed.status(), 200);
    }
    assert_eq!(test.get("/api/v1/account").status(), 401);
    // Operators' money never enters it, and the log stays lawful.
    let credit = server.cli(&[
        "admin",
        "credit",
        &test.account,
        "5",
        "--reason",
        "x",
        "--operator",
        "tester",
    ]);
    assert!(!credit.status.success(), "{credit:?}");
    let verified = server.cli(&["audit", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
    let suspended =
        server.cli(&["admin", "suspend", &live.account, "--reason", "x", "--operator", "tester"]);
    assert!(suspended.status.success(), "{suspended:?}");
}

#[test]
fn a_suspended_account_tests_no_more() {
    let server = service();
    let live = server.register();
    let test = test_key(&live);
    assert_eq!(test.get("/api/v1/account").status(), 200);
    server.cli(&["admin", "suspend", &live.account, "--reason", "x", "--operator", "tester"]);
    assert_eq!(test.get("/api/v1/account").status(), 403);
}

#[test]
fn a_webhook_that_fails_first_is_delivered_again_with_its_mode() {
    let (server, receiver) = (service(), Receiver::start(&[]));
    let caller = test_key(&server.register());
    let set = caller
        .request("PUT", "/api/v1/webhook")
        .json(&json!({ "url": receiver.url() }))
        .send()
        .unwrap();
    assert_eq!(set.status(), 200);
    let order = text(&place(&caller, "webhook_fails")["order_id"]);
    let arrived = receiver.next().json();
    assert_eq!(
        (&arrived["livemode"], &arrived["data"]["order_id"], &arrived["event"]),
        (&json!(false), &json!(order), &json!("sms.received"))
    );
    let delivery = loop {
        let deliveries = body(caller.get("/api/v1/webhook/deliveries"));
        let latest = deliveries["deliveries"][0].clone();
        if latest["status"] == "delivered" {
            break latest;
        }
    };
    assert_eq!(delivery["attempts"], 2, "{delivery}");
    let expired = text(&place(&caller, "no_code")["order_id"]);
    let failed = receiver.next().json();
    assert_eq!(
        (&failed["event"], &failed["data"]["order_id"], &failed["livemode"]),
        (&json!("order.failed"), &json!(expired), &json!(false))
    );
}

#[test]
fn each_tool_takes_a_scenario() {
    let server = service();
    let registered =
        body(server.post("/api/v1/register").json(&json!({ "mode": "test" })).send().unwrap());
    assert_eq!(registered["livemode"], false, "{registered}");
    let key = text(&registered["api_key"]);
    let call = |tool: &str, arguments: Value| {
        let reply = body(rpc(
            &server,
            &key,
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
            false,
        ));
        reply["result"].clone()
    };
    let verified = call("sms_verify", json!({ "platform": "whatsapp", "scenario": "dead_number" }));
    let content = &verified["structuredContent"];
    assert_eq!(
        (&content["code"], &content["price"], &content["livemode"]),
        (&json!("482913"), &json!(0.0), &json!(false)),
        "{verified}"
    );
    let refused = call("sms_order", json!({ "platform": "google", "scenario": "supplier_down" }));
    assert_eq!(
        (&refused["isError"], &refused["structuredContent"]["livemode"]),
        (&json!(true), &json!(false)),
        "{refused}"
    );
    let ordered =
        call("sms_agent_order", json!({ "query": "I need a Steam number", "scenario": "code" }));
    assert_eq!(ordered["structuredContent"]["livemode"], false, "{ordered}");
    let tools = body(rpc(&server, &key, "tools/list", json!({}), false));
    let tools = tools["result"]["tools"].as_array().unwrap();
    for name in ["sms_order", "sms_verify", "sms_agent_order"] {
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        let known = tool["inputSchema"]["properties"]["scenario"].to_string();
        assert!(SCENARIOS.iter().all(|scenario| known.contains(scenario)), "{name}: {known}");
    }
}

#[test]
fn operators_switch_it_off() {
    let data = Server::prepare(QUICK);
    let server = Server::restart(std::sync::Arc::clone(&data));
    let key = test_key(&server.register()).key;
    drop(server);
    let config = std::fs::read_to_string(data.path().join("config.toml")).unwrap();
    std::fs::write(
        data.path().join("config.toml"),
        format!("{config}[test_mode]\nenabled = false\n"),
    )
    .unwrap();
    let server = Server::restart(data);
    let refused = server.get("/api/v1/account").bearer_auth(&key).send().unwrap();
    assert_eq!(refused.status(), 401);
    assert!(text(&body(refused)["error"]).contains("switched off"));
    assert_eq!(
        server.post("/api/v1/register").json(&json!({ "mode": "test" })).send().unwrap().status(),
        400
    );
    assert_eq!(
        server.register().post("/api/v1/keys", &json!({ "name": "ci", "mode": "test" })).status(),
        400
    );
}

#[test]
fn real_suppliers_are_never_asked_by_tests_and_real_orders_never_get_made_up_numbers() {
    let pool = "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[suppliers.simulator]\nenabled = false\n[deposits]\nsimulated = true\n\
        [suppliers.own]\ninbound_secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n[[suppliers.own.numbers]]\nnumber = \"+12025550123\"\ncountry = \"US\"\n";
    let server = Server::start(&format!("{pool}[orders]\nmax_concurrent_per_account = 3\n"));
    let live = server.funded("10");
    let test = test_key(&live);
    let made_up = place(&test, "no_code");
    assert_ne!(made_up["phone"], "+12025550123");
    assert_eq!(live.google()["phone"], "+12025550123");
    let sold_out = live.post("/api/v1/order", &json!({ "platform": "google" }));
    assert_eq!(sold_out.status(), 503);
    // An open test order goes on after a crash, with its number.
    let order = text(&place(&test, "late_code")["order_id"]);
    let (key, account) = (test.key.clone(), test.account.clone());
    let server = server.kill_and_restart();
    let test = Caller { server: &server, key, account };
    assert_eq!(test.ended(&order)["code"], "482913");
}

#[test]
fn sums_of_money_are_without_tests_on_the_overview_and_in_the_audit() {
    let server = service();
    let live = server.funded("5");
    let test = test_key(&live);
    live.google();
    let claim = json!({ "tx_hash": "ab".repeat(32) });
    assert!(test.post("/api/v1/deposit/verify", &claim).status().is_success());
    while test.balance().0 < 10.0 {}
    let asked = |words: &[&str]| -> Value {
        let told = server.cli(&[&["admin"], words].concat());
        serde_json::from_slice(&told.stdout).unwrap()
    };
    let money = asked(&["overview"])["money"].clone();
    // An order's hold stays in it until its code comes: what it was is in one of the two.
    let sums = |of: &Value| -> f64 {
        ["balance", "held"].iter().map(|name| text(&of[name]).parse::<f64>().unwrap()).sum()
    };
    assert!(sums(&money) <= 5.0, "{money}");
    assert_eq!(
        (text(&money["test"]["balance"]), &money["test"]["orders"]),
        ("10".to_owned(), &json!(0))
    );
    let accounts = |mode: &str| {
        let listed = asked(&["accounts", "--mode", mode])["accounts"].clone();
        let listed = listed.as_array().unwrap().iter();
        listed
            .map(|account| (text(&account["account_id"]), account["livemode"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(accounts("test"), [(test.account.clone(), json!(false))]);
    assert_eq!(accounts("live"), [(live.account.clone(), json!(true))]);
    let paid = asked(&["account-deposits", &test.account])["deposits"][0].clone();
    assert_eq!(
        (text(&paid["amount"]), text(&paid["status"])),
        ("10".to_owned(), "credited".to_owned())
    );
    let audited = server.cli(&["audit", "verify", "--json"]);
    let audited: Value = serde_json::from_slice(&audited.stdout).unwrap();
    assert!(sums(&audited) <= 5.0, "{audited}");
    assert_eq!(text(&audited["test"]["balance"]), "10");
}
