//! Numbers of telecoms by their APIs: searched, bought within the limit, listed, given back, in
//! each dialect.

use fakes::telecom::{SECRET, Telecom, USER};
use fakes::{Faults, serve};
use serde_json::{Value, json};

use crate::server::Server;

const FOR_SALE: [&str; 4] = ["+12025550101", "+12025550102", "+12025550103", "+447700900101"];

fn start(telecom: &Telecom, buying: &str) -> Server {
    let url = format!("http://{}", serve(telecom.router()));
    Server::start(&format!(
        "[deposits]\nsimulated = true\n[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[http]\npublic_url = \"https://sms.example.com\"
[suppliers.simulator]\nenabled = false
[suppliers.twilio]\nauth_token = \"{SECRET}\"
[suppliers.twilio.api]\naccount_sid = \"{USER}\"\nurl = \"{url}\"\npricing_url = \"{url}\"\n{buying}
[suppliers.telnyx]\npublic_key = \"{}=\"
[suppliers.telnyx.api]\nkey = \"{SECRET}\"\nurl = \"{url}\"\n{buying}
[suppliers.vonage]\nsignature_secret = \"{SECRET}\"
[suppliers.vonage.api]\nkey = \"{USER}\"\nsecret = \"{SECRET}\"\nurl = \"{url}\"\ndollars_per_euro = 1.2\n{buying}\n",
        "A".repeat(43)
    ))
}

fn numbers(server: &Server, arguments: &[&str]) -> Result<Value, String> {
    let as_json: &[&str] = if arguments.first() == Some(&"search") { &["--json"] } else { &[] };
    let done = server.cli(&[&["numbers"], arguments, as_json].concat());
    if done.status.success() {
        return Ok(serde_json::from_slice(&done.stdout).unwrap());
    }
    Err(String::from_utf8(done.stderr).unwrap())
}

#[test]
fn each_telecom_sells_within_the_limit_and_takes_back() {
    for (supplier, price) in [("twilio", "1.15"), ("telnyx", "1"), ("vonage", "1.5")] {
        let telecom = Telecom::new(&FOR_SALE, Faults::default(), 1);
        let server = start(&telecom, "buying = { allowed = true, monthly_limit = 2.5 }");
        let offers =
            numbers(&server, &["search", supplier, "--country", "US", "--limit", "2"]).unwrap();
        assert_eq!(offers["offers"].as_array().unwrap().len(), 2, "{supplier}: {offers}");
        assert_eq!(
            (&offers["offers"][0]["number"], &offers["offers"][0]["monthly"]),
            (&json!(FOR_SALE[0]), &json!(price)),
            "{supplier}"
        );
        let bought =
            numbers(&server, &["buy", supplier, FOR_SALE[0], "--operator", "tester"]).unwrap();
        assert_eq!(
            (&bought["monthly"], &bought["spent_this_month"], &bought["monthly_limit"]),
            (&json!(price), &json!(price), &json!("2.5"))
        );
        assert!(telecom.owned().contains(FOR_SALE[0]));
        let refused = numbers(&server, &["buy", supplier, FOR_SALE[0]]).unwrap_err();
        assert!(refused.contains("not for sale"), "{supplier}: {refused}");
        if price != "1" && price != "1.15" {
            let refused = numbers(&server, &["buy", supplier, FOR_SALE[1]]).unwrap_err();
            assert!(refused.contains("of $2.5 are spent this month"), "{supplier}: {refused}");
            assert!(!telecom.owned().contains(FOR_SALE[1]));
        }
        // It serves at once, and through a restart.
        let caller = server.funded("5");
        let order = caller.google();
        assert_eq!(order["phone"], FOR_SALE[0], "{supplier}");
        let refused = numbers(&server, &["release", supplier, FOR_SALE[0], "--reason", "no use"])
            .unwrap_err();
        assert!(refused.contains("on an order"), "{supplier}: {refused}");
        let cancelled = caller.post(
            &format!("/api/v1/order/{}/cancel", order["order_id"].as_str().unwrap()),
            &json!({}),
        );
        assert_eq!(cancelled.status(), 200);
        let server = server.kill_and_restart();
        // What was bought by other means is listed; small pages are turned.
        for number in ["+12025550104", "+12025550105", "+447700900109", "+41791234567"] {
            telecom.plant(number);
        }
        let synced = numbers(&server, &["sync", supplier, "--operator", "tester"]).unwrap();
        assert_eq!(
            (synced["listed"].as_array().unwrap().len(), &synced["unchanged"]),
            (3, &json!(1)),
            "{supplier}: {synced}"
        );
        assert_eq!(synced["rejected"][0]["number"], "+41791234567");
        let audit = |wanted: &str| {
            let done = server.cli(&["audit", "suppliers"]);
            let said = String::from_utf8(done.stdout).unwrap();
            assert!(!done.status.success() && said.contains(wanted), "{supplier}: {said}");
        };
        audit("+41791234567: owned there, and in no pool");
        telecom.take_away("+12025550104");
        audit("+12025550104: in the pool, and not owned there");
        let released = numbers(
            &server,
            &["release", supplier, FOR_SALE[0], "--reason", "no use", "--operator", "tester"],
        )
        .unwrap();
        assert_eq!(released["state"], "released");
        assert!(!telecom.owned().contains(FOR_SALE[0]), "{supplier}");
        assert!(server.cli(&["audit", "verify"]).status.success());
    }
}

#[test]
fn nothing_is_bought_unless_the_operator_wants_it() {
    let telecom = Telecom::new(&FOR_SALE, Faults::default(), 1);
    let server = start(&telecom, "");
    assert!(numbers(&server, &["search", "twilio"]).is_ok());
    let refused = numbers(&server, &["buy", "twilio", FOR_SALE[0]]).unwrap_err();
    assert!(
        refused.contains("suppliers.twilio.api.buying") && telecom.owned().is_empty(),
        "{refused}"
    );
    let refused = numbers(&server, &["search", "own"]).unwrap_err();
    assert!(refused.contains("suppliers.own.api is not configured"), "{refused}");
}

#[test]
fn a_telecom_that_misbehaves_is_said_to_and_nothing_is_lost() {
    for faults in [
        Faults { malformed: 1.0, ..Faults::default() },
        Faults { huge_body: 1.0, ..Faults::default() },
        Faults { error_before: 1.0, ..Faults::default() },
    ] {
        let telecom = Telecom::new(&FOR_SALE, faults, 1);
        let server = start(&telecom, "buying = { allowed = true, monthly_limit = 10 }");
        for supplier in ["twilio", "telnyx", "vonage"] {
            for arguments in [
                vec!["search", supplier],
                vec!["buy", supplier, FOR_SALE[0]],
                vec!["sync", supplier],
            ] {
                let refused = numbers(&server, &arguments).unwrap_err();
                assert!(
                    refused.contains("does not say whether it is done"),
                    "{faults:?} {arguments:?}: {refused}"
                );
            }
        }
        assert!(telecom.owned().is_empty());
    }
}
