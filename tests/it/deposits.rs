//! Deposits as callers and operators see them. On real nodes they are in
//! `tests/outside/deposits.py`.

use serde_json::{Value, json};

use crate::server::{QUICK, Server, body, client, text};

const ZPUB: &str = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";

/// BTC behind a node that is not there.
fn away() -> String {
    format!(
        "{QUICK}[deposits.btc]\nxpub = \"{ZPUB}\"\nrate = 65000\npoll_seconds = 1\n[[deposits.btc.endpoints]]\nurl = \"http://127.0.0.1:9\"\n"
    )
}

#[test]
fn claimed_deposits_are_listed_newest_first_in_pages() {
    let server = Server::start(QUICK);
    let caller = server.register();
    for number in 1..=3 {
        let claim = json!({ "tx_hash": format!("{number:02}").repeat(32) });
        while body(caller.post("/api/v1/deposit/verify", &claim))["status"] != "confirmed" {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
    let first = body(caller.get("/api/v1/deposits?limit=2"));
    let hashes = |page: &Value| {
        page["deposits"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| text(&row["tx_hash"])[..2].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(hashes(&first), ["03", "02"]);
    let row = &first["deposits"][0];
    assert_eq!(
        (row["status"].as_str(), row["reason"].as_str(), row["amount"].as_f64()),
        (Some("confirmed"), Some("credited"), Some(10.0))
    );
    assert_eq!((row["currency"].as_str(), row["rate"].as_str()), (Some("simulated"), Some("1")));
    let rest = body(
        caller.get(&format!("/api/v1/deposits?limit=2&cursor={}", text(&first["next_cursor"]))),
    );
    assert_eq!((hashes(&rest), rest["next_cursor"].is_null()), (vec!["01".to_owned()], true));
    assert_eq!(body(server.register().get("/api/v1/deposits"))["deposits"], json!([]));
    for hostile in ["limit=0", "limit=201", "cursor=0", "cursor=-1", "cursor=x", "since=1"] {
        assert_eq!(caller.get(&format!("/api/v1/deposits?{hostile}")).status(), 400, "{hostile}");
    }
}

#[test]
fn addresses_are_shown_as_codes_for_cameras() {
    let server = Server::start(QUICK);
    let caller = server.register();
    for currency in ["btc", "LTC", "usdt_erc20"] {
        let reply = caller.get(&format!("/api/v1/deposit/addresses/{currency}/qr"));
        assert_eq!(
            (reply.status().as_u16(), reply.headers()["content-type"].to_str().unwrap()),
            (200, "image/svg+xml")
        );
        let image = reply.text().unwrap();
        assert!(image.starts_with("<?xml") && image.contains("<svg") && image.len() > 1_000);
    }
    assert_eq!(server.get("/api/v1/deposit/addresses/btc/qr").send().unwrap().status(), 200);
    let unknown = caller.get("/api/v1/deposit/addresses/doge/qr");
    assert_eq!(
        (unknown.status().as_u16(), text(&body(unknown)["error_code"])),
        (400, "INVALID_REQUEST".to_owned())
    );
}

#[test]
fn a_chain_that_cannot_be_asked_stops_deposits_and_nothing_else() {
    let server = Server::start(&away());
    let caller = server.funded("10");
    // No address is given out before it is known where to begin.
    let addresses = body(caller.get("/api/v1/deposit/addresses"));
    assert_eq!(
        (&addresses["addresses"]["btc"], &addresses["simulated"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(caller.get("/api/v1/deposit/addresses/btc/qr").status(), 404);
    let waiting =
        body(caller.post("/api/v1/deposit/verify", &json!({ "tx_hash": "ab".repeat(32) })));
    assert_eq!(
        (waiting["status"].as_str(), waiting["transaction_id"].is_null()),
        (Some("pending"), true)
    );
    let other = caller
        .post("/api/v1/deposit/verify", &json!({ "tx_hash": "ab".repeat(32), "currency": "ltc" }));
    let said = body(other);
    assert!(text(&said["error"]).contains("it takes btc"), "{said}");
    let health = body(server.get("/api/v1/health").send().unwrap());
    assert_eq!(
        (health["status"].as_str(), health["chains"][0]["status"].as_str()),
        (Some("degraded"), Some("unreachable"))
    );
    assert!(!health.to_string().contains("127.0.0.1"), "{health}");
    let shown = server.cli(&["admin", "deposits", "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(text(&shown["chains"][0]["error"]).contains("127.0.0.1:9"), "{shown}");
    assert_eq!(
        (&shown["stuck"], &shown["unknown"], &shown["dust"], &shown["reversed"]),
        (&json!([]), &json!([]), &json!([]), &json!([]))
    );
    let admin = std::fs::read_to_string(server.data().join("admin.addr")).unwrap();
    let metrics = client().get(format!("http://{admin}/metrics")).send().unwrap().text().unwrap();
    for name in [
        "chain_failing{chain=\"btc\"} 1",
        "chain_lag_blocks{chain=\"btc\"}",
        "chain_silent_seconds{chain=\"btc\"}",
    ] {
        assert!(metrics.contains(name), "{name} is not in {metrics}");
    }
    let order = text(&caller.google()["order_id"]);
    assert_eq!(caller.ended(&order)["status"], "completed");
}

#[test]
fn the_addresses_of_a_key_are_shown_without_a_service() {
    let data = Server::prepare(&away());
    let shown = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"))
        .args(["addresses", "btc", "--count", "2", "--config"])
        .arg(data.path().join("config.toml"))
        .output()
        .unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    let lines: Vec<Vec<&str>> =
        text.lines().map(|line| line.split_whitespace().collect()).collect();
    let known = [
        ["index", "address"],
        ["0", "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"],
        ["1", "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"],
    ];
    assert_eq!(lines, known);
}
