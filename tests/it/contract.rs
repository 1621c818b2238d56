//! The project's own guide against the running service: its tables of endpoints, errors, tiers,
//! platforms, countries and limits.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::server::{QUICK, SILENT, Server, body, text};

fn guide() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide.md")).unwrap()
}

/// The rows of the table under a heading, cell by cell.
fn table(heading: &str) -> Vec<Vec<String>> {
    let guide = guide();
    let section =
        guide.split(&format!("## {heading}\n")).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    let lines = section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    lines
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn the_guide_is_served_as_it_is_written() {
    let server = Server::start(QUICK);
    assert_eq!(server.get("/llms-full.txt").send().unwrap().text().unwrap(), guide());
    let index = server.get("/llms.txt").send().unwrap().text().unwrap();
    assert!(
        index.starts_with("# Telenumerus\n\n> ")
            && index.contains("](/openapi.json)")
            && index.contains("`POST /api/v1/verify`")
    );
}

#[test]
fn every_endpoint_of_the_guide_exists_and_no_other() {
    let server = Server::start(QUICK);
    let document = body(server.get("/openapi.json").send().unwrap());
    assert_eq!(document["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| ["get", "put", "post", "delete"].contains(&key.as_str()))
        {
            described
                .insert((method.to_uppercase(), path.trim_start_matches("/api/v1").to_owned()));
        }
    }
    let mut written = BTreeSet::new();
    for row in table("Endpoints") {
        let path: Vec<String> = row[1]
            .split('/')
            .map(|part| {
                part.strip_prefix(':').map_or_else(|| part.to_owned(), |name| format!("{{{name}}}"))
            })
            .collect();
        let path = path.join("/");
        let keyless = server
            .request(
                &row[0],
                &format!(
                    "/api/v1{}",
                    row[1].replace(":id", "ord_x").replace(":sequence", "1").replace(":key", "k")
                ),
            )
            .send()
            .unwrap();
        assert_eq!(
            row[2] == "yes",
            keyless.status() == 401,
            "{row:?} answered {}",
            keyless.status()
        );
        assert_ne!(keyless.status(), 405, "{row:?}");
        written.insert((row[0].clone(), path));
    }
    assert_eq!(written, described);
}

#[test]
fn every_error_code_of_the_guide_is_given_with_its_status() {
    let server = Server::start(&SILENT.replace("per_ip_per_minute = 0", "per_ip_per_minute = 20"));
    let (poor, rich) = (server.register(), server.funded("10"));
    let order = |caller: &crate::server::Caller<'_>, platform: &str| {
        caller.post("/api/v1/order", &json!({ "platform": platform }))
    };
    let mut given: Vec<(String, u16, bool)> = Vec::new();
    let mut take = |response: reqwest::blocking::Response| {
        let status = response.status().as_u16();
        let has_retry_after = response.headers().contains_key("retry-after");
        let error: Value = body(response);
        assert_eq!(has_retry_after, !error["retry_after_seconds"].is_null(), "{error}");
        given.push((text(&error["error_code"]), status, error["retryable"].as_bool().unwrap()));
    };
    take(order(&poor, "google"));
    take(order(&poor, "nosuch"));
    order(&rich, "google");
    take(order(&rich, "google"));
    take(rich.get("/api/v1/order/ord_x"));
    take(rich.post("/api/v1/order", &json!({})));
    take(server.get("/api/v1/account").bearer_auth("tn_x").send().unwrap());
    server.cli(&["admin", "suspend", &poor.account, "--reason", "test", "--operator", "tester"]);
    take(poor.get("/api/v1/account"));
    let limited = (0..40).find_map(|_| {
        Some(server.get("/api/v1/health").send().unwrap())
            .filter(|response| response.status() == 429)
    });
    take(limited.unwrap());
    let empty = Server::start("[suppliers.simulator]\nno_stock_rate = 1.0\n");
    take(order(&empty.funded("10"), "google"));

    let table = table("Errors");
    let codes: BTreeSet<&str> = table.iter().map(|row| row[0].as_str()).collect();
    for (code, status, retryable) in &given {
        let row = table
            .iter()
            .find(|row| row[0] == *code)
            .unwrap_or_else(|| panic!("{code} is not in the guide"));
        assert!(row[1].starts_with(&status.to_string()), "{code} {status}");
        assert_eq!(row[2] == "yes", *retryable, "{code}");
    }
    let seen: BTreeSet<&str> = given.iter().map(|(code, ..)| code.as_str()).collect();
    // INTERNAL_ERROR takes a broken disk; `recovery.rs` sees it.
    assert_eq!(codes.difference(&seen).copied().collect::<Vec<_>>(), ["INTERNAL_ERROR"]);
}

#[test]
fn platforms_countries_and_tiers_of_the_guide_are_the_service_s() {
    let server = Server::start(QUICK);
    let services = body(server.get("/api/v1/services").send().unwrap());
    let names: Vec<String> = services["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|service| text(&service["name"]))
        .collect();
    let guide = guide();
    let list = |heading: &str| {
        guide
            .split(&format!("## {heading}"))
            .nth(1)
            .unwrap()
            .split("\n\n")
            .nth(1)
            .unwrap()
            .replace('\n', " ")
    };
    assert_eq!(list("Platforms (33)"), format!("{}.", names.join(", ")));
    let countries: Vec<String> =
        services["countries"].as_array().unwrap().iter().map(text).collect();
    assert!(list("Countries (24)").starts_with(&countries.join(", ")), "{}", countries.join(", "));
    let tiers: Vec<(String, u64, u64)> = table("Tiers")
        .iter()
        .map(|row| {
            let number = |cell: &str| {
                cell.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
            };
            (row[0].clone(), number(&row[1]), number(&row[2]))
        })
        .collect();
    let account = body(server.register().get("/api/v1/account"));
    assert_eq!(
        (
            account["tier"].as_str(),
            account["next_tier"].as_str(),
            account["orders_to_next_tier"].as_u64()
        ),
        (Some(tiers[0].0.as_str()), Some(tiers[1].0.as_str()), Some(tiers[1].1))
    );
    assert_eq!(
        tiers.iter().map(|(_, from, discount)| (*from, *discount)).collect::<Vec<_>>(),
        [(0, 0), (20, 5), (50, 10), (100, 15)]
    );
}

#[test]
fn the_limits_of_the_guide_are_in_force() {
    let server = Server::start("");
    let policy = |response: reqwest::blocking::Response| {
        response.headers()["ratelimit-policy"].to_str().unwrap().to_owned()
    };
    let limits = table("Limits");
    let by = |who: &str| {
        limits
            .iter()
            .find(|row| row[0].starts_with(who))
            .map(|row| row[1].split(' ').next().unwrap().to_owned())
            .unwrap()
    };
    assert_eq!(
        policy(server.get("/api/v1/health").send().unwrap()),
        format!("\"default\";q={};w=60", by("Per address"))
    );
    assert_eq!(
        policy(server.register().get("/api/v1/account")),
        format!("\"default\";q={};w=60", by("Per key"))
    );
}

#[test]
fn the_shared_guide_s_lines_hold_where_it_stands_beside_the_project() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/spec/guide.md");
    let Ok(shared) = std::fs::read_to_string(path) else {
        println!(
            "NOT RUN: {path} is not there; the project's own guide is checked by the other tests"
        );
        return;
    };
    let server = Server::start(QUICK);
    let rows = shared
        .split("## All Endpoints")
        .nth(1)
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("| GET") || line.starts_with("| P"));
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let response = server
            .request(cells[1], &format!("/api/v1{}", cells[2].replace(":id", "ord_x")))
            .send()
            .unwrap();
        assert_eq!(cells[3] == "yes", response.status() == 401, "{row}: {}", response.status());
    }
}
