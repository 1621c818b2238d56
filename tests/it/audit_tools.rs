//! The log for auditors: how it was, how two replays differ, and places of it that were signed.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::server::{QUICK, Server};

fn audit(data: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_telenumerus"))
        .args(["audit"])
        .args(words)
        .arg("--data-dir")
        .arg(data)
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", said(output)))
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// An account, its completed order, and where the order was placed.
fn an_order(server: &Server) -> (String, String, u64) {
    let caller = server.funded("5");
    let order = caller.google()["order_id"].as_str().unwrap().to_owned();
    assert_eq!(caller.ended(&order)["status"], "completed");
    let events = audit(&server.data(), &["events", "--order", &order, "--json"]);
    let placed = said(&events)
        .lines()
        .next()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["position"].as_u64().unwrap());
    (caller.account, order, placed.unwrap())
}

#[test]
fn an_account_and_an_order_are_shown_as_they_were() {
    let server = Server::start(QUICK);
    let (account, order, placed) = an_order(&server);
    let replay = |words: &[&str]| audit(&server.data(), &[&["replay"], words].concat());
    let (before, at) = ((placed - 1).to_string(), placed.to_string());
    let now = json(&replay(&["--order", &order]));
    assert_eq!(
        (&now["status"], &now["code"], &now["messages"]),
        (&"completed".into(), &"hidden".into(), &1.into())
    );
    assert!(
        json(&replay(&["--order", &order, "--reveal"]))["code"]
            .as_str()
            .unwrap()
            .bytes()
            .all(|digit| digit.is_ascii_digit())
    );
    assert_ne!(json(&replay(&["--order", &order, "--at-position", &at]))["status"], "completed");
    assert!(!replay(&["--order", &order, "--at-position", &before]).status.success());
    let balance = |words: &[&str]| {
        json(&replay(&[&["--account", &account], words].concat()))["balance"].clone()
    };
    assert_eq!(balance(&["--at-position", &before]), "5");
    assert_ne!(balance(&[]), "5");
    assert!(
        !replay(&["--account", &account, "--at", "2001-01-01T00:00:00Z"]).status.success(),
        "there was none then"
    );
    assert!(!replay(&["--at-position", "999999"]).status.success(), "the log does not go so far");
}

#[test]
fn two_replays_of_one_position_are_the_same_and_a_difference_is_named() {
    let server = Server::start(QUICK);
    let (account, ..) = an_order(&server);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("replay");
    let file_name = file.to_str().unwrap();
    std::fs::write(&file, audit(&server.data(), &["replay"]).stdout).unwrap();
    an_order(&server);
    let same = audit(&server.data(), &["replay", "--against", file_name]);
    assert!(same.status.success() && said(&same).contains("0 differ"), "{}", said(&same));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"completed\":1", "\"completed\":2")).unwrap();
    let other = audit(&server.data(), &["replay", "--against", file_name]);
    assert!(
        !other.status.success()
            && said(&other).contains(&account)
            && said(&other).contains("1 differ"),
        "{}",
        said(&other)
    );
    std::fs::write(&file, text.lines().next().unwrap()).unwrap();
    let cut = audit(&server.data(), &["replay", "--against", file_name]);
    assert!(said(&cut).contains("as many accounts"), "{}", said(&cut));
}

#[test]
fn a_log_is_held_against_the_place_that_was_signed() {
    let (server, other) = (Server::start(QUICK), Server::start(QUICK));
    an_order(&server);
    let elsewhere = tempfile::tempdir().unwrap();
    let path = |name: &str| elsewhere.path().join(name).to_str().unwrap().to_owned();
    let (file, key) = (path("anchors"), path("key"));
    let anchor =
        |data: &Path, words: &[&str]| audit(data, &[&["anchors", "--key", &key], words].concat());
    assert!(anchor(&server.data(), &["--once", "--file", &file]).status.success());
    an_order(&server);
    let public = said(&anchor(&server.data(), &["--show-key"])).trim().to_owned();
    let verified = audit(&server.data(), &["verify", "--from", &file, "--key", &public]);
    assert!(
        verified.status.success() && said(&verified).contains("is the one that was anchored"),
        "{}",
        said(&verified)
    );
    assert!(anchor(&server.data(), &["--once", "--file", &file]).status.success());
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
    for _ in 0..3 {
        an_order(&other);
    }
    let foreign = audit(&other.data(), &["verify", "--from", &file]);
    assert!(!foreign.status.success() && said(&foreign).contains("BROKEN"), "{}", said(&foreign));
    let unsigned = anchor(&other.data(), &["--once", "--file", &file]);
    assert!(
        !unsigned.status.success() && said(&unsigned).contains("nothing is signed"),
        "{}",
        said(&unsigned)
    );
    let changed =
        std::fs::read_to_string(&file).unwrap().replace("\"position\":", "\"position\":1");
    std::fs::write(&file, changed).unwrap();
    assert!(said(&audit(&server.data(), &["verify", "--from", &file])).contains("was changed"));
}

#[test]
fn an_anchor_is_posted_and_one_that_is_not_taken_is_told() {
    let server = Server::start(QUICK);
    an_order(&server);
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/anchors", receiver.local_addr().unwrap());
    let taking = std::thread::spawn(move || {
        ["204 No Content", "500 Internal Server Error"].map(|status| {
            let (mut stream, _) = receiver.accept().unwrap();
            let mut text = String::new();
            while !text.contains("\"signature\"") || !text.ends_with('}') {
                let mut buffer = [0; 4_096];
                let read = stream.read(&mut buffer).unwrap();
                text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            }
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            text
        })
    });
    let post = || audit(&server.data(), &["anchors", "--once", "--webhook", &url]);
    assert!(post().status.success());
    let refused = post();
    assert!(
        !refused.status.success() && said(&refused).contains("was not taken"),
        "{}",
        said(&refused)
    );
    assert!(
        taking
            .join()
            .unwrap()
            .iter()
            .all(|text| text.starts_with("POST /anchors") && text.contains("\"chain\""))
    );
    assert!(said(&audit(&server.data(), &["anchors", "--once"])).contains("name where anchors go"));
}
