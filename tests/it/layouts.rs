//! Logs of an earlier layout, and the index beside the log: brought into order by a start, through
//! kills at any moment.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::data::{chain, version};
use crate::server::{Caller, QUICK, Server, body, text};

/// Rewrites the log as the second version of the store had it: small pages, and the index by
/// stream in the same file.
pub fn into_second_layout(directory: &Path) {
    let connection = Connection::open(directory.join("events.db")).unwrap();
    // Whoever had it open may be about to leave it, and this pragma does not wait.
    let leaves = (0..100).any(|_| {
        let left = connection.pragma_update(None, "journal_mode", "DELETE");
        left.inspect_err(|_| std::thread::sleep(Duration::from_millis(50))).is_ok()
    });
    assert!(leaves, "somebody has the log open");
    let smaller = "PRAGMA page_size = 2048; VACUUM; CREATE UNIQUE INDEX events_by_stream ON \
        events (stream, revision); PRAGMA user_version = 2;";
    connection.execute_batch(smaller).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    drop(connection);
    std::fs::remove_file(directory.join("index.db")).unwrap();
}

/// Starts a service, and kills it after so many milliseconds, wherever it is then.
fn killed_after(directory: &Path, millis: u64) {
    let mut service = Command::new(env!("CARGO_BIN_EXE_telenumerus"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory)
        .arg("--config")
        .arg(directory.join("config.toml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(millis));
    service.kill().unwrap();
    service.wait().unwrap();
}

#[test]
fn a_log_of_the_second_layout_is_migrated_through_kills_at_any_moment_and_its_index_is_made() {
    let data = Server::prepare(QUICK);
    let directory = data.path();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let events = runtime.block_on(fakes::past::write(directory, 20));
    let links = chain(directory);
    assert_eq!(links.len() as u64, events);
    into_second_layout(directory);
    let verified = Server::cli_on(&data, &["audit", "verify"]);
    assert!(verified.status.success(), "it can be audited before it is migrated: {verified:?}");
    // From before the first byte of the copy to a service at work.
    for millis in [10, 30, 60, 100, 150, 210, 280, 360, 500, 700, 1_000, 1_500] {
        killed_after(directory, millis);
        assert!([2, 3].contains(&version(directory)), "after {millis} ms");
        // What it appends once it is at work comes behind them.
        assert_eq!(chain(directory)[..links.len()], links, "after {millis} ms");
    }
    if version(directory) == 3 {
        into_second_layout(directory);
    }
    // What a kill in the middle of a copy leaves.
    std::fs::write(directory.join("events.db.new"), b"half of a copy").unwrap();
    let server = Server::restart(Arc::clone(&data));
    server
        .log_when(|log| log.contains("today's layout, once") && log.contains("in today's layout"));
    assert_eq!(version(directory), 3);
    assert!(!directory.join("events.db.new").exists() && directory.join("index.db").exists());
    assert_eq!(chain(directory)[..links.len()], links);
    let caller = server.funded("10");
    caller.ended(&text(&caller.google()["order_id"]));
    let verified = server.cli(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let server = server.kill_and_restart();
    assert!(!server.log().contains("earlier version"), "it is migrated once");
}

#[test]
fn an_index_that_is_damaged_is_named_by_the_audit_and_made_anew_by_the_next_start() {
    let server = Server::start(QUICK);
    let (key, account, before) = {
        let caller = server.funded("10");
        caller.ended(&text(&caller.google()["order_id"]));
        (caller.key.clone(), caller.account.clone(), body(caller.get("/api/v1/account")))
    };
    let directory = server.data();
    let (_, data) = server.terminate();
    let verified = || {
        let output = Server::cli_on(&data, &["audit", "verify"]);
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert!(verified().0);
    let index = Connection::open(directory.join("index.db")).unwrap();
    index.execute("UPDATE runs SET position = position + 1 WHERE revision = 0", []).unwrap();
    drop(index);
    let (is_content, said) = verified();
    assert!(!is_content && said.contains("index.db"), "{said}");
    let server = Server::restart(Arc::clone(&data));
    server.log_when(|log| log.contains("the index by stream is not of this log as it is"));
    let caller = Caller { server: &server, key, account };
    assert_eq!(body(caller.get("/api/v1/account")), before);
    caller.ended(&text(&caller.google()["order_id"]));
    server.terminate();
    assert!(verified().0, "{}", verified().1);
}
