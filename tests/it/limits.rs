//! Rate limits over HTTP: who counts for what, and what the answers say.

use serde_json::json;

use crate::server::{QUICK, SILENT, Server, body, text};

#[test]
fn strangers_are_limited_by_address_and_callers_by_key() {
    let server = Server::start("[limits]\nper_ip_per_minute = 5\nper_key_per_minute = 8\n");
    let caller = server.register();
    for left in (0..4).rev() {
        let response = server
            .get("/api/v1/health")
            .header("x-forwarded-for", format!("192.0.2.{left}"))
            .send()
            .unwrap();
        assert_eq!(response.headers()["ratelimit-policy"], "\"default\";q=5;w=60");
        assert!(
            response.headers()["ratelimit"]
                .to_str()
                .unwrap()
                .starts_with(&format!("\"default\";r={left};"))
        );
    }
    let response =
        server.get("/api/v1/health").header("x-forwarded-for", "192.0.2.99").send().unwrap();
    assert_eq!(response.status(), 429);
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let refused = body(response);
    assert_eq!(
        (refused["error_code"].as_str(), refused["retry_after_seconds"].as_u64()),
        (Some("RATE_LIMITED"), Some(seconds))
    );
    assert!((1..=60).contains(&seconds));
    assert_eq!(
        server.get("/api/v1/account").bearer_auth("tn_wrong").send().unwrap().status(),
        429,
        "wrong keys are strangers"
    );
    for _ in 0..8 {
        assert_eq!(caller.get("/api/v1/account").status(), 200);
    }
    assert_eq!(caller.get("/api/v1/account").status(), 429);
}

#[test]
fn numbers_given_back_again_and_again_for_nothing_cost_a_pause() {
    let server = Server::start(&format!(
        "{SILENT}[orders]\nfree_cancels_per_hour = 2\ncancel_pause_seconds = 300\n"
    ));
    let (caller, other) = (server.funded("50"), server.funded("50"));
    let give_back = |order: &str| {
        assert_eq!(caller.post(&format!("/api/v1/order/{order}/cancel"), &json!({})).status(), 200);
    };
    let keyed = json!({ "platform": "google", "idempotency_key": "third" });
    give_back(&text(&caller.google()["order_id"]));
    give_back(&text(&caller.google()["order_id"]));
    let third = text(&caller.order(&keyed)["order_id"]);
    give_back(&third);
    for (path, order) in [
        ("order", json!({ "platform": "google" })),
        ("verify", json!({ "platform": "google" })),
        ("batch", json!({ "orders": [{ "platform": "google" }] })),
    ] {
        let refused = caller.post(&format!("/api/v1/{path}"), &order);
        assert_eq!(refused.status(), 429, "{path}");
        let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        let refused = body(refused);
        assert_eq!(
            (refused["error_code"].as_str(), refused["retryable"].as_bool()),
            (Some("RATE_LIMITED"), Some(true)),
            "{path}"
        );
        assert!((1..=300).contains(&seconds), "{path}: {seconds}");
    }
    assert_eq!(
        caller.post("/api/v1/order", &keyed).status(),
        429,
        "the key of a cancelled order is free, and its retry waits like any order"
    );
    assert_eq!(caller.balance(), (50.0, 0.0));
    other.google();
    let key = caller.key.clone();
    let server = server.kill_and_restart();
    let refused = server
        .post("/api/v1/order")
        .bearer_auth(key)
        .json(&json!({ "platform": "google" }))
        .send()
        .unwrap();
    assert_eq!(refused.status(), 429, "a restart forgets nothing");
}

#[test]
fn a_crowd_of_questions_about_the_past_is_answered_or_told_to_come_again() {
    let server = Server::start(SILENT);
    let caller = server.funded("50");
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..60)
            .map(|number| {
                let (caller, path) = (
                    &caller,
                    ["/api/v1/account?as_of=2", "/api/v1/account/ledger", "/api/v1/usage"]
                        [number % 3],
                );
                scope.spawn(move || caller.get(path))
            })
            .collect();
        for answer in asked.into_iter().map(|asked| asked.join().unwrap()) {
            let (status, body) = (answer.status().as_u16(), body(answer));
            assert!(
                status == 200 || (status == 429 && body["retryable"] == true),
                "{status} {body}"
            );
        }
    });
    assert_eq!(body(caller.get("/api/v1/account?as_of=2"))["balance"], 50.0);
}

fn statuses(calls: usize, call: impl Fn() -> u16) -> Vec<u16> {
    (0..calls).map(|_| call()).collect()
}

#[test]
fn accounts_that_never_had_money_share_one_budget_per_address() {
    let server = Server::start("[limits]\nper_ip_per_minute = 20\nper_key_per_minute = 6\n");
    let (first, second) = (server.register(), server.register());
    let taken = [
        statuses(4, || first.get("/api/v1/account").status().as_u16()),
        statuses(4, || second.get("/api/v1/account").status().as_u16()),
    ];
    assert_eq!(taken.concat(), [200, 200, 200, 200, 200, 200, 429, 429]);
    let rich = server.funded("1");
    assert_eq!(
        statuses(7, || rich.get("/api/v1/account").status().as_u16()),
        [200, 200, 200, 200, 200, 200, 429]
    );
}

#[test]
fn an_address_opens_so_many_accounts_an_hour() {
    let server = Server::start("[limits]\nper_ip_per_minute = 30\naccounts_per_ip_per_hour = 2\n");
    let register = || server.post("/api/v1/register").json(&serde_json::json!({})).send().unwrap();
    assert_eq!(statuses(2, || register().status().as_u16()), [200, 200]);
    let refused = register();
    assert_eq!(refused.status(), 429);
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let error = body(refused);
    assert!(
        (3_000..=3_600).contains(&seconds)
            && error["error_code"] == "RATE_LIMITED"
            && error["retry_after_seconds"] == seconds,
        "{error}"
    );
    assert_eq!(server.get("/api/v1/services").send().unwrap().status(), 200, "other calls go on");
}

#[test]
fn a_key_of_no_account_is_not_looked_for_once_the_address_has_used_up_what_strangers_may_ask() {
    let server = Server::start("[limits]\nper_ip_per_minute = 5\nper_key_per_minute = 100\n");
    // A key that is as it must be, of an account that there is not here.
    let elsewhere = Server::start(crate::server::QUICK).register().key;
    let key = server.register().key;
    // Accounts leave memory with their process; their keys stay good.
    let server = server.kill_and_restart();
    let ask = |key: &str| {
        server.get("/api/v1/account").bearer_auth(key).send().unwrap().status().as_u16()
    };
    assert_eq!(statuses(7, || ask(&elsewhere)), [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(ask(&key), 429, "it would have to be looked for");
}

#[test]
fn whatever_is_no_message_of_a_supplier_counts_for_its_address() {
    let config = "[limits]\nper_ip_per_minute = 6\n[suppliers.simulator]\nenabled = true\n[suppliers.own]\ninbound_secret = \"whsec_0123456789abcdef\"\n[[suppliers.own.numbers]]\nnumber = \"+12025550123\"\ncountry = \"US\"\n";
    let server = Server::start(config);
    let large = "x".repeat(100_000);
    for (method, path, body, status) in [
        ("GET", "/inbound/v1/own", "", 405),
        ("POST", "/inbound/v1/own/more", "", 404),
        ("POST", "/inbound/v1/nobody", "{}", 404),
        ("POST", "/inbound/v1/own", "{}", 401),
        ("POST", "/inbound/v1/own", &large, 413),
        ("POST", "/inbound/", "", 404),
        ("POST", "/inbound/v1/own", &large, 429),
        ("GET", "/inbound/v1/own", "", 429),
        ("POST", "/inbound/v2/own", "", 429),
    ] {
        assert_eq!(
            server.request(method, path).body(body.to_owned()).send().unwrap().status(),
            status,
            "{method} {path}"
        );
    }
    let signed = fakes::formats::own(&fakes::formats::Message {
        id: "a",
        to: "+12025550123",
        text: "x",
        now: now(),
        received_at: None,
    });
    let signed = signed
        .headers
        .into_iter()
        .fold(server.post(signed.path), |post, (name, value)| post.header(name, value))
        .body(signed.body);
    assert_eq!(signed.send().unwrap().status(), 200, "a supplier's message is taken all the same");
}

fn now() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

#[test]
fn those_who_take_numbers_for_nothing_leave_some_to_the_others() {
    let numbers: Vec<String> = (0..8).map(|number| format!("+1202555010{number}")).collect();
    let listed = numbers.iter().map(|number| {
        format!("[[suppliers.own.numbers]]\nnumber = \"{number}\"\ncountry = \"US\"\n")
    });
    let config = "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[suppliers.simulator]\nenabled = false\n[suppliers.own]\ninbound_secret = \"whsec_0123456789abcdef\"\n";
    let server = Server::start(&(config.to_owned() + &listed.collect::<String>()));
    let takers = [server.funded("20"), server.funded("20")];
    for taker in takers.iter().cycle().take(60) {
        let order = server
            .post("/api/v1/order")
            .bearer_auth(&taker.key)
            .json(&json!({ "platform": "google" }))
            .send()
            .unwrap();
        if order.status() == 200 {
            let cancel = format!("/api/v1/order/{}/cancel", text(&body(order)["order_id"]));
            assert_eq!(server.post(&cancel).bearer_auth(&taker.key).send().unwrap().status(), 200);
        }
    }
    let honest = server.funded("20");
    let order = server
        .post("/api/v1/order")
        .bearer_auth(&honest.key)
        .json(&json!({ "platform": "google" }))
        .send()
        .unwrap();
    assert_eq!(order.status(), 200, "half of the pool rests because of them, and not all of it");
}

#[test]
fn what_load_balancers_and_the_documentation_ask_counts_for_nobody() {
    let server = Server::start("[limits]\nper_ip_per_minute = 2\n");
    for path in [
        "/livez",
        "/readyz",
        "/openapi.json",
        "/api/v1/openapi.json",
        "/docs/",
        "/docs/swagger-ui-bundle.js",
    ] {
        let seen = statuses(4, || server.get(path).send().unwrap().status().as_u16());
        assert_eq!(seen, [200; 4], "{path}");
        assert!(!server.get(path).send().unwrap().headers().contains_key("ratelimit"));
    }
    assert_eq!(
        statuses(3, || server.get("/api/v1/health").send().unwrap().status().as_u16()),
        [200, 200, 429]
    );
    assert_eq!(server.request("HEAD", "/livez").send().unwrap().status(), 200);
}

#[test]
fn what_is_malformed_and_what_only_asks_for_options_counts_for_its_address() {
    let limit = 20;
    let limited = || {
        Server::start(
            &QUICK.replace("per_ip_per_minute = 0", &format!("per_ip_per_minute = {limit}")),
        )
    };
    let malformed = |server: &Server, request: &[u8]| {
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut server.raw(request), &mut answer).unwrap();
        answer
    };
    for request in [&b"nonsense\r\n\r\n"[..], b"GET /api/v1/health HTTP/1.1\r\n\r\n"] {
        let server = limited();
        let answers: Vec<String> = (0..=limit).map(|_| malformed(&server, request)).collect();
        let (within, beyond) = answers.split_at(limit);
        assert!(within.iter().all(|answer| answer.starts_with("HTTP/1.1 400 ")), "{within:?}");
        assert!(
            beyond[0].starts_with("HTTP/1.1 429 ")
                && beyond[0].contains("RATE_LIMITED")
                && beyond[0].contains("retry-after: "),
            "{beyond:?}"
        );
        assert_eq!(server.get("/api/v1/health").send().unwrap().status(), 429);
    }
    for path in ["/api/v1/order", "/nothing", "/mcp", "/inbound/v1/own"] {
        let server = limited();
        let asked: Vec<u16> = (0..=limit)
            .map(|_| server.request("OPTIONS", path).send().unwrap().status().as_u16())
            .collect();
        assert_eq!(
            (asked.iter().filter(|status| **status == 429).count(), asked.last()),
            (1, Some(&429)),
            "{path} {asked:?}"
        );
    }
}
