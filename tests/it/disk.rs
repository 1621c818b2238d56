//! A disk that fills up: nothing new is taken, what is under way goes on, nothing is lost, and all
//! is well again once there is room.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use reqwest::blocking::Response;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::layouts::into_second_layout;
use crate::server::{Caller, QUICK, SILENT, Server, body, text};

/// A data directory on a disk of its own, which is in memory.
pub struct Disk {
    data: Arc<TempDir>,
}

impl Disk {
    /// `None`, said aloud, where this machine lets nobody mount one.
    fn of_megabytes(size: u32, config: &str) -> Option<Self> {
        let data = Server::prepare(config);
        let written = std::fs::read(data.path().join("config.toml")).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}m"), "tmpfs"])
            .arg(data.path())
            .output();
        if !mounted.is_ok_and(|mounted| mounted.status.success()) {
            eprintln!("NOT RUN: a small disk cannot be mounted here");
            return None;
        }
        std::fs::write(data.path().join("config.toml"), written).unwrap();
        Some(Self { data })
    }

    fn filler(&self) -> PathBuf {
        self.data.path().join("somebody-else")
    }

    /// Lets somebody else's file take everything but so many megabytes; with none to be left, every
    /// last byte.
    fn leave_megabytes(&self, left: u64) {
        let room = || {
            let shown = Command::new("df")
                .args(["--output=avail", "-B1"])
                .arg(self.data.path())
                .output()
                .unwrap();
            String::from_utf8(shown.stdout)
                .unwrap()
                .lines()
                .nth(1)
                .unwrap()
                .trim()
                .parse::<u64>()
                .unwrap()
        };
        let file = std::fs::File::options().create(true).append(true).open(self.filler()).unwrap();
        let chunk = vec![1; 65_536];
        while room() > left << 20 {
            if std::io::Write::write_all(&mut &file, &chunk).is_err() {
                break;
            }
        }
    }

    /// What the service holds for itself.
    fn held(&self) -> PathBuf {
        self.data.path().join("reserve")
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.data.path()).status();
    }
}

fn assert_refused(response: Response) {
    assert_eq!(response.status(), 503);
    let reply = body(response);
    assert_eq!(
        (&reply["error_code"], &reply["retryable"]),
        (&json!("PROVIDER_UNAVAILABLE"), &json!(true)),
        "{reply}"
    );
}

fn credit(server: &Server, account: &str) -> bool {
    server
        .cli(&["admin", "credit", account, "1", "--reason", "test", "--operator", "tester"])
        .status
        .success()
}

#[test]
fn below_the_reserve_nothing_new_is_taken_and_what_is_under_way_goes_on() {
    let Some(disk) = Disk::of_megabytes(48, &format!("{SILENT}[store]\nreserve_mb = 12\n")) else {
        return;
    };
    let server = Server::restart(Arc::clone(&disk.data));
    let (caller, other, third) = (server.funded("10"), server.funded("10"), server.funded("10"));
    let open = text(&caller.google()["order_id"]);
    let later = text(&third.google()["order_id"]);
    assert!(disk.held().exists(), "a part of the reserve is held");
    let health = body(server.get("/api/v1/health").send().unwrap());
    assert_eq!(
        (&health["store"]["status"], &health["store"]["disk"]["reserve_mb"]),
        (&json!("ok"), &json!(12)),
        "{health}"
    );
    disk.leave_megabytes(6);
    assert_refused(other.post("/api/v1/order", &json!({ "platform": "google" })));
    assert_refused(other.post("/api/v1/batch", &json!({ "orders": [{ "platform": "google" }] })));
    assert_refused(other.post("/api/v1/verify", &json!({ "platform": "google" })));
    assert_refused(server.post("/api/v1/register").json(&json!({})).send().unwrap());
    let health = body(server.get("/api/v1/health").send().unwrap());
    assert_eq!(
        (&health["status"], &health["store"]["status"]),
        (&json!("degraded"), &json!("low on disk")),
        "{health}"
    );
    assert_eq!(caller.get("/api/v1/account").status(), 200);
    assert_eq!(caller.post(&format!("/api/v1/order/{open}/cancel"), &json!({})).status(), 200);
    assert_eq!(caller.balance(), (10.0, 0.0));
    assert!(credit(&server, &caller.account));
    let third = (third.key.clone(), third.account.clone());
    let (key, account) = (other.key.clone(), other.account.clone());
    let server = server.kill_and_restart();
    let other = Caller { server: &server, key, account };
    assert_refused(other.post("/api/v1/order", &json!({ "platform": "google" })));
    let (key, account) = (other.key.clone(), other.account.clone());
    drop(server);
    disk.leave_megabytes(0);
    // It starts in the room that was held for it.
    let server = Server::restart(Arc::clone(&disk.data));
    assert!(!disk.held().exists());
    server.log_when(|log| log.contains("in the room that was held for it"));
    let health = body(server.get("/api/v1/health").send().unwrap());
    assert_eq!(health["store"]["status"], "low on disk", "{health}");
    let caller = Caller { server: &server, key: third.0, account: third.1 };
    assert_refused(caller.post("/api/v1/order", &json!({ "platform": "google" })));
    assert_eq!(caller.get("/api/v1/orders").status(), 200);
    assert_eq!(caller.post(&format!("/api/v1/order/{later}/cancel"), &json!({})).status(), 200);
    assert_eq!(caller.balance(), (10.0, 0.0));
    disk.make_room();
    assert_eq!(caller.post("/api/v1/order", &json!({ "platform": "google" })).status(), 200);
    assert!(disk.held().exists(), "it is held again for the next time");
    drop(server);
    // Nobody has held anything: a start waits, and says for what.
    std::fs::remove_file(disk.held()).unwrap();
    disk.leave_megabytes(0);
    let freed = std::thread::spawn({
        let filler = disk.filler();
        move || {
            std::thread::sleep(std::time::Duration::from_secs(2));
            std::fs::remove_file(filler).unwrap();
        }
    });
    let server = Server::restart(Arc::clone(&disk.data));
    freed.join().unwrap();
    server.log_when(|log| log.contains("starts by itself as soon as"));
    let other = Caller { server: &server, key, account };
    assert_eq!(other.post("/api/v1/order", &json!({ "platform": "google" })).status(), 200);
    server.register();
    let verified = server.cli(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn what_is_read_of_the_views_finds_the_room_that_was_held_for_what_is_under_way() {
    let Some(disk) = Disk::of_megabytes(48, &format!("{SILENT}[store]\nreserve_mb = 12\n")) else {
        return;
    };
    let server = Server::restart(Arc::clone(&disk.data));
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    assert!(disk.held().exists());
    disk.leave_megabytes(0);
    assert_eq!(caller.post(&format!("/api/v1/order/{order}/cancel"), &json!({})).status(), 200);
    // Whoever writes first has to do without; the views find the room the next time.
    assert_eq!(caller.get("/api/v1/account").status(), 200, "{}", server.log());
    assert_eq!(caller.balance(), (10.0, 0.0));
    disk.make_room();
    let verified = server.cli(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_log_that_has_no_room_for_its_copy_is_as_it_was_until_there_is() {
    let Some(disk) = Disk::of_megabytes(64, &format!("{SILENT}[store]\nreserve_mb = 0\n")) else {
        return;
    };
    let server = Server::restart(Arc::clone(&disk.data));
    let (key, account) = {
        let caller = server.funded("10");
        (caller.key.clone(), caller.account.clone())
    };
    server.terminate();
    // As large as a log of long use, in pages that say nothing.
    let log = rusqlite::Connection::open(disk.data.path().join("events.db")).unwrap();
    let large = "CREATE TABLE large (bytes BLOB); INSERT INTO large VALUES (zeroblob(16777216)); \
        DROP TABLE large;";
    log.execute_batch(large).unwrap();
    drop(log);
    into_second_layout(disk.data.path());
    let log = rusqlite::Connection::open(disk.data.path().join("events.db")).unwrap();
    log.execute_batch(large).unwrap();
    drop(log);
    let before = std::fs::read(disk.data.path().join("events.db")).unwrap();
    disk.leave_megabytes(8);
    let said = Server::refused(&disk.data);
    assert!(said.contains("is as it was") && said.contains("make room and start again"), "{said}");
    assert_eq!(std::fs::read(disk.data.path().join("events.db")).unwrap(), before);
    disk.make_room();
    let server = Server::restart(Arc::clone(&disk.data));
    let caller = Caller { server: &server, key, account };
    assert_eq!(caller.balance(), (10.0, 0.0));
    assert_eq!(caller.post("/api/v1/order", &json!({ "platform": "google" })).status(), 200);
}

#[test]
fn a_full_disk_refuses_appends_and_ends_nothing() {
    let Some(disk) = Disk::of_megabytes(
        24,
        &format!("{SILENT}[store]\nreserve_mb = 0\n[orders]\nmax_concurrent_per_account = 20\n"),
    ) else {
        return;
    };
    let mut server = Server::restart(Arc::clone(&disk.data));
    let caller = server.funded("10");
    let (key, account) = (caller.key.clone(), caller.account.clone());
    disk.leave_megabytes(0);
    let mut taken = Vec::new();
    let refused: Value = loop {
        let response = caller.post("/api/v1/order", &json!({ "platform": "google" }));
        if response.status() == 200 {
            taken.push(text(&body(response)["order_id"]));
            assert!(taken.len() < 20, "the disk is not full");
            continue;
        }
        assert_eq!(response.status(), 503);
        break body(response);
    };
    assert_eq!(refused["retryable"], true, "{refused}");
    let mut credits = 0;
    while credit(&server, &account) {
        credits += 1;
        // Some find room in pages and in a write-ahead log that are there already.
        assert!(credits < 500, "the disk is not full");
    }
    assert_eq!(server.get("/api/v1/health").send().unwrap().status(), 200, "{}", server.log());
    // Where not even the views can be written, what needs them is to be asked again.
    let read = caller.get("/api/v1/account");
    assert!(read.status() == 200 || body(read)["retryable"] == true);
    disk.make_room();
    // By itself: the first append that fits is taken.
    while caller.post("/api/v1/order", &json!({ "platform": "google" })).status() != 200 {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    server = server.kill_and_restart();
    let caller = Caller { server: &server, key, account };
    for order in taken {
        assert_eq!(caller.get(&format!("/api/v1/order/{order}")).status(), 200);
    }
    let verified = server.cli(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn writes_that_are_refused_for_want_of_room_are_told_and_the_next_ones_are_taken() {
    let data = Server::prepare(QUICK);
    // Of each thread, the writer's among them: what it writes from its 1 500th time on does not
    // fit, until the 1 503rd.
    let server =
        Server::tampered_calls(Arc::clone(&data), "pwrite64", "error=ENOSPC:when=1500..1503")
            .expect("it starts before its 1 500th write");
    let (mut taken, mut refused, mut since) = (Vec::new(), 0, 0);
    for _ in 0..3_000 {
        let response = server.post("/api/v1/register").json(&json!({})).send().unwrap();
        if response.status() == 200 {
            since += usize::from(refused > 0);
            taken.push(text(&body(response)["api_key"]));
        } else {
            assert_refused(response);
            refused += 1;
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        if since > 5 {
            break;
        }
    }
    assert!(refused > 0 && since > 5, "{refused} refused, {since} taken after that");
    let server = server.kill_traced_and_restart();
    for key in taken {
        assert_eq!(server.get("/api/v1/account").bearer_auth(&key).send().unwrap().status(), 200);
    }
    assert!(server.cli(&["audit", "verify"]).status.success());
}
