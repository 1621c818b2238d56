//! kill -9, restarts, lost views, edited logs: what was acknowledged is still there, and says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::server::{Caller, QUICK, SILENT, Server, body, text};

fn again<'a>(server: &'a Server, key: &str, account: &str) -> Caller<'a> {
    Caller { server, key: key.to_owned(), account: account.to_owned() }
}

#[test]
fn an_open_order_goes_on_after_a_kill() {
    let server = Server::start(&QUICK.replace("[0.05, 0.1]", "[1.0, 1.5]"));
    let (key, account, order) = {
        let caller = server.funded("10");
        (caller.key.clone(), caller.account.clone(), text(&caller.google()["order_id"]))
    };
    let server = server.kill_and_restart();
    let caller = again(&server, &key, &account);
    assert_eq!(caller.ended(&order)["status"], "completed");
    assert_eq!(caller.balance(), (9.5, 0.0));
    assert!(server.cli(&["audit", "verify"]).status.success());
}

#[test]
fn an_order_that_expired_while_the_service_was_down_gives_its_hold_back() {
    let server = Server::start(&format!("{SILENT}[orders]\nlifetime_seconds = 1\n"));
    let (key, account, order) = {
        let caller = server.funded("10");
        (caller.key.clone(), caller.account.clone(), text(&caller.google()["order_id"]))
    };
    let (_, data) = server.terminate();
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    let server = Server::restart(data);
    let caller = again(&server, &key, &account);
    assert_eq!(caller.ended(&order)["status"], "expired");
    assert_eq!(caller.balance(), (10.0, 0.0));
}

#[test]
fn views_that_were_deleted_are_built_again_the_same() {
    let server = Server::start(QUICK);
    let (key, account, before) = {
        let caller = server.funded("10");
        for platform in ["google", "discord"] {
            let order = text(&caller.order(&json!({ "platform": platform }))["order_id"]);
            caller.ended(&order);
        }
        (caller.key.clone(), caller.account.clone(), body(caller.get("/api/v1/account")))
    };
    let directory = server.data();
    let (_, data) = server.terminate();
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(directory.join(format!("views.db{suffix}")));
    }
    let server = Server::restart(data);
    assert_eq!(body(again(&server, &key, &account).get("/api/v1/account")), before);
    let server = {
        std::fs::write(
            directory.join("views.db"),
            b"this was a database once, and then a disk failed",
        )
        .unwrap();
        server.kill_and_restart()
    };
    assert_eq!(body(again(&server, &key, &account).get("/api/v1/account")), before);
}

/// Orders one after the other until the service is gone; what was answered, each with its caller.
fn orders_until(
    server: &Server,
    stop: &std::sync::atomic::AtomicBool,
    index: usize,
    key: &str,
) -> Vec<(usize, String, Value)> {
    let mut told = Vec::new();
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        let Ok(response) = server
            .post("/api/v1/order")
            .bearer_auth(key)
            .json(&json!({ "platform": "google" }))
            .send()
        else {
            break;
        };
        if response.status() != 200 {
            continue;
        }
        let Ok(order) = response.json::<Value>() else { break };
        let id = text(&order["order_id"]);
        told.push((index, id.clone(), json!({ "phone": order["phone"] })));
        let Ok(response) =
            server.get(&format!("/api/v1/order/{id}?wait=5")).bearer_auth(key).send()
        else {
            break;
        };
        let Ok(reply) = response.json::<Value>() else { break };
        if reply["status"] == "completed" {
            told.push((index, id, json!({ "phone": order["phone"], "code": reply["code"] })));
        }
    }
    told
}

#[test]
fn nothing_acknowledged_is_lost_through_kills_at_random_moments() {
    let mut server = Server::start(&QUICK.replace("[0.05, 0.1]", "[0.0, 0.3]"));
    let accounts: Vec<(String, String)> = (0..6)
        .map(|_| {
            let caller = server.funded("100");
            (caller.key.clone(), caller.account.clone())
        })
        .collect();
    // What was answered, kept outside: order -> the last thing said of it.
    let mut told: BTreeMap<String, (usize, Value)> = BTreeMap::new();
    for round in 0..5u64 {
        let pid_signal = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let workers: Vec<_> = accounts
                .iter()
                .enumerate()
                .map(|(index, (key, _))| {
                    let (server, stop) = (&server, &pid_signal);
                    scope.spawn(move || orders_until(server, stop, index, key))
                })
                .collect();
            std::thread::sleep(std::time::Duration::from_millis(150 + round * 130));
            server.signal("-KILL");
            pid_signal.store(true, std::sync::atomic::Ordering::Relaxed);
            for worker in workers {
                for (index, id, said) in worker.join().unwrap() {
                    told.insert(id, (index, said));
                }
            }
        });
        server = server.kill_and_restart();
    }
    assert!(told.len() >= 20, "only {} orders: too few to prove anything", told.len());
    for (id, (index, said)) in &told {
        let (key, account) = &accounts[*index];
        let ended = again(&server, key, account).ended(id);
        assert_eq!(ended["phone"], said["phone"], "{id}");
        if said["code"].is_string() {
            assert_eq!(
                (&ended["code"], ended["status"].as_str()),
                (&said["code"], Some("completed")),
                "{id}"
            );
        }
    }
    for (key, account) in &accounts {
        assert!(again(&server, key, account).balance().1 <= 0.5);
    }
    let verified = server.cli(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_machine_that_slept_expires_what_is_due_when_it_wakes() {
    let server = Server::start(&format!("{SILENT}[orders]\nlifetime_seconds = 2\n"));
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    server.signal("-STOP");
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    server.signal("-CONT");
    assert_eq!(caller.ended(&order)["status"], "expired");
    assert_eq!(caller.balance(), (10.0, 0.0));
}

/// What was answered before the service died: accounts with their keys, and the orders each was
/// given.
fn use_until_death(server: &Server, accounts: usize) -> Vec<(String, String, Vec<String>)> {
    let mut told = Vec::new();
    let call = |request: reqwest::blocking::RequestBuilder| {
        request
            .send()
            .ok()
            .filter(|response| response.status() == 200)
            .and_then(|response| response.json::<Value>().ok())
    };
    for _ in 0..accounts {
        let Some(registered) = call(server.post("/api/v1/register").json(&json!({}))) else {
            return told;
        };
        let (key, account) = (text(&registered["api_key"]), text(&registered["account_id"]));
        told.push((key.clone(), account.clone(), Vec::new()));
        if !server.cli(&["admin", "credit", &account, "10", "--reason", "test"]).status.success() {
            return told;
        }
        let Some(order) = call(
            server.post("/api/v1/order").bearer_auth(&key).json(&json!({ "platform": "google" })),
        ) else {
            return told;
        };
        told.last_mut().unwrap().2.push(text(&order["order_id"]));
        let _ = call(
            server
                .get(&format!("/api/v1/order/{}?wait=5", text(&order["order_id"])))
                .bearer_auth(&key),
        );
    }
    told
}

#[test]
fn a_kill_at_any_sync_loses_nothing_that_was_answered() {
    let mut deaths = 0;
    for sync in 1..=10 {
        let data = Server::prepare(QUICK);
        let told = match Server::tampered(Arc::clone(&data), &format!("signal=SIGKILL:when={sync}"))
        {
            Some(server) => use_until_death(&server, 3),
            None => Vec::new(),
        };
        deaths += usize::from(told.len() < 3 || told.last().is_some_and(|last| last.2.is_empty()));
        let server = Server::restart(data);
        for (key, account, orders) in told {
            let caller = again(&server, &key, &account);
            assert_eq!(caller.get("/api/v1/account").status(), 200, "sync {sync}");
            for order in orders {
                assert_eq!(caller.ended(&order)["status"], "completed", "sync {sync}");
            }
        }
        assert!(server.cli(&["audit", "verify"]).status.success(), "sync {sync}");
    }
    assert!(deaths >= 5, "only {deaths} deaths: the kills did not strike");
}

#[test]
fn a_sync_that_fails_ends_the_service_and_is_not_answered() {
    let data = Server::prepare(QUICK);
    let mut server = Server::tampered(Arc::clone(&data), "error=EIO:when=20+")
        .expect("it starts before its twentieth sync");
    let told = use_until_death(&server, 12);
    assert!(told.len() < 12, "it went on after a failed sync");
    assert_eq!(server.exit_code(), Some(70));
    assert!(server.log().contains("could not be synced"), "{}", server.log());
    drop(server);
    let server = Server::restart(data);
    for (key, account, _) in told {
        assert_eq!(again(&server, &key, &account).get("/api/v1/account").status(), 200);
    }
}

#[test]
fn signals_that_mean_nothing_here_end_no_service_and_are_said_once() {
    let server = Server::start(QUICK);
    for _ in 0..3 {
        for signal in ["-HUP", "-USR1", "-USR2"] {
            server.signal(signal);
        }
    }
    for signal in ["SIGHUP", "SIGUSR1", "SIGUSR2"] {
        server.log_when(|log| log.contains(signal));
    }
    assert_eq!(server.get("/livez").send().unwrap().status(), 200);
    let log = server.log();
    assert_eq!(log.matches("a signal is ignored").count(), 3, "{log}");
}
