//! Sources that are asked for each number, over real HTTP: through faults and kills, and what the
//! checker says of them.

use std::time::Duration;

use actors::kernel::clock::Stopwatch;

use fakes::pull::{self, Source};
use fakes::{Faults, serve};
use serde_json::json;

use crate::server::{Server, body, text};

fn config(address: std::net::SocketAddr, more: &str) -> String {
    format!(
        "[deposits]\nsimulated = true\n[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[suppliers.simulator]\nenabled = false\n{more}
[[suppliers.http]]\nname = \"acme\"\nurl = \"http://{address}/\"\ntoken = \"{}\"\npoll_seconds = 1\n",
        pull::TOKEN
    )
}

/// Waits until nothing is leased at the source.
fn settled(source: &Source) {
    let begun = Stopwatch::start();
    while !source.open().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(90), "{:?} are still leased", source.open());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_number_is_leased_for_an_order_and_given_back_after_it() {
    let source = Source::new(Faults::default(), 1);
    let server = Server::start(&config(serve(source.router()), ""));
    let caller = server.funded("5");
    let order = caller.google();
    let id = text(&order["order_id"]);
    let ended = caller.ended(&id);
    assert_eq!(ended["status"], "completed");
    let (reference, held) = source.leases().into_iter().next().unwrap();
    assert_eq!(
        (ended["code"].as_str(), ended["phone"].as_str()),
        (Some(pull::code(&reference).as_str()), held.number.as_deref())
    );
    assert_eq!(source.open().len(), 1, "the order keeps its number");
    caller.finish(&id);
    settled(&source);
    assert_eq!(source.leases()[&reference].outcome.as_deref(), Some("served"));
    let second = text(&caller.google()["order_id"]);
    // Its code may come before the cancel does.
    match caller.post(&format!("/api/v1/order/{second}/cancel"), &json!({})).status().as_u16() {
        200 => {}
        409 => drop(caller.finish(&second)),
        other => panic!("{other}"),
    }
    settled(&source);
    let health = body(server.get("/api/v1/health").send().unwrap());
    assert_eq!(
        (&health["suppliers"][0]["name"], &health["suppliers"][0]["status"]),
        (&json!("acme"), &json!("ok"))
    );
    let audit = server.cli(&["audit", "verify"]);
    assert!(audit.status.success(), "{audit:?}");
}

#[test]
fn kills_while_the_source_is_asked_lose_no_number() {
    // Slow enough to be killed in the middle of everything.
    let source = Source::new(Faults { timeout_after: 0.2, ..Faults::default() }, 3);
    let mut server = Server::start(&config(
        serve(source.router()),
        "[orders]\nlifetime_seconds = 20\nmax_concurrent_per_account = 20\n",
    ));
    let (key, account) = {
        let caller = server.funded("50");
        (caller.key.clone(), caller.account.clone())
    };
    for round in 0..6u64 {
        for _ in 0..5 {
            let order = server
                .post("/api/v1/order")
                .bearer_auth(&key)
                .json(&json!({ "platform": "google" }))
                .timeout(Duration::from_millis(150));
            // Whoever does not wait has ordered all the same.
            let _ = order.send();
        }
        std::thread::sleep(Duration::from_millis(100 + round * 350));
        server = server.kill_and_restart();
    }
    let begun = Stopwatch::start();
    loop {
        let shown = server.cli(&["admin", "show", &account]);
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
        if shown["open_orders"].as_array().unwrap().is_empty() {
            assert_eq!(shown["held"], "0");
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(90), "{shown}");
        std::thread::sleep(Duration::from_millis(200));
    }
    settled(&source);
    let audit = server.cli(&["audit", "verify"]);
    assert!(audit.status.success(), "{audit:?}");
    assert!(source.leases().len() >= 10, "{}", source.leases().len());
}

#[test]
fn a_source_that_does_not_wait_to_be_asked_pushes_its_messages() {
    let source = Source::new(Faults::default(), 1).silent();
    let server = Server::start(
        &config(serve(source.router()), "")
            .replace("poll_seconds = 1", "inbound_secret = \"whsec_0123456789abcdef\""),
    );
    let caller = server.funded("5");
    let order = caller.google();
    let message = json!({
        "id": "m1", "to": order["phone"], "from": "Google",
        "text": "G-482913 is your Google verification code.",
    })
    .to_string();
    let signature = crate::inbound::signature("whsec_0123456789abcdef", &message);
    let answer = server
        .post("/inbound/v1/acme")
        .header("X-Webhook-Signature", signature)
        .body(message)
        .send()
        .unwrap();
    assert_eq!(body(answer)["outcome"], "taken");
    assert_eq!(caller.ended(&text(&order["order_id"]))["code"], "482913");
    caller.finish(&text(&order["order_id"]));
    settled(&source);
    assert_eq!(server.post("/inbound/v1/nobody").body("{}").send().unwrap().status(), 404);
}

#[test]
fn a_source_that_is_away_is_left_alone_and_said_to_be() {
    let source = Source::new(Faults { error_before: 1.0, ..Faults::default() }, 1);
    let server = Server::start(&config(serve(source.router()), ""));
    let caller = server.funded("5");
    for _ in 0..5 {
        let refused = caller.post("/api/v1/order", &json!({ "platform": "google" }));
        assert_eq!(
            (refused.status().as_u16(), &body(refused)["error_code"]),
            (503, &json!("PROVIDER_UNAVAILABLE"))
        );
    }
    let health = body(server.get("/api/v1/health").send().unwrap());
    assert_eq!(
        (&health["status"], &health["suppliers"][0]["status"]),
        (&json!("degraded"), &json!("unreachable"))
    );
    let available = body(server.get("/api/v1/availability?platform=google").send().unwrap());
    assert_eq!(available["platforms"][0]["stock"], "none");
    assert_eq!(caller.balance(), (5.0, 0.0));
}

#[test]
fn the_log_and_the_sources_list_are_laid_beside_each_other() {
    let source = Source::new(Faults::default(), 1);
    let server = Server::start(&config(serve(source.router()), ""));
    let caller = server.funded("5");
    let id = text(&caller.google()["order_id"]);
    assert_eq!(caller.ended(&id)["status"], "completed");
    caller.finish(&id);
    settled(&source);
    let audit = |more: &[&str]| {
        let done = server.cli(&[&["audit", "suppliers"], more].concat());
        (done.status.success(), String::from_utf8(done.stdout).unwrap())
    };
    // The lease's process records what the supplier has said a moment after it has said it.
    let begun = Stopwatch::start();
    while !audit(&[]).1.contains("$0.12 charged, 0 under way") {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", audit(&[]).1);
    }
    let (agrees, said) = audit(&["--attempts"]);
    assert!(agrees && said.ends_with("the sources and the log agree\n"), "{said}");
    assert!(said.contains("1 numbers leased for $0.12, 1 served, $0.12 charged"), "{said}");
    assert!(
        said.contains(&format!("{id} attempt 1: served, cost $0.12, charged $0.12, charged")),
        "{said}"
    );
    source.plant("nobody-1", "+12025550199");
    let (agrees, said) = audit(&[]);
    assert!(
        !agrees && said.contains("nobody-1: leased at the source, and no order knows it"),
        "{said}"
    );
    // Not with a word of its token.
    assert!(!said.contains(pull::TOKEN));
}

#[test]
fn a_source_that_is_gone_from_the_configuration_is_missed_while_it_has_leases() {
    let source = Source::new(Faults::default(), 1).silent();
    let written = config(serve(source.router()), "");
    let server = Server::start(&written);
    let caller = server.funded("5");
    assert_eq!(caller.google()["status"], "ok");
    let key = caller.key.clone();
    let file = server.data().join("config.toml");
    let whole = std::fs::read_to_string(&file).unwrap();
    let (before, _) = whole.split_once("[[suppliers.http]]").unwrap();
    let (_, after) = whole.split_once("[admin]").unwrap();
    std::fs::write(&file, format!("{before}[admin]{after}")).unwrap();
    let server = server.kill_and_restart();
    server.log_when(|log| log.contains("is not configured any more"));
    let audit = String::from_utf8(server.cli(&["audit", "suppliers"]).stdout).unwrap();
    assert!(audit.contains("acme: NOT COMPARED"), "{audit}");
    // Back again, it goes on.
    std::fs::write(&file, whole).unwrap();
    let server = server.kill_and_restart();
    let order = text(
        &body(server.get("/api/v1/orders?limit=1").bearer_auth(&key).send().unwrap())["orders"][0]
            ["order_id"],
    );
    let cancelled = server
        .post(&format!("/api/v1/order/{order}/cancel"))
        .bearer_auth(&key)
        .json(&json!({}))
        .send()
        .unwrap();
    assert_eq!(cancelled.status(), 200);
    settled(&source);
}

#[test]
fn the_checker_says_what_a_source_does_wrong() {
    let check = |source: &Source| {
        let url = format!("http://{}", serve(source.router()));
        let server = Server::prepare("");
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"))
            .args([
                "supplier",
                "check",
                "--url",
                &url,
                "--token",
                pull::TOKEN,
                "--message-seconds",
                "5",
                "--data-dir",
            ])
            .arg(server.path())
            .output()
            .unwrap();
        (done.status.success(), String::from_utf8(done.stdout).unwrap())
    };
    let (content, said) = check(&Source::new(Faults::default(), 1));
    assert!(content && said.ends_with("it keeps to the protocol\n"), "{said}");
    let (content, said) = check(&Source::new(Faults { malformed: 1.0, ..Faults::default() }, 1));
    assert!(!content && said.contains("WRONG  POST leases leases a number"), "{said}");
}
