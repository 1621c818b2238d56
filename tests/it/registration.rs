//! Who may open an account, and what is wanted of them: terms, invites, work, an operator's look.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::server::{QUICK, Server, body, text};

fn with(registration: &str) -> String {
    format!("{QUICK}[registration]\n{registration}\n")
}

fn register(server: &Server, asked: &Value) -> (u16, Value) {
    let answer = server.post("/api/v1/register").json(asked).send().unwrap();
    (answer.status().as_u16(), body(answer))
}

/// The refusal's detail, for programs.
fn refused(server: &Server, asked: &Value) -> Value {
    let (status, object) = register(server, asked);
    assert_eq!((status, object["error_code"].as_str()), (400, Some("INVALID_REQUEST")), "{object}");
    object["detail"]["registration"].clone()
}

fn done(output: &std::process::Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn shown(server: &Server, arguments: &[&str]) -> Value {
    serde_json::from_str(&done(&server.cli(arguments))).unwrap()
}

fn audit_is_lawful(server: &Server) {
    let audit = server.cli(&["audit", "verify"]);
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

/// A text whose hash with the challenge begins with so many zero bits.
fn solve(wanted: &Value) -> Value {
    let challenge = text(&wanted["challenge"]);
    let bits = wanted["difficulty"].as_u64().unwrap();
    let solution = (0..10_000_000u64).map(|number| number.to_string()).find(|solution| {
        let hash = Sha256::digest(format!("{challenge}:{solution}"));
        let head = u64::from_be_bytes(hash[..8].try_into().unwrap());
        u64::from(head.leading_zeros()) >= bits
    });
    json!({ "challenge": challenge, "solution": solution.unwrap() })
}

#[test]
fn a_closed_service_opens_no_account_and_serves_those_there_are() {
    let server = Server::start(&with("mode = \"open\""));
    let key = server.register().key;
    let (_, data) = server.terminate();
    let config = std::fs::read_to_string(data.path().join("config.toml")).unwrap();
    std::fs::write(data.path().join("config.toml"), config.replace("\"open\"", "\"closed\""))
        .unwrap();
    let server = Server::restart(data);
    let detail = refused(&server, &json!({}));
    assert_eq!(
        (detail["reason"].as_str(), detail["mode"].as_str()),
        (Some("closed"), Some("closed"))
    );
    assert_eq!(refused(&server, &json!({ "mode": "test" }))["reason"], "closed");
    assert_eq!(server.get("/api/v1/account").bearer_auth(key).send().unwrap().status(), 200);
}

#[test]
fn an_invite_opens_as_many_accounts_as_it_says_and_its_code_stands_nowhere() {
    let server = Server::start(&with("mode = \"invite\""));
    assert_eq!(refused(&server, &json!({}))["needs"], json!(["invite"]));
    let made = shown(&server, &["admin", "invite", "for ada", "--uses", "2", "--operator", "eve"]);
    let asked = json!({ "invite": made["code"] });
    for _ in 0..2 {
        assert_eq!(register(&server, &asked).0, 200);
    }
    assert_eq!(refused(&server, &asked)["reason"], "invite_not_valid");
    let listed = shown(&server, &["admin", "invites", "--json"]);
    assert_eq!(
        (listed["invites"][0]["used"].as_u64(), listed["invites"][0]["left"].as_u64()),
        (Some(2), Some(0))
    );
    // What stands in the log shows as what it is: no terminal is moved by a note or a reason.
    let id = text(&made["invite"]);
    let hidden = "a\u{1b}[2Jb";
    for call in
        [&["admin", "invite", hidden][..], &["admin", "revoke-invite", &id, "--reason", hidden]]
    {
        let output = server.cli(call);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("none of them hidden"), "{said}");
    }
    // A second one is revoked before anybody uses it.
    let other = shown(&server, &["admin", "invite", "for bob"]);
    let id = text(&other["invite"]);
    done(&server.cli(&["admin", "revoke-invite", &id, "--reason", "published"]));
    assert_eq!(refused(&server, &json!({ "invite": other["code"] }))["reason"], "invite_not_valid");
    audit_is_lawful(&server);
    let server = server.kill_and_restart();
    assert_eq!(refused(&server, &asked)["reason"], "invite_not_valid", "a restart forgets nothing");
    let code = text(&made["code"]);
    let holds = |path: std::path::PathBuf| {
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(code.len()).any(|window| window == code.as_bytes())
    };
    let files = std::fs::read_dir(server.data()).unwrap().map(|file| file.unwrap().path());
    assert!(files.filter(|path| path.is_file()).all(|path| !holds(path)));
}

#[test]
fn guesses_of_invites_are_counted_for_their_address() {
    let config = "[limits]\nper_ip_per_minute = 0\naccounts_per_ip_per_hour = 3\n[registration]\nmode = \"invite\"\n";
    let server = Server::start(config);
    let made = shown(&server, &["admin", "invite", "for ada"]);
    for guess in ["tni_a", "tni_b", &"x".repeat(5_000)] {
        assert_eq!(refused(&server, &json!({ "invite": guess }))["reason"], "invite_not_valid");
    }
    let (status, object) = register(&server, &json!({ "invite": made["code"] }));
    assert_eq!((status, object["error_code"].as_str()), (429, Some("RATE_LIMITED")));
}

#[test]
fn the_terms_that_are_accepted_are_those_of_today_and_stand_in_the_log() {
    let server = Server::start(&with(
        "terms_version = \"2026-11\"\nterms_url = \"https://sms.example.com/terms\"",
    ));
    let detail = refused(&server, &json!({}));
    assert_eq!(detail["terms"]["version"], "2026-11", "{detail}");
    assert_eq!(refused(&server, &json!({ "accept_terms": "2026-10" }))["reason"], "terms_changed");
    let (status, opened) = register(&server, &json!({ "accept_terms": "2026-11" }));
    assert_eq!(status, 200, "{opened}");
    let account = shown(&server, &["admin", "show", &text(&opened["account_id"])]);
    assert_eq!(account["accepted_terms"], "2026-11");
    let log = done(&server.cli(&["audit", "events", "--json", "--type", "AccountAdmitted"]));
    assert!(log.contains("\"terms\":\"2026-11\""), "{log}");
    audit_is_lawful(&server);
}

#[test]
fn work_is_done_once_for_each_account_and_a_refusal_says_how() {
    let server = Server::start(&with("proof_of_work_bits = 10"));
    let wanted = refused(&server, &json!({}));
    assert_eq!(wanted["needs"], json!(["proof_of_work"]));
    let answer = json!({ "proof_of_work": solve(&wanted["proof_of_work"]) });
    assert_eq!(register(&server, &answer).0, 200);
    assert_eq!(refused(&server, &answer)["reason"], "already_used");
    let given = body(server.get("/api/v1/register/challenge").send().unwrap());
    let fresh = json!({ "proof_of_work": solve(&given["proof_of_work"]) });
    let lazy = json!({ "proof_of_work": { "challenge": given["proof_of_work"]["challenge"], "solution": "" } });
    assert!(
        ["not_solved", "already_used"]
            .contains(&refused(&server, &lazy)["reason"].as_str().unwrap())
    );
    let mut forged = fresh.clone();
    forged["proof_of_work"]["challenge"] =
        json!(text(&fresh["proof_of_work"]["challenge"]).replacen("1.10.", "1.0.", 1));
    assert_eq!(refused(&server, &forged)["reason"], "unknown_challenge");
    // What an earlier process gave is not known after a restart: nothing is answered twice.
    let server = server.kill_and_restart();
    assert_eq!(refused(&server, &fresh)["reason"], "unknown_challenge");
}

#[test]
fn work_that_nobody_could_do_is_a_mistake_of_the_configuration() {
    let data = Server::prepare(&with("proof_of_work_bits = 60"));
    let said = Server::refused(&data);
    assert!(said.contains("registration.proof_of_work_bits"), "{said}");
}

#[test]
fn an_account_that_waits_reads_and_orders_once_an_operator_has_looked() {
    let server = Server::start(&with("mode = \"approval\""));
    let caller = server.register();
    let order = json!({ "platform": "google" });
    assert_eq!(caller.get("/api/v1/account").status(), 200);
    for (path, asked) in [
        ("/api/v1/order", &order),
        ("/api/v1/deposit/verify", &json!({ "tx_hash": "0f".repeat(32) })),
        ("/api/v1/batch", &json!({ "orders": [order] })),
        ("/api/v1/keys", &json!({ "name": "ci", "mode": "test" })),
    ] {
        let refused = body(caller.post(path, asked));
        assert_eq!(refused["error_code"], "INVALID_REQUEST", "{path} {refused}");
        assert_eq!(refused["detail"]["registration"]["status"], "awaiting_approval", "{path}");
    }
    assert_eq!(caller.get("/api/v1/deposit/addresses").status(), 400);
    let waiting = shown(&server, &["admin", "review", "--json"]);
    assert_eq!(waiting["accounts"][0]["account_id"], caller.account.as_str(), "{waiting}");
    let other = server.register();
    done(&server.cli(&["admin", "decline", &other.account, "--reason", "no answer"]));
    let refused = body(other.post("/api/v1/order", &order));
    assert_eq!(refused["detail"]["registration"]["status"], "declined");
    assert!(text(&refused["error"]).contains("no answer"), "{refused}");
    done(&server.cli(&["admin", "approve", &caller.account, "--reason", "called back"]));
    assert_eq!(shown(&server, &["admin", "review", "--json"])["accounts"], json!([]));
    done(&server.cli(&["admin", "credit", &caller.account, "5", "--reason", "test"]));
    caller.google();
    audit_is_lawful(&server);
}

#[test]
fn all_addresses_together_open_so_many_accounts_an_hour() {
    let server = Server::start(
        "[limits]\nper_ip_per_minute = 0\naccounts_per_hour = 2\n[http]\ntrusted_proxies = [\"127.0.0.1\"]\n",
    );
    let from = |address: &str| {
        let asked = server.post("/api/v1/register").header("x-forwarded-for", address);
        asked.json(&json!({})).send().unwrap().status().as_u16()
    };
    assert_eq!(["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(from), [200, 200, 429]);
}
