//! The log: proved whole while the service runs, searched, and exported.

use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{id, input, list, money, notice, pager, table, text, time, whole};

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let query = &context.query;
    let fields = query.query(&["stream", "order", "event", "before"]);
    let found = context.ask(&format!("events?limit=50&{fields}")).await?;
    let audit = context.ask("audit").await?;
    let rows: Vec<Markup> = list(&found, "events").iter().map(row).collect();
    let head = [
        ("Position", true),
        ("When", false),
        ("Event", false),
        ("Stream", false),
        ("By", false),
        ("Order", false),
        ("Says", false),
    ];
    let given = [
        ("stream", query.get("stream")),
        ("order", query.get("order")),
        ("event", query.get("event")),
    ];
    let next = found["next_before"].as_u64().map(|next| next.to_string());
    let export = query.query(&["stream", "order", "event"]);
    let top = html! {
        form.row.card method="get" action={ (ROOT) "/audit" } role="search" {
            (input("stream", "Stream", query.get("stream"), "account-…, number-…"))
            (input("order", "Order", query.get("order"), "ord_…"))
            (input("event", "Event", query.get("event"), "OrderPlaced"))
            button { "Search" }
            a.button.quiet href={ (ROOT) "/audit" } { "Clear" }
        }
    };
    let body = html! {
        section.card { (verification(context, &audit)) }
        section.card.flush {
            h2 { "Events, the latest first" }
            (table("Events", &head, &rows, "No event fits."))
            (pager(&format!("{ROOT}/audit"), &given, "before", next.as_deref()))
        }
    };
    let actions =
        html! { a.button.quiet href={ (ROOT) "/data/events.ndjson?" (export) } { "Export" } };
    let page = Page::new("Audit", "audit", body).top(top).actions(actions);
    Ok(if query.given("before").is_some() {
        page
    } else {
        page.live(format!("{ROOT}/live/audit?{fields}"))
    })
}

fn verification(context: &Context, audit: &Value) -> Markup {
    let button = |name: &str| {
        html! {
            @if context.is_operator() {
                form method="post" action={ (ROOT) "/audit" } { button { (name) } }
            }
        }
    };
    match text(audit, "state") {
        "running" => {
            let (position, head) = (whole(audit, "position"), whole(audit, "head").max(1));
            html! {
                h2 { "The log is being verified" }
                progress max=(head) value=(position) aria-label="Progress" {}
                p.note { (position) " of " (head) " records" }
            }
        }
        "ended" => {
            let findings: Vec<&str> =
                list(audit, "findings").iter().filter_map(Value::as_str).collect();
            html! {
                h2 { "Verified " (time(&audit["at"])) }
                @if audit["is_lawful"] == true {
                    (notice("good", html! {
                        "Everything is as it was written, and lawful: "
                        (whole(audit, "events"))
                        " events, "
                        (whole(audit, "accounts"))
                        " accounts, "
                        (whole(audit, "orders"))
                        " orders ("
                        (whole(audit, "open_orders"))
                        " open); balances "
                        (money(&audit["balance"]))
                        ", held "
                        (money(&audit["held"]))
                        "."
                    }))
                    @if money(&audit["test"]["balance"]) != "$0.00" {
                        p.note {
                            "Of tests, with no money behind it: balances "
                            (money(&audit["test"]["balance"]))
                            ", held "
                            (money(&audit["test"]["held"]))
                            "."
                        }
                    }
                } @else {
                    (notice("danger", html! { (findings.len()) " findings" }))
                    ul { @for finding in findings.iter().take(200) { li.wrap { (finding) } } }
                }
                (button("Verify again"))
            }
        }
        _ => {
            html! {
                h2 { "Not verified since the service started" }
                p.note {
                    "Walks the hash chain and the invariants of the whole log, as telenumerus \
                     audit verify does."
                }
                (button("Verify"))
            }
        }
    }
}

fn row(event: &Value) -> Markup {
    let said = event["data"].to_string();
    let stream = text(event, "stream");
    let encoded: String = url::form_urlencoded::byte_serialize(stream.as_bytes()).collect();
    html! {
        tr {
            td.num { (whole(event, "position")) }
            td { (time(&event["at"])) }
            td.fit { (text(event, "event")) }
            td {
                // A masked number is nobody's name.
                @if stream.contains('*') {
                    span.id { (stream) }
                } @else {
                    a.id href={ (ROOT) "/audit?stream=" (encoded) } title=(stream) {
                        (short(stream))
                    }
                }
            }
            td.fit { bdi { (text(event, "actor")) } }
            td {
                @if let Some(order) = event["correlation"].as_str() {
                    (id(ROOT, "/orders/", order))
                } @else {
                    "–"
                }
            }
            td.wrap { code { bdi { (said) } } }
        }
    }
}

fn short(stream: &str) -> String {
    let shown: String = stream.chars().take(18).collect();
    if shown.len() < stream.len() { shown + "…" } else { shown }
}
