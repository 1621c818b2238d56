//! The operator's API: lists over all accounts, named tokens and their roles, and reveals that
//! stand in the log.

use reqwest::blocking::Response;
use serde_json::{Value, json};

use crate::server::{ADMIN_TOKEN, QUICK, SILENT, Server, body, client};

const ADA: &str = "ada-token-0123456789abcdef";
const VIEWER: &str = "viewer-token-0123456789abcdef";

fn tokens() -> String {
    format!(
        "[[admin.tokens]]\nname = \"ada\"\ntoken = \"{ADA}\"\nrole = \"operator\"\n[[admin.tokens]]\nname = \"vic\"\ntoken = \"{VIEWER}\"\nrole = \"viewer\"\n"
    )
}

fn get(server: &Server, token: &str, path: &str) -> Response {
    client()
        .get(format!("http://{}/admin/v1/{path}", server.admin()))
        .bearer_auth(token)
        .send()
        .unwrap()
}

fn post(server: &Server, token: &str, path: &str, value: &Value) -> Response {
    client()
        .post(format!("http://{}/admin/v1/{path}", server.admin()))
        .bearer_auth(token)
        .json(value)
        .send()
        .unwrap()
}

fn log(server: &Server) -> Vec<Value> {
    let log = String::from_utf8(server.cli(&["audit", "events", "--json"]).stdout).unwrap();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn all_accounts_and_orders_are_listed_page_by_page() {
    let server = Server::start(SILENT);
    let callers: Vec<_> = (0..3).map(|_| server.funded("5")).collect();
    let orders: Vec<String> = callers
        .iter()
        .map(|caller| caller.google()["order_id"].as_str().unwrap().to_owned())
        .collect();
    let mut seen = Vec::new();
    let mut before = String::new();
    loop {
        let page = body(get(&server, ADMIN_TOKEN, &format!("accounts?limit=2{before}")));
        seen.extend(
            page["accounts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|account| account["account_id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_before"].as_u64() else { break };
        before = format!("&before={next}");
    }
    let newest_first: Vec<String> =
        callers.iter().rev().map(|caller| caller.account.clone()).collect();
    assert_eq!(seen, newest_first);
    let page = body(get(&server, ADMIN_TOKEN, "orders?limit=2&open=true"));
    assert_eq!(page["orders"][0]["order_id"], orders[2].as_str());
    assert_eq!(page["next_before"], orders[1].as_str());
    let rest = body(get(&server, ADMIN_TOKEN, &format!("orders?limit=2&before={}", orders[1])));
    assert_eq!(
        (rest["orders"].as_array().unwrap().len(), rest["next_before"].is_null()),
        (1, true)
    );
    for search in [
        orders[0].clone(),
        callers[0].account.clone(),
        callers[0].get(&format!("/api/v1/order/{}", orders[0])).json::<Value>().unwrap()["phone"]
            .as_str()
            .unwrap()
            .replace('+', "%2B"),
    ] {
        let found = body(get(&server, ADMIN_TOKEN, &format!("orders?search={search}")));
        assert_eq!(
            (found["orders"].as_array().unwrap().len(), found["orders"][0]["order_id"].as_str()),
            (1, Some(orders[0].as_str())),
            "{search}"
        );
    }
    assert_eq!(get(&server, ADMIN_TOKEN, "orders?status=lost").status(), 400);
    let listed = server.cli(&["admin", "accounts", "--limit", "1"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["accounts"][0]["account_id"], newest_first[0].as_str());
    let held = body(get(&server, ADMIN_TOKEN, "overview"));
    assert_eq!(
        (
            held["money"]["held"].as_str(),
            held["money"]["balance"].as_str(),
            held["orders"]["open"].as_u64()
        ),
        (Some("1.5"), Some("13.5"), Some(3))
    );
    let verified = String::from_utf8(server.cli(&["audit", "verify"]).stdout).unwrap();
    assert!(verified.contains("balances $13.5, held $1.5"), "{verified}");
}

#[test]
fn a_viewer_looks_and_an_operator_is_known_by_the_token() {
    let server = Server::start(&format!("{SILENT}{}", tokens()));
    let caller = server.funded("5");
    let credit = json!({ "amount": "1", "reason": "goodwill", "operator": "somebody else" });
    let path = format!("accounts/{}/credit", caller.account);
    assert_eq!(get(&server, VIEWER, "accounts").status(), 200);
    assert_eq!(post(&server, VIEWER, &path, &credit).status(), 403);
    assert_eq!(get(&server, VIEWER, "numbers/messages?reveal=true").status(), 403);
    assert_eq!(post(&server, ADA, &path, &credit).status(), 200);
    let actors: Vec<Value> = log(&server)
        .into_iter()
        .filter(|event| event["event"] == "AccountCredited")
        .map(|event| event["actor"].clone())
        .collect();
    assert_eq!(actors.last().unwrap(), "operator:ada");
    assert_eq!(get(&server, "wrong-token-0123456789abcdef", "accounts").status(), 401);
}

#[test]
fn an_order_is_masked_until_its_reveal_stands_in_the_log() {
    let server = Server::start(&format!("{QUICK}{}", tokens()));
    let caller = server.funded("5");
    let order = caller.google()["order_id"].as_str().unwrap().to_owned();
    let ended = caller.ended(&order);
    let (code, phone) = (ended["code"].as_str().unwrap(), ended["phone"].as_str().unwrap());
    for path in [format!("orders/{order}"), "orders".to_owned(), format!("events?order={order}")] {
        let text = get(&server, ADA, &path).text().unwrap();
        assert!(
            text.contains(&order) && !text.contains(code) && !text.contains(&phone[1..]),
            "{path}: {text}"
        );
    }
    for (token, subject, reason, status) in [
        (VIEWER, order.as_str(), "curious", 403),
        (ADA, &order, " ", 400),
        (ADA, "ord_0000000000000000000000", "ticket 7", 404),
    ] {
        let wanted = json!({ "subject": subject, "reason": reason, "operator": "x" });
        assert_eq!(post(&server, token, "reveal", &wanted).status(), status, "{wanted}");
    }
    assert!(!log(&server).iter().any(|event| event["event"] == "ContentRevealed"));
    let revealed = body(post(
        &server,
        ADA,
        "reveal",
        &json!({ "subject": order, "reason": "ticket 7", "operator": "x" }),
    ));
    assert_eq!(
        (
            revealed["content"]["order"]["code"].as_str(),
            revealed["content"]["order"]["phone"].as_str()
        ),
        (Some(code), Some(phone))
    );
    let fact = log(&server).into_iter().find(|event| event["event"] == "ContentRevealed").unwrap();
    assert_eq!(
        (fact["actor"].as_str(), fact["data"]["reason"].as_str(), fact["data"]["subject"].as_str()),
        (Some("operator:ada"), Some("ticket 7"), Some(order.as_str()))
    );
    // What an operator sees of an order as it was is what its owner is told of it, but for what is
    // masked.
    let in_all =
        body(get(&server, ADA, &format!("orders/{order}")))["events_in_all"].as_u64().unwrap();
    for event in 1..=in_all {
        let theirs =
            caller.get(&format!("/api/v1/order/{order}?as_of={event}")).json::<Value>().unwrap();
        let ours = body(get(&server, ADA, &format!("orders/{order}?as_of={event}")));
        for member in ["status", "attempts", "price", "created_at", "ended_at", "listening"] {
            assert_eq!(ours["order"][member], theirs[member], "{event} {member}");
        }
        assert_eq!(ours["events"].as_array().unwrap().len(), usize::try_from(event).unwrap());
    }
    assert!(server.cli(&["audit", "verify"]).status.success());
}

#[test]
fn deliveries_usage_suppliers_and_the_document_are_there_for_operators() {
    let server = Server::start(QUICK);
    let caller = server.funded("5");
    let order = caller.google()["order_id"].as_str().unwrap().to_owned();
    caller.ended(&order);
    let usage = body(get(&server, ADMIN_TOKEN, "usage?hours=2"));
    assert_eq!(
        (
            usage["totals"]["completed"].as_u64(),
            usage["totals"]["revenue"].as_str(),
            usage["series"].as_array().unwrap().len()
        ),
        (Some(1), Some("0.5"), 2)
    );
    assert_eq!(usage["delivery"]["codes"].as_u64(), Some(1));
    let suppliers = body(get(&server, ADMIN_TOKEN, "suppliers"));
    assert_eq!(suppliers["suppliers"][0]["simulated"].as_bool(), Some(true));
    assert_eq!(
        body(get(&server, ADMIN_TOKEN, "deliveries"))["deliveries"].as_array().unwrap().len(),
        0
    );
    assert_eq!(get(&server, ADMIN_TOKEN, "deliveries?status=lost").status(), 400);
    assert_eq!(
        get(&server, ADMIN_TOKEN, &format!("deliveries/{}/9", caller.account)).status(),
        404
    );
    let ledger = body(get(&server, ADMIN_TOKEN, &format!("accounts/{}/ledger", caller.account)));
    assert_eq!(ledger["entries"][0]["type"].as_str(), Some("capture"));
    let keys = body(get(&server, ADMIN_TOKEN, &format!("accounts/{}/keys", caller.account)));
    assert_eq!(keys["keys"][0]["name"].as_str(), Some("first"));
    let document =
        client().get(format!("http://{}/admin/v1/openapi.json", server.admin())).send().unwrap();
    assert!(body(document)["paths"]["/admin/v1/orders"]["get"].is_object());
    assert_eq!(
        body(post(&server, ADMIN_TOKEN, "audit", &json!({})))["state"].as_str(),
        Some("running")
    );
    let ended = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let audit = body(get(&server, ADMIN_TOKEN, "audit"));
        (audit["state"] == "ended").then_some(audit)
    });
    assert_eq!(ended.unwrap()["is_lawful"].as_bool(), Some(true));
    let exported = get(&server, ADMIN_TOKEN, "events/export?event=OrderPlaced").text().unwrap();
    assert_eq!(exported.lines().count(), 1);
}

#[test]
fn a_viewer_pages_through_numbers_and_is_told_none() {
    let known = ["+12025550101", "+12025550102", "+12025550103", "+12025550104"];
    let [configured @ .., imported] = known;
    let pool = configured.map(|number| {
        format!("[[suppliers.own.numbers]]\nnumber = \"{number}\"\ncountry = \"US\"\n")
    });
    let own = "[suppliers.own]\ninbound_secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n";
    let server = Server::start(&format!("{SILENT}{own}{}{}", pool.concat(), tokens()));
    let row = json!({ "line": 1, "number": imported, "country": "US", "supplier": "own" });
    let listed = post(&server, ADA, "numbers/import", &json!({ "operator": "ada", "rows": [row] }));
    assert_eq!(listed.status(), 200);
    for (token, sees) in [(VIEWER, false), (ADA, true)] {
        let (mut numbers, mut after) = (0, String::new());
        loop {
            let page = body(get(&server, token, &format!("numbers?supplier=own&limit=1{after}")));
            let said = page.to_string();
            assert_eq!(known.iter().any(|number| said.contains(&number[1..])), sees, "{said}");
            numbers += page["numbers"].as_array().unwrap().len();
            let Some(next) = page["next_after"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(numbers, 4);
        // Nor is it in the names of streams: what an operator reveals stands in the log first.
        let events = get(&server, token, "events?event=NumberListed").text().unwrap();
        let exported = get(&server, token, "events/export").text().unwrap();
        for said in [events, exported] {
            assert!(said.contains("number-+120***04"), "{said}");
            assert!(!known.iter().any(|number| said.contains(&number[1..])), "{said}");
        }
        // A number is no place: nobody learns by trying whether it is in the pool.
        let guessed = get(&server, token, "numbers?limit=1&after=%2B12025550101");
        assert_eq!(guessed.status(), 400);
    }
}
