//! The report that an operator publishes: sums of the log, and nobody's name.

use serde_json::{Value, json};

use crate::server::{QUICK, Server, body, text};

/// The quarter of a time, as the API writes it.
fn quarter_of(time: &str) -> String {
    let month: u32 = time[5..7].parse().unwrap();
    format!("{}Q{}", &time[..4], (month - 1) / 3 + 1)
}

#[test]
fn a_quarter_s_report_says_what_became_of_orders_and_who_was_refused_by_which_rule() {
    let server = Server::start(&format!("{QUICK}[operator]\nname = \"Example GmbH\"\n"));
    let caller = server.funded("10");
    let today = quarter_of(&text(&body(caller.get("/api/v1/account"))["created_at"]));
    let order = text(&caller.google()["order_id"]);
    caller.ended(&order);
    caller.finish(&order);
    let cancelled = text(&caller.google()["order_id"]);
    caller.post(&format!("/api/v1/order/{cancelled}/cancel"), &json!({}));
    server.cli(&["admin", "suspend", &caller.account, "--reason", "abuse"]);
    let exported = ["export", "account", &caller.account, "--reason", "request 7"];
    assert!(server.cli(&exported).status.success());
    let report = |quarter: &str, flags: &[&str]| {
        let shown =
            server.cli(&[&["report", "transparency", "--quarter", quarter], flags].concat());
        assert!(shown.status.success(), "{shown:?}");
        String::from_utf8(shown.stdout).unwrap()
    };
    let written = report(&today, &[]);
    let told: Value = serde_json::from_str(&report(&today, &["--json"])).unwrap();
    assert_eq!(told["orders"]["placed"], 2, "{told}");
    assert_eq!(told["orders"]["ended"], json!({ "cancelled": 1, "completed": 1 }), "{told}");
    assert_eq!(told["decisions"]["suspensions"], 1, "{told}");
    assert_eq!(told["accounts_opened"]["open"], 1, "{told}");
    assert_eq!(told["exports"], json!({ "account": 1 }), "{told}");
    assert!(
        written.starts_with("# Transparency report 20") && written.contains("Of Example GmbH.")
    );
    assert!(written.contains("| completed | 1 |"), "{written}");
    assert!(!written.contains("acc_") && !told.to_string().contains("acc_"));
    let long_ago: Value = serde_json::from_str(&report("2019Q1", &["--json"])).unwrap();
    assert_eq!(long_ago["orders"]["placed"], 0);
    assert!(!server.cli(&["report", "transparency", "--quarter", "2026Q5"]).status.success());
}
