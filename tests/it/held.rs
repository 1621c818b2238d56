//! Messages of kinds that the operator holds back: told, not shown, not kept, not paid.

use std::path::Path;

use crate::inbound::{config, deliver, sms};
use crate::server::{Server, body, text};

const NUMBER: &str = "+12025550123";
const RESET: &str = "482913 is your Google password reset code";
const NAMED: &str = "Hello Wilhelmina, thank you for choosing Google";

fn holding(kinds: &str) -> Server {
    Server::start(&format!("{}[orders]\nhold = [{kinds}]\n", config(&[(NUMBER, "US")])))
}

/// Whether any file below `directory` has `wanted` in it.
fn holds(directory: &Path, wanted: &str) -> bool {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return holds(&path, wanted);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
    })
}

#[test]
fn a_held_code_ends_the_order_gives_the_money_back_and_is_kept_nowhere() {
    let server = holding(r#""password_reset", "person_name""#);
    let caller = server.funded("5");
    let before = caller.balance();
    let order = caller.google();
    let path = text(&order["check_status"]);
    assert!(deliver(&server, &sms("m1", NUMBER, NAMED)).status().is_success());
    let shown = body(caller.get(&path));
    assert_eq!((&shown["status"], &shown["sms"]), (&"active".into(), &serde_json::Value::Null));
    assert_eq!(shown["held"][0]["kinds"], serde_json::json!(["person_name"]));

    assert!(deliver(&server, &sms("m2", NUMBER, RESET)).status().is_success());
    let ended = caller.ended(&text(&order["order_id"]));
    assert_eq!(
        (&ended["status"], &ended["failure"], &ended["code"]),
        (&"failed".into(), &"message_held".into(), &serde_json::Value::Null)
    );
    assert_eq!(ended["refunded"], order["price"]);
    assert_eq!(ended["held"].as_array().unwrap().len(), 2);
    assert_eq!(caller.balance(), before);
    let events = caller.get(&format!("{path}/events")).text().unwrap();
    assert!(events.contains("sms_held") && !events.contains("482913"), "{events}");
    let stream = caller.get(&format!("{path}/stream")).text().unwrap();
    assert!(stream.contains(r#""event":"held""#) && !stream.contains("482913"), "{stream}");

    let listed = server.cli(&["numbers", "messages", "--json"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("\"held\"") && !listed.contains("Wilhelmina"), "{listed}");
    let (_, data) = server.terminate();
    for secret in [RESET, NAMED, "Wilhelmina"] {
        assert!(!holds(data.path(), secret), "{secret}");
    }
    let audited = Server::cli_on(&data, &["audit", "verify"]);
    assert!(audited.status.success(), "{}", String::from_utf8_lossy(&audited.stdout));
}

#[test]
fn who_waits_for_the_code_is_told_that_it_is_held() {
    let server = holding(r#""password_reset""#);
    let caller = server.funded("5");
    std::thread::scope(|scope| {
        let wanted = serde_json::json!({ "platform": "google" });
        let waiting = scope.spawn(move || caller.post("/api/v1/verify", &wanted));
        let taken = |number| {
            let answer = deliver(&server, &sms(&format!("m{number}"), NUMBER, RESET));
            body(answer)["outcome"] == "taken"
        };
        assert!((0..600).any(|number| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            taken(number)
        }));
        let answer = waiting.join().unwrap();
        assert_eq!(answer.status().as_u16(), 409);
        let told = body(answer);
        assert_eq!(told["error_code"], "INVALID_REQUEST");
        assert!(text(&told["error"]).contains("holds back (password_reset)"), "{told}");
        assert_eq!(told["order"]["failure"], "message_held");
    });
}

#[test]
fn a_verification_that_times_out_tells_what_is_held() {
    let server = holding(r#""person_name""#);
    let caller = server.funded("5");
    let key = serde_json::json!({
        "platform": "google", "timeout_seconds": 1, "idempotency_key": "one",
    });
    let waited = body(caller.post("/api/v1/verify", &key));
    assert_eq!((&waited["status"], &waited["held"]), (&"timeout".into(), &serde_json::json!([])));
    for id in ["m1", "m2", "m3"] {
        assert!(deliver(&server, &sms(id, NUMBER, NAMED)).status().is_success());
    }
    let waited = body(caller.post("/api/v1/verify", &key));
    assert_eq!(waited["held"].as_array().unwrap().len(), 1, "{waited}");
    assert_eq!(waited["held"][0]["kinds"], serde_json::json!(["person_name"]));
}

#[test]
fn the_command_line_tells_why_no_code_comes() {
    let server = holding(r#""person_name""#);
    let caller = server.funded("5");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"));
    command.args(["order", "google", "--wait"]);
    command.env("TELENUMERUS_URL", server.url("")).env("TELENUMERUS_API_KEY", &caller.key);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || command.output().unwrap());
        let taken = |number| {
            let coded = "Hello Wilhelmina, your Google code is 482913";
            let answer = deliver(&server, &sms(&format!("m{number}"), NUMBER, coded));
            body(answer)["outcome"] == "taken"
        };
        assert!((0..600).any(|number| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            taken(number)
        }));
        let ended = waiting.join().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            said.contains("failed; a message came") && said.contains("(person_name)"),
            "{said}"
        );
    });
}

#[test]
fn what_is_not_asked_for_passes() {
    let server = holding(r#""bank_transaction""#);
    let caller = server.funded("5");
    let order = caller.google();
    assert!(deliver(&server, &sms("m1", NUMBER, RESET)).status().is_success());
    assert_eq!(caller.ended(&text(&order["order_id"]))["code"], "482913");
}
