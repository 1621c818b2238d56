//! The pools' numbers on the command line: imported with a report of every line, shown, retired.

use serde_json::json;

use crate::server::{Server, body, text};

const CONFIG: &str = "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[suppliers.simulator]\nenabled = false
[suppliers.own]\nsends_times = true\ninbound_secret = \"whsec_0123456789abcdef\"\n[[suppliers.own.numbers]]\nnumber = \"+12025550100\"\ncountry = \"US\"\nplatforms = [\"steam\"]\n";

fn run(server: &Server, arguments: &[&str]) -> (bool, String) {
    let done = server.cli(arguments);
    (
        done.status.success(),
        String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap(),
    )
}

fn import(server: &Server, file: &str) -> (bool, String) {
    let path = server.data().join("numbers.csv");
    std::fs::write(&path, file).unwrap();
    run(server, &["numbers", "import", path.to_str().unwrap(), "--operator", "tester"])
}

#[test]
fn every_line_is_taken_or_said_why_not() {
    let server = Server::start(CONFIG);
    let file = "\u{feff}number,country,platforms,supplier
+1 202 555 0101,us,google;discord,
+12025550102,US,,own
nonsense,US,,
+12025550103,XX,,
+4917139200123,US,,
+12025550101,US,,
+12025550100,US,,
+12025550104,US,myspace,
+12025550105,US,,twilio
+12025550106,US
,US,,
\"+12025550107\",US,\"google steam\",own
";
    let (taken, said) = import(&server, file);
    assert!(!taken, "{said}");
    let lines: Vec<&str> = said.lines().collect();
    for (line, why) in [
        (4, "not an E.164 number"),
        (5, "XX"),
        (6, "not one of US"),
        (7, "stands in line 2 already"),
        (8, "the configuration lists the number"),
        (9, "myspace"),
        (10, "no source named twilio has a pool"),
        (11, "it has 2 fields"),
        (12, "not an E.164 number"),
    ] {
        let said = lines
            .iter()
            .find(|said| said.starts_with(&format!("line {line}: ")))
            .unwrap_or_else(|| panic!("line {line}: {said}"));
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(lines.last(), Some(&"3 listed, 0 as they were, 9 rejected"), "{said}");
    // Once more: nothing new, and no event.
    let (_, said) = import(&server, "number,country\n+12025550102,US\n");
    assert_eq!(said, "0 listed, 1 as they were, 0 rejected\n");
    // A spreadsheet's line ends count as one line each.
    for end in ["\r\n", "\r"] {
        let (_, said) = import(
            &server,
            &["number,country", "+12025550102,US", "nonsense,US", "+12025550109,XX", ""].join(end),
        );
        assert!(
            said.contains("line 3: number \"nonsense\"")
                && said.contains("line 4: ")
                && said.contains("0 listed, 1 as they were, 2 rejected"),
            "{said}"
        );
    }
    for (file, why) in [
        ("phone,country\n", "must name the columns"),
        ("number,country,note\n", "no column \"note\""),
    ] {
        let (taken, said) = import(&server, file);
        assert!(!taken && said.contains(why), "{said}");
    }
    let (_, said) = import(&server, "number,country\n+12025550108,US\n");
    assert_eq!(said, "1 listed, 0 as they were, 0 rejected\n");
    assert!(run(&server, &["audit", "verify"]).0);
}

#[test]
fn imported_numbers_serve_at_once_and_after_a_restart_until_they_are_retired() {
    let server = Server::start(CONFIG);
    assert!(import(&server, "number,country,platforms\n+12025550101,US,google\n").0);
    let caller = server.funded("5");
    let order = caller.google();
    assert_eq!(order["phone"], "+12025550101");
    let message = json!({
        "id": "m1", "to": "+12025550101", "from": "Google",
        "text": "G-482913 is your Google verification code.",
    })
    .to_string();
    let signature = crate::inbound::signature("whsec_0123456789abcdef", &message);
    let answer = server
        .post("/inbound/v1/own")
        .header("X-Webhook-Signature", signature)
        .body(message)
        .send()
        .unwrap();
    assert_eq!(body(answer)["outcome"], "taken");
    caller.ended(&text(&order["order_id"]));
    assert!(run(&server, &["numbers", "list"]).1.lines().nth(2).unwrap().contains("listening"));
    caller.finish(&text(&order["order_id"]));
    let (_, listed) = run(&server, &["numbers", "list"]);
    let lines: Vec<&str> = listed.lines().skip(1).collect();
    assert!(
        lines[0].starts_with("+12025550100")
            && lines[0].ends_with("steam")
            && lines[0].contains("free"),
        "{listed}"
    );
    assert!(lines[1].contains("cooling") && lines[1].contains("rests from google"), "{listed}");
    let key = caller.key.clone();
    let server = server.kill_and_restart();
    let (_, again) = run(&server, &["numbers", "list", "--supplier", "own"]);
    assert_eq!(again, listed);
    assert!(import(&server, "number,country,platforms\n+12025550102,US,google\n").0);
    let google = json!({ "platform": "google" });
    let asked = server.post("/api/v1/order").bearer_auth(&key).json(&google);
    let order = body(asked.send().unwrap());
    assert_eq!(order["phone"], "+12025550102");
    let (retired, said) = run(
        &server,
        &["numbers", "retire", "+12025550102", "--reason", "sold", "--operator", "tester"],
    );
    assert!(retired, "{said}");
    // The order that has it keeps it to its end.
    let shown = server.get(&format!("/api/v1/order/{}", text(&order["order_id"])));
    let open = body(shown.bearer_auth(&key).send().unwrap());
    assert_eq!((&open["status"], &open["phone"]), (&json!("active"), &json!("+12025550102")));
    for (number, why) in
        [("+12025550102", "no pool has the number"), ("+12025550100", "take it out there")]
    {
        let (retired, said) = run(&server, &["numbers", "retire", number, "--reason", "sold"]);
        assert!(!retired && said.contains(why), "{said}");
    }
    let server = server.kill_and_restart();
    assert!(!run(&server, &["numbers", "list"]).1.contains("+12025550102"));
    let (_, retired) = run(&server, &["numbers", "list", "--retired", "--supplier", "own"]);
    assert!(
        retired.lines().count() == 2
            && retired.lines().nth(1).unwrap().starts_with("+12025550102")
            && retired.contains("\"sold\""),
        "{retired}"
    );
    assert!(run(&server, &["audit", "verify"]).0);
}

#[test]
fn messages_that_gave_no_order_its_code_are_found_without_their_numbers() {
    let server = Server::start(CONFIG);
    let caller = server.funded("5");
    let order = text(&caller.order(&json!({ "platform": "steam" }))["order_id"]);
    let deliver = |id: &str, to: &str, said: &str| {
        let message = json!({ "id": id, "to": to, "from": "Sender", "text": said }).to_string();
        let signature = crate::inbound::signature("whsec_0123456789abcdef", &message);
        let answer = server
            .post("/inbound/v1/own")
            .header("X-Webhook-Signature", signature)
            .body(message)
            .send()
            .unwrap();
        text(&body(answer)["outcome"])
    };
    deliver("m1", "+447700900123", "whose is it? 111222");
    deliver("m2", "+12025550100", "Your Discord verification code is 555666");
    deliver("m3", "+12025550100", "hello\u{1b}[2J");
    deliver("m4", "+12025550100", "Your Steam verification code is 7F3K9");
    caller.ended(&order);
    caller.finish(&order);
    deliver("m5", "+12025550100", "Your Steam verification code is 7F3K8");
    let whys = |said: &str| {
        said.lines()
            .skip(1)
            .map(|line| line.split_whitespace().skip(2).take(3).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    let (_, hidden) = run(&server, &["numbers", "messages"]);
    assert_eq!(
        whys(&hidden),
        [
            "+12025550100 own order_ended",
            "+12025550100 own nothing",
            "+12025550100 own other_brand",
            "+447700900123 own unknown_number"
        ]
    );
    assert!(!hidden.contains("Sender") && !hidden.contains("555666"), "{hidden}");
    let (_, shown) = run(
        &server,
        &["numbers", "messages", "--number", "+12025550100", "--reveal", "--limit", "2"],
    );
    assert_eq!(whys(&shown), whys(&hidden)[..2]);
    assert!(
        shown.contains("\"Sender\": \"Your Steam verification code is 7F3K8\"")
            && shown.contains(r"hello\u{1b}[2J"),
        "{shown}"
    );
    let before = shown.lines().last().unwrap().split_whitespace().next().unwrap().to_owned();
    let (_, further) = run(&server, &["numbers", "messages", "--before", &before]);
    assert_eq!(whys(&further), whys(&hidden)[2..]);
    assert_eq!(
        whys(&run(&server, &["numbers", "messages", "--why", "unknown_number"]).1),
        whys(&hidden)[3..]
    );
    for (flag, value, why) in [("--why", "late", "is no reason"), ("--number", "12", "number is")] {
        let (taken, said) = run(&server, &["numbers", "messages", flag, value]);
        assert!(!taken && said.contains(why), "{said}");
    }
}
