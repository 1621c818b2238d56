//! Numbers of orders and webhooks that are erased: in no file any more, and told as erased.

use std::sync::Arc;

use actors::store::Append;
use actors::store::sqlite::{Loss, SqliteStore};
use actors::store::{EventStore, Expected, NewEvent};
use actors::vault::{MasterKey, Vault};
use events::codec::SecretKind;
use events::envelope::{Actor, Metadata, StreamId};
use events::erasure;
use events::id::{AccountId, CommandId, OrderId};
use events::time::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::erasure::{KEY, done, is_lawful, refused, sealed, told, written};
use crate::inbound;
use crate::server::{Caller, Server, body, text};
use crate::vault::holding;

const HOOK: &str = "https://hooks.example.com/of-nobody-else";
const DAY: u32 = 24;

#[test]
fn a_number_that_is_erased_is_in_no_file_and_a_keyed_hash_stays() {
    let server = Server::start(&sealed());
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let ended = caller.ended(&order);
    let (phone, balance) = (text(&ended["phone"]), caller.balance());
    assert!(refused(&server, &["admin", "erase-number", "+4915112345678"]).contains("nothing"));
    assert!(refused(&server, &["admin", "erase-number", "12"]).contains("E.164"));
    done(&server, &["admin", "hold", &caller.account]);
    let said = refused(&server, &["admin", "erase-number", &phone]);
    assert!(said.contains("orders are left (1): under a legal hold"), "{said}");
    done(&server, &["admin", "release-hold", &caller.account]);
    let said = done(&server, &["admin", "erase-number", &phone]);
    assert!(said.contains("\"orders_erased\": 1") && said.contains("\"orders_left\": 0"), "{said}");
    assert!(said.contains("\"number_left\": false"), "{said}");

    let path = format!("/api/v1/order/{order}");
    let shown = body(caller.get(&path));
    assert_eq!((&shown["phone"], &shown["phone_erased"]), (&Value::Null, &json!(true)));
    assert_eq!((&shown["code"], &shown["messages_erased"]), (&Value::Null, &json!(true)));
    assert_eq!((shown["status"].as_str(), caller.balance()), (Some("completed"), balance));
    let listed = body(caller.get("/api/v1/orders"));
    assert_eq!(
        (&listed["orders"][0]["phone"], &listed["orders"][0]["phone_erased"]),
        (&Value::Null, &json!(true))
    );
    assert!(refused(&server, &["admin", "erase-number", &phone]).contains("nothing to erase"));
    let log = told(&server);
    assert!(!log.contains(&phone) && log.contains("<erased:"), "{log}");
    is_lawful(&server);

    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy");
    assert!(server.cli(&["backup", copy.to_str().unwrap()]).status.success());
    assert_eq!(holding(&server.data(), &phone), Vec::<String>::new());
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let (_, data) = server.terminate();
    assert_eq!(holding(data.path(), &phone), Vec::<String>::new());
    assert_eq!(holding(&copy, &phone), Vec::<String>::new());
    // Views that are built anew say the same.
    for file in ["views.db", "views.db-wal", "views.db-shm"] {
        let _ = std::fs::remove_file(data.path().join(file));
    }
    let server = Server::restart(data);
    let caller = Caller { server: &server, key, account };
    assert_eq!(body(caller.get("/api/v1/orders"))["orders"][0]["phone_erased"], true);
    assert_eq!(caller.balance(), balance);
}

#[test]
fn a_message_of_an_order_whose_number_was_erased_goes_to_no_later_one() {
    const NUMBER: &str = "+12025550123";
    let numbers = inbound::config(&[(NUMBER, "US")]);
    let listen = "[orders]\nlisten_after_code_seconds = 0\n";
    let server = Server::start(&format!("{numbers}{listen}[vault]\nkey = \"{KEY}\"\n"));
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let message = inbound::sms("m1", NUMBER, "G-482913 is your Google verification code");
    assert_eq!(body(inbound::deliver(&server, &message))["outcome"], "taken");
    caller.ended(&order);
    let said = done(&server, &["admin", "erase-number", NUMBER]);
    assert!(said.contains("\"number_left\": false"), "{said}");

    let (key, account) = (caller.key.clone(), caller.account.clone());
    let server = server.kill_and_restart();
    let caller = Caller { server: &server, key, account };
    let wanted = json!({ "platform": "whatsapp" });
    let later = text(&body(caller.post("/api/v1/order", &wanted))["order_id"]);
    // The source brings it once more.
    assert_eq!(body(inbound::deliver(&server, &message))["outcome"], "repeated");
    let shown = body(caller.get(&format!("/api/v1/order/{later}")));
    assert_eq!((&shown["status"], &shown["messages"]), (&json!("active"), &json!([])));
}

#[test]
fn numbers_are_kept_for_a_month_and_then_erased_by_themselves() {
    let data = Server::prepare(&sealed());
    written(data.path(), &[(1, "481516", 31 * DAY), (2, "234211", 29 * DAY)]);
    let server = Server::restart(data);
    server.log_when(|said| said.contains("numbers of old orders are erased"));
    let log = told(&server);
    assert!(!log.contains("+12025550001") && log.contains("+12025550002"), "{log}");
    is_lawful(&server);
    let (_, data) = server.terminate();
    assert_eq!(holding(data.path(), "+12025550001"), Vec::<String>::new());
    assert!(!holding(data.path(), "+12025550002").is_empty());
}

#[test]
fn a_webhook_that_is_erased_is_off_until_it_is_set_again() {
    let server = Server::start(&sealed());
    let caller = server.funded("10");
    let set = || {
        let set = caller.request("PUT", "/api/v1/webhook").json(&json!({ "url": HOOK }));
        body(set.send().unwrap())
    };
    assert_eq!(set()["webhook_secret"], Value::Null);
    let rotated = body(caller.post("/api/v1/webhook/rotate-secret", &json!({})));
    let secret = text(&rotated["webhook_secret"]);
    let said = done(&server, &["admin", "erase-account", &caller.account]);
    assert!(said.contains("\"webhook_erased\": true"), "{said}");
    assert!(said.contains("\"webhook_left\": false"), "{said}");
    let again = refused(&server, &["admin", "erase-account", &caller.account]);
    assert!(again.contains("nothing to erase"), "{again}");
    assert_eq!(body(caller.get("/api/v1/webhook"))["url"], Value::Null);
    let test = caller.post("/api/v1/webhook/test", &json!({}));
    assert_eq!(test.status().as_u16(), 409, "there is none to test");
    let log = told(&server);
    assert!(!log.contains("hooks.example.com"), "{log}");
    is_lawful(&server);

    let (key, account) = (caller.key.clone(), caller.account.clone());
    let (_, data) = server.terminate();
    for lost in [HOOK, &secret] {
        assert_eq!(holding(data.path(), lost), Vec::<String>::new(), "{lost}");
    }
    let server = Server::restart(data);
    let caller = Caller { server: &server, key, account };
    let set = || {
        let set = caller.request("PUT", "/api/v1/webhook").json(&json!({ "url": HOOK }));
        body(set.send().unwrap())
    };
    let shown = set();
    assert_eq!(shown["url"], HOOK);
    let fresh = text(&shown["webhook_secret"]);
    assert!(fresh.starts_with("whsec_") && fresh != secret, "{shown}");
    assert_eq!(set()["webhook_secret"], Value::Null, "it is shown once");
    assert_eq!(caller.post("/api/v1/webhook/test", &json!({})).status().as_u16(), 200);
}

/// Has the log decide an erasure that nobody has carried out: the service stopped between the two.
fn decided(data: &Arc<TempDir>, order: u128) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open_under(
            data.path(),
            Arc::new(|reason: &str| panic!("{reason}")),
            Loss::Refused,
            MasterKey::parse(KEY).as_ref(),
            None,
        )
        .unwrap();
        let at = Timestamp::from_millis(store.last_stamp().unwrap().millis() + 1);
        let subject = erasure::Subject { account: AccountId(order), order: Some(OrderId(order)) };
        let fact = erasure::Event::Erased {
            of: vec![subject],
            kinds: vec![SecretKind::Message, SecretKind::Phone],
            reason: "request 7".to_owned(),
            at,
        };
        let causation = CommandId(7 << 64);
        let metadata = Metadata { causation, correlation: None, actor: Actor::Service, at };
        let events = vec![NewEvent::new(0, fact.into(), &metadata)];
        let stream = StreamId::erasures();
        store.append(Append { stream, expected: Expected::NoStream, events }).await.unwrap();
        store.close().await;
    });
}

#[test]
fn an_erasure_that_a_kill_interrupts_is_carried_out_on_either_side_of_the_keys_end() {
    let data = Server::prepare(&sealed());
    written(data.path(), &[(1, "481516", 2)]);
    decided(&data, 1);
    // Decided, and the keys are there.
    let server = Server::restart(data);
    server.log_when(|said| said.contains("a stop had interrupted"));
    let is_erased = |server: &Server| {
        let log = told(server);
        assert!(!log.contains("G-481516") && !log.contains("+12025550001"), "{log}");
        is_lawful(server);
    };
    is_erased(&server);
    let (_, data) = server.terminate();
    // The keys are gone, and nobody has noted it.
    let vault = Vault::open(data.path(), &MasterKey::parse(KEY).unwrap()).unwrap();
    vault.set_progress("erasures", 0).unwrap();
    drop(vault);
    let server = Server::restart(data);
    is_erased(&server);
    let (_, data) = server.terminate();
    for lost in ["G-481516", "+12025550001"] {
        assert_eq!(holding(data.path(), lost), Vec::<String>::new(), "{lost}");
    }
}
