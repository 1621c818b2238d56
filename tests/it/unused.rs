//! Accounts that nobody uses: removed after a while, opened again by money; and what one
//! address can write with all the accounts it may open.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::store::sqlite::SqliteStore;
use actors::store::{Append, EventStore, Expected, NewEvent};
use events::account::{Command, State};
use events::decider::Decider;
use events::envelope::{Actor, Metadata, StreamId};
use events::id::{AccountId, CommandId, WIDTH, to_base62};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::server::{ADMIN_TOKEN, Caller, QUICK, Server, body, client, text};

const DAY: Duration = Duration::from_hours(24);
const SECRET: &str = "00000000000000000000000000000000000000000007";

/// The key of an account that was written into the log by hand.
fn key_of(account: AccountId) -> String {
    let body = account.digits() + SECRET;
    let digest = Sha256::digest(body.as_bytes());
    let number = u32::from_be_bytes(digest[..4].try_into().unwrap());
    let checksum = to_base62(number.into()).split_off(WIDTH - 6);
    format!("tn_{body}{checksum}")
}

/// Writes accounts into a fresh log, opened so many days ago.
fn opened(directory: &Path, ages: &[(u128, u32)]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store =
            SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}"))).unwrap();
        for (number, days) in ages {
            let (id, at) = (AccountId(*number), Clock::System.now().minus(DAY * *days));
            let register = Command::Register {
                id,
                key_hash: Sha256::digest(SECRET.as_bytes()).into(),
                webhook_secret: "whsec_".to_owned(),
                at,
            };
            let causation = CommandId(*number << 16);
            let metadata = Metadata { causation, correlation: None, actor: Actor::Owner, at };
            let events = State::default().decide(&register).unwrap().into_iter().enumerate();
            let events = events
                .map(|(index, event)| NewEvent::new(index, event.into(), &metadata))
                .collect();
            let stream = StreamId::account(id);
            store.append(Append { stream, expected: Expected::NoStream, events }).await.unwrap();
        }
        store.close().await;
    });
}

fn caller(server: &Server, number: u128) -> Caller<'_> {
    let account = AccountId(number);
    Caller { server, key: key_of(account), account: account.to_string() }
}

fn standing(server: &Server, account: &str) -> Value {
    let shown = server.cli(&["admin", "show", account]);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    serde_json::from_slice::<Value>(&shown.stdout).unwrap()["standing"].clone()
}

fn is_listed(server: &Server, account: &str) -> bool {
    let listed = client()
        .get(format!("http://{}/admin/v1/accounts", server.admin()))
        .bearer_auth(ADMIN_TOKEN)
        .send()
        .unwrap();
    listed.text().unwrap().contains(account)
}

fn audit_is_lawful(server: &Server) {
    let audit = server.cli(&["audit", "verify"]);
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

#[test]
fn an_account_that_nobody_used_is_removed_and_money_opens_it_again() {
    let data = Server::prepare(QUICK);
    opened(data.path(), &[(71, 40), (72, 29)]);
    let server = Server::restart(data);
    server.log_when(|said| said.contains("accounts were removed"));
    let (old, young) = (caller(&server, 71), caller(&server, 72));
    assert_eq!(young.get("/api/v1/account").status(), 200);
    let refused = old.get("/api/v1/account");
    assert_eq!(refused.status(), 401);
    let refused = body(refused);
    assert_eq!(refused["error_code"], "INVALID_API_KEY");
    assert!(text(&refused["error"]).contains("never used"), "{refused}");
    assert_eq!(standing(&server, &old.account), "removed");
    assert!(!is_listed(&server, &old.account) && is_listed(&server, &young.account));
    audit_is_lawful(&server);

    let (account, key) = (old.account.clone(), old.key.clone());
    let server = server.kill_and_restart();
    let old = Caller { server: &server, key, account };
    assert_eq!(old.get("/api/v1/account").status(), 401);
    let credit = server.cli(&["admin", "credit", &old.account, "5", "--reason", "paid late"]);
    assert!(credit.status.success(), "{}", String::from_utf8_lossy(&credit.stderr));
    let shown = body(old.get("/api/v1/account"));
    assert!((shown["balance"].as_f64().unwrap() - 5.0).abs() < 1e-9, "{shown}");
    assert!(is_listed(&server, &old.account));
    assert_eq!(old.google()["status"], "ok");
    audit_is_lawful(&server);
}

#[test]
fn with_zero_days_no_account_is_removed() {
    let data = Server::prepare(&format!("{QUICK}[registration]\nunused_days = 0\n"));
    opened(data.path(), &[(71, 400)]);
    let server = Server::restart(data);
    assert_eq!(caller(&server, 71).get("/api/v1/account").status(), 200);
}

/// Whatever an account without money can have written, until nothing of it is written any more.
fn write_all(caller: &Caller<'_>) {
    let mut refused = Vec::new();
    for turn in 0..400 {
        let url = format!("http://127.0.0.1:9/{}{turn}", "x".repeat(1_900));
        let calls = [
            caller.request("PUT", "/api/v1/webhook").json(&json!({ "url": url })),
            caller.request("POST", "/api/v1/webhook/rotate-secret").json(&json!({})),
            caller.request("POST", "/api/v1/webhook/test").json(&json!({})),
            caller
                .request("POST", "/api/v1/keys")
                .json(&json!({ "name": "x".repeat(64), "mode": "test" })),
        ];
        let answers: Vec<(u16, Value)> = calls
            .into_iter()
            .map(|call| call.send().unwrap())
            .map(|answer| (answer.status().as_u16(), body(answer)))
            .collect();
        refused = answers;
        if refused.iter().all(|(status, _)| *status == 402) {
            break;
        }
    }
    for (status, object) in refused {
        assert_eq!(
            (status, object["error_code"].as_str()),
            (402, Some("INSUFFICIENT_BALANCE")),
            "{object}"
        );
    }
}

#[test]
fn one_address_takes_a_bounded_part_of_the_disk() {
    const ACCOUNTS: u64 = 3;
    const KIB: u64 = 32;
    let config = format!(
        "{}accounts_per_ip_per_hour = {ACCOUNTS}\n[registration]\nunfunded_log_kb = {KIB}\n",
        "[webhooks]\nallow_private_targets = true\n[limits]\nper_ip_per_minute = 0\n\
         per_key_per_minute = 0\n"
    );
    let server = Server::start(&config);
    let accounts: Vec<Caller<'_>> = (0..ACCOUNTS).map(|_| server.register()).collect();
    let more = server.post("/api/v1/register").json(&json!({})).send().unwrap();
    assert_eq!(more.status(), 429);
    accounts.iter().for_each(write_all);
    let paid = server.cli(&["admin", "credit", &accounts[0].account, "1", "--reason", "x"]);
    assert!(paid.status.success());
    let rotated = accounts[0].post("/api/v1/webhook/rotate-secret", &json!({}));
    assert_eq!(rotated.status(), 200, "with money it goes on");
    audit_is_lawful(&server);
    drop(accounts);
    let (_, data) = server.terminate();
    let log = std::fs::metadata(data.path().join("events.db")).unwrap().len();
    let most = ACCOUNTS * (KIB + 8) * 1_024 + 256 * 1_024;
    assert!(log <= most, "{log} bytes of log, of at most {most}");
}
