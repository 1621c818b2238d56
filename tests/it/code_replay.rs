//! What an upgrade of the extraction changes: `telenumerus code replay` over the log of an older
//! version.

use std::path::Path;
use std::sync::Arc;

use actors::store::sqlite::SqliteStore;
use actors::store::{Append, EventStore, Expected, NewEvent};
use events::Event;
use events::account::Event as AccountEvent;
use events::code::Verdict;
use events::envelope::{Actor, Metadata, Position};
use events::id::CommandId;
use events::order;
use serde_json::{Value, json};

use crate::inbound::{config, deliver, sms};
use crate::server::{Server, text};

const NUMBER: &str = "+12025550123";

/// Writes the log's message once more behind it, as a version wrote it that was not sure of its
/// code.
fn as_an_older_version_read_it(directory: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store =
            SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}"))).unwrap();
        let log = store.read_all(Position(0), 1_000).await.unwrap();
        let message = log.iter().find_map(|recorded| match &recorded.event {
            Event::Account(AccountEvent::Order(id, order::Event::SmsReceived(sms))) => {
                Some((recorded.stream.clone(), *id, sms.clone()))
            }
            _ => None,
        });
        let (stream, id, mut sms) = message.unwrap();
        "older".clone_into(&mut sms.message_id);
        sms.extraction.verdict = Verdict::Unsure;
        let at = log.last().unwrap().at;
        let revision = log
            .iter()
            .filter(|recorded| recorded.stream == stream)
            .map(|recorded| recorded.revision)
            .max()
            .unwrap();
        let metadata =
            Metadata { causation: CommandId(99 << 16), correlation: None, actor: Actor::Owner, at };
        let event = NewEvent::new(
            0,
            Event::Account(AccountEvent::Order(id, order::Event::SmsReceived(sms))),
            &metadata,
        );
        store
            .append(Append { stream, expected: Expected::Exact(revision), events: vec![event] })
            .await
            .unwrap();
        store.close().await;
    });
}

#[test]
fn an_operator_sees_what_an_upgrade_reads_differently_and_the_log_stays_as_it_is() {
    let server = Server::start(&config(&[(NUMBER, "US")]));
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    deliver(&server, &sms("m1", NUMBER, "G-482913 is your Google verification code."));
    caller.ended(&order);
    let same = server.cli(&["code", "replay"]);
    let said = String::from_utf8(same.stdout).unwrap();
    assert!(
        same.status.success()
            && said.contains("1 messages of 1 orders, 0 would come out differently"),
        "{said}"
    );

    let (_, data) = server.terminate();
    as_an_older_version_read_it(data.path());
    let log = std::fs::read(data.path().join("events.db")).unwrap();
    let directory = data.path().to_str().unwrap();

    let listed = Server::cli_on(&data, &["code", "replay", directory]);
    let said = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.status.code(), Some(1), "{said}");
    for part in [
        &order,
        "unsure -> code",
        "sender_prefix",
        "is your Google verification code.",
        "1 unsure -> code",
        "2 messages of 1 orders, 1 would",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("482913"), "nobody asked for what is secret: {said}");

    let lines = String::from_utf8(
        Server::cli_on(&data, &["code", "replay", directory, "--json", "--reveal"]).stdout,
    )
    .unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [difference, sums] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(
        (&difference["order"], &difference["message_id"], &difference["platform"]),
        (&json!(order), &json!("older"), &json!("google"))
    );
    assert_eq!(
        (&difference["old"]["verdict"], &difference["new"]["code"]),
        (&json!("unsure"), &json!("482913"))
    );
    assert_eq!(difference["text"], "G-482913 is your Google verification code.");
    assert_eq!(
        sums,
        &json!({ "messages": 2, "orders": 1, "different": 1, "changes": { "unsure -> code": 1 } })
    );

    assert_eq!(std::fs::read(data.path().join("events.db")).unwrap(), log, "it was only read");
    let nowhere = Server::cli_on(&data, &["code", "replay", &format!("{directory}/nowhere")]);
    assert!(
        !nowhere.status.success()
            && String::from_utf8_lossy(&nowhere.stderr).contains("is not there")
    );
}
