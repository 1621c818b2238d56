//! The operator's API and command line, over the running service.

use serde_json::Value;

use crate::server::{ADMIN_TOKEN, QUICK, SILENT, Server, body, text};

fn json_of(output: &std::process::Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_operator_credits_suspends_and_reinstates_while_the_service_runs() {
    let server = Server::start(SILENT);
    let caller = server.funded("12.50");
    assert_eq!(caller.balance(), (12.5, 0.0));
    caller.google();
    let suspended = json_of(&server.cli(&[
        "admin",
        "suspend",
        &caller.account,
        "--reason",
        "abuse",
        "--operator",
        "ada",
    ]));
    assert_eq!(
        (suspended["standing"].as_str(), suspended["held"].as_str()),
        (Some("suspended"), Some("0.5"))
    );
    let refused = caller.get("/api/v1/account");
    assert_eq!(
        (refused.status().as_u16(), body(refused)["error_code"].as_str().unwrap()),
        (403, "ACCOUNT_SUSPENDED")
    );
    json_of(&server.cli(&[
        "admin",
        "reinstate",
        &caller.account,
        "--reason",
        "talked",
        "--operator",
        "ada",
    ]));
    assert_eq!(caller.balance(), (12.0, 0.5));
    let log = server.cli(&[
        "audit",
        "events",
        "--stream",
        &format!("account-{}", &caller.account[4..]),
        "--json",
    ]);
    let log = String::from_utf8(log.stdout).unwrap();
    let suspension: Value = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|event| event["event"] == "AccountSuspended")
        .unwrap();
    assert_eq!(
        (suspension["actor"].as_str(), suspension["data"]["reason"].as_str()),
        (Some("operator:ada"), Some("abuse"))
    );
}

/// Whether this is the error object, with the id of the request.
fn told(status: u16, code: &str, named: Option<&str>, object: &Value) {
    assert_eq!(
        (object["error_code"].as_str(), object["service"].as_str()),
        (Some(code), Some("Telenumerus")),
        "{status} {object}"
    );
    assert!(
        object["error"].is_string()
            && object["retryable"].is_boolean()
            && object["request_id"].as_str() == named,
        "{status} {object}"
    );
}

#[test]
fn every_refusal_of_the_operators_api_is_the_error_object() {
    let server = Server::start(SILENT);
    let (admin, client) = (server.admin(), crate::server::client());
    let request = |method: &str, path: &str| {
        client
            .request(method.parse().unwrap(), format!("http://{admin}{path}"))
            .bearer_auth(ADMIN_TOKEN)
    };
    let mut asked = vec![
        (404, "INVALID_REQUEST", request("GET", "/nothing")),
        (404, "INVALID_REQUEST", request("GET", "/admin/v1/nothing")),
        (405, "INVALID_REQUEST", request("DELETE", "/metrics")),
        (
            413,
            "INVALID_REQUEST",
            request("POST", "/admin/v1/numbers/import")
                .header("content-type", "application/json")
                .body(" ".repeat(3 << 20)),
        ),
        (415, "INVALID_REQUEST", request("POST", "/admin/v1/numbers/import").body("{}")),
        (
            422,
            "INVALID_REQUEST",
            request("POST", "/admin/v1/numbers/import").json(&serde_json::json!({ "operator": 5 })),
        ),
        (
            400,
            "INVALID_REQUEST",
            request("POST", "/admin/v1/numbers/import")
                .header("content-type", "application/json")
                .body("{"),
        ),
        (421, "INVALID_REQUEST", request("GET", "/metrics").header("host", "evil.example")),
    ];
    asked.extend(
        (0..10).map(|_| {
            (401, "INVALID_API_KEY", client.get(format!("http://{admin}/admin/v1/reports")))
        }),
    );
    asked.push((429, "RATE_LIMITED", client.get(format!("http://{admin}/admin/v1/reports"))));
    for (status, code, request) in asked {
        let response = request.send().unwrap();
        assert_eq!(response.status(), status);
        let named = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        told(status, code, Some(&named), &body(response));
    }
}

#[test]
fn what_no_route_of_the_operators_api_sees_is_refused_with_the_error_object() {
    let impatient = Server::start(&format!(
        "{SILENT}[http]\nheader_timeout_seconds = 1\nbody_timeout_seconds = 1\n"
    ));
    let server = Server::start(SILENT);
    let post = "POST /admin/v1/numbers/import HTTP/1.1\r\nhost: localhost\r\n";
    let half = format!(
        "{post}authorization: Bearer {ADMIN_TOKEN}\r\ncontent-type: application/json\r\n\
         content-length: 50\r\n\r\n"
    );
    for (status, sent) in [
        (408, half),
        (408, "GET /metrics HTTP/1.1\r\nhost:".to_owned()),
        (400, "GET /metrics HTTP/1.1\r\n\r\n".to_owned()),
        (414, format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(70_000))),
        (431, format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(200_000))),
    ] {
        let asked = if status == 408 { &impatient } else { &server };
        let answer = Server::answered(asked.admin(), sent.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
        let object: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1)
            .unwrap_or_else(|error| panic!("{error}: {answer}"));
        told(status, "INVALID_REQUEST", object["request_id"].as_str(), &object);
    }
}

#[test]
fn a_mistyped_credit_is_taken_back_and_a_key_moves_money_once() {
    let server = Server::start(SILENT);
    let caller = server.register();
    let admin = |arguments: &[&str]| {
        let [what, rest @ ..] = arguments else { panic!("what is to be done?") };
        server.cli(
            &[
                &["admin", what, &caller.account],
                rest,
                &["--reason", "ticket 17", "--operator", "ada"],
            ]
            .concat(),
        )
    };
    for _ in 0..2 {
        assert_eq!(
            json_of(&admin(&["credit", "100", "--idempotency-key", "ticket-17"]))["balance"],
            "100"
        );
    }
    let other = admin(&["credit", "200", "--idempotency-key", "ticket-17"]);
    assert!(
        !other.status.success()
            && String::from_utf8_lossy(&other.stderr).contains("idempotency key"),
        "{other:?}"
    );
    caller.google();
    let refused = admin(&["debit", "99.51"]);
    assert!(
        !refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("99.5"),
        "{refused:?}"
    );
    for _ in 0..2 {
        assert_eq!(
            json_of(&admin(&["debit", "90", "--idempotency-key", "ticket-18"]))["balance"],
            "9.5"
        );
    }
    assert_eq!(json_of(&admin(&["debit", "10", "--may-overdraw"]))["balance"], "-0.5");
    assert_eq!(caller.balance(), (-0.5, 0.5), "what an order holds is not touched");
    let refused = caller.post("/api/v1/order", &serde_json::json!({ "platform": "google" }));
    assert!([402, 409].contains(&refused.status().as_u16()));
    let ledger = body(caller.get("/api/v1/account/ledger"));
    let kinds: Vec<&str> = ledger["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["debit", "debit", "hold", "credit"]);
    let (status, data) = server.terminate();
    assert!(status.success());
    let verified = Server::restart(data).cli(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn what_an_operator_cannot_do_is_said_in_words() {
    let server = Server::start(QUICK);
    let account = server.register().account;
    for (arguments, word) in [
        (vec!["admin", "credit", "acc_nonsense", "1", "--reason", "x"], "not a valid identifier"),
        (vec!["admin", "credit", &account, "-5", "--reason", "x"], "-5"),
        (vec!["admin", "credit", &account, "0", "--reason", "x"], "above zero"),
        (vec!["admin", "credit", &account, "1e9", "--reason", "x"], "amount"),
        (vec!["admin", "suspend", &account, "--reason", " "], "reason"),
        (vec!["admin", "show", "acc_0352zIeWFq2SQwRZ5D9oYI"], "no such account"),
    ] {
        let output = server.cli(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(word), "{arguments:?}: {said}");
    }
}

#[test]
fn the_admin_api_wants_its_token_and_shows_metrics_without_secrets() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let ended = caller.ended(&order);
    let admin = std::fs::read_to_string(server.data().join("admin.addr")).unwrap();
    let client = crate::server::client();
    assert_eq!(
        client
            .get(format!("http://{admin}/admin/v1/accounts/{}", caller.account))
            .send()
            .unwrap()
            .status(),
        401
    );
    let metrics = client.get(format!("http://{admin}/metrics")).send().unwrap().text().unwrap();
    for name in [
        "http_requests_total",
        "store_events_total",
        "projection_lag_events",
        "orders_open",
        "http_panics_total 0",
        "clock_log_ahead_seconds 0",
    ] {
        assert!(metrics.contains(name), "{name}");
    }
    for secret in [&caller.key, &text(&ended["code"]), &text(&ended["phone"]), &order] {
        assert!(!metrics.contains(secret.as_str()), "{secret} in the metrics");
        assert!(!server.log().contains(secret.as_str()), "{secret} in the log");
    }
    server.log_when(|log| log.contains("/api/v1/order/{id}"));
}

#[test]
fn the_operators_listener_knows_its_names_and_counts_wrong_tokens() {
    let server = Server::start(QUICK);
    let (admin, client) = (server.admin(), crate::server::client());
    let get = |path: &str, host: &str, token: &str| {
        client
            .get(format!("http://{admin}{path}"))
            .header("host", host)
            .bearer_auth(token)
            .send()
            .unwrap()
            .status()
            .as_u16()
    };
    for path in ["/metrics", "/admin/v1/numbers", "/nothing"] {
        assert_eq!(get(path, "evil.example", ADMIN_TOKEN), 421, "{path}");
        assert_ne!(get(path, "localhost:8081", ADMIN_TOKEN), 421, "{path}");
    }
    // How many it takes depends on how fast they come: ten a minute are given back as the minute
    // passes.
    let wrong: Vec<u16> =
        (0..200).map(|_| get("/admin/v1/numbers", "127.0.0.1", "wrong")).collect();
    assert_eq!(wrong[..10], [401; 10]);
    assert!(
        wrong.contains(&429) && wrong.iter().all(|status| [401, 429].contains(status)),
        "{wrong:?}"
    );
    assert_eq!(
        get("/admin/v1/numbers", "127.0.0.1", ADMIN_TOKEN),
        200,
        "whoever guesses does not lock the operator out"
    );
    let refused = wrong.iter().filter(|status| **status == 401).count();
    let said = server.log_when(|said| said.matches("without the right token").count() >= refused);
    assert_eq!(said.matches("without the right token").count(), refused, "{said}");
}

#[test]
fn names_and_reasons_that_hide_something_do_not_reach_the_log() {
    let server = Server::start(QUICK);
    let account = server.register().account;
    for (operator, reason) in [
        ("ada\nroot", "x"),
        ("ada\u{1b}[2J", "x"),
        ("\u{202e}ada", "x"),
        ("ada", "x\r\ny"),
        ("", "x"),
        ("ada", " "),
    ] {
        let output = server.cli(&[
            "admin",
            "credit",
            &account,
            "1",
            "--reason",
            reason,
            "--operator",
            operator,
        ]);
        assert!(!output.status.success(), "{operator:?} {reason:?}");
    }
    for (path, body) in [
        (
            "numbers/retire",
            serde_json::json!({ "number": "+12025550123", "reason": "x", "operator": "a\u{7}" }),
        ),
        ("numbers/import", serde_json::json!({ "rows": [], "operator": "a\u{7}" })),
        (
            "numbers/release",
            serde_json::json!({
                "supplier": "twilio", "number": "+12025550123", "reason": "a\u{7}", "operator": "a",
            }),
        ),
    ] {
        let url = format!("http://{}/admin/v1/{path}", server.admin());
        assert_eq!(
            crate::server::client()
                .post(url)
                .bearer_auth(ADMIN_TOKEN)
                .json(&body)
                .send()
                .unwrap()
                .status(),
            400,
            "{path}"
        );
    }
}

#[test]
fn a_token_that_can_be_guessed_is_refused_wherever_it_stands() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("admin.token"), "short").unwrap();
    let start = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"));
        let output = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .args(arguments)
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (started, said) = start(&[]);
    assert!(!started && said.contains("24 characters"), "{said}");
    let path = data.path().join("config.toml");
    std::fs::write(&path, "[admin]\ntoken = \"secret\"\n").unwrap();
    let (started, said) = start(&["--config", path.to_str().unwrap()]);
    assert!(!started && said.contains("admin.token") && !said.contains("\"secret\""), "{said}");
}

#[test]
fn two_services_cannot_share_a_directory() {
    let server = Server::start(QUICK);
    let second = server.cli(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("another service"));
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused_at_once() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("wrong.toml");
    for (text, word) in [
        ("[http]\nlistem = 1", "listem"),
        ("[http]\nlisten = \"0.0.0.0:0\"", "deposits.simulated"),
        ("[suppliers.simulator]\nfailure_rate = 2.0", "failure_rate"),
        (
            "[suppliers.own]\ninbound_secret = \"whsec_0123456789abcdef\"",
            "suppliers.simulator.enabled",
        ),
        (
            "[suppliers.own]\ninbound_secret = \"whsec_0123456789abcdef\"\n[[suppliers.own.numbers]]\nnumber = \"+14165550123\"\ncountry = \"US\"",
            "not a number of US",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"))
            .arg("--config")
            .arg(&path)
            .arg("--data-dir")
            .arg(data.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(word), "{text}: {said}");
    }
    let environment = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"))
        .env("TELENUMERUS_ORDERS__LIFETIME", "5")
        .arg("--data-dir")
        .arg(data.path())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&environment.stderr).contains("lifetime"), "{environment:?}");
}

#[test]
fn the_log_is_printed_for_people_and_verified() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let ended = caller.ended(&order);
    caller.balance();
    let verified = server.cli(&["audit", "verify"]);
    let said = String::from_utf8(verified.stdout).unwrap();
    assert!(
        verified.status.success() && said.contains("lawful") && said.contains("1 orders (0 open)"),
        "{said}"
    );
    let printed =
        String::from_utf8(server.cli(&["audit", "events", "--order", &order]).stdout).unwrap();
    assert_eq!(printed.lines().count(), 6, "{printed}");
    assert!(
        printed.contains("OrderSmsReceived")
            && !printed.contains(&text(&ended["code"]))
            && !printed.contains(&text(&ended["phone"])),
        "{printed}"
    );
    let revealed =
        String::from_utf8(server.cli(&["audit", "events", "--order", &order, "--reveal"]).stdout)
            .unwrap();
    assert!(revealed.contains(&text(&ended["code"])));
    let nothing = server.cli(&["audit", "events", "--stream", "account-none"]);
    assert!(nothing.status.success() && nothing.stdout.is_empty());
}
