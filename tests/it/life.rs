//! The way of the guide: register, fund, order, code; and what stands in every reply on that way.

use serde_json::json;

use crate::server::{QUICK, Server, body, text};

#[test]
fn the_guide_s_three_steps_lead_to_a_code() {
    let server = Server::start(QUICK);
    let registered = body(server.post("/api/v1/register").json(&json!({})).send().unwrap());
    assert!(text(&registered["webhook_secret"]).starts_with("whsec_"));
    assert_eq!(registered["next_steps"]["deposit"], "GET /api/v1/deposit/addresses");
    assert_eq!(registered["next_steps"]["browse_services"], "GET /api/v1/services");
    assert_eq!(
        (registered["balance"].as_f64(), registered["tier"].as_str()),
        (Some(0.0), Some("Standard"))
    );
    let key = text(&registered["api_key"]);
    let get = |path: &str| body(server.get(path).bearer_auth(&key).send().unwrap());
    let post = |path: &str, value| {
        body(server.post(path).header("X-API-Key", &key).json(&value).send().unwrap())
    };

    let addresses = get("/api/v1/deposit/addresses");
    assert_eq!(addresses["minimum_deposit_usd"].as_f64(), Some(1.0));
    assert!(
        addresses["addresses"]["btc"].is_string()
            && addresses["personal"] == true
            && addresses["simulated"] == true
    );
    let hash = format!("0x{}", "AB".repeat(32));
    let claimed = post("/api/v1/deposit/verify", json!({ "tx_hash": hash, "currency": "BTC" }));
    assert_eq!(claimed["status"], "pending");
    let confirmed = loop {
        let reply = post("/api/v1/deposit/verify", json!({ "tx_hash": hash.to_lowercase() }));
        assert_eq!(reply["transaction_id"], claimed["transaction_id"]);
        if reply["status"] == "confirmed" {
            break reply;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    assert_eq!(confirmed["amount"].as_f64(), Some(10.0));

    let order = post("/api/v1/order", json!({ "platform": "google", "country": "UK" }));
    assert_eq!(order["status"], "ok");
    assert_eq!((order["country"].as_str(), order["expires_in"].as_u64()), (Some("GB"), Some(300)));
    assert!(text(&order["phone"]).starts_with("+44"));
    let id = text(&order["order_id"]);
    assert_eq!(order["check_status"], format!("/api/v1/order/{id}"));
    assert_eq!(order["stream"], format!("/api/v1/order/{id}/stream"));
    assert_eq!(order["platform_hints"]["expect_code_length"], 6);

    let ended = loop {
        let reply = get(&format!("/api/v1/order/{id}?wait=30"));
        if reply["status"] == "completed" {
            break reply;
        }
    };
    let code = text(&ended["code"]);
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
    assert!(text(&ended["sms"]).contains(&code));
    let account = get("/api/v1/account");
    assert_eq!(
        (account["balance"].as_f64(), account["held"].as_f64()),
        (Some(10.0 - 0.45), Some(0.0))
    );
    assert_eq!(
        (account["stats"]["completed"].as_u64(), account["orders_to_next_tier"].as_u64()),
        (Some(1), Some(19))
    );
}

#[test]
fn another_account_s_deposit_looks_unknown() {
    let server = Server::start(QUICK);
    let (first, second) = (server.register(), server.register());
    let claim = json!({ "tx_hash": "cd".repeat(32) });
    assert_eq!(body(first.post("/api/v1/deposit/verify", &claim))["status"], "pending");
    let unknown = body(second.post("/api/v1/deposit/verify", &claim));
    assert_eq!(
        (unknown["status"].as_str(), unknown["reason"].as_str()),
        (Some("pending"), Some("unknown")),
        "{unknown}"
    );
    assert!(
        unknown["transaction_id"].is_null()
            && text(&unknown["message"]).contains("of your own making"),
        "{unknown}"
    );
}

#[test]
fn the_public_pages_say_what_there_is() {
    let server = Server::start(QUICK);
    let services = body(server.get("/api/v1/services").send().unwrap());
    assert_eq!(
        (services["total_platforms"].as_u64(), services["default_country"].as_str()),
        (Some(33), Some("US"))
    );
    assert_eq!(
        (
            services["services"].as_array().unwrap().len(),
            services["countries"].as_array().unwrap().len()
        ),
        (33, 24)
    );
    let google = &services["services"][0];
    assert_eq!(
        (google["platform"].as_str(), google["price"].as_f64()),
        (Some("google"), Some(0.5))
    );
    let availability = body(server.get("/api/v1/availability?country=us").send().unwrap());
    let google = &availability["platforms"][0];
    assert_eq!(
        google["hints"],
        json!({ "code_format": "numeric", "expect_code_length": 6, "usual_delivery_seconds": 8 })
    );
    assert!(
        google["success_rate"].is_null() && google["stock"] == "high" && google["sample_size"] == 0
    );
    let health = body(server.get("/api/v1/health").send().unwrap());
    assert_eq!(
        (health["status"].as_str(), health["chains"][0]["simulated"].as_bool()),
        (Some("ok"), Some(true))
    );
}

#[test]
fn the_walk_through_that_is_printed_works_when_pasted() {
    let data = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let printed: Vec<String> =
        lines.map_while(Result::ok).take_while(|line| !line.starts_with("Operators")).collect();
    let script: Vec<&str> =
        printed.iter().map(String::as_str).filter(|line| line.starts_with("  ")).collect();
    let script = script.join("\n");
    let output = std::process::Command::new("bash").arg("-c").arg(&script).output().unwrap();
    let _ = child.kill();
    let _ = child.wait();
    // Formatted where jq is there.
    let output = String::from_utf8_lossy(&output.stdout).replace("\": ", "\":");
    assert!(
        output.contains("\"status\":\"completed\"") && output.contains("\"balance\":9.5"),
        "{script}\n{output}"
    );
}
