//! A node over a shared log without the log: what it answers, what it refuses, and that its secret
//! is told to nobody. With one: `tests/outside/shared_log.py`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::server::{QUICK, Server, body, client};

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
    for path in ["/readyz", "/api/v1/account", "/anything"] {
        let refused = get(path);
        assert_eq!(refused.status(), 503, "{path}");
        assert_eq!(refused.headers()["retry-after"], "1");
        let error: Value = body(refused);
        assert_eq!(error["error_code"], "PROVIDER_UNAVAILABLE", "{error}");
        assert_eq!(error["retryable"], true, "{error}");
    }
    let pid = rustix::process::Pid::from_child(&node);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(node.wait().unwrap().code(), Some(0));
    let mut log = String::new();
    node.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("the shared log does not answer"), "{log}");
    assert!(!log.contains("geheimnis"), "{log}");
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
