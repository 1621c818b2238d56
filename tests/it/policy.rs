//! What orders are taken for: denied before anything is held, through every door, until an operator
//! says otherwise; and where suppliers' numbers come from.

use serde_json::{Value, json};

use crate::server::{QUICK, Server, body, text};

/// A pool of real numbers, and no others.
fn real(provenance: &str) -> String {
    let number = |n: u32| {
        format!("[[suppliers.own.numbers]]\nnumber = \"+1202555010{n}\"\ncountry = \"US\"\n")
    };
    let numbers = [0, 1, 2, 3, 4, 5].map(number).concat();
    format!(
        "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[deposits]\nsimulated = \
         false\n[suppliers]\nprovenance = \"{provenance}\"\n[suppliers.simulator]\nenabled = \
         false\n[suppliers.own]\nsends_times = true\ninbound_secret = \
         \"whsec_0123456789abcdef\"\n{numbers}"
    )
}

/// Writes a file beside the data, and answers its path.
fn written(server: &Server, policy: &str) -> String {
    let path = server.data().join("policy.toml");
    std::fs::write(&path, policy).unwrap();
    path.to_str().unwrap().to_owned()
}

fn done(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn audit_is_lawful(server: &Server) {
    let audit = server.cli(&["audit", "verify"]);
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

#[test]
fn a_financial_platform_is_denied_at_every_door_until_an_operator_states_a_basis() {
    let server = Server::start(&real("warn"));
    let caller = server.funded("10");
    let (plain, verify) =
        (json!({ "platform": "paypal" }), json!({ "platform": "paypal", "timeout_seconds": 1 }));
    for (path, asked) in [
        ("/api/v1/order", &plain),
        ("/api/v1/verify", &verify),
        ("/api/v1/agent", &json!({ "query": "I need a PayPal number" })),
    ] {
        let refused = caller.post(path, asked);
        assert_eq!(refused.status(), 400, "{path}");
        let object = body(refused);
        assert_eq!(object["error_code"], "INVALID_REQUEST", "{path}");
        let policy = &object["detail"]["policy"];
        assert_eq!(
            (policy["rule"].as_str(), policy["verdict"].as_str(), policy["mode"].as_str()),
            (Some("financial"), Some("deny"), Some("enforce")),
            "{path} {object}"
        );
        assert!(policy["reason"].is_string());
    }
    let batch = body(caller.post(
        "/api/v1/batch",
        &json!({ "orders": [{ "platform": "paypal" }, { "platform": "google" }] }),
    ));
    assert_eq!((batch["refused"].as_u64(), batch["accepted"].as_u64()), (Some(1), Some(1)));
    assert_eq!(batch["orders"][0]["detail"]["policy"]["rule"], "financial");
    let order = text(&batch["orders"][1]["order_id"]);
    caller.post(&format!("/api/v1/order/{order}/cancel"), &json!({}));
    assert_eq!(caller.balance(), (10.0, 0.0));
    let rows = body(server.get("/api/v1/availability?platform=paypal").send().unwrap());
    assert_eq!(rows["platforms"][0]["policy"]["verdict"], "deny");
    let services = body(server.get("/api/v1/services").send().unwrap());
    let of = |name: &str| -> Value {
        let mut known = services["services"].as_array().unwrap().iter();
        known.find(|service| service["platform"] == name).unwrap()["policy"].clone()
    };
    assert_eq!((of("paypal")["rule"].as_str(), of("google")), (Some("financial"), Value::Null));

    let bare = "mode = \"enforce\"\n[[rules]]\nid = \"staff\"\nplatforms = [\"paypal\"]\nverdict = \"allow\"\n";
    let file = written(&server, bare);
    let refused = server.cli(&["policy", "apply", &file, "--basis", "board"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("needs a basis"), "{refused:?}");
    let file = written(&server, &format!("{bare}basis = \"contract 12\"\n"));
    done(&server.cli(&["policy", "check", &file]));
    done(&server.cli(&["policy", "apply", &file, "--basis", "board", "--operator", "ada"]));
    caller.order(&plain);
    audit_is_lawful(&server);
}

#[test]
fn a_simulator_allows_everything() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    caller.order(&json!({ "platform": "wise" }));
    audit_is_lawful(&server);
}

#[test]
fn what_needs_a_review_waits_for_a_person_who_decides() {
    let server = Server::start(&real("warn"));
    let caller = server.funded("10");
    let file = written(
        &server,
        "mode = \"enforce\"\n[[rules]]\nid = \"odd\"\nplatforms = [\"tinder\"]\nclasses = \
         [\"new\"]\nverdict = \"review\"\nreason = \"tell us what for\"\n",
    );
    done(&server.cli(&["policy", "apply", &file, "--basis", "board"]));
    let asked = json!({ "platform": "tinder" });
    for _ in 0..3 {
        let refused = body(caller.post("/api/v1/order", &asked));
        assert_eq!(refused["detail"]["policy"]["verdict"], "review");
        assert_eq!(refused["detail"]["policy"]["reason"], "tell us what for");
    }
    let listed = || -> Value {
        serde_json::from_str(&done(&server.cli(&["admin", "review", "--json"]))).unwrap()
    };
    let reviews = listed();
    assert_eq!(reviews["reviews"].as_array().unwrap().len(), 1, "{reviews}");
    assert_eq!(reviews["reviews"][0]["account_id"], caller.account.as_str());
    done(&server.cli(&[
        "admin",
        "class",
        &caller.account,
        "verified",
        "--reason",
        "talked",
        "--operator",
        "ada",
    ]));
    assert_eq!(listed()["reviews"].as_array().unwrap().len(), 0);
    caller.order(&asked);
    let server_log = server.cli(&["audit", "events", "--json"]);
    assert!(String::from_utf8_lossy(&server_log.stdout).contains("OrderRefused"));
    audit_is_lawful(&server);
}

#[test]
fn a_diff_says_who_would_have_been_refused_and_a_shadow_lets_them_go_on() {
    let server = Server::start(&real("warn"));
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    caller.post(&format!("/api/v1/order/{order}/cancel"), &json!({}));
    let policy = "mode = \"shadow\"\n[[rules]]\nid = \"closed\"\nplatforms = [\"google\"]\nverdict = \
        \"deny\"\nreason = \"closed\"\n[[limits]]\nlimit = \"numbers_per_day\"\nallowed = 1\nmode = \
        \"enforce\"\n";
    let file = written(&server, policy);
    let found: Value =
        serde_json::from_str(&done(&server.cli(&["policy", "diff", &file, "--json"]))).unwrap();
    assert_eq!((found["judged"].as_u64(), found["changed"].as_u64()), (Some(1), Some(1)));
    assert_eq!(
        (found["orders"][0]["order_id"].as_str(), found["orders"][0]["rule"].as_str()),
        (Some(order.as_str()), Some("closed"))
    );
    done(&server.cli(&["policy", "apply", &file, "--basis", "a trial"]));
    caller.google();
    let shown: Value = serde_json::from_str(&done(&server.cli(&["policy", "show"]))).unwrap();
    assert_eq!(
        (shown["version"].as_u64(), shown["policy"]["mode"].as_str()),
        (Some(1), Some("shadow"))
    );
    let log = done(&server.cli(&["audit", "events", "--json"]));
    assert!(log.contains("\"rule\":\"closed\""), "{log}");
    audit_is_lawful(&server);
    // It is what it was after a restart, and judges on.
    let server = server.kill_and_restart();
    let shown: Value = serde_json::from_str(&done(&server.cli(&["policy", "show"]))).unwrap();
    assert_eq!(shown["version"], 1);
}

#[test]
fn a_day_s_limit_is_a_rate_limit_and_says_when_it_is_over() {
    let server = Server::start(&real("warn"));
    let caller = server.funded("10");
    let file = written(
        &server,
        "mode = \"enforce\"\n[[limits]]\nlimit = \"orders_per_platform_per_day\"\nallowed = \
         1\nmode = \"enforce\"\n",
    );
    done(&server.cli(&["policy", "apply", &file, "--basis", "board"]));
    let order = text(&caller.google()["order_id"]);
    caller.post(&format!("/api/v1/order/{order}/cancel"), &json!({}));
    let refused = caller.post("/api/v1/order", &json!({ "platform": "google" }));
    assert_eq!(refused.status(), 429);
    let object = body(refused);
    assert_eq!(object["detail"]["policy"]["rule"], "orders_per_platform_per_day");
    assert!(object["retry_after_seconds"].as_u64().unwrap() > 0);
    caller.order(&json!({ "platform": "discord" }));
    audit_is_lawful(&server);
}

#[test]
fn no_order_has_a_real_number_whose_provenance_is_not_stated_where_that_is_required() {
    let server = Server::start(&real("require"));
    let caller = server.funded("10");
    let asked = json!({ "platform": "google" });
    let refused = caller.post("/api/v1/order", &asked);
    assert_eq!(
        (refused.status().as_u16(), body(refused)["error_code"].as_str()),
        (503, Some("PROVIDER_UNAVAILABLE"))
    );
    assert_eq!(caller.balance(), (10.0, 0.0));
    assert!(server.log().contains("provenance"), "{}", server.log());
    let stated = |until: &str| {
        server.cli(&[
            "supplier",
            "provenance",
            "state",
            "own",
            "--legal-name",
            "Example GmbH",
            "--source",
            "SIM cards of our own",
            "--consent",
            "they are ours",
            "--contact",
            "a@example.com",
            "--valid-until",
            until,
            "--operator",
            "ada",
        ])
    };
    assert!(!stated("2020-01-01T00:00:00Z").status.success());
    assert!(!stated("soon").status.success());
    done(&stated("2999-01-01T00:00:00Z"));
    let placed = caller.order(&asked);
    caller.post(&format!("/api/v1/order/{}/cancel", text(&placed["order_id"])), &json!({}));
    done(&server.cli(&["supplier", "provenance", "withdraw", "own", "--reason", "over"]));
    assert_eq!(caller.post("/api/v1/order", &asked).status(), 503);
    audit_is_lawful(&server);
}

#[test]
fn what_is_not_stated_is_warned_of_where_it_is_not_required() {
    let server = Server::start(&real("warn"));
    server.log_when(|log| log.contains("provenance"));
    server.funded("10").google();
}

#[test]
fn what_a_shadow_would_have_reviewed_goes_on_and_is_listed_once_until_a_person_decides() {
    let server = Server::start(&real("warn"));
    let caller = server.funded("10");
    let file = written(
        &server,
        "mode = \"shadow\"\n[[rules]]\nid = \"odd\"\nplatforms = [\"tinder\"]\nverdict = \
         \"review\"\nreason = \"tell us what for\"\n",
    );
    done(&server.cli(&["policy", "apply", &file, "--basis", "a trial"]));
    for _ in 0..2 {
        let placed = caller.order(&json!({ "platform": "tinder" }));
        caller.post(&format!("/api/v1/order/{}/cancel", text(&placed["order_id"])), &json!({}));
    }
    let listed = || -> Vec<Value> {
        let shown: Value =
            serde_json::from_str(&done(&server.cli(&["admin", "review", "--json"]))).unwrap();
        shown["reviews"].as_array().unwrap().clone()
    };
    let reviews = listed();
    assert_eq!(reviews.len(), 1, "{reviews:?}");
    assert_eq!(
        (reviews[0]["mode"].as_str(), reviews[0]["rule"].as_str()),
        (Some("shadow"), Some("odd"))
    );
    assert_eq!(reviews[0]["account_id"], caller.account.as_str());
    done(&server.cli(&["admin", "class", &caller.account, "verified", "--reason", "talked"]));
    assert_eq!(listed(), Vec::<Value>::new());
    audit_is_lawful(&server);
}

#[test]
fn a_policy_is_shown_and_applied_on_the_directory_of_a_stopped_service() {
    let server = Server::start(&real("warn"));
    let file = written(
        &server,
        "mode = \"enforce\"\n[[rules]]\nid = \"closed\"\nplatforms = [\"google\"]\nverdict = \
         \"deny\"\nreason = \"closed\"\n",
    );
    let key = server.funded("10").key;
    let (_, data) = server.terminate();
    let show = || -> Value {
        serde_json::from_str(&done(&Server::cli_on(&data, &["policy", "show"]))).unwrap()
    };
    assert_eq!(show()["version"], 0);
    let apply = |replaces: &str| {
        Server::cli_on(
            &data,
            &["policy", "apply", &file, "--basis", "board", "--replaces", replaces],
        )
    };
    assert!(!apply("4").status.success(), "another version is in force");
    assert!(done(&apply("0")).contains("version 1"));
    assert_eq!(show()["policy"]["rules"][0]["id"], "closed");
    let server = Server::restart(data);
    let refused = server.post("/api/v1/order").bearer_auth(&key);
    let refused = body(refused.json(&json!({ "platform": "google" })).send().unwrap());
    assert_eq!(refused["detail"]["policy"]["rule"], "closed");
    audit_is_lawful(&server);
}

#[test]
fn the_operator_s_contact_is_shown_where_people_look_for_it() {
    let config = format!(
        "{QUICK}[operator]\nname = \"Example & Sons\"\nabuse_contact = \"abuse@example.com\"\n"
    );
    let server = Server::start(&config);
    let answer = server.get("/.well-known/security.txt").send().unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
    let text = answer.text().unwrap();
    assert!(text.contains("Contact: mailto:abuse@example.com\n"), "{text}");
    assert!(text.contains("\nExpires: 20"), "{text}");
    let page = server.get("/").send().unwrap().text().unwrap();
    assert!(page.contains("Example &amp; Sons") && page.contains("abuse@example.com"), "{page}");
    let unnamed = Server::start(QUICK);
    assert_eq!(unnamed.get("/.well-known/security.txt").send().unwrap().status(), 404);
}
