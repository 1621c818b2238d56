//! Webhooks: what arrives, how it is signed, how often it is tried, and where it never goes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::server::{Caller, QUICK, SILENT, Server, body, text};

const LOCAL: &str = "[webhooks]\nallow_private_targets = true\n";

fn local(config: &str) -> String {
    format!("{config}{LOCAL}")
}

fn set(caller: &Caller<'_>, url: &str) -> Value {
    let response =
        caller.request("PUT", "/api/v1/webhook").json(&json!({ "url": url })).send().unwrap();
    assert_eq!(response.status(), 200);
    body(response)
}

fn deliveries(caller: &Caller<'_>) -> Vec<Value> {
    body(caller.get("/api/v1/webhook/deliveries"))["deliveries"].as_array().unwrap().clone()
}

/// The delivery log once it says so of its latest entry.
fn latest(caller: &Caller<'_>, status: &str) -> Value {
    loop {
        if let Some(found) =
            deliveries(caller).into_iter().next().filter(|delivery| delivery["status"] == status)
        {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_code_is_pushed_with_both_signatures() {
    let (server, receiver) = (Server::start(&local(QUICK)), Receiver::start(&[]));
    let registered = body(server.post("/api/v1/register").json(&json!({})).send().unwrap());
    let caller = Caller {
        server: &server,
        key: text(&registered["api_key"]),
        account: text(&registered["account_id"]),
    };
    server.cli(&[
        "admin",
        "credit",
        &caller.account,
        "10",
        "--reason",
        "test",
        "--operator",
        "tester",
    ]);
    let reply = set(&caller, &receiver.url());
    assert_eq!(
        (reply["url"].as_str(), reply["balance_low_threshold"].as_f64()),
        (Some(receiver.url().as_str()), Some(1.0))
    );
    assert_eq!(reply["events"], json!(["sms.received", "order.failed", "balance.low"]));
    let order = text(&caller.google()["order_id"]);
    let ended = caller.ended(&order);

    let arrived = receiver.next();
    let message = arrived.json();
    assert_eq!(
        (message["event"].as_str(), message["sequence"].as_u64()),
        (Some("sms.received"), Some(1))
    );
    assert_eq!(
        (&message["data"]["order_id"], &message["data"]["code"], &message["data"]["phone"]),
        (&json!(order), &ended["code"], &ended["phone"])
    );
    assert_eq!(
        (&message["data"]["sms"], message["data"]["price"].as_f64()),
        (&ended["sms"], Some(0.5))
    );
    assert_eq!(message["id"], arrived.header("webhook-id"));
    let secret = text(&registered["webhook_secret"]);
    let (id, at) =
        (arrived.header("webhook-id"), arrived.header("webhook-timestamp").parse().unwrap());
    assert_eq!(
        arrived.header("x-webhook-signature"),
        actors::webhook::hex_signature(&secret, &arrived.bytes)
    );
    assert_eq!(
        arrived.header("webhook-signature"),
        actors::webhook::standard_signature(&secret, &id, at, &arrived.bytes)
    );
    assert_eq!(arrived.header("content-type"), "application/json");
    let logged = latest(&caller, "delivered");
    assert_eq!(
        (logged["last_status"].as_u64(), logged["attempts"].as_u64(), logged["id"].as_str()),
        (Some(200), Some(1), Some(id.as_str()))
    );
    assert_eq!(body(caller.get("/api/v1/account"))["webhook"], receiver.url());
}

#[test]
fn failures_low_balances_and_tests_are_pushed_in_sequence() {
    let config = local(&format!("{SILENT}[orders]\nlifetime_seconds = 1\n"));
    let (server, receiver) = (Server::start(&config), Receiver::start(&[]));
    let caller = server.funded("1.2");
    set(&caller, &receiver.url());
    let order = text(&caller.google()["order_id"]);
    let low = receiver.next().json();
    assert_eq!(
        (low["event"].as_str(), low["sequence"].as_u64(), &low["data"]),
        (Some("balance.low"), Some(1), &json!({ "balance": 0.7, "threshold": 1.0 }))
    );
    caller.ended(&order);
    let failed = receiver.next().json();
    assert_eq!(
        (failed["event"].as_str(), failed["sequence"].as_u64()),
        (Some("order.failed"), Some(2))
    );
    assert_eq!(
        (failed["data"]["status"].as_str(), failed["data"]["refunded"].as_f64()),
        (Some("expired"), Some(0.5))
    );
    let tested = body(caller.post("/api/v1/webhook/test", &json!({})));
    let test = receiver.next();
    assert_eq!(
        (test.json()["event"].as_str(), &json!(test.header("webhook-id"))),
        (Some("webhook.test"), &tested["delivery_id"])
    );
    assert_eq!(test.json()["sequence"], 3);
    let cancelled = text(&caller.google()["order_id"]);
    caller.post(&format!("/api/v1/order/{cancelled}/cancel"), &json!({}));
    let low_again = receiver.next().json();
    assert_eq!(low_again["event"], "balance.low");
    assert!(receiver.is_quiet(), "cancelling is the owner's own doing");
}

#[test]
fn a_failed_delivery_is_tried_again_with_the_same_id_and_bytes_and_survives_a_kill() {
    let answers = ["HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno", ""];
    let (server, receiver) = (Server::start(&local(SILENT)), Receiver::start(&answers));
    let caller = server.funded("10");
    let (key, account) = (caller.key.clone(), caller.account.clone());
    set(&caller, &receiver.url());
    caller.post("/api/v1/webhook/test", &json!({}));
    let first = receiver.next();
    loop {
        let pending = &deliveries(&caller)[0];
        if pending["attempts"] == 1 {
            assert_eq!(
                (
                    pending["status"].as_str(),
                    pending["last_outcome"].as_str(),
                    pending["last_status"].as_u64()
                ),
                (Some("pending"), Some("answered"), Some(500))
            );
            break;
        }
    }
    drop(caller);
    let server = server.kill_and_restart();
    let caller = Caller { server: &server, key, account };
    let second = receiver.next();
    assert_eq!(
        (first.header("webhook-id"), &first.bytes),
        (second.header("webhook-id"), &second.bytes)
    );
    loop {
        let pending = &deliveries(&caller)[0];
        if pending["attempts"] == 2 {
            assert_eq!(pending["last_outcome"], "connection_failed");
            break;
        }
    }
    // By hand, sooner than the schedule.
    let again = caller.post("/api/v1/webhook/deliveries/1/redeliver", &json!({}));
    assert_eq!(again.status(), 200);
    assert_eq!(receiver.next().header("webhook-id"), first.header("webhook-id"));
    latest(&caller, "delivered");
    let all = body(
        caller.post("/api/v1/webhook/deliveries/redeliver", &json!({ "since": "2020-01-01" })),
    );
    assert_eq!(all["redelivered"], 1);
    assert_eq!(receiver.next().bytes, first.bytes);
    assert_eq!(caller.post("/api/v1/webhook/deliveries/99/redeliver", &json!({})).status(), 404);
    assert_eq!(caller.post("/api/v1/webhook/deliveries/x/redeliver", &json!({})).status(), 404);
}

#[test]
fn a_redirect_is_a_failure_and_is_not_followed() {
    let (server, elsewhere) = (Server::start(&local(SILENT)), Receiver::start(&[]));
    let location: &'static str = Box::leak(
        format!("HTTP/1.1 307 Go\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", elsewhere.url())
            .into_boxed_str(),
    );
    let receiver = Receiver::start(&[location]);
    let caller = server.register();
    set(&caller, &receiver.url());
    caller.post("/api/v1/webhook/test", &json!({}));
    receiver.next();
    assert!(elsewhere.is_quiet());
    while deliveries(&caller)[0]["attempts"] == 0 {}
    assert_eq!(deliveries(&caller)[0]["last_status"], 307);
}

#[test]
fn a_target_has_one_of_the_operator_s_ports_and_is_no_tunnel_to_a_private_network() {
    let set = |server: &Server, url: &str| {
        let caller = server.register();
        let response =
            caller.request("PUT", "/api/v1/webhook").json(&json!({ "url": url })).send().unwrap();
        (
            response.status().as_u16(),
            body(response)["error"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let server = Server::start(SILENT);
    assert_eq!(set(&server, "https://hooks.acme.dev/in").0, 200);
    for port in [22, 80, 8_080, 8_443] {
        let (status, said) = set(&server, &format!("https://hooks.acme.dev:{port}/in"));
        assert!(status == 400 && said.contains("port 443"), "{port}: {status} {said}");
    }
    for tunnel in [
        "[2606:4700::5efe:10.0.0.1]",
        "[2606:4700::200:5efe:127.0.0.1]",
        "[2002:a00:1::1]",
        "[2001:0:808:808::1]",
        "[64:ff9b::10.0.0.1]",
    ] {
        assert_eq!(set(&server, &format!("https://{tunnel}/in")).0, 400, "{tunnel}");
    }
    let server = Server::start(&format!("{SILENT}[webhooks]\nallowed_ports = [443, 8443]\n"));
    assert_eq!(
        (
            set(&server, "https://hooks.acme.dev:8443/in").0,
            set(&server, "https://hooks.acme.dev:8444/in").0
        ),
        (200, 400)
    );
}

#[test]
fn a_dead_receiver_delays_nobody_else() {
    let (server, receiver) = (Server::start(&local(SILENT)), Receiver::start(&[]));
    // It accepts and never answers.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (first, second) = (server.register(), server.register());
    set(&first, &format!("http://{}/", dead.local_addr().unwrap()));
    set(&second, &receiver.url());
    for _ in 0..20 {
        first.post("/api/v1/webhook/test", &json!({}));
    }
    second.post("/api/v1/webhook/test", &json!({}));
    assert_eq!(receiver.next().json()["sequence"], 1);
    latest(&second, "delivered");
    assert!(deliveries(&first).iter().all(|delivery| delivery["status"] == "pending"));
}

#[test]
fn a_fresh_secret_signs_beside_the_old_one() {
    let (server, receiver) = (Server::start(&local(SILENT)), Receiver::start(&[]));
    let registered = body(server.post("/api/v1/register").json(&json!({})).send().unwrap());
    let caller =
        Caller { server: &server, key: text(&registered["api_key"]), account: String::new() };
    set(&caller, &receiver.url());
    let rotated = body(caller.post("/api/v1/webhook/rotate-secret", &json!({})));
    caller.post("/api/v1/webhook/test", &json!({}));
    let arrived = receiver.next();
    let (id, at) =
        (arrived.header("webhook-id"), arrived.header("webhook-timestamp").parse().unwrap());
    let signed = |secret: &Value| {
        actors::webhook::standard_signature(&text(secret), &id, at, &arrived.bytes)
    };
    assert_eq!(
        arrived.header("webhook-signature"),
        format!("{} {}", signed(&rotated["webhook_secret"]), signed(&registered["webhook_secret"]))
    );
    let hex = |secret: &Value| actors::webhook::hex_signature(&text(secret), &arrived.bytes);
    assert_eq!(arrived.header("x-webhook-signature"), hex(&rotated["webhook_secret"]));
    assert_eq!(arrived.header("x-webhook-signature-previous"), hex(&registered["webhook_secret"]));
}

#[test]
fn targets_that_are_not_public_https_are_refused_at_once() {
    let server = Server::start(SILENT);
    let caller = server.register();
    for url in [
        "http://hooks.acme.dev/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "https://0x7f000001/",
        "https://169.254.169.254/",
        "ftp://x",
        "",
        "x",
    ] {
        let refused =
            caller.request("PUT", "/api/v1/webhook").json(&json!({ "url": url })).send().unwrap();
        assert_eq!(refused.status(), 400, "{url}");
    }
    assert!(body(caller.get("/api/v1/webhook"))["url"].is_null());
    assert_eq!(caller.post("/api/v1/webhook/test", &json!({})).status(), 409);
}

#[test]
fn a_removed_webhook_gets_nothing_more() {
    let (server, receiver) = (
        Server::start(&local(SILENT)),
        Receiver::start(&["HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"]),
    );
    let caller = server.funded("1");
    set(&caller, &receiver.url());
    caller.post("/api/v1/webhook/test", &json!({}));
    receiver.next();
    while deliveries(&caller)[0]["attempts"] == 0 {}
    assert!(body(caller.request("DELETE", "/api/v1/webhook").send().unwrap())["url"].is_null());
    caller.post("/api/v1/webhook/deliveries/1/redeliver", &json!({}));
    assert_eq!(latest(&caller, "exhausted")["last_outcome"], "no_webhook");
    assert!(receiver.is_quiet());
}
