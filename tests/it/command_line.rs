//! The command line as people and scripts have it: help with examples, tables and JSON, quiet ends,
//! a caller's order.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::server::{QUICK, Server, body, text};

fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_telenumerus"))
}

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Every command below `path`, itself included.
fn commands(path: &[String]) -> Vec<Vec<String>> {
    let help = binary().args(path).arg("--help").output().unwrap();
    assert!(help.status.success(), "{path:?}: {}", said(&help));
    let text = said(&help);
    assert!(text.contains("Examples:"), "{path:?} has no example:\n{text}");
    let listed =
        text.split("Commands:\n").nth(1).map_or("", |rest| rest.split("\n\n").next().unwrap());
    let names = listed
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .filter(|name| *name != "help");
    let below = names.flat_map(|name| commands(&[path, &[name.to_owned()]].concat()));
    std::iter::once(path.to_vec()).chain(below).collect()
}

#[test]
fn every_help_has_an_example() {
    let all = commands(&[]);
    for command in [
        "order",
        "doctor",
        "health",
        "completions",
        "man",
        "version",
        "config check",
        "audit events",
        "numbers list",
    ] {
        assert!(
            all.iter().any(|path| path.join(" ") == command),
            "{command} is missing in {all:?}"
        );
    }
}

#[test]
fn output_that_cannot_be_written_ends_a_command_quietly() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    caller.ended(&order);
    let data = server.data();
    for arguments in [
        vec!["audit", "verify"],
        vec!["audit", "events"],
        vec!["audit", "events", "--json"],
        vec!["numbers", "list"],
        vec!["admin", "reports"],
        vec!["code", "replay"],
        vec!["config", "example"],
        vec!["config", "check"],
        vec!["version"],
        vec!["man"],
        vec!["completions", "bash"],
        vec!["health"],
        vec!["doctor"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = binary();
        command.args(&arguments).arg("--data-dir").arg(&data).stdout(full).stderr(Stdio::piped());
        let ended = command.arg("--config").arg(data.join("config.toml")).output().unwrap();
        assert_eq!((ended.status.code(), said(&ended).as_str()), (Some(74), ""), "{arguments:?}");
    }
}

#[test]
fn events_are_shown_on_lines_of_120_columns_as_far_as_they_are_wanted() {
    let server = Server::start(QUICK);
    let (caller, other) = (server.funded("10"), server.funded("10"));
    let order = text(&caller.google()["order_id"]);
    caller.ended(&order);
    let list = |more: &[&str]| {
        let output = server.cli(&[&["audit", "events"], more].concat());
        assert!(output.status.success(), "{more:?}: {}", said(&output));
        said(&output).lines().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let all = list(&[]);
    assert!(all.iter().all(|line| line.chars().count() <= 120), "{all:#?}");
    let mine = list(&["--account", &caller.account]);
    assert!(
        mine.len() < all.len()
            && mine.iter().any(|line| line.contains(&order))
            && !mine.iter().any(|line| line.contains(&other.account))
    );
    assert_eq!(list(&["--type", "OrderPlaced"]).len(), 1);
    assert_eq!(list(&["--type", "OrderPlaced", "--type", "AccountRegistered"]).len(), 3);
    assert_eq!(list(&["--limit", "2"]), all[all.len() - 2..]);
    assert_eq!(list(&["--since", "2020-01-01", "--until", "2020-01-02"]).len(), 0);
    assert_eq!(list(&["--since", "2020-01-01"]), all);
    let unknown = server.cli(&["audit", "events", "--type", "OrderPlacd"]);
    assert!(
        !unknown.status.success() && said(&unknown).contains("did you mean OrderPlaced"),
        "{}",
        said(&unknown)
    );
    assert!(!server.cli(&["audit", "events", "--since", "yesterday"]).status.success());
}

#[test]
fn events_are_followed_as_they_come() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let mut follower = binary();
    follower
        .args(["audit", "events", "--follow", "--json", "--type", "OrderPlaced", "--data-dir"])
        .arg(server.data());
    let mut follower = follower.stdout(Stdio::piped()).spawn().unwrap();
    let order = text(&caller.google()["order_id"]);
    let mut line = String::new();
    BufReader::new(follower.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&event["event"], &event["correlation"]), (&json!("OrderPlaced"), &json!(order)));
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn listings_are_json_where_that_is_asked_for() {
    let pool = "[suppliers.own]\ninbound_secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n[[suppliers.own.numbers]]\nnumber = \"+12025550123\"\ncountry = \"US\"\n";
    let server = Server::start(&format!("{QUICK}{pool}"));
    for (arguments, member) in [
        (vec!["audit", "verify", "--json"], "findings"),
        (vec!["numbers", "list", "--json"], "numbers"),
        (vec!["numbers", "messages", "--json"], "messages"),
        (vec!["admin", "reports", "--json"], "reports"),
        (vec!["config", "check", "--json"], "mistakes"),
        (vec!["doctor", "--json"], "checks"),
        (vec!["version", "--json"], "version"),
    ] {
        let output = server.cli(&arguments);
        let value: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", said(&output)));
        assert!(!value[member].is_null(), "{arguments:?}: {value}");
    }
    let table = said(&server.cli(&["numbers", "list"]));
    let mut lines = table.lines();
    assert_eq!(
        lines.next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["number", "supplier", "country", "state", "platforms", "remarks"]
    );
    assert!(lines.next().unwrap().starts_with("+12025550123"), "{table}");
}

#[test]
fn a_caller_orders_from_the_command_line() {
    let server = Server::start(QUICK);
    let registered =
        body(server.post("/api/v1/register").json(&json!({ "mode": "test" })).send().unwrap());
    let order = |more: &[&str]| {
        let mut command = binary();
        command
            .env("TELENUMERUS_URL", server.url(""))
            .env("TELENUMERUS_API_KEY", text(&registered["api_key"]));
        command.args(["order", "google"]).args(more).output().unwrap()
    };
    let code = order(&["--wait", "--quiet"]);
    assert_eq!((code.status.code(), said(&code).trim()), (Some(0), "482913"));
    let shown = said(&order(&["--wait", "--country", "GB"]));
    assert!(shown.contains("+44") && shown.contains("482913"), "{shown}");
    let reply: Value = serde_json::from_slice(&order(&["--json"]).stdout).unwrap();
    assert_eq!(reply["livemode"], false, "{reply}");
    let none = order(&["--scenario", "supplier_down", "--wait"]);
    // The order before it is still open: either refusal is said with its code.
    assert_eq!(none.status.code(), Some(1));
    assert!(
        said(&none).contains("(PROVIDER_UNAVAILABLE)")
            || said(&none).contains("(ORDER_IN_PROGRESS)"),
        "{}",
        said(&none)
    );
}

#[test]
fn health_says_by_its_exit_code_whether_the_service_serves() {
    let server = Server::start(QUICK);
    assert!(server.cli(&["health"]).status.success());
    let url = server.url("");
    let (_, data) = server.terminate();
    let down = Server::cli_on(&data, &["health"]);
    assert_eq!(down.status.code(), Some(1), "{}", said(&down));
    assert!(!binary().args(["health", "--url", &url]).output().unwrap().status.success());
}

#[test]
fn the_doctor_says_what_stands_in_the_way() {
    let data = Server::prepare(QUICK);
    let healthy = Server::cli_on(&data, &["doctor"]);
    assert!(healthy.status.success(), "{}", said(&healthy));
    std::fs::write(
        data.path().join("config.toml"),
        "[http]\nlisten = \"nowhere\"\n[orders]\nlifetime_second = 1\n",
    )
    .unwrap();
    let ill = Server::cli_on(&data, &["doctor"]);
    let told = said(&ill);
    assert!(
        !ill.status.success()
            && told.contains("http.listen")
            && told.contains("orders.lifetime_second"),
        "{told}"
    );
}
