//! `telenumerus mcp` and `/mcp` under what is no proper message: each is refused with its reason,
//! nothing comes of it, and the next one is served.

use std::path::Path;

use serde_json::{Value, json};

use crate::mcp::Process;
use crate::server::{QUICK, SILENT, Server, body, text};

fn call(id: u64, tool: &str, arguments: &Value) -> String {
    json!({
        "jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": { "name": tool, "arguments": arguments },
    })
    .to_string()
}

/// A host of its own service, and one of a service elsewhere, each with money.
fn both(test: impl Fn(&mut Process, &str)) {
    let directory = tempfile::tempdir().unwrap();
    let mut embedded = Process::embedded(directory.path(), "");
    while embedded.account()["balance"] != 10.0 {}
    test(&mut embedded, "embedded");
    embedded.end();
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let mut there = Process::there(&server.url(""), &caller.key);
    test(&mut there, "url");
    there.end();
}

#[test]
fn a_member_that_is_given_twice_spends_nothing() {
    both(|process, kind| {
        let twice = r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"sms_agent_order","arguments":{"query":"google","dry_run":true,"dry_run":false}}}"#;
        process.say(twice.as_bytes());
        let refused = process.hear();
        assert_eq!(
            refused["error"],
            json!({ "code": -32700, "message": "params.arguments.dry_run is given twice." }),
            "{kind}"
        );
        assert_eq!(refused["id"], 5, "{kind}: whoever waits is told");
        for twice in [
            r#"{"jsonrpc":"2.0","id":5,"id":6,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":5,"method":"ping","method":"tools/list"}"#,
            r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"sms_account","name":"sms_order","arguments":{}}}"#,
        ] {
            process.say(twice.as_bytes());
            assert_eq!(process.hear()["error"]["code"], -32700, "{kind}: {twice}");
        }
        let account = process.account();
        assert_eq!(
            (account["active_order"].clone(), account["held"].as_f64()),
            (Value::Null, Some(0.0)),
            "{kind}"
        );
    });
}

#[test]
fn a_second_request_with_the_id_of_one_under_way_is_refused_before_anything_happens() {
    let server = Server::start(SILENT);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let mut process = Process::there(&server.url(""), &caller.key);
    process.say(call(7, "sms_check_order", &json!({ "order_id": order, "wait": 5 })).as_bytes());
    process.say(call(7, "sms_cancel_order", &json!({ "order_id": order })).as_bytes());
    let refused = process.hear();
    assert_eq!(
        (refused["id"].as_i64(), refused["error"]["code"].as_i64()),
        (Some(7), Some(-32600)),
        "{refused}"
    );
    // Its text is an id, too, and another one.
    process.say(json!({ "jsonrpc": "2.0", "id": "7", "method": "ping" }).to_string().as_bytes());
    assert_eq!(process.hear()["id"], "7");
    assert_eq!(
        body(caller.get("/api/v1/account"))["active_order"],
        order.as_str(),
        "the second one did nothing"
    );
    process.say(call(8, "sms_cancel_order", &json!({ "order_id": order })).as_bytes());
    let mut answered = [process.hear(), process.hear()].map(|answer| answer["id"].as_i64());
    answered.sort_unstable();
    assert_eq!(answered, [Some(7), Some(8)], "the first one was answered");
    process.say(call(7, "sms_account", &json!({})).as_bytes());
    assert_eq!(
        process.hear()["result"]["isError"],
        false,
        "an id that has its answer may be used again"
    );
    process.end();
}

#[test]
fn a_line_that_is_no_message_is_answered_and_the_next_one_is_served() {
    both(|process, kind| {
        let ping = |id: u64| json!({ "jsonrpc": "2.0", "id": id, "method": "ping" }).to_string();
        let long = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"x":"{}"}}}}"#,
            "x".repeat(200_000)
        );
        let lines: [(Vec<u8>, i64); 9] = [
            (b"hello".to_vec(), -32700),
            (b"{".to_vec(), -32700),
            (b"\xff\xfe".to_vec(), -32700),
            (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}".to_vec(), -32700),
            (format!("{}{}", ping(1), ping(2)).into_bytes(), -32700),
            (format!("{} {}", ping(1), "x").into_bytes(), -32700),
            (long.into_bytes(), -32700),
            (format!("[{}]", ping(1)).into_bytes(), -32600),
            (b"5".to_vec(), -32600),
        ];
        for (number, (line, code)) in (10u64..).zip(lines) {
            process.say(&line);
            let refused = process.hear();
            assert_eq!(
                (&refused["id"], refused["error"]["code"].as_i64()),
                (&Value::Null, Some(code)),
                "{kind}, {number}: {refused}"
            );
            process.say(ping(number).as_bytes());
            assert_eq!((process.hear()["id"].as_u64(), kind), (Some(number), kind));
        }
        // Empty lines and Windows' ends of lines are nothing.
        process.say(b"");
        process.say(b"  \r");
        process.say(format!("{}\r", ping(50)).as_bytes());
        assert_eq!(process.hear()["id"], 50);
    });
}

#[test]
fn params_of_the_wrong_kind_are_invalid_params_with_their_reason() {
    let cases = [
        (
            "tools/call",
            json!({ "name": "sms_account", "arguments": [] }),
            "params.arguments must be an object, not an array",
        ),
        (
            "tools/call",
            json!({ "name": "sms_account", "arguments": "{}" }),
            "params.arguments must be an object, not a text",
        ),
        (
            "tools/call",
            json!({ "name": 7, "arguments": {} }),
            "params.name must be a text, not a number",
        ),
        ("tools/call", json!({ "arguments": {} }), "params.name is missing"),
        ("tools/call", json!(["sms_account", {}]), "params must be an object, not an array"),
        ("tools/call", Value::Null, "tools/call needs params"),
        ("resources/read", json!({ "uri": 1 }), "params.uri must be a text, not a number"),
        (
            "prompts/get",
            json!({ "name": "get_code", "arguments": 1 }),
            "params.arguments must be an object, not a number",
        ),
        ("prompts/get", json!({ "name": "get_code", "arguments": { "platform": 5 } }), ""),
    ];
    let request = |method: &str, params: &Value| {
        let mut request = json!({ "jsonrpc": "2.0", "id": 3, "method": method });
        if !params.is_null() {
            request["params"] = params.clone();
        }
        request
    };
    both(|process, kind| {
        for (method, params, words) in &cases {
            process.say(request(method, params).to_string().as_bytes());
            let refused = process.hear();
            assert_eq!(
                (refused["id"].as_i64(), refused["error"]["code"].as_i64()),
                (Some(3), Some(-32602)),
                "{kind}: {params}: {refused}"
            );
            assert!(text(&refused["error"]["message"]).contains(words), "{kind}: {refused}");
        }
        process.say(request("no/such", &Value::Null).to_string().as_bytes());
        assert_eq!(process.hear()["error"]["code"], -32601, "{kind}");
    });
    let server = Server::start(QUICK);
    for (method, params, words) in &cases {
        let refused = body(
            server
                .post("/mcp")
                .header("mcp-protocol-version", "2025-06-18")
                .json(&request(method, params))
                .send()
                .unwrap(),
        );
        assert_eq!(
            (refused["id"].as_i64(), refused["error"]["code"].as_i64()),
            (Some(3), Some(-32602)),
            "{params}: {refused}"
        );
        assert!(text(&refused["error"]["message"]).contains(words), "{refused}");
    }
}

#[test]
fn refusals_of_http_say_what_is_wrong() {
    let server = Server::start(QUICK);
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    let post = || server.post("/mcp").header("content-type", "application/json").body(ping.clone());
    let cases = [
        (
            server.post("/mcp").header("content-type", "text/plain").body(ping.clone()),
            415,
            "Content-Type",
        ),
        (server.post("/mcp").body(ping.clone()), 415, "Content-Type"),
        (post().header("content-encoding", "gzip"), 415, "Content-Encoding"),
        (post().header("origin", "https://evil.example"), 403, "mcp.allowed_origins"),
        (post().header("host", "evil.example"), 403, "mcp.allowed_hosts"),
        (post().header("mcp-protocol-version", "1999-01-01"), 400, "1999-01-01"),
        (post().body(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#), 400, "-32600"),
        (
            post().body(r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#),
            400,
            "id must be a text or an integer",
        ),
        (post().body(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), 400, "-32600"),
        (
            post().body(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}"#),
            400,
            "asks its callers nothing",
        ),
    ];
    for (request, status, words) in cases {
        let response = request.send().unwrap();
        assert_eq!(response.status(), status, "{words}");
        let said = response.text().unwrap();
        assert!(said.contains(words) && !said.contains("cannot be understood"), "{words}: {said}");
    }
    for method in ["GET", "DELETE", "PUT", "PATCH"] {
        let response = server.request(method, "/mcp").send().unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["allow"].to_str().unwrap()),
            (405, "POST"),
            "{method}"
        );
        assert!(text(&body(response)["error"]).contains(method));
    }
    let options = server.request("OPTIONS", "/mcp").send().unwrap();
    assert_eq!(
        (options.status().as_u16(), options.headers()["allow"].to_str().unwrap()),
        (204, "POST")
    );
}

#[test]
fn a_placeholder_pasted_from_the_documentation_is_no_key_over_http_either() {
    let server = Server::start(QUICK);
    let register = call(1, "sms_register", &json!({}));
    for key in ["tn_…", "tn_..."] {
        for (name, value) in
            [("authorization", format!("Bearer {key}")), ("x-api-key", key.to_owned())]
        {
            let ask = |line: &str| {
                let value = reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap();
                server
                    .post("/mcp")
                    .header("content-type", "application/json")
                    .header(name, value)
                    .body(line.to_owned())
                    .send()
                    .unwrap()
            };
            let hello = json!({
                "jsonrpc": "2.0", "id": 1, "method": "initialize",
                "params": {
                    "protocolVersion": "2025-06-18", "capabilities": {},
                    "clientInfo": { "name": "t", "version": "1" },
                },
            });
            assert_eq!(ask(&hello.to_string()).status(), 200, "{name}: {key}");
            let opened = body(ask(&register));
            assert!(opened["result"]["structuredContent"]["api_key"].is_string(), "{opened}");
            let refused = body(ask(&call(2, "sms_account", &json!({}))));
            assert_eq!(refused["result"]["structuredContent"]["error_code"], "INVALID_API_KEY");
        }
    }
    let mistyped = server
        .post("/mcp")
        .header("content-type", "application/json")
        .bearer_auth("tn_000")
        .body(register)
        .send()
        .unwrap();
    assert_eq!(mistyped.status(), 401, "a key that is wrong is not none");
}

#[test]
fn an_order_id_that_is_none_and_simulated_money_say_what_to_do() {
    both(|process, kind| {
        for id in ["", " ", ".", ".."] {
            for tool in ["sms_check_order", "sms_cancel_order"] {
                process.say(call(4, tool, &json!({ "order_id": id })).as_bytes());
                let refused = process.hear()["result"].clone();
                assert_eq!(refused["isError"], true);
                assert!(
                    text(&refused["structuredContent"]["error"])
                        .contains("give the id that sms_order or sms_verify gave"),
                    "{kind}: {refused}"
                );
            }
        }
        process.say(call(4, "sms_deposit", &json!({})).as_bytes());
        let words = text(&process.hear()["result"]["content"][0]["text"]);
        assert!(
            words.contains("sms_deposit with any 64 hex digits as tx_hash")
                && !words.contains("POST"),
            "{kind}: {words}"
        );
    });
}

#[test]
fn the_key_of_a_directory_is_never_lost() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mcp.key");
    for wrong in ["", "not a key", "tn_…"] {
        std::fs::write(&file, wrong).unwrap();
        refuses_to_start(directory.path(), "is no key");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), wrong);
    }
    std::fs::remove_file(&file).unwrap();
    let other = Server::start(QUICK).register().key;
    std::fs::write(&file, &other).unwrap();
    refuses_to_start(directory.path(), "opens no account");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), other);
    std::fs::remove_file(&file).unwrap();
    let mut process = Process::embedded(directory.path(), "");
    let unasked = std::fs::read_to_string(&file).unwrap();
    process.say(call(9, "sms_register", &json!({})).as_bytes());
    let registered = text(&process.hear()["result"]["structuredContent"]["api_key"]);
    process.end();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), registered);
    assert_eq!(
        std::fs::read_to_string(directory.path().join("mcp.key.1")).unwrap(),
        unasked,
        "the account before may hold money"
    );
}

fn refuses_to_start(directory: &Path, words: &str) {
    let (ended, said) = Process::refused(directory);
    assert!(!ended.success() && said.contains("mcp.key") && said.contains(words), "{said}");
}

#[test]
fn a_host_goes_on_when_the_one_whose_service_it_used_leaves() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = Process::embedded(directory.path(), "");
    let account = first.account()["account_id"].clone();
    let (mut second, mut third) =
        (Process::embedded(directory.path(), ""), Process::embedded(directory.path(), ""));
    assert_eq!(
        (&second.account()["account_id"], &third.account()["account_id"]),
        (&account, &account)
    );
    first.end();
    assert_eq!(second.account()["account_id"], account, "it starts the service itself");
    assert_eq!(third.account()["account_id"], account, "it finds the service of the second");
    second.kill();
    assert_eq!(third.account()["account_id"], account);
    third.end();
}
