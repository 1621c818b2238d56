//! What is erased of the log is nowhere any more, and the log, its money and its audit stay whole.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::store::sqlite::{Loss, SqliteStore};
use actors::store::{Append, EventStore, Expected, NewEvent};
use actors::vault::MasterKey;
use events::Event;
use events::account::Event as Fact;
use events::code::{Extraction, Verdict};
use events::envelope::{Actor, Metadata, StreamId};
use events::id::{AccountId, CommandId, OrderId};
use events::money::Money;
use events::order::{self, Placed, Sms};
use events::time::Timestamp;

use serde_json::{Value, json};

use crate::server::{Caller, QUICK, SILENT, Server, body, text};

pub const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Orders give their numbers back with the code: they are over then.
pub fn sealed() -> String {
    format!("[orders]\nlisten_after_code_seconds = 0\n{QUICK}[vault]\nkey = \"{KEY}\"\n")
}

pub fn done(server: &Server, arguments: &[&str]) -> String {
    let ended = server.cli(&[arguments, &["--reason", "request 7", "--operator", "ada"]].concat());
    assert!(ended.status.success(), "{ended:?}");
    String::from_utf8(ended.stdout).unwrap()
}

pub fn refused(server: &Server, arguments: &[&str]) -> String {
    let ended = server.cli(&[arguments, &["--reason", "request 7", "--operator", "ada"]].concat());
    assert!(!ended.status.success(), "{ended:?}");
    String::from_utf8(ended.stderr).unwrap()
}

pub fn told(server: &Server) -> String {
    let listed = server.cli(&["audit", "events", "--json", "--reveal"]);
    assert!(listed.status.success(), "{listed:?}");
    String::from_utf8(listed.stdout).unwrap()
}

pub fn is_lawful(server: &Server) {
    let audit = server.cli(&["audit", "verify"]);
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

#[test]
fn an_order_s_messages_are_erased_and_its_money_is_what_it_was() {
    let server = Server::start(&sealed());
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let ended = caller.ended(&order);
    let before = (caller.balance(), ended["price"].clone());
    let code = format!("G-{}", text(&ended["code"]));
    assert!(told(&server).contains(&code));

    let said = done(&server, &["admin", "erase-order", &order]);
    assert!(said.contains("\"keys_erased\": 2"), "{said}");
    let path = format!("/api/v1/order/{order}");
    let erased = |caller: &Caller<'_>| {
        let shown = body(caller.get(&path));
        assert_eq!((&shown["code"], shown["status"].as_str()), (&Value::Null, Some("completed")));
        assert_eq!((&shown["messages_erased"], &shown["sms"]), (&json!(true), &Value::Null));
        assert_eq!((&shown["messages"], &shown["codes"]), (&json!([]), &json!([])));
        assert_eq!((&shown["phone_erased"], &shown["phone"]), (&json!(true), &Value::Null));
        let told = caller.get("/api/v1/account/export").text().unwrap();
        assert!(!told.contains("<erased>") && told.contains("\"erased\":true"), "{told}");
        let stream = caller.get(&format!("{path}/stream?until=expiry")).text().unwrap();
        assert!(!stream.contains("<erased>") && stream.contains("\"erased\":true"), "{stream}");
        assert_eq!((caller.balance(), shown["price"].clone()), before);
    };
    erased(&caller);
    is_lawful(&server);
    let log = told(&server);
    assert!(!log.contains(&code) && log.contains("\"erased\":true"), "{log}");
    assert!(log.contains("SecretsErased") && log.contains("request 7") && log.contains("ada"));
    assert!(refused(&server, &["admin", "erase-order", &order]).contains("nothing to erase"));

    let (key, account) = (caller.key.clone(), caller.account.clone());
    let server = server.kill_and_restart();
    erased(&Caller { server: &server, key, account });
    let replayed = server.cli(&["code", "replay"]);
    assert!(replayed.status.success(), "{replayed:?}");
}

#[test]
fn a_legal_hold_keeps_what_an_account_has_until_it_is_lifted() {
    let server = Server::start(&sealed());
    let caller = server.funded("10");
    let orders: Vec<String> = (0..2)
        .map(|_| {
            let order = text(&caller.google()["order_id"]);
            caller.ended(&order);
            order
        })
        .collect();
    done(&server, &["admin", "hold", &caller.account]);
    for command in [["erase-order", &*orders[0]], ["erase-account", &*caller.account]] {
        let said = refused(&server, &[&["admin"][..], &command[..]].concat());
        assert!(said.contains("legal hold") && said.contains("request 7"), "{said}");
    }
    assert!(refused(&server, &["admin", "hold", &caller.account]).contains("already"));
    let listing = listed(&server, "holds");
    let hold = &listing["holds"][0];
    assert_eq!(hold["account_id"], caller.account);
    assert_eq!((&hold["reason"], &hold["by"]), (&json!("request 7"), &json!("operator:ada")));
    assert!(hold["since"].is_string(), "{listing}");
    done(&server, &["admin", "release-hold", &caller.account]);
    let said = done(&server, &["admin", "erase-account", &caller.account]);
    assert!(said.contains("\"orders_erased\": 2") && said.contains("\"orders_left\": 0"), "{said}");
    assert!(
        refused(&server, &["admin", "release-hold", &caller.account]).contains("no legal hold")
    );
    is_lawful(&server);
    for order in orders {
        let shown = body(caller.get(&format!("/api/v1/order/{order}")));
        assert_eq!(shown["messages_erased"], true);
    }
    assert_eq!(listed(&server, "holds"), json!({ "holds": [] }));
    let first = listed(&server, "erasures");
    let words: Vec<&str> = ["SecretsErased", "LegalHoldLifted", "LegalHoldPlaced"].into();
    let told = first["erasures"].as_array().unwrap();
    assert_eq!(told.iter().map(|one| one["event"].as_str().unwrap()).collect::<Vec<_>>(), words);
    assert_eq!(
        (&told[0]["of"][0]["account"], &first["next_before"]),
        (&json!(caller.account), &Value::Null)
    );
}

/// A list of the command line, for programs.
/// What is no identifier becomes no part of a call: with a path behind it, a hold would erase.
#[test]
fn an_identifier_that_is_none_is_no_other_command() {
    let server = Server::start(SILENT);
    let caller = server.funded("5");
    let order = text(&caller.google()["order_id"]);
    for (command, id) in [
        ("hold", format!("{}/erase#", caller.account)),
        ("suspend", format!("{}/hold?", caller.account)),
        ("erase-order", format!("{order}/reveal?")),
        ("show", format!("{}?x", caller.account)),
        ("hold", format!("{} ", caller.account)),
    ] {
        let mut asked = vec!["admin", command, id.as_str()];
        if command != "show" {
            asked.extend(["--reason", "court order", "--operator", "ada"]);
        }
        let refused = server.cli(&asked);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("identifier"), "{command} {id}: {said}");
    }
    assert_eq!(caller.get("/api/v1/account").status(), 200);
    assert_eq!(listed(&server, "holds")["holds"], json!([]));
    assert_eq!(listed(&server, "erasures")["erasures"], json!([]));
}

fn listed(server: &Server, list: &str) -> Value {
    let listed = server.cli(&["admin", list, "--json"]);
    assert!(listed.status.success(), "{listed:?}");
    serde_json::from_slice(&listed.stdout).unwrap()
}

#[test]
fn an_order_that_listens_is_finished_and_erased_at_an_operator_s_word() {
    let server = Server::start(&format!("{QUICK}[vault]\nkey = \"{KEY}\"\n"));
    let caller = server.funded("10");
    let orders: Vec<String> = (0..2)
        .map(|_| {
            let order = text(&caller.google()["order_id"]);
            assert_eq!(caller.ended(&order)["listening"], true);
            order
        })
        .collect();
    done(&server, &["admin", "erase-order", &orders[0]]);
    done(&server, &["admin", "hold", &caller.account]);
    refused(&server, &["admin", "erase-account", &caller.account]);
    let kept = body(caller.get(&format!("/api/v1/order/{}", orders[1])));
    assert_eq!((&kept["listening"], &kept["messages_erased"]), (&json!(true), &json!(false)));
    done(&server, &["admin", "release-hold", &caller.account]);
    let said = done(&server, &["admin", "erase-account", &caller.account]);
    assert!(said.contains("\"orders_erased\": 1") && said.contains("\"orders_left\": 0"), "{said}");
    for order in orders {
        let shown = body(caller.get(&format!("/api/v1/order/{order}")));
        assert_eq!((&shown["listening"], &shown["messages_erased"]), (&json!(false), &json!(true)));
    }
    is_lawful(&server);
}

#[test]
fn what_is_not_over_or_was_never_encrypted_is_not_said_to_be_erased() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    caller.ended(&order);
    assert!(refused(&server, &["admin", "erase-order", &order]).contains("there is no vault"));
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let (_, data) = server.terminate();
    let path = data.path().join("config.toml");
    let written = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{written}[vault]\nkey = \"{KEY}\"\n")).unwrap();
    let server = Server::restart(data);
    let caller = Caller { server: &server, key, account };
    let said = refused(&server, &["admin", "erase-order", &order]);
    assert!(said.contains("from before there was a vault"), "{said}");
    let shown = body(caller.get(&format!("/api/v1/order/{order}")));
    assert_eq!(shown["listening"], true, "what is refused ends nothing");
    assert!(!told(&server).contains("SecretsErased"));
    let unknown = refused(&server, &["admin", "erase-order", &OrderId(7).to_string()]);
    assert!(unknown.contains("no such order"), "{unknown}");
}

#[test]
fn what_an_order_that_waits_may_still_get_is_not_erased() {
    let server = Server::start(&format!("{SILENT}[vault]\nkey = \"{KEY}\"\n"));
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    assert!(refused(&server, &["admin", "erase-order", &order]).contains("is not over"));
}

/// The facts of an account whose only order got this code then.
fn facts(number: u128, code: &str, at: Timestamp) -> Vec<Fact> {
    let (order, amount) = (OrderId(number), Money::from_cents(50));
    let placed = Placed {
        platform: "google".parse().unwrap(),
        country: "US".parse().unwrap(),
        list_price: amount,
        price: amount,
        lifetime_seconds: 300,
        seek_seconds: 60,
        max_attempts: 3,
        listen_seconds: 0,
        verdict: None,
        at,
    };
    let sms = Sms {
        message_id: "m1".to_owned(),
        supplier: "simulator".parse().unwrap(),
        sender: "Google".to_owned(),
        text: format!("G-{code} is your Google verification code."),
        received_at: at,
        extraction: Extraction { verdict: Verdict::Code(code.to_owned()), candidates: vec![] },
        at,
    };
    let of_order = |fact| Fact::Order(order, fact);
    // One without a code, which is listed for operators.
    let stray = Sms {
        message_id: "m2".to_owned(),
        text: "Your parcel is near.".to_owned(),
        extraction: Extraction { verdict: Verdict::Nothing, candidates: vec![] },
        ..sms.clone()
    };
    vec![
        Fact::Registered {
            id: AccountId(number),
            key_hash: [1; 32],
            webhook_secret: "whsec_".to_owned(),
            at,
        },
        Fact::Credited { amount: Money::from_cents(1_000), reason: "test".to_owned(), at },
        of_order(order::Event::Placed(placed)),
        Fact::HoldTaken { order, amount, at },
        of_order(order::Event::NumberAssigned {
            attempt: 1,
            supplier: "simulator".parse().unwrap(),
            phone: format!("+1202555{number:04}").parse().unwrap(),
            expires_at: at.plus(Duration::from_mins(5)),
            at,
        }),
        of_order(order::Event::SmsReceived(stray)),
        of_order(order::Event::SmsReceived(sms)),
        of_order(order::Event::Completed {
            code: code.to_owned(),
            message_id: "m1".to_owned(),
            listens_until: at,
            at,
        }),
        Fact::HoldCaptured { order, amount, at },
    ]
}

/// Writes accounts with an order each into a fresh log, by its code and how many hours ago it was.
pub fn written(directory: &Path, orders: &[(u128, &str, u32)]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open_under(
            directory,
            Arc::new(|reason: &str| panic!("{reason}")),
            Loss::Refused,
            MasterKey::parse(KEY).as_ref(),
            None,
        )
        .unwrap();
        for (number, code, hours) in orders {
            let at = Clock::System.now().minus(Duration::from_hours(1) * *hours);
            let causation = CommandId(number << 16);
            let metadata = Metadata { causation, correlation: None, actor: Actor::Owner, at };
            let events = facts(*number, code, at).into_iter().enumerate();
            let events =
                events.map(|(index, fact)| NewEvent::new(index, Event::from(fact), &metadata));
            let stream = StreamId::account(AccountId(*number));
            let append = Append { stream, expected: Expected::NoStream, events: events.collect() };
            store.append(append).await.unwrap();
        }
        store.close().await;
    });
}

#[test]
fn what_was_kept_for_a_day_is_erased_by_itself() {
    let data = Server::prepare(&sealed());
    written(data.path(), &[(1, "481516", 30), (2, "234211", 25), (3, "815162", 2)]);
    let server = Server::restart(data);
    server.log_when(|said| said.contains("messages of old orders are erased"));
    let log = told(&server);
    for erased in ["481516", "234211"] {
        assert!(!log.contains(&format!("G-{erased}")), "{log}");
    }
    assert!(log.contains("G-815162") && log.contains("retention"), "{log}");
    is_lawful(&server);
    let report = server.cli(&["report", "transparency", "--quarter", &quarter(), "--json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(report["erasures"]["messages"], 2, "{report}");
}

/// The quarter that is now.
fn quarter() -> String {
    let now = Clock::System.now().to_string();
    let month: u32 = now[5..7].parse().unwrap();
    format!("{}Q{}", &now[..4], month.div_ceil(3))
}

#[test]
fn an_erasure_after_a_restore_is_carried_out_though_the_vault_was_ahead() {
    let server = Server::start(&sealed());
    let caller = server.funded("10");
    let orders: Vec<String> = (0..2)
        .map(|_| {
            let order = text(&caller.google()["order_id"]);
            caller.ended(&order);
            caller.finish(&order);
            order
        })
        .collect();
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy");
    assert!(server.cli(&["backup", copy.to_str().unwrap()]).status.success());
    done(&server, &["admin", "erase-order", &orders[0]]);
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let (_, data) = server.terminate();
    let words = ["restore", copy.to_str().unwrap(), "--discard-newer"];
    let restored = Server::cli_on(&data, &words);
    assert!(restored.status.success(), "{restored:?}");

    let server = Server::restart(data);
    let caller = Caller { server: &server, key, account };
    let said = done(&server, &["admin", "erase-order", &orders[1]]);
    assert!(said.contains("\"keys_erased\": 2"), "{said}");
    for order in orders {
        let shown = body(caller.get(&format!("/api/v1/order/{order}")));
        assert_eq!((&shown["code"], &shown["messages_erased"]), (&Value::Null, &json!(true)));
    }
    is_lawful(&server);
}
