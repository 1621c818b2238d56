//! Secrets in the log under keys of their own: what the files hold, and what is left without the
//! keys.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use crate::server::{Caller, QUICK, Server, body, text};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const HOOK: &str = "https://hooks.example.com/of-nobody-else";

fn sealed() -> String {
    format!("{QUICK}[vault]\nkey = \"{KEY}\"\n")
}

/// The files of the directory that hold these bytes, by name.
pub fn holding(directory: &Path, secret: &str) -> Vec<String> {
    let mut found: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.ends_with("config.toml"))
        .filter(|path| {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
        })
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    found
}

/// What a stopped service's log says of its events, revealed.
fn told(data: &Arc<TempDir>) -> String {
    let listed = Server::cli_on(data, &["audit", "events", "--json", "--reveal"]);
    assert!(listed.status.success(), "{listed:?}");
    String::from_utf8(listed.stdout).unwrap()
}

fn configure(data: &Arc<TempDir>, from: &str, to: &str) {
    let path = data.path().join("config.toml");
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains(from));
    std::fs::write(path, written.replace(from, to)).unwrap();
}

#[test]
fn codes_texts_and_webhooks_are_in_no_file_and_their_owner_has_them() {
    let server = Server::start(&sealed());
    let caller = server.funded("10");
    let set = caller.request("PUT", "/api/v1/webhook").json(&json!({ "url": HOOK }));
    assert_eq!(set.send().unwrap().status(), 200);
    let order = text(&caller.google()["order_id"]);
    let done = caller.ended(&order);
    let (code, phone) = (text(&done["code"]), text(&done["phone"]));
    assert_eq!(done["status"], "completed");

    let (key, account) = (caller.key.clone(), caller.account.clone());
    let server = server.kill_and_restart();
    let caller = Caller { server: &server, key, account };
    let again = body(caller.get(&format!("/api/v1/order/{order}")));
    assert_eq!((again["code"].as_str(), again["phone"].as_str()), (Some(&*code), Some(&*phone)));
    assert_eq!(body(caller.get("/api/v1/account"))["webhook"], HOOK);
    let (_, data) = server.terminate();
    for secret in [HOOK, "is your Google verification code", &format!("G-{code}")] {
        assert_eq!(holding(data.path(), secret), Vec::<String>::new(), "{secret}");
    }
    // The views know an order's number, and nothing else of these.
    assert!(holding(data.path(), &phone).iter().all(|file| file.starts_with("views.db")));
    let told = told(&data);
    assert!(told.contains(&code) && told.contains(&phone));
    let audit = Server::cli_on(&data, &["audit", "verify"]);
    assert!(audit.status.success(), "{audit:?}");
}

#[test]
fn a_backup_holds_no_keys_and_does_not_start_without_them() {
    let server = Server::start(&sealed());
    let caller = server.funded("10");
    let done = caller.ended(&text(&caller.google()["order_id"]));
    let (code, phone) = (text(&done["code"]), text(&done["phone"]));
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy");
    let made = server.cli(&["backup", copy.to_str().unwrap()]);
    assert!(made.status.success(), "{made:?}");
    assert!(!copy.join("vault.db").exists());
    let (_, data) = server.terminate();

    let other = Server::prepare(&sealed());
    let restore = |data: &Arc<TempDir>| {
        let restored = Server::cli_on(data, &["restore", copy.to_str().unwrap()]);
        assert!(restored.status.success(), "{restored:?}");
    };
    restore(&other);
    for secret in [&*format!("G-{code}"), &*phone] {
        assert_eq!(holding(other.path(), secret), Vec::<String>::new(), "{secret}");
    }
    let refused = Server::refused(&other);
    assert!(refused.contains("vault.db is missing"), "{refused}");
    assert!(!told(&other).contains(&phone));
    let audit = Server::cli_on(&other, &["audit", "verify"]);
    assert!(audit.status.success(), "{audit:?}");

    // Beside the vault that was there, the log has its secrets again.
    restore(&data);
    assert!(told(&data).contains(&code));
}

#[test]
fn a_vault_s_key_must_be_there_and_the_right_one() {
    let (_, data) = Server::start(&sealed()).terminate();
    configure(&data, KEY, &KEY.replace('1', "2"));
    let refused = Server::refused(&data);
    assert!(refused.contains("under another key"), "{refused}");
    configure(&data, "[vault]\nkey = ", "[vault]\nkey_file = ");
    let refused = Server::refused(&data);
    assert!(refused.contains("vault.key_file"), "{refused}");
    let file = data.path().join("key-elsewhere");
    std::fs::write(&file, format!("{KEY}\n")).unwrap();
    configure(&data, &KEY.replace('1', "2"), file.to_str().unwrap());
    let (_, data) = Server::restart(data).terminate();
    configure(&data, "key_file", "credential = \"../a\"\n#");
    assert!(Server::refused(&data).contains("vault.credential"));
    configure(&data, "[vault]", "#[vault]");
    configure(&data, "credential", "#");
    let refused = Server::refused(&data);
    assert!(refused.contains("no key for it is configured"), "{refused}");
}

#[test]
fn a_vault_is_put_under_another_key_and_the_log_is_not_touched() {
    let server = Server::start(&sealed());
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    let code = text(&caller.ended(&order)["code"]);
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let file = server.data().join("key-to-come");
    std::fs::write(&file, "f0".repeat(32)).unwrap();
    let rotate = ["vault", "rotate", "--new-key-file", file.to_str().unwrap()];
    let running = server.cli(&rotate);
    assert!(!running.status.success(), "{running:?}");
    let (_, data) = server.terminate();
    let log = std::fs::read(data.path().join("events.db")).unwrap();
    let done = Server::cli_on(&data, &rotate);
    assert!(done.status.success(), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stdout).contains("512 keys"), "{done:?}");
    assert_eq!(std::fs::read(data.path().join("events.db")).unwrap(), log);
    assert!(Server::refused(&data).contains("under another key"));
    assert!(!Server::cli_on(&data, &rotate).status.success(), "it is under another key already");
    configure(&data, KEY, &"f0".repeat(32));
    let server = Server::restart(data);
    let caller = Caller { server: &server, key, account };
    assert_eq!(body(caller.get(&format!("/api/v1/order/{order}")))["code"], code);
    let (_, data) = server.terminate();
    std::fs::write(data.path().join("key-to-come"), "no key").unwrap();
    let senseless = Server::cli_on(&data, &rotate);
    assert!(String::from_utf8_lossy(&senseless.stderr).contains("holds no key"));
}

#[test]
fn a_log_whose_vault_is_lost_goes_on_and_its_views_are_built_anew() {
    let server = Server::start(&sealed());
    let caller = server.funded("10");
    let order = text(&caller.google()["order_id"]);
    caller.ended(&order);
    let (key, account) = (caller.key.clone(), caller.account.clone());
    let (_, data) = server.terminate();
    for file in ["vault.db", "vault.db-wal", "vault.db-shm"] {
        let _ = std::fs::remove_file(data.path().join(file));
    }
    let views = |data: &Arc<TempDir>| {
        for file in ["views.db", "views.db-wal", "views.db-shm"] {
            let _ = std::fs::remove_file(data.path().join(file));
        }
    };
    views(&data);
    let server = Server::start_with(data, &["--accept-loss"]);
    let (_, data) = server.terminate();
    views(&data);
    let server = Server::restart(data);
    let caller = Caller { server: &server, key, account };
    let shown = body(caller.get(&format!("/api/v1/order/{order}")));
    assert_eq!((&shown["status"], &shown["code"]), (&json!("completed"), &json!(null)));
    assert_eq!((&shown["messages_erased"], &shown["phone_erased"]), (&json!(true), &json!(true)));
    assert!(
        shown["phone"].is_null()
            && caller.get("/api/v1/orders").text().unwrap().contains("\"phone_erased\":true"),
        "{shown}"
    );
    assert!(caller.google()["phone"].as_str().unwrap().starts_with('+'));
}

#[test]
fn a_vault_that_is_damaged_or_of_another_stops_what_would_need_it_and_the_doctor_names_it() {
    let server = Server::start(&sealed());
    let caller = server.funded("10");
    caller.ended(&text(&caller.google()["order_id"]));
    assert!(server.log_when(|said| said.contains("the vault is on")).contains("vault"));
    let (_, data) = server.terminate();
    let path = data.path().join("vault.db");
    let whole = std::fs::read(&path).unwrap();
    let doctor = |data: &Arc<TempDir>| {
        let told = Server::cli_on(data, &["doctor", "--json"]);
        let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
        let findings = told["checks"].as_array().unwrap_or_else(|| panic!("{told}")).clone();
        let vault = findings.into_iter().find(|finding| finding["check"] == "vault");
        vault.unwrap_or_else(|| panic!("{told}"))
    };
    assert_eq!(doctor(&data)["status"], "ok", "{}", doctor(&data));
    for length in [0, 100, 4_096, whole.len() / 2] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let refused = Server::refused(&data);
        assert!(refused.contains("vault.db"), "{length}: {refused}");
        std::fs::write(&path, &whole[..length]).unwrap();
        if length > 0 {
            assert_eq!(doctor(&data)["status"], "wrong", "{length}");
        }
    }
    let mut flipped = whole.clone();
    flipped.iter_mut().skip(whole.len() / 2).step_by(64).for_each(|byte| *byte ^= 0x10);
    std::fs::write(&path, &flipped).unwrap();
    assert_eq!(doctor(&data)["status"], "wrong");
    let audit = Server::cli_on(&data, &["audit", "verify"]);
    assert!(audit.status.success(), "the log needs no vault: {audit:?}");
    std::fs::write(&path, &whole).unwrap();
    let server = Server::restart(data);
    assert!(server.cli(&["audit", "verify"]).status.success());
}

#[test]
fn a_key_beside_what_it_opens_or_that_everybody_reads_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let data = Server::prepare(QUICK);
    let file = data.path().join("key-here");
    std::fs::write(&file, KEY).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let config = data.path().join("config.toml");
    let written = std::fs::read_to_string(&config).unwrap();
    let table = format!("[vault]\nkey_file = \"{}\"\n", file.display());
    std::fs::write(&config, format!("{written}{table}")).unwrap();
    let server = Server::restart(Arc::clone(&data));
    let said = server.log_when(|said| said.contains("read by everybody"));
    assert!(said.contains("is in the data directory"), "{said}");
    let (_, data) = server.terminate();
    let doctor = Server::cli_on(&data, &["doctor"]);
    let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(told.contains("chmod 400") && told.contains("is in the data directory"), "{told}");
}
