//! A node over a shared log without the log: what it answers, what it refuses, and that its secret
//! is told to nobody. With one: `tests/outside/shared_log.py`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::server::{ADMIN_TOKEN, QUICK, Server, body, client};

/// Nobody listens there.
const SHARED: &str = "[store]\nshared = \"postgres://log:geheimnis@127.0.0.1:9/log\"\n";

fn node(data: &tempfile::TempDir) -> Child {
    Command::new(env!("CARGO_BIN_EXE_telenumerus"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data.path())
        .arg("--config")
        .arg(data.path().join("config.toml"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_node_whose_shared_log_does_not_answer_stands_by() {
    let data = Server::prepare(&format!("{QUICK}{SHARED}"));
    let mut node = node(&data);
    let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
    let url = lines.find_map(|line| Some(line.ok()?.strip_prefix("standing by on ")?.to_owned()));
    let url = url.unwrap();
    let client = client();
    let get = |path: &str| client.get(format!("{url}{path}")).send().unwrap();
    assert_eq!(get("/livez").status(), 200);
    let described: Value = body(get("/openapi.json"));
    assert_eq!(described["openapi"], "3.1.0");
    assert_eq!(get("/docs/nothing").status(), 404);
    let admin = std::fs::read_to_string(data.path().join("admin.addr")).unwrap();
    let ask = |method: reqwest::Method, path: &str| {
        let request = client.request(method, format!("http://{admin}{path}"));
        request.bearer_auth(ADMIN_TOKEN).send().unwrap()
    };
    for path in ["/readyz", "/api/v1/account", "/anything"] {
        let refused = get(path);
        assert_eq!(refused.status(), 503, "{path}");
        assert_eq!(refused.headers()["retry-after"], "1");
        let error: Value = body(refused);
        assert_eq!(error["error_code"], "PROVIDER_UNAVAILABLE", "{error}");
        assert_eq!(error["retryable"], true, "{error}");
        assert_eq!(error["detail"]["role"], "standby", "{error}");
        assert_eq!(error["detail"]["follows"], false, "{error}");
    }
    // The first look may not be over yet.
    while body(get("/readyz"))["detail"]["trouble"] != "away" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let seen: Value = body(ask(reqwest::Method::GET, "/admin/v1/node"));
    assert_eq!((&seen["role"], &seen["follows"]), (&"standby".into(), &false.into()), "{seen}");
    assert!(seen["trouble"]["text"].as_str().unwrap().contains("does not answer"), "{seen}");
    let refused = ask(reqwest::Method::POST, "/admin/v1/node/step-down");
    assert_eq!(refused.status(), 409);
    assert_eq!(ask(reqwest::Method::GET, "/admin/v1/overview").status(), 503);
    let stranger = client.get(format!("http://{admin}/admin/v1/node")).send().unwrap();
    assert_eq!(stranger.status(), 401);
    let metrics = client.get(format!("http://{admin}/metrics")).send().unwrap().text().unwrap();
    for line in ["telenumerus_node_leads 0", "telenumerus_node_sees_shared_log 0"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let health = Server::cli_on(&data, &["health", "--or-standby", "--url", &url]);
    let told = String::from_utf8_lossy(&health.stderr).into_owned();
    assert!(!health.status.success() && told.contains("does not answer"), "{told}");
    let pid = rustix::process::Pid::from_child(&node);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(node.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    node.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("the shared log does not answer"), "{log}");
    assert!(!log.contains("geheimnis"), "{log}");
}

#[test]
fn doctor_says_that_the_shared_log_is_not_reached_and_never_its_secret() {
    let data = Server::prepare(&format!("{QUICK}{SHARED}"));
    let told = Server::cli_on(&data, &["doctor", "--json"]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let found: Value = serde_json::from_str(&text).unwrap();
    let checks = found["checks"].as_array().unwrap();
    let shared = checks.iter().find(|check| check["check"] == "shared log").unwrap();
    assert_eq!(shared["status"], "wrong", "{shared}");
    let detail = shared["detail"].as_str().unwrap();
    assert!(detail.contains("does not answer") && detail.contains("store.shared"), "{detail}");
    assert!(!told.status.success() && !text.contains("geheimnis"), "{text}");
}

#[test]
fn what_appends_to_a_stopped_services_log_is_refused_where_the_log_is_shared() {
    let server = Server::start(QUICK);
    let refused = server.cli(&["node", "step-down", "--reason", "test"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("its own"), "{told}");
    let config = server.data().join("config.toml");
    let (_, data) = server.terminate();
    std::fs::write(config, format!("{QUICK}{SHARED}")).unwrap();
    let refused = Server::cli_on(&data, &["policy", "show"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("store.shared"), "{told}");
    assert!(!told.contains("geheimnis"), "{told}");
}

#[test]
fn mistakes_about_the_shared_log_are_named_without_its_secret() {
    for (config, wanted) in [
        ("[store]\nshared = \"mysql://log:geheimnis@db/log\"\n", "store.shared"),
        ("[store]\nshared = \"postgres://log:geheimnis@db:x/log\"\n", "store.shared"),
        ("[store]\nshared = \"postgres://log:geheimnis@db\"\n", "names no database"),
        ("[store]\nshared_ca_file = \"ca.pem\"\n", "store.shared_ca_file"),
        ("[node]\npatience_seconds = 1\n", "node.patience_seconds"),
        ("[node]\nname = \"two\\nlines\"\n", "node.name"),
        ("[node]\nurl = \"ftp://north\"\n", "node.url"),
    ] {
        let data = Server::prepare(&format!("{QUICK}{config}"));
        let told = Server::cli_on(&data, &["config", "check"]);
        let text = [told.stdout, told.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(!told.status.success() && text.contains(wanted), "{config}: {text}");
        assert!(!text.contains("geheimnis"), "{text}");
    }
}
