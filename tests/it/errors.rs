//! Every answer that is not a success has the error object, whatever was wrong with the request.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::server::{QUICK, Server, body};

fn check(status: u16, response: reqwest::blocking::Response, code: &str) -> Value {
    assert_eq!(response.status().as_u16(), status);
    let request_id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let error = body(response);
    assert_eq!(error["error_code"], code, "{error}");
    assert_eq!(
        (error["service"].as_str(), error["request_id"].as_str()),
        (Some("Telenumerus"), Some(request_id.as_str()))
    );
    assert!(error["error"].is_string() && error["retryable"].is_boolean());
    assert!(error.as_object().unwrap().contains_key("retry_after_seconds"));
    error
}

#[test]
fn one_request_has_one_key_however_often_it_is_said() {
    let server = Server::start(QUICK);
    let (one, other) = (server.register(), server.register());
    let bearer = |key: &str| ("authorization", format!("Bearer {key}"));
    let header = |key: &str| ("x-api-key", key.to_owned());
    let ask = |given: &[(&str, String)]| {
        given
            .iter()
            .fold(server.get("/api/v1/account"), |request, (name, value)| {
                request.header(*name, value)
            })
            .send()
            .unwrap()
    };
    for differing in [
        [bearer(&one.key), bearer(&other.key)],
        [header(&one.key), header(&other.key)],
        [bearer(&one.key), header(&other.key)],
    ] {
        check(401, ask(&differing), "INVALID_API_KEY");
    }
    check(
        401,
        ask(&[bearer(&one.key), ("authorization", "Basic eDp5".to_owned())]),
        "INVALID_API_KEY",
    );
    for same in [[bearer(&one.key), bearer(&one.key)], [bearer(&one.key), header(&one.key)]] {
        assert_eq!(ask(&same).status(), 200);
    }
}

#[test]
fn calls_that_take_nothing_refuse_what_they_are_given() {
    let server = Server::start(QUICK);
    let caller = server.register();
    let secret = |sent: &'static str| {
        let call = server
            .post("/api/v1/webhook/rotate-secret")
            .bearer_auth(&caller.key)
            .header("content-type", "application/json");
        call.body(sent).send().unwrap()
    };
    for wrong in ["[]", "{\"a\":1}", "{\"a\":1,\"a\":2}", "nope", "null"] {
        check(400, secret(wrong), "INVALID_REQUEST");
    }
    for nothing in ["", "{}"] {
        assert_eq!(secret(nothing).status(), 200, "{nothing:?}");
    }
}

#[test]
fn null_is_a_member_left_out_and_wrong_values_name_their_field() {
    let server = Server::start(QUICK);
    let caller = server.funded("5");
    let call = |path: &str, sent: &serde_json::Value| {
        server.post(path).bearer_auth(&caller.key).json(sent).send().unwrap()
    };
    let verified = json!({
        "platform": "google", "country": null, "timeout_seconds": null, "on_timeout": null,
        "max_price": null, "idempotency_key": null,
    });
    assert_eq!(call("/api/v1/verify", &verified).status(), 200);
    assert_eq!(
        call(
            "/api/v1/agent",
            &json!({ "query": "a google number", "dry_run": null, "max_price": null })
        )
        .status(),
        200
    );
    for (path, sent, field) in [
        (
            "/api/v1/verify",
            json!({ "platform": "google", "timeout_seconds": 0 }),
            "timeout_seconds",
        ),
        ("/api/v1/batch", json!({ "orders": [] }), "orders"),
        ("/api/v1/order", json!({ "platform": "google", "idempotency_key": 5 }), "idempotency_key"),
        (
            "/api/v1/order",
            json!({ "platform": "google", "idempotency_key": "" }),
            "idempotency_key",
        ),
        ("/api/v1/keys", json!({ "name": "" }), "name"),
        ("/api/v1/deposit/verify", json!({ "tx_hash": "zz" }), "tx_hash"),
        ("/api/v1/order", json!({ "platform": null }), "platform"),
    ] {
        assert_eq!(
            check(400, call(path, &sent), "INVALID_REQUEST")["detail"]["field"],
            field,
            "{path} {sent}"
        );
    }
}

/// Whether an answer refuses this field in these words.
fn told(response: reqwest::blocking::Response, field: &str, words: &str) {
    let error = check(400, response, "INVALID_REQUEST");
    assert_eq!(
        (error["error"].as_str(), error["detail"]["field"].as_str()),
        (Some(words), Some(field))
    );
}

#[test]
fn numbers_that_do_not_fit_are_refused_with_their_field_and_its_own_bounds() {
    let server = Server::start(QUICK);
    let caller = server.funded("5");
    for (path, sent, field, words) in [
        (
            "/api/v1/order",
            r#"{"platform":"google","max_price":1e400}"#,
            "max_price",
            "max_price is a number out of range.",
        ),
        (
            "/api/v1/verify",
            r#"{"platform":"google","timeout_seconds":3.5}"#,
            "timeout_seconds",
            "timeout_seconds must be a whole number from 1 to 300.",
        ),
        (
            "/api/v1/verify",
            r#"{"platform":"google","timeout_seconds":"9"}"#,
            "timeout_seconds",
            "timeout_seconds must be a whole number from 1 to 300.",
        ),
    ] {
        told(
            server
                .post(path)
                .bearer_auth(&caller.key)
                .header("content-type", "application/json")
                .body(sent)
                .send()
                .unwrap(),
            field,
            words,
        );
    }
    for path in ["orders", "deposits", "account/ledger", "account/export", "webhook/deliveries"] {
        for limit in ["a", "0", "201", "1.5", "-1"] {
            told(
                caller.get(&format!("/api/v1/{path}?limit={limit}")),
                "limit",
                "limit must be a whole number from 1 to 200.",
            );
        }
    }
}

#[test]
fn members_and_values_that_do_not_fit_are_refused_with_what_does() {
    let server = Server::start(QUICK);
    let caller = server.funded("5");
    for (sent, field, words) in [
        (
            json!({ "platform": "google", "idempotencykey": "a" }),
            "idempotencykey",
            "idempotencykey is not known here; did you mean idempotency_key?",
        ),
        (
            json!({ "platform": "google", "x": 1 }),
            "x",
            "x is not known here; known are platform, country, max_price, scenario, \
             idempotency_key.",
        ),
        (
            json!({ "platform": "google", "country": "ZZ" }),
            "country",
            "The country is not supported.",
        ),
    ] {
        told(caller.post("/api/v1/order", &sent), field, words);
    }
    told(
        caller.get("/api/v1/order/ord_x?wait=56"),
        "wait",
        "wait must be a whole number from 1 to 55.",
    );
}

#[test]
fn a_body_that_is_announced_too_long_need_not_come_and_a_refusal_before_it_closes_with_notice() {
    let server = Server::start(QUICK);
    let answer = |head: &str| {
        let mut stream = std::net::TcpStream::connect(server.address).unwrap();
        stream.write_all(format!("{head}\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        // Until the service closes; it does not wait for what is not needed.
        stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
        let _ = stream.read_to_string(&mut answer);
        answer.to_ascii_lowercase()
    };
    let long = answer(
        "POST /api/v1/register HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 50000000",
    );
    assert!(long.starts_with("http/1.1 413") && long.contains("connection: close"), "{long}");
    let early = answer("POST /api/v1/order HTTP/1.1\r\nhost: a\r\ncontent-length: 2");
    assert!(early.starts_with("http/1.1 401") && early.contains("connection: close"), "{early}");
}

#[test]
fn every_kind_of_bad_request_gets_the_error_object() {
    let server = Server::start(QUICK);
    let caller = server.register();
    let order = |body: &'static str, content_type: &str| {
        server
            .post("/api/v1/order")
            .bearer_auth(&caller.key)
            .header("content-type", content_type)
            .body(body)
            .send()
            .unwrap()
    };
    check(404, server.get("/nothing/here").send().unwrap(), "INVALID_REQUEST");
    check(404, server.get("/api/v1/nothing").send().unwrap(), "INVALID_REQUEST");
    let wrong_method = server.request("DELETE", "/api/v1/order").send().unwrap();
    assert_eq!(wrong_method.headers()["allow"], "POST");
    check(405, wrong_method, "INVALID_REQUEST");
    for broken in [
        "{",
        "[]",
        "null",
        "\"x\"",
        "{\"platform\": 7}",
        "{}",
        "{\"platform\":\"google\",\"surprise\":1}",
        "{\"platform\":\"google\",\"max_price\":-1}",
        "\u{feff}{}",
    ] {
        check(400, order(broken, "application/json"), "INVALID_REQUEST");
    }
    check(415, order("platform=google", "application/x-www-form-urlencoded"), "INVALID_REQUEST");
    check(400, order("{\"platform\":\"myspace\"}", "application/json"), "UNKNOWN_PLATFORM");
    let country = check(
        400,
        order("{\"platform\":\"google\",\"country\":\"CH\"}", "application/json"),
        "INVALID_REQUEST",
    );
    assert_eq!(country["detail"]["supported_countries"].as_array().unwrap().len(), 24);
    let large = server
        .post("/api/v1/order")
        .bearer_auth(&caller.key)
        .header("content-type", "application/json")
        .body("x".repeat(20_000))
        .send()
        .unwrap();
    check(413, large, "INVALID_REQUEST");
    for hash in ["", "ab", &"zz".repeat(32)] {
        check(
            400,
            caller.post("/api/v1/deposit/verify", &json!({ "tx_hash": hash })),
            "INVALID_REQUEST",
        );
    }
    check(
        400,
        caller.post(
            "/api/v1/deposit/verify",
            &json!({ "tx_hash": "ab".repeat(32), "currency": "doge" }),
        ),
        "INVALID_REQUEST",
    );
    for query in ["from=yesterday", "granularity=week", "group_by=phone", "frm=2026-01-01"] {
        check(400, caller.get(&format!("/api/v1/usage?{query}")), "INVALID_REQUEST");
    }
    check(
        402,
        order("{\"platform\":\"google\"}", "application/json; charset=utf-8"),
        "INSUFFICIENT_BALANCE",
    );
}

/// The path with something in the place of each parameter.
fn filled(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| if part.starts_with('{') { "ord_0000000000000000000000" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn no_call_takes_an_array_for_an_object_or_the_last_of_two_members() {
    let server = Server::start(QUICK);
    let caller = server.register();
    let document = body(server.get("/openapi.json").send().unwrap());
    let mut calls = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if operation["requestBody"].is_null() {
                continue;
            }
            calls += 1;
            let send = |text: &'static str| {
                let request =
                    server.request(&method.to_uppercase(), &filled(path)).bearer_auth(&caller.key);
                request.header("content-type", "application/json").body(text).send().unwrap()
            };
            for array in ["[]", "[\"google\"]", "[{}]", "[[\"google\"]]"] {
                let error = check(400, send(array), "INVALID_REQUEST");
                assert_eq!(
                    error["error"], "The request must be an object, not an array.",
                    "{method} {path}"
                );
            }
            let error = check(400, send(r#"{"dry_run":true,"dry_run":false}"#), "INVALID_REQUEST");
            assert_eq!(
                (error["error"].as_str(), error["detail"]["field"].as_str()),
                (Some("dry_run is given twice."), Some("dry_run"))
            );
        }
    }
    assert!(calls >= 8, "{calls}");
}

#[test]
fn errors_name_the_field_and_the_row() {
    let server = Server::start(QUICK);
    let caller = server.register();
    let batch = json!({ "orders": [{ "platform": "google" }, { "platform": 7 }] });
    let error = check(400, caller.post("/api/v1/batch", &batch), "INVALID_REQUEST");
    assert_eq!(error["error"], "orders[1].platform must be a text, not a number.");
    let error = check(
        400,
        caller.post(
            "/api/v1/verify",
            &json!({ "platform": "google", "on_timeout": { "cancel": null } }),
        ),
        "INVALID_REQUEST",
    );
    assert_eq!(error["detail"]["field"], "on_timeout");
    let error = check(400, caller.get("/api/v1/orders?limit=5&limit=6"), "INVALID_REQUEST");
    assert_eq!(error["error"], "limit is given twice.");
    let compressed = server
        .post("/api/v1/order")
        .bearer_auth(&caller.key)
        .header("content-encoding", "gzip")
        .json(&json!({ "platform": "google" }));
    check(415, compressed.send().unwrap(), "INVALID_REQUEST");
}

#[test]
fn keys_are_taken_in_two_places_and_nowhere_else() {
    let server = Server::start(QUICK);
    let caller = server.register();
    let (key, path) = (&caller.key, "/api/v1/account");
    assert_eq!(server.get(path).bearer_auth(key).send().unwrap().status(), 200);
    assert_eq!(server.get(path).header("X-API-Key", key).send().unwrap().status(), 200);
    assert_eq!(
        server.get(path).header("authorization", format!("bearer {key}")).send().unwrap().status(),
        200
    );
    check(401, server.get(path).send().unwrap(), "INVALID_API_KEY");
    check(401, server.get(&format!("{path}?api_key={key}")).send().unwrap(), "INVALID_API_KEY");
    check(
        401,
        server.get(&format!("/api/v1/health?anything={key}")).send().unwrap(),
        "INVALID_API_KEY",
    );
    check(401, server.get(path).basic_auth("user", Some(key)).send().unwrap(), "INVALID_API_KEY");
    let mut wrong = key.clone();
    wrong.replace_range(40..41, if &wrong[40..41] == "A" { "B" } else { "A" });
    check(401, server.get(path).bearer_auth(&wrong).send().unwrap(), "INVALID_API_KEY");
    check(
        401,
        server.get("/api/v1/services").bearer_auth("tn_nonsense").send().unwrap(),
        "INVALID_API_KEY",
    );
    let other = server.register();
    check(
        401,
        server.get(path).bearer_auth(key).header("X-API-Key", &other.key).send().unwrap(),
        "INVALID_API_KEY",
    );
    assert_eq!(
        server.get(path).bearer_auth(key).header("X-API-Key", key).send().unwrap().status(),
        200
    );
}

#[test]
fn a_problem_is_written_as_rfc_9457_where_it_is_asked_for() {
    let server = Server::start(QUICK);
    let response =
        server.get("/api/v1/account").header("accept", "application/problem+json").send().unwrap();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem = body(response);
    assert_eq!(
        (problem["status"].as_u64(), problem["error_code"].as_str()),
        (Some(401), Some("INVALID_API_KEY"))
    );
    assert_eq!(
        (problem["title"].as_str(), problem["detail"].is_string()),
        (Some("The API key is not valid."), true)
    );
    assert!(problem["type"].is_string());
    let caller = server.register();
    let request = server
        .post("/api/v1/order")
        .bearer_auth(&caller.key)
        .header("accept", "application/problem+json");
    let problem = body(request.json(&json!({ "platform": 7 })).send().unwrap());
    assert_eq!(
        (problem["details"]["field"].as_str(), problem["detail"].as_str()),
        (Some("platform"), Some("platform must be a text, not a number."))
    );
    let response = server
        .get("/api/v1/account")
        .header("accept", "application/json, application/problem+json;q=0.5")
        .send()
        .unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
}

#[test]
fn what_is_no_http_is_survived() {
    let server = Server::start(QUICK);
    for hostile in [
        &b"\x00\x01\x02\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/v1/order HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"GET /%ff%00 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ] {
        let mut answer = Vec::new();
        let _ = server.raw(hostile).read_to_end(&mut answer);
    }
    assert_eq!(server.get("/api/v1/health").send().unwrap().status(), 200);
}

#[test]
fn slow_heads_and_slow_bodies_are_cut_off() {
    let server = Server::start(&format!(
        "{QUICK}[http]\nheader_timeout_seconds = 1\nbody_timeout_seconds = 1\n"
    ));
    let answer = Server::answered(server.address, b"GET /api/v1/health HTTP/1.1\r\nhost:");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let key = server.register().key;
    let head = format!(
        "POST /api/v1/order HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: 50\r\nconnection: close\r\n\r\n{{"
    );
    let answer = Server::answered(server.address, head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("INVALID_REQUEST"), "{answer}");
}

#[test]
fn answers_are_nobodys_to_keep_and_documents_are_sent_once() {
    let server = Server::start(QUICK);
    let caller = server.register();
    for path in ["/api/v1/account", "/api/v1/orders", "/api/v1/order/ord_0", "/nothing"] {
        assert_eq!(caller.get(path).headers()["cache-control"], "no-store", "{path}");
    }
    for path in ["/openapi.json", "/api/v1/openapi.json", "/api/v1/services", "/llms-full.txt"] {
        let whole = server.get(path).send().unwrap();
        let tag = whole.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(whole.headers()["cache-control"], "no-cache", "{path}");
        let length = whole.bytes().unwrap().len();
        let known =
            server.get(path).header("if-none-match", format!("\"other\", {tag}")).send().unwrap();
        assert_eq!(
            (known.status().as_u16(), known.headers()["etag"].to_str().unwrap()),
            (304, tag.as_str()),
            "{path}"
        );
        let packed = server.get(path).header("accept-encoding", "br, gzip").send().unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip", "{path}");
        assert_eq!(packed.headers()["vary"], "accept-encoding");
        assert!(packed.bytes().unwrap().len() < length / 2, "{path}");
    }
    let secret = server
        .get("/api/v1/account")
        .bearer_auth(&caller.key)
        .header("accept-encoding", "gzip")
        .send()
        .unwrap();
    assert!(
        !secret.headers().contains_key("content-encoding"),
        "the length of what is compressed tells of what is in it"
    );
}

#[test]
fn the_page_about_the_api_is_packed_for_those_who_take_it_and_whole_for_others() {
    let server = Server::start(QUICK);
    for (path, begin) in [
        ("/docs/", "<!-- HTML for static distribution bundle build -->"),
        ("/docs/swagger-ui-bundle.js", "/*! For license information"),
        ("/docs/swagger-ui.css", ".swagger-ui{"),
    ] {
        let whole = server.get(path).send().unwrap();
        assert!(!whole.headers().contains_key("content-encoding"), "{path}");
        assert_eq!(whole.headers()["vary"], "accept-encoding", "{path}");
        let text = whole.text().unwrap();
        assert!(text.starts_with(begin), "{path} begins with {}", &text[..60]);
        let packed = server.get(path).header("accept-encoding", "gzip").send().unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip", "{path}");
        assert_eq!(packed.headers()["x-content-type-options"], "nosniff", "{path}");
        let bytes = packed.bytes().unwrap();
        assert!(bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() < text.len(), "{path}");
    }
    // What is written for this service is not packed beforehand.
    let own = server.get("/docs/swagger-initializer.js").header("accept-encoding", "gzip").send();
    assert!(own.unwrap().text().unwrap().contains("/openapi.json"));
}

#[test]
fn a_parameter_that_belongs_into_the_body_is_refused_before_it_costs_anything() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    for (path, body, field) in [
        ("/api/v1/agent?dry_run=true", json!({ "query": "google number" }), "dry_run"),
        ("/api/v1/order?max_price=0.1&country=DE", json!({ "platform": "google" }), "max_price"),
        ("/api/v1/batch?x", json!({ "orders": [{ "platform": "google" }] }), "x"),
        ("/api/v1/order/ord_0/cancel?%0Ay=1", json!({}), "y"),
    ] {
        let refused = caller.post(path, &body);
        assert_eq!(refused.status(), 400, "{path}");
        let refused = crate::server::body(refused);
        assert_eq!(
            (&refused["error_code"], &refused["detail"]["field"]),
            (&json!("INVALID_REQUEST"), &json!(field)),
            "{refused}"
        );
    }
    let account = crate::server::body(caller.get("/api/v1/account"));
    assert_eq!((&account["balance"], &account["stats"]["total_orders"]), (&json!(10.0), &json!(0)));
    assert_eq!(
        caller.post("/api/v1/order?", &json!({ "platform": "google" })).status(),
        200,
        "an empty one holds nothing"
    );
}
