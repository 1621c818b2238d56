//! `/mcp` and `telenumerus mcp` below any client: what is counted, who sees whose tasks, what the
//! launcher says.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use reqwest::blocking::Response;
use serde_json::{Value, json};

use crate::server::{QUICK, SILENT, Server, body, text};

const TASKS: &str = "io.modelcontextprotocol/tasks";

/// One request of the stateless protocol.
pub fn rpc(
    server: &Server,
    key: &str,
    method: &str,
    mut params: Value,
    with_tasks: bool,
) -> Response {
    let extensions = if with_tasks { json!({ TASKS: {} }) } else { json!({}) };
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": { "extensions": extensions },
    });
    let mut request = server
        .post("/mcp")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28");
    request = request.header("mcp-method", method);
    if let Some(name) =
        params["name"].as_str().or(params["uri"].as_str()).or(params["taskId"].as_str())
    {
        request = request.header("mcp-name", name);
    }
    if !key.is_empty() {
        request = request.bearer_auth(key);
    }
    request
        .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
        .send()
        .unwrap()
}

fn result(response: Response) -> Value {
    let reply = body(response);
    assert!(reply["error"].is_null(), "{reply}");
    reply["result"].clone()
}

fn call(server: &Server, key: &str, tool: &str, arguments: Value, with_tasks: bool) -> Value {
    result(rpc(
        server,
        key,
        "tools/call",
        json!({ "name": tool, "arguments": arguments }),
        with_tasks,
    ))
}

#[test]
fn a_client_without_a_session_discovers_and_calls() {
    let server = Server::start(QUICK);
    let discovered = result(rpc(&server, "", "server/discover", json!({}), false));
    assert!(
        discovered["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")),
        "{discovered}"
    );
    let caller = server.funded("10");
    let verified = call(&server, &caller.key, "sms_verify", json!({ "platform": "google" }), false);
    assert_eq!(
        (verified["structuredContent"]["status"].as_str(), verified["isError"].as_bool()),
        (Some("ok"), Some(false))
    );
    assert_eq!(
        body(caller.get("/api/v1/account"))["stats"]["completed"],
        1,
        "the same order as over REST"
    );
}

#[test]
fn whatever_a_client_accepts_it_is_served() {
    let server = Server::start(QUICK);
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let ask = |accept: Option<&str>| {
        let request = server.post("/mcp").header("mcp-protocol-version", "2025-06-18");
        let request =
            accept.map_or(request.try_clone().unwrap(), |accept| request.header("accept", accept));
        let response = request.json(&ping).send().unwrap();
        assert_eq!(response.status(), 200, "{accept:?}");
        (response.headers()["content-type"].to_str().unwrap().to_owned(), response.text().unwrap())
    };
    for accept in [
        None,
        Some("*/*"),
        Some("application/json"),
        Some("application/json;q=0.9, text/event-stream"),
    ] {
        let (kind, reply) = ask(accept);
        assert!(
            kind.starts_with("application/json") && reply.contains("\"result\""),
            "{accept:?}: {kind} {reply}"
        );
    }
    let (kind, reply) = ask(Some("text/event-stream"));
    assert!(
        kind.starts_with("text/event-stream")
            && reply.contains("data: {")
            && reply.ends_with("\n\n"),
        "{reply}"
    );
}

#[test]
fn an_agent_gets_from_nothing_to_a_code_by_tools_alone() {
    let server = Server::start(QUICK);
    let opened = call(&server, "", "sms_register", json!({}), false);
    let key = text(&opened["structuredContent"]["api_key"]);
    let addresses = call(&server, &key, "sms_deposit", json!({}), false);
    assert!(addresses["structuredContent"]["addresses"].is_object(), "{addresses}");
    let mut claimed = Value::Null;
    while claimed["structuredContent"]["status"] != "confirmed" {
        claimed = call(&server, &key, "sms_deposit", json!({ "tx_hash": "ab".repeat(32) }), false);
        assert_eq!(claimed["isError"], false, "{claimed}");
    }
    let verified = call(
        &server,
        &key,
        "sms_verify",
        json!({ "platform": "google", "timeout_seconds": 30.0 }),
        false,
    );
    assert!(verified["structuredContent"]["code"].is_string(), "{verified}");
}

#[test]
fn schemas_of_tools_are_plain_and_arguments_are_given_once() {
    let server = Server::start(QUICK);
    let listed = result(rpc(&server, "", "tools/list", json!({}), false));
    assert!(!listed.to_string().contains("additionalProperties"));
    let names: Vec<&str> = listed["tools"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect();
    assert_eq!((names.len(), names.contains(&"sms_deposit")), (10, true), "{names:?}");
    let twice = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sms_agent_order","arguments":{"query":"google","dry_run":true,"dry_run":false}}}"#;
    let response =
        server.post("/mcp").header("content-type", "application/json").body(twice).send().unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(body(response)["error"]["message"], "params.arguments.dry_run is given twice.");
}

#[test]
fn a_call_of_a_tool_counts_once() {
    let server = Server::start("[limits]\nper_ip_per_minute = 4\nper_key_per_minute = 6\n");
    let caller = server.register();
    for _ in 0..6 {
        assert_eq!(call(&server, &caller.key, "sms_account", json!({}), false)["isError"], false);
    }
    let refused = rpc(
        &server,
        &caller.key,
        "tools/call",
        json!({ "name": "sms_account", "arguments": {} }),
        false,
    );
    assert_eq!(
        (refused.status().as_u16(), body(refused)["error_code"].as_str()),
        (429, Some("RATE_LIMITED"))
    );
    for _ in 0..3 {
        assert_eq!(rpc(&server, "", "tools/list", json!({}), false).status(), 200);
    }
    assert_eq!(
        rpc(&server, "", "tools/list", json!({}), false).status(),
        429,
        "strangers count by address"
    );
}

#[test]
fn a_wait_can_be_followed_as_a_task_by_its_owner_only() {
    let server = Server::start(&QUICK.replace("[0.05, 0.1]", "[0.5, 0.5]"));
    let (owner, other) = (server.funded("10"), server.register());
    let task = call(&server, &owner.key, "sms_verify", json!({ "platform": "google" }), true);
    assert_eq!(
        (task["resultType"].as_str(), task["status"].as_str()),
        (Some("task"), Some("working")),
        "{task}"
    );
    let id = text(&task["taskId"]);
    let foreign = body(rpc(&server, &other.key, "tasks/get", json!({ "taskId": id }), true));
    let missing = body(rpc(&server, &other.key, "tasks/get", json!({ "taskId": "nosuch" }), true));
    assert_eq!(foreign["error"], missing["error"], "somebody else's task looks like none");
    let done = loop {
        let task = result(rpc(&server, &owner.key, "tasks/get", json!({ "taskId": id }), true));
        if task["status"] != "working" {
            break task;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert_eq!(
        (done["status"].as_str(), done["result"]["structuredContent"]["status"].as_str()),
        (Some("completed"), Some("ok")),
        "{done}"
    );
}

#[test]
fn a_task_that_is_cancelled_cancels_no_order() {
    let server = Server::start(SILENT);
    let owner = server.funded("10");
    let task = call(
        &server,
        &owner.key,
        "sms_verify",
        json!({ "platform": "google", "timeout_seconds": 300 }),
        true,
    );
    while body(owner.get("/api/v1/account"))["active_order"].is_null() {}
    result(rpc(&server, &owner.key, "tasks/cancel", json!({ "taskId": task["taskId"] }), true));
    assert!(body(owner.get("/api/v1/account"))["active_order"].is_string());
}

#[test]
fn business_errors_are_results_and_texts_of_strangers_stay_hidden() {
    let server = Server::start(QUICK);
    let poor = server.register();
    let refused = call(&server, &poor.key, "sms_order", json!({ "platform": "google" }), false);
    assert_eq!(
        (refused["isError"].as_bool(), refused["structuredContent"]["error_code"].as_str()),
        (Some(true), Some("INSUFFICIENT_BALANCE"))
    );
    let keyless = call(&server, "", "sms_account", json!({}), false);
    assert_eq!(keyless["structuredContent"]["error_code"], "INVALID_API_KEY");
    let rich = server.funded("10");
    let order = text(&rich.google()["order_id"]);
    let sms = text(&rich.ended(&order)["sms"]);
    let hidden = call(&server, &rich.key, "sms_check_order", json!({ "order_id": order }), false);
    let shown = call(
        &server,
        &rich.key,
        "sms_check_order",
        json!({ "order_id": order, "include_sms": true }),
        false,
    );
    assert!(
        !hidden.to_string().contains(&sms)
            && shown.to_string().contains(&sms)
            && shown.to_string().contains("untrusted")
    );
    for (tool, arguments) in [
        ("sms_check_order", json!({})),
        ("sms_check_order", json!({ "order_id": "../account" })),
        ("sms_account", json!({ "x": 1 })),
    ] {
        assert_eq!(call(&server, &rich.key, tool, arguments, false)["isError"], true, "{tool}");
    }
}

/// A host over standard input and output.
pub struct Process {
    child: std::process::Child,
    input: std::process::ChildStdin,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Process {
    /// With a service of its own, or another host's on the directory.
    pub fn embedded(directory: &std::path::Path, key: &str) -> Self {
        let mut command = Self::command(key);
        command.arg("--embedded").arg(directory);
        Self::started(command)
    }

    /// With a service elsewhere.
    pub fn there(url: &str, key: &str) -> Self {
        let mut command = Self::command(key);
        command.args(["--url", url]);
        Self::started(command)
    }

    /// What a host that does not start on the directory ends with, and says.
    pub fn refused(directory: &std::path::Path) -> (std::process::ExitStatus, String) {
        let output = Self::command("")
            .arg("--embedded")
            .arg(directory)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        (output.status, String::from_utf8(output.stderr).unwrap())
    }

    fn command(key: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_telenumerus"));
        command.arg("mcp").env("TELENUMERUS_API_KEY", key).env_remove("TELENUMERUS_URL");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    fn started(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (input, lines) =
            (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
        let mut process = Self { child, input, lines };
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        process.ask("initialize", hello);
        process
    }

    /// Writes a line.
    pub fn say(&mut self, line: &[u8]) {
        self.input.write_all(line).unwrap();
        self.input.write_all(b"\n").unwrap();
    }

    /// Reads a line.
    pub fn hear(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        writeln!(
            self.input,
            "{}",
            json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
        )
        .unwrap();
        loop {
            let message: Value =
                serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap();
            if message["id"] == 1 {
                return message["result"].clone();
            }
        }
    }

    pub fn account(&mut self) -> Value {
        self.ask(
            "tools/call", json!({ "name": "sms_account", "arguments": {} }),
        )["structuredContent"].clone()
    }

    pub fn end(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }

    /// Ends it where it stands.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn an_embedded_service_has_an_account_with_simulated_money_that_every_host_on_its_directory_shares()
{
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let mut first = Process::embedded(directory.path(), "tn_…");
    let opened = first.account();
    assert_eq!(opened["balance"], 10.0, "the first tool finds the money there");
    let mode =
        std::fs::metadata(directory.path().join("mcp.key")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let mut second = Process::embedded(directory.path(), "");
    assert_eq!(second.account()["account_id"], opened["account_id"]);
    second.end();
    first.end();
    let mut again = Process::embedded(directory.path(), "");
    assert_eq!(
        (again.account()["account_id"].clone(), again.account()["balance"].as_f64()),
        (opened["account_id"].clone(), Some(10.0))
    );
    again.end();
}

#[test]
fn a_process_goes_on_with_the_account_that_it_registered() {
    let server = Server::start(QUICK);
    let mut child = Command::new(env!("CARGO_BIN_EXE_telenumerus"))
        .arg("mcp")
        .env("TELENUMERUS_URL", server.url(""))
        .env_remove("TELENUMERUS_API_KEY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ask = |id: u64, method: &str, params: Value| -> Value {
        writeln!(
            input,
            "{}",
            json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
        )
        .unwrap();
        loop {
            let message: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            if message["id"] == id {
                return message["result"].clone();
            }
        }
    };
    let hello = ask(
        1,
        "initialize",
        json!({
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        }),
    );
    assert_eq!(
        (hello["protocolVersion"].as_str(), hello["serverInfo"]["name"].as_str()),
        (Some("2025-06-18"), Some("telenumerus"))
    );
    assert_eq!(
        ask(2, "tools/call", json!({ "name": "sms_account", "arguments": {} }))["isError"],
        true
    );
    assert_eq!(
        ask(3, "tools/call", json!({ "name": "sms_register", "arguments": {} }))["isError"],
        false
    );
    assert_eq!(
        ask(4, "tools/call", json!({ "name": "sms_account", "arguments": {} }))["structuredContent"]
            ["balance"],
        0.0
    );
    drop(input);
    assert!(child.wait().unwrap().success());
}
