//! Damaged and restored data directories: found, said, and not served.

use std::path::Path;
use std::sync::Arc;

use reqwest::blocking::Response;
use serde_json::json;
use tempfile::TempDir;

use crate::server::{ADMIN_TOKEN, Caller, QUICK, SILENT, Server, body, client, text};

fn again<'a>(server: &'a Server, key: &str, account: &str) -> Caller<'a> {
    Caller { server, key: key.to_owned(), account: account.to_owned() }
}

/// What `audit verify` says of a directory without a service, and whether it is content.
fn verified(data: &Arc<TempDir>) -> (bool, String) {
    let output = Server::cli_on(data, &["audit", "verify"]);
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr),
    )
}

/// Flips a bit in each place of the log where `marker` stands.
fn damage(directory: &Path, marker: &[u8]) {
    let path = directory.join("events.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let places: Vec<usize> = bytes
        .windows(marker.len())
        .enumerate()
        .filter(|(_, window)| *window == marker)
        .map(|(place, _)| place)
        .collect();
    assert!(!places.is_empty(), "the marker does not stand in the log");
    for place in places {
        bytes[place] ^= 4;
    }
    std::fs::write(&path, bytes).unwrap();
}

#[test]
fn an_older_log_under_newer_views_stops_the_start_until_the_loss_is_accepted() {
    let server = Server::start(QUICK);
    let (key, account) = {
        let caller = server.funded("10");
        (caller.key.clone(), caller.account.clone())
    };
    let (_, data) = server.terminate();
    let saved = std::fs::read(data.path().join("events.db")).unwrap();
    let server = Server::restart(Arc::clone(&data));
    let later = {
        let caller = again(&server, &key, &account);
        let order = text(&caller.google()["order_id"]);
        caller.ended(&order);
        assert_eq!(caller.balance(), (9.5, 0.0));
        order
    };
    server.terminate();
    assert!(verified(&data).0);
    std::fs::write(data.path().join("events.db"), saved).unwrap();

    let (is_content, said) = verified(&data);
    assert!(
        !is_content
            && said.contains("lost its end")
            && said.contains("views.db is ahead of the log"),
        "{said}"
    );
    let refused = Server::refused(&data);
    assert!(
        refused.contains("ends at position ")
            && refused.contains("synced up to position")
            && refused.contains("--accept-loss"),
        "{refused}"
    );
    assert!(refused.contains("Restore a backup"), "{refused}");

    let server = Server::start_with(Arc::clone(&data), &["--accept-loss"]);
    let caller = again(&server, &key, &account);
    assert_eq!(caller.balance(), (10.0, 0.0));
    assert_eq!(caller.get(&format!("/api/v1/order/{later}")).status(), 404);
    let order = text(&caller.google()["order_id"]);
    assert_eq!(caller.ended(&order)["status"], "completed");
    server.terminate();
    let (is_content, said) = verified(&data);
    assert!(is_content, "{said}");
    // What was accepted is no loss any more.
    assert_eq!(again(&Server::restart(data), &key, &account).balance(), (9.5, 0.0));
}

#[test]
fn a_damaged_account_answers_500_and_the_others_go_on() {
    let server = Server::start(SILENT);
    let (damaged, other, order) = {
        let (damaged, other) = (server.funded("10"), server.funded("20"));
        let marked = server.cli(&[
            "admin",
            "credit",
            &damaged.account,
            "1",
            "--reason",
            "the-damaged-one",
            "--operator",
            "tester",
        ]);
        assert!(marked.status.success());
        let order = text(&damaged.google()["order_id"]);
        // The views have taken everything in: a start that has to read a damaged record for them is
        // refused.
        assert_eq!(damaged.get("/api/v1/orders").status(), 200);
        (
            (damaged.key.clone(), damaged.account.clone()),
            (other.key.clone(), other.account.clone()),
            order,
        )
    };
    let (_, data) = server.terminate();
    damage(data.path(), b"the-damaged-one");
    let (is_content, said) = verified(&data);
    assert!(
        !is_content && said.contains(&format!("account-{}", &damaged.1[damaged.1.len() - 22..])),
        "{said}"
    );

    let server = Server::restart(data);
    let caller = again(&server, &damaged.0, &damaged.1);
    for path in ["/api/v1/account", &format!("/api/v1/order/{order}")] {
        let reply = caller.get(path);
        assert_eq!(reply.status(), 500, "{path}");
        assert_eq!(body(reply)["error_code"], "INTERNAL_ERROR", "{path}");
    }
    let other = again(&server, &other.0, &other.1);
    assert_eq!(other.balance(), (20.0, 0.0));
    other.google();
    assert_eq!(other.balance(), (19.5, 0.5));
    server.log_when(|log| log.contains("the log is damaged"));
    // An export says that it is not whole: it breaks off. What was sent and not yet received goes
    // with the connection.
    let given = client()
        .get(format!("http://{}/admin/v1/events/export", server.admin()))
        .bearer_auth(ADMIN_TOKEN)
        .send()
        .and_then(Response::bytes);
    assert!(given.is_err(), "{given:?}");
}

#[test]
fn a_log_that_takes_no_appends_is_not_well() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    let log = rusqlite::Connection::open(server.data().join("events.db")).unwrap();
    log.execute_batch("ALTER TABLE events RENAME TO elsewhere").unwrap();
    let failed = server.post("/api/v1/register").json(&json!({})).send().unwrap();
    assert!(failed.status().is_server_error(), "{}", failed.status());
    let health = body(server.get("/api/v1/health").send().unwrap());
    assert_eq!(
        (&health["status"], &health["store"]["status"]),
        (&json!("degraded"), &json!("failing")),
        "{health}"
    );
    log.execute_batch("ALTER TABLE elsewhere RENAME TO events").unwrap();
    caller.google();
    let health = body(server.get("/api/v1/health").send().unwrap());
    assert_eq!(health["store"]["status"], "ok", "{health}");
}

#[test]
fn a_directory_that_was_killed_in_its_first_syncs_is_read() {
    let mut unwritten = 0;
    for sync in 1..=8 {
        let data = Server::prepare(QUICK);
        drop(Server::tampered(Arc::clone(&data), &format!("signal=SIGKILL:when={sync}")));
        let (is_content, said) = verified(&data);
        assert!(is_content, "sync {sync}: {said}");
        unwritten += u32::from(said.contains("0 events"));
        let server = Server::restart(Arc::clone(&data));
        assert_eq!(server.funded("10").balance(), (10.0, 0.0), "sync {sync}");
    }
    assert!(unwritten > 0, "no kill struck before the first record");
}

/// Changes a file.
type Tamper = Box<dyn Fn(&Path)>;

/// A file beside the log, what the audit says of it, and what was done to it.
fn tampering() -> Vec<(&'static str, &'static str, Tamper)> {
    let rows = |sql: &'static str| {
        Box::new(move |path: &Path| {
            rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
        }) as Tamper
    };
    let half = || {
        Box::new(|path: &Path| {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }) as Tamper
    };
    let noise = Box::new(|path: &Path| {
        let noise: Vec<u8> = (0..20_000u32).map(|at| (at * 7 % 251) as u8).collect();
        std::fs::write(path, noise).unwrap();
    });
    vec![
        ("views.db", "rows", rows("DROP TRIGGER orders_out; DELETE FROM orders;")),
        ("views.db", "rows", rows("DROP TRIGGER usage_on; UPDATE usage SET spent = spent + 1;")),
        ("views.db", "views.db", half()),
        ("views.db", "views.db", noise),
        ("snapshots.db", "snapshots.db", half()),
        ("index.db", "index.db", half()),
    ]
}

#[test]
fn what_stands_beside_the_log_and_is_not_what_was_written_is_named_and_made_anew() {
    let mut data = {
        let server = Server::start(QUICK);
        let caller = server.funded("10");
        caller.ended(&text(&caller.google()["order_id"]));
        assert_eq!(caller.get("/api/v1/orders").status(), 200);
        server.terminate().1
    };
    for (file, named, tamper) in tampering() {
        assert!(verified(&data).0, "before {file}: {named}");
        let path = data.path().join(file);
        // What stands in the write-ahead log goes before what stands in the file.
        let whole = rusqlite::Connection::open(&path).unwrap();
        let mode = |mode| {
            let asked = format!("PRAGMA journal_mode = {mode}");
            whole.query_row(&asked, [], |row| row.get::<_, String>(0)).unwrap()
        };
        assert_eq!((mode("DELETE").as_str(), mode("WAL").as_str()), ("delete", "wal"));
        drop(whole);
        tamper(&path);
        let (is_content, said) = verified(&data);
        assert!(
            !is_content && said.contains(file) && said.contains(named),
            "{file} {named}: {said}"
        );
        let server = Server::restart(data);
        data = server.terminate().1;
    }
}

#[test]
fn a_directory_whose_views_need_a_record_that_is_damaged_is_refused_and_the_doctor_says_so() {
    let server = Server::start(SILENT);
    let damaged = server.funded("10");
    let account = damaged.account.clone();
    let credit = ["admin", "credit", &account, "1", "--reason", "the-damaged-one"];
    assert!(server.cli(&credit).status.success());
    let (_, data) = server.terminate();
    damage(data.path(), b"the-damaged-one");
    std::fs::remove_file(data.path().join("views.db")).unwrap();
    let said = Server::refused(&data);
    assert!(said.contains("restore a backup") && said.contains("views.db"), "{said}");
    let doctor = Server::cli_on(&data, &["doctor"]);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(!doctor.status.success() && said.contains("the views lack"), "{said}");
}
