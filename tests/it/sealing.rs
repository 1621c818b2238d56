//! A log of before there was a vault, written anew under one.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::erasure::{KEY, done, is_lawful};
use crate::server::{Caller, QUICK, Server, body, text};
use crate::vault::holding;

const HOOK: &str = "https://hooks.example.com/of-nobody-else";

/// A stopped service's directory of before there was a vault, configured for one, with what stands
/// in the clear in it.
struct Former {
    data: Arc<TempDir>,
    key: String,
    account: String,
    order: String,
    code: String,
    phone: String,
    balance: (f64, f64),
}

fn former() -> Former {
    let server = Server::start(&format!("[orders]\nlisten_after_code_seconds = 0\n{QUICK}"));
    let caller = server.funded("10");
    let set = caller.request("PUT", "/api/v1/webhook").json(&json!({ "url": HOOK }));
    assert_eq!(set.send().unwrap().status(), 200);
    let order = text(&caller.google()["order_id"]);
    let ended = caller.ended(&order);
    let (code, phone, balance) = (text(&ended["code"]), text(&ended["phone"]), caller.balance());
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let (_, data) = server.terminate();
    let path = data.path().join("config.toml");
    let written = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{written}[vault]\nkey = \"{KEY}\"\n")).unwrap();
    Former { data, key, account, order, code, phone, balance }
}

/// A place where nothing is yet.
fn nowhere() -> Arc<TempDir> {
    let place = tempfile::tempdir().unwrap();
    std::fs::remove_dir(place.path()).unwrap();
    Arc::new(place)
}

fn migrate(data: &Arc<TempDir>, to: &Path) -> Output {
    Server::cli_on(data, &["vault", "migrate", to.to_str().unwrap(), "--operator", "ada"])
}

fn log_of(data: &Path) -> Vec<u8> {
    std::fs::read(data.join("events.db")).unwrap()
}

#[test]
fn a_log_in_the_clear_is_written_anew_under_keys_and_names_the_one_of_before() {
    let former = former();
    let before = log_of(former.data.path());
    let verified = Server::cli_on(&former.data, &["audit", "verify", "--json"]);
    let verified: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
    let to = nowhere();
    let done_so = migrate(&former.data, to.path());
    assert!(done_so.status.success(), "{done_so:?}");
    assert_eq!(log_of(former.data.path()), before, "the old one is not touched");
    let again = migrate(&former.data, to.path());
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already"), "{again:?}");
    // Whoever destroys the old directory then, as they are told to, would destroy the new one.
    let inside = former.data.path().join("new");
    let refused = migrate(&former.data, &inside);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("in the directory of the log"), "{said}");
    assert!(!inside.exists() && !former.data.path().join("new.unfinished").exists());

    for secret in [HOOK, &*format!("G-{}", former.code), &*former.phone] {
        assert!(!holding(former.data.path(), secret).is_empty(), "{secret}");
        assert_eq!(holding(to.path(), secret), Vec::<String>::new(), "{secret}");
    }
    let audit = Server::cli_on(&to, &["audit", "verify"]);
    let said = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert!(audit.status.success(), "{said}");
    let position = verified["events"].as_u64().unwrap();
    assert!(said.contains(&format!("the log of before ended at position {position} ")), "{said}");
    let listed = Server::cli_on(&former.data, &["audit", "verify"]);
    assert!(listed.status.success(), "{listed:?}");

    let server = Server::restart(to);
    let caller = Caller { server: &server, key: former.key, account: former.account };
    let shown = body(caller.get(&format!("/api/v1/order/{}", former.order)));
    assert_eq!((&shown["code"], &shown["phone"]), (&json!(former.code), &json!(former.phone)));
    assert_eq!(caller.balance(), former.balance);
    assert_eq!(body(caller.get("/api/v1/account"))["webhook"], HOOK);
    done(&server, &["admin", "erase-order", &former.order]);
    let shown = body(caller.get(&format!("/api/v1/order/{}", former.order)));
    assert_eq!((&shown["messages_erased"], &shown["phone_erased"]), (&json!(true), &json!(true)));
    is_lawful(&server);
    assert_eq!(caller.balance(), former.balance);
}

#[test]
fn a_kill_in_the_middle_leaves_the_old_log_and_the_next_try_makes_the_new_one() {
    let former = former();
    let before = log_of(former.data.path());
    let to = nowhere();
    for millis in [0, 5, 20] {
        let mut child =
            Server::command_on(&former.data, &["vault", "migrate", to.path().to_str().unwrap()])
                .spawn()
                .unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        let _ = child.kill();
        child.wait().unwrap();
        assert_eq!(log_of(former.data.path()), before);
        if to.path().exists() {
            // It was faster than the kill: then it is whole.
            assert!(Server::cli_on(&to, &["audit", "verify"]).status.success());
            std::fs::remove_dir_all(to.path()).unwrap();
        }
    }
    assert!(migrate(&former.data, to.path()).status.success());
    assert!(Server::cli_on(&to, &["audit", "verify"]).status.success());
}

#[test]
fn somebody_else_s_directory_is_left_alone_and_a_log_needs_a_key() {
    let former = former();
    let to = nowhere();
    let name = format!("{}.unfinished", to.path().display());
    std::fs::create_dir(&name).unwrap();
    std::fs::write(format!("{name}/mine"), "mine").unwrap();
    let refused = migrate(&former.data, to.path());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is there already"), "{refused:?}");
    assert!(std::fs::exists(format!("{name}/mine")).unwrap());
    std::fs::remove_dir_all(&name).unwrap();
    let path = former.data.path().join("config.toml");
    let written = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, written.replace("[vault]\nkey", "#")).unwrap();
    let refused = migrate(&former.data, to.path());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("names no key"), "{refused:?}");
}
