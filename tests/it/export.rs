//! What is taken out of the log to be handed on: of one account, one number or a period, signed,
//! never with anything of another account, and in the log before anybody has it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::inbound;
use crate::server::{Caller, QUICK, Server, body, text};

const ADA: &str = "token-of-ada-which-is-long-enough";
const VIEWER: &str = "token-of-vera-which-is-long-enough";

/// The lines of an export that the command has made.
fn exported(server: &Server, what: &[&str]) -> String {
    let done = server.cli(&[&["export"], what, &["--reason", "request 7"]].concat());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// What the verifier says of these bytes: an error is its refusal.
fn verified(directory: &Path, bytes: &str, flags: &[&str]) -> Result<String, String> {
    let path = directory.join("checked.jsonl");
    std::fs::write(&path, bytes).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/verify-export.py");
    let done = Command::new("python3").arg(script).arg(path).args(flags).output().unwrap();
    let said = |text: Vec<u8>| String::from_utf8(text).unwrap();
    if done.status.success() { Ok(said(done.stdout)) } else { Err(said(done.stderr)) }
}

/// The facts of exports that stand in the log.
fn facts(server: &Server) -> Vec<Value> {
    let shown = server.cli(&["audit", "events", "--json", "--type", "DataExported", "--reveal"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn assert_has(export: &str, wanted: &[&str], strange: &[&str]) {
    for word in wanted {
        assert!(export.contains(word), "{word} is missing in {export}");
    }
    for word in strange {
        assert!(!export.contains(word), "{word} stands in {export}");
    }
}

/// An order on the number, with a message of these words.
fn served(caller: &Caller<'_>, platform: &str, number: &str, message: &str) -> String {
    let order = text(&caller.order(&json!({ "platform": platform }))["order_id"]);
    let said = inbound::sms(&format!("m-{order}"), number, message);
    assert_eq!(inbound::deliver(caller.server, &said).status(), 200);
    caller.ended(&order);
    caller.finish(&order);
    order
}

#[test]
fn an_export_has_what_is_its_own_and_nothing_of_another_account() {
    let (first, second) = ("+12025550123", "+12025550124");
    let server = Server::start(&inbound::config(&[(first, "US")]));
    let (ada, bob) = (server.funded("10"), server.funded("10"));
    let of_ada = served(&ada, "google", first, "G-482913 is your Google code. canary-of-ada");
    let of_bob = served(&bob, "discord", first, "Your Discord code is 771204. canary-of-bob");
    let import = server.data().join("numbers.csv");
    std::fs::write(&import, format!("number,country\n{second},US\n")).unwrap();
    let imported = server.cli(&["numbers", "import", import.to_str().unwrap()]);
    assert!(imported.status.success(), "{imported:?}");
    let stray = inbound::sms("m-stray", first, "too late, canary-of-nobody");
    assert_eq!(inbound::deliver(&server, &stray).status(), 200);

    let account = exported(&server, &["account", &ada.account]);
    let own = [ada.account.as_str(), &of_ada, "canary-of-ada", "482913", first, "AccountCredited"];
    let strange = [
        bob.account.as_str(),
        &of_bob,
        "canary-of-bob",
        "771204",
        "canary-of-nobody",
        &bob.account[4..],
        "whsec_",
        "key_hash",
        &ada.key,
    ];
    assert_has(&account, &own, &strange);
    let number = exported(&server, &["number", first]);
    let on_it = ["canary-of-ada", "canary-of-bob", &of_ada, &of_bob, "canary-of-nobody"];
    assert_has(&number, &on_it, &["AccountCredited", "HoldTaken", "AccountRegistered", "whsec_"]);
    let other = exported(&server, &["number", second]);
    assert_has(&other, &["NumberListed"], &["canary", &ada.account[4..], &bob.account[4..]]);
    let period = exported(&server, &["period", "2020-01-01", "2200-01-01"]);
    let hidden = ["canary", "482913", "771204", "whsec_"];
    assert_has(&period, &[&of_ada, &of_bob, "OrderSmsReceived"], &hidden);
    for line in period.lines().filter(|line| line.contains("OrderSmsReceived")) {
        assert_has(line, &[], &["digest", "chain"]);
    }
    for export in [&account, &number, &other, &period] {
        let said = verified(&server.data(), export, &[]).unwrap();
        assert!(said.contains("whole and as they were signed"), "{said}");
    }
    assert!(server.cli(&["audit", "verify"]).status.success());
}

#[test]
fn an_export_stands_in_the_log_with_who_why_and_its_digest_whether_the_service_runs_or_not() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    caller.ended(&text(&caller.google()["order_id"]));
    let key = server.cli(&["audit", "anchors", "--show-key"]);
    let key = String::from_utf8(key.stdout).unwrap();
    let running = exported(&server, &["account", &caller.account, "--operator", "ada"]);
    for refused in [
        &["account", "acc_0000000000000000000001"][..],
        &["account", "acc_1"],
        &["number", "12025550123"],
        &["period", "2026-11-02", "2026-11-01"],
    ] {
        let done = server.cli(&[&["export"], refused, &["--reason", "request 7"]].concat());
        assert!(!done.status.success() && done.stdout.is_empty(), "{refused:?}");
    }
    let silent = server.cli(&["export", "account", &caller.account, "--reason", " "]);
    assert!(!silent.status.success() && silent.stdout.is_empty(), "{silent:?}");
    assert_eq!(facts(&server).len(), 1);

    let account = caller.account.clone();
    let (_, data) = server.terminate();
    let out = data.path().join("export.jsonl");
    let to_file = ["--reason", "request 8", "--out", out.to_str().unwrap()];
    let nobody = [&["export", "account", "acc_0000000000000000000001"][..], &to_file].concat();
    let refused = Server::cli_on(&data, &nobody);
    assert!(!refused.status.success() && !out.exists(), "{refused:?}");
    let ask = ["export", "account", &account, "--reason", "request 8", "--operator", "bob"];
    let ask = [&ask[..], &["--out", out.to_str().unwrap()]].concat();
    let done = Server::cli_on(&data, &ask);
    assert!(done.status.success(), "{done:?}");
    let again = Server::cli_on(&data, &ask);
    assert!(!again.status.success(), "what is there is not written over");
    let stopped = std::fs::read_to_string(&out).unwrap();
    let server = Server::restart(data);
    let facts = facts(&server);
    assert_eq!(facts.len(), 2, "{facts:?}");
    for (fact, export, who, why) in [
        (&facts[0], &running, "operator:ada", "request 7"),
        (&facts[1], &stopped, "operator:bob", "request 8"),
    ] {
        let last: Value = serde_json::from_str(export.lines().last().unwrap()).unwrap();
        let header: Value = serde_json::from_str(export.lines().next().unwrap()).unwrap();
        let data = &fact["data"];
        assert_eq!((fact["actor"].as_str(), data["reason"].as_str()), (Some(who), Some(why)));
        assert_eq!(data["scope"], json!({ "kind": "account", "account": account }));
        assert_eq!((&data["digest"], &data["records"]), (&last["sha256"], &last["count"]));
        assert_eq!(data["head"], header["anchor"]["position"]);
        verified(&server.data(), export, &["--key", &key]).unwrap();
    }
    // The anchor of the first line is one as any other.
    let header: Value = serde_json::from_str(running.lines().next().unwrap()).unwrap();
    let anchor: PathBuf = server.data().join("anchor.jsonl");
    std::fs::write(&anchor, format!("{}\n", header["anchor"])).unwrap();
    let walked = server.cli(&["audit", "verify", "--from", anchor.to_str().unwrap()]);
    assert!(walked.status.success(), "{walked:?}");
    assert!(server.cli(&["audit", "verify"]).status.success());
}

#[test]
fn a_line_that_was_changed_cut_moved_or_repeated_is_found() {
    let server = Server::start(QUICK);
    let caller = server.funded("10");
    caller.ended(&text(&caller.google()["order_id"]));
    let export = exported(&server, &["account", &caller.account]);
    let lines: Vec<String> = export.lines().map(|line| format!("{line}\n")).collect();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        lines.concat()
    };
    let count = lines.len();
    let changed_header = lines[0].replace("full", "hidden");
    let signed_again = lines[count - 1].replace("\"count\":", "\"count\":1");
    let hostile = lines[1].replace("\"position\":", "\"position\":\"x\",\"was\":");
    for (what, spoiled) in [
        ("an amount", export.replacen("\"10\"", "\"99\"", 1)),
        ("the header", with(&|lines| lines[0].clone_from(&changed_header))),
        ("the signature", with(&|lines| lines[count - 1].clone_from(&signed_again))),
        ("hostile", with(&|lines| lines[1].clone_from(&hostile))),
        ("no last line", lines[..count - 1].concat()),
        ("no first line", lines[1..].concat()),
        ("a line left out", with(&|lines| drop(lines.remove(3)))),
        ("the first record left out", with(&|lines| drop(lines.remove(1)))),
        ("the last record left out", with(&|lines| drop(lines.remove(count - 2)))),
        ("two lines in each other's place", with(&|lines| lines.swap(2, 3))),
        ("a line twice", with(&|lines| lines.insert(2, lines[2].clone()))),
        ("a line behind the last", with(&|lines| lines.push(lines[2].clone()))),
        ("cut in a line", export[..export.len() - 3].to_owned()),
        ("empty", String::new()),
        ("no export", "{}\n{}\n{}\n".to_owned()),
        ("no lists", "[]\n[]\n[]\n".to_owned()),
    ] {
        assert_ne!(spoiled, export, "{what}");
        let refused = verified(&server.data(), &spoiled, &[]);
        assert!(!refused.as_ref().unwrap_err().contains("Traceback"), "{what}: {refused:?}");
    }
    let stranger = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let refused = verified(&server.data(), &export, &["--key", stranger]);
    assert!(refused.unwrap_err().contains("another key"));
}

#[test]
fn an_operator_s_call_exports_and_a_viewer_s_does_not() {
    let tokens = format!(
        "[[admin.tokens]]\nname = \"ada\"\ntoken = \"{ADA}\"\nrole = \"operator\"\n\
         [[admin.tokens]]\nname = \"vera\"\ntoken = \"{VIEWER}\"\nrole = \"viewer\"\n"
    );
    let server = Server::start(&format!("{QUICK}{tokens}"));
    let caller = server.funded("10");
    let ask = |token: &str, asked: &Value| {
        let url = format!("http://{}/admin/v1/export", server.admin());
        crate::server::client().post(url).bearer_auth(token).json(asked).send().unwrap()
    };
    let wanted = json!({ "account": caller.account, "reason": "request 7", "operator": "x" });
    assert_eq!(ask(VIEWER, &wanted).status(), 403);
    for (member, value) in [
        ("reason", json!("")),
        ("reason", json!("a\nb")),
        ("number", json!("+12025550123")),
        ("account", json!("acc_1")),
        ("account", json!("acc_0000000000000000000001")),
    ] {
        let mut wrong = wanted.clone();
        wrong[member] = value;
        let refused = ask(ADA, &wrong);
        assert_eq!(refused.status(), 400, "{wrong}");
        assert!(body(refused)["error"].is_string());
    }
    assert!(facts(&server).is_empty());
    let export = ask(ADA, &wanted).text().unwrap();
    verified(&server.data(), &export, &[]).unwrap();
    assert_eq!(facts(&server)[0]["actor"], "operator:ada");
}

#[test]
fn an_owner_reads_all_that_is_kept_of_the_account_and_nothing_else() {
    let number = "+12025550123";
    let server = Server::start(&inbound::config(&[(number, "US")]));
    let (ada, bob) = (server.funded("10"), server.funded("10"));
    let of_ada = served(&ada, "google", number, "G-482913 is your Google code. canary-of-ada");
    let of_bob = served(&bob, "discord", number, "Your Discord code is 771204. canary-of-bob");
    let reason = format!("same person as {} canary-of-operator", bob.account);
    let noted = server.cli(&["admin", "class", &ada.account, "trusted", "--reason", &reason]);
    assert!(noted.status.success(), "{noted:?}");
    let whole = ada.get("/api/v1/account/export?limit=200").text().unwrap();
    let own = [&*of_ada, "canary-of-ada", "482913", number, "AccountCredited", "AccountClassSet"];
    let strange = [
        &*of_bob,
        "canary-of-bob",
        "canary-of-operator",
        "771204",
        &bob.account[4..],
        "whsec_",
        "supplier",
        &ada.key,
    ];
    assert_has(&whole, &own, &strange);
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert!(whole["next_cursor"].is_null(), "{whole}");
    let (mut paged, mut path) = (Vec::new(), "/api/v1/account/export?limit=3".to_owned());
    loop {
        let page = body(ada.get(&path));
        paged.extend(page["events"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/account/export?limit=3&cursor={cursor}");
    }
    assert_eq!(json!(paged), whole["events"]);
    let numbers: Vec<u64> = paged.iter().map(|event| event["event"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=paged.len() as u64).collect::<Vec<_>>());
    assert_eq!(ada.get("/api/v1/account/export?cursor=99999").status(), 404);
    for cursor in ["x", "0", "-1"] {
        let refused = ada.get(&format!("/api/v1/account/export?cursor={cursor}"));
        assert_eq!(refused.status(), 400, "{cursor}");
    }
    assert_eq!(server.get("/api/v1/account/export").send().unwrap().status(), 401);
    assert!(facts(&server).is_empty(), "whoever reads the own account is not recorded");
}
