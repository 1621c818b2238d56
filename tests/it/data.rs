//! The data directory: migrated once and through kills, backed up and restored, closed to others,
//! and never with times that run backwards.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::store::sqlite::SqliteStore;
use actors::store::{Append, EventStore, Expected, NewEvent};
use events::account::{Command, State};
use events::decider::Decider;
use events::envelope::{Actor, Metadata, StreamId};
use events::id::{AccountId, CommandId};
use events::time::Timestamp;
use fakes::formats::{self, ANDROID_KEY, Message};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::server::{Caller, QUICK, SILENT, Server, body, text};

/// Rewrites the log as the first version of the store had it.
fn into_first_layout(directory: &Path) {
    let path = directory.join("events.db");
    let old = Connection::open(directory.join("first.db")).unwrap();
    old.pragma_update(None, "page_size", 2_048).unwrap();
    old.pragma_update(None, "journal_mode", "WAL").unwrap();
    old.execute_batch(&format!(
        "ATTACH '{}' AS today; BEGIN; CREATE TABLE events (
            position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL, \
            event_id BLOB NOT NULL, name TEXT NOT NULL,
            version INTEGER NOT NULL, at INTEGER NOT NULL, causation BLOB NOT NULL, correlation \
            BLOB NOT NULL, actor TEXT NOT NULL,
            payload BLOB NOT NULL, checksum INTEGER NOT NULL, chain BLOB NOT NULL, UNIQUE \
            (stream, revision)) STRICT;
         PRAGMA application_id = 0x544e4556; PRAGMA user_version = 1;",
        path.display()
    ))
    .unwrap();
    {
        let mut all = old
            .prepare(
                "SELECT e.position, s.name, e.revision, e.step, k.name, k.version, coalesce(e.at, \
                 f.at), coalesce(e.causation, f.causation), e.correlation,
                    (SELECT name FROM today.actors WHERE id = coalesce(e.actor, f.actor)), \
                    e.payload, e.checksum, e.chain
                 FROM today.events e JOIN today.streams s ON s.id = e.stream JOIN today.kinds k \
                 ON k.id = e.kind
                 LEFT JOIN today.events f ON f.position = e.position - e.step ORDER BY e.position",
            )
            .unwrap();
        let mut rows = all.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let causation = u128::from_be_bytes(row.get(7).unwrap());
            let id = causation.wrapping_add(row.get::<_, u32>(3).unwrap().into());
            let payload: Vec<u8> = row.get(10).unwrap();
            let place: Option<u32> = row.get(8).unwrap();
            let order = place.map_or(0, |place| {
                u128::from_le_bytes(
                    payload[place as usize..place as usize + 16].try_into().unwrap(),
                )
            });
            let text = |column: usize| row.get::<_, String>(column).unwrap();
            let number = |column: usize| row.get::<_, i64>(column).unwrap();
            let blob = |column: usize| row.get::<_, Vec<u8>>(column).unwrap();
            let values = params![
                number(0),
                text(1),
                number(2),
                id.to_be_bytes(),
                text(4),
                number(5),
                number(6),
                causation.to_be_bytes(),
                order.to_be_bytes(),
                text(9),
                payload,
                number(11),
                blob(12)
            ];
            old.execute(
                "INSERT INTO main.events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, \
                ?11, ?12, ?13)",
                values,
            )
            .unwrap();
        }
    }
    old.execute_batch("COMMIT; DETACH today").unwrap();
    drop(old);
    std::fs::rename(directory.join("first.db"), path).unwrap();
}

pub fn version(directory: &Path) -> i64 {
    Connection::open(directory.join("events.db"))
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

pub fn chain(directory: &Path) -> Vec<Vec<u8>> {
    let connection = Connection::open(directory.join("events.db")).unwrap();
    let mut all = connection.prepare("SELECT chain FROM events ORDER BY position").unwrap();
    all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_log_of_the_first_layout_is_migrated_at_start_and_a_kill_on_the_way_loses_nothing() {
    let server = Server::start(QUICK);
    let (key, account, before) = {
        let caller = server.funded("10");
        for platform in ["google", "discord", "telegram"] {
            caller.ended(&text(&caller.order(&json!({ "platform": platform }))["order_id"]));
        }
        (caller.key.clone(), caller.account.clone(), body(caller.get("/api/v1/account")))
    };
    let directory = server.data();
    let (_, data) = server.terminate();
    let links = chain(&directory);
    into_first_layout(&directory);
    assert_eq!(chain(&directory), links);
    let (mut deaths, mut lived) = (0, 0);
    for (calls, moments) in [
        ("pwrite64", &[1, 2, 3, 4, 6, 9, 13, 20, 30][..]),
        ("rename,renameat,renameat2", &[1]),
        ("fsync", &[1, 2]),
        ("unlink", &[1, 2, 3]),
    ] {
        for moment in moments {
            if version(&directory) == 3 {
                into_first_layout(&directory);
            }
            match Server::tampered_calls(
                Arc::clone(&data),
                calls,
                &format!("signal=SIGKILL:when={moment}"),
            ) {
                Some(server) => {
                    lived += 1;
                    drop(server);
                }
                None => deaths += 1,
            }
            assert_eq!(chain(&directory)[..links.len()], links, "{calls} {moment}");
        }
    }
    assert!(deaths >= 5, "{deaths} deaths, {lived} lives: the kills did not strike");
    if version(&directory) == 3 {
        into_first_layout(&directory);
    }
    let server = Server::restart(data);
    assert_eq!(version(&directory), 3);
    server.log_when(|log| log.contains("today's layout"));
    let caller = Caller { server: &server, key, account };
    assert_eq!(body(caller.get("/api/v1/account")), before);
    caller.ended(&text(&caller.google()["order_id"]));
    let verified = server.cli(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_running_service_is_backed_up_and_its_backup_is_a_service() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    caller.ended(&text(&caller.google()["order_id"]));
    let target = tempfile::tempdir().unwrap();
    let copy = target.path().join("copy");
    let done = server.cli(&["backup", copy.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&copy), mode(&copy.join("events.db"))), (0o700, 0o600));
    let before = body(caller.get("/api/v1/account"));
    caller.ended(&text(&caller.google()["order_id"]));
    let beside_it = server.cli(&["restore", copy.to_str().unwrap(), "--discard-newer"]);
    assert!(
        String::from_utf8_lossy(&beside_it.stderr).contains("another service is running"),
        "{beside_it:?}"
    );
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let (_, data) = server.terminate();
    let restore = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"));
        command
            .args(["restore", copy.to_str().unwrap(), "--data-dir", data.path().to_str().unwrap()])
            .args(more)
            .output()
            .unwrap()
    };
    let ours = |command: &str| {
        let itself = data.path().to_str().unwrap();
        let mut asked = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"));
        asked.args([command, itself, "--data-dir", itself]).output().unwrap()
    };
    for command in ["restore", "backup"] {
        let refused = ours(command);
        assert!(
            !refused.status.success()
                && String::from_utf8_lossy(&refused.stderr).contains("the data directory itself"),
            "{refused:?}"
        );
    }
    let refused = restore(&[]);
    assert!(
        !refused.status.success()
            && String::from_utf8_lossy(&refused.stderr).contains("--discard-newer"),
        "{refused:?}"
    );
    let restored = restore(&["--discard-newer"]);
    assert!(restored.status.success(), "{restored:?}");
    for file in std::fs::read_dir(data.path()).unwrap().map(|file| file.unwrap().path()) {
        let is_ours = file.file_name().is_some_and(|name| name != "config.toml");
        assert!(
            !is_ours || !file.is_file() || mode(&file).trailing_zeros() >= 6,
            "{} is {:o}",
            file.display(),
            mode(&file)
        );
    }
    let server = Server::restart(data);
    assert!(!server.log().contains("no head file"), "{}", server.log());
    let caller = Caller { server: &server, key, account };
    assert_eq!(body(caller.get("/api/v1/account")), before);
    caller.ended(&text(&caller.google()["order_id"]));
    assert!(server.cli(&["audit", "verify"]).status.success());
}

#[test]
fn the_data_directory_is_closed_to_others_at_every_start() {
    let server = Server::start(QUICK);
    let directory = server.data();
    let (_, data) = server.terminate();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(directory.join("events.db"), std::fs::Permissions::from_mode(0o644))
        .unwrap();
    let server = Server::restart(data);
    server.register();
    assert_eq!(mode(&directory), 0o700);
    for name in [
        "events.db",
        "events.db-wal",
        "views.db",
        "views.db-wal",
        "snapshots.db",
        "admin.addr",
        "lock",
    ] {
        assert_eq!(mode(&directory.join(name)), 0o600, "{name}");
    }
    server.log_when(|log| log.contains("could be read by others"));
    let (_, data) = server.terminate();
    let server = Server::restart(data);
    assert!(!server.log().contains("could be read by others"), "it is said when mended");
}

/// Appends an account to the log, registered at the moment `at`.
fn register_at(directory: &Path, at: Timestamp) {
    let id = AccountId(77);
    let registered = State::default()
        .decide(&Command::Register {
            id,
            key_hash: [7; 32],
            webhook_secret: "whsec_".to_owned(),
            at,
        })
        .unwrap();
    let metadata =
        Metadata { causation: CommandId(77 << 16), correlation: None, actor: Actor::Owner, at };
    let events = registered
        .into_iter()
        .enumerate()
        .map(|(index, event)| NewEvent::new(index, event.into(), &metadata))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store =
            SqliteStore::open(directory, Arc::new(|reason: &str| panic!("{reason}"))).unwrap();
        store
            .append(Append { stream: StreamId::account(id), expected: Expected::NoStream, events })
            .await
            .unwrap();
        store.close().await;
    });
}

#[test]
fn a_clock_far_behind_the_log_does_not_start_the_service_and_one_that_may_be_goes_on_from_the_log()
{
    let orders = "[orders]\nlifetime_seconds = 2\n";
    let server = Server::start(&format!("{SILENT}{orders}"));
    let (key, account) = {
        let caller = server.funded("10");
        (caller.key.clone(), caller.account.clone())
    };
    let directory = server.data();
    let (_, data) = server.terminate();
    let ahead = Clock::System.now().plus(Duration::from_mins(10));
    register_at(&directory, ahead);
    let said = Server::refused(&data);
    assert!(
        said.contains(&ahead.to_string()) && said.contains("max_clock_behind_seconds"),
        "{said}"
    );
    let config = std::fs::read_to_string(directory.join("config.toml")).unwrap();
    std::fs::write(
        directory.join("config.toml"),
        format!("{config}[store]\nmax_clock_behind_seconds = 3600\n"),
    )
    .unwrap();
    let server = Server::restart(data);
    server.log_when(|log| log.contains("the clock is behind"));
    let caller = Caller { server: &server, key, account };
    let order = caller.google();
    assert_eq!(order["expires_in"], 2);
    let expires_at: Timestamp = text(&order["expires_at"]).parse().unwrap();
    assert!(expires_at >= ahead.plus(Duration::from_secs(2)), "{expires_at}");
    let ended = caller.ended(&text(&order["order_id"]));
    assert_eq!(ended["status"], "expired");
    let listed = server.cli(&["audit", "events", "--json"]);
    let times: Vec<Timestamp> = String::from_utf8(listed.stdout)
        .unwrap()
        .lines()
        .map(|line| text(&serde_json::from_str::<Value>(line).unwrap()["at"]).parse().unwrap())
        .collect();
    assert!(times.len() > 5 && times.is_sorted(), "{times:?}");
    assert!(
        *times.last().unwrap() <= expires_at.plus(Duration::from_mins(1)),
        "the order ended when it was due, not when the clock had caught up"
    );
    assert!(server.cli(&["audit", "verify"]).status.success());
}

/// The log is ten minutes ahead, as after a clock that was set ahead for a moment: what other
/// machines sign and stamp is still of today.
#[test]
fn clocks_of_others_are_compared_with_the_machine_s_and_not_with_the_log_s_time() {
    let number = "number = \"+12025550104\"\ncountry = \"US\"\n";
    let phone = format!(
        "[suppliers.android]\nsigning_key = \"{ANDROID_KEY}\"\ntrust_received_at = true\nsims = {{ \"p/1\" = \"+12025550104\" }}\n"
    );
    let others = "[suppliers.simulator]\nenabled = false\n[deposits]\nsimulated = false\n[webhooks]\nallow_private_targets = true\n";
    let server = Server::start(&format!(
        "{others}{phone}[[suppliers.android.numbers]]\n{number}[store]\nmax_clock_behind_seconds = 3600\n"
    ));
    let (key, account) = {
        let caller = server.funded("10");
        (caller.key.clone(), caller.account.clone())
    };
    let directory = server.data();
    let (_, data) = server.terminate();
    register_at(&directory, Clock::System.now().plus(Duration::from_mins(10)));
    let server = Server::restart(data);
    let caller = Caller { server: &server, key, account };
    let receiver = Receiver::start(&[]);
    assert_eq!(
        caller
            .request("PUT", "/api/v1/webhook")
            .json(&json!({ "url": receiver.url() }))
            .send()
            .unwrap()
            .status(),
        200
    );
    let order = caller.google();
    let now = Clock::System.wall();
    let received_at = now.to_string();
    let message = Message {
        id: "m1",
        to: "",
        text: "Your Google code is 482913",
        now: now.millis(),
        received_at: Some(&received_at),
    };
    let letter = formats::android(&message, "p", 1);
    let post = letter
        .headers
        .iter()
        .fold(server.post(letter.path), |post, (name, value)| post.header(*name, value));
    assert_eq!(
        body(post.body(letter.body.clone()).send().unwrap())["outcome"],
        "taken",
        "signed today, and received after the number was assigned"
    );
    assert_eq!(caller.ended(&text(&order["order_id"]))["code"], "482913");
    let sent: i64 = receiver.next().header("webhook-timestamp").parse().unwrap();
    let late = Clock::System.wall().millis() / 1_000 - sent;
    assert!((0..120).contains(&late), "receivers refuse a delivery from the future: {late}");
    let health = body(server.get("/api/v1/health").send().unwrap());
    assert_eq!(
        (health["status"].as_str(), health["clock"]["status"].as_str()),
        (Some("degraded"), Some("behind the log")),
        "{health}"
    );
    server.log_when(|log| log.contains("the machine's clock is behind the log"));
}

#[test]
fn a_log_level_of_the_service_is_one_of_all_its_crates() {
    for (level, is_shown) in [
        ("warn,telenumerus=info", true),
        ("warn,telenumerus_projections=info", true),
        ("info,telenumerus=warn", false),
    ] {
        let server = Server::start(&format!("[log]\nlevel = \"{level}\"\n"));
        // The views of a fresh log are built at the start; the warning about simulated deposits is
        // written after that.
        let log = server.log_when(|log| log.contains("SIMULATED"));
        assert_eq!(log.contains("telenumerus_projections::views"), is_shown, "{level}: {log}");
    }
}
