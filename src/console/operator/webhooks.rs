//! Webhook deliveries of all accounts: which receivers fail, what was sent, what came back, and
//! once more.

use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{
    badge, id, input, list, millis, pager, secret, select, table, text, time, whole,
};

/// The list.
pub async fn all(context: &Context) -> Result<Page, Refused> {
    let query = &context.query;
    let found = context
        .ask(&format!("deliveries?limit=50&{}", query.query(&["status", "account", "before"])))
        .await?;
    let failing = context.ask("deliveries/failing").await?;
    let states =
        ["pending", "delivered", "exhausted"].map(|state| (state.to_owned(), state.to_owned()));
    let body = html! {
        section.card.flush { h2 { "Failing receivers, 7 days" } (receivers(&failing)) }
        form.row.card method="get" action={ (ROOT) "/webhooks" } {
            (select("status", "Status", query.get("status"), "Any", states))
            (input("account", "Account", query.get("account"), "acc_…"))
            button { "Filter" }
            a.button.quiet href={ (ROOT) "/webhooks" } { "Clear" }
        }
        section.card.flush {
            h2 { "Deliveries" }
            (deliveries(&found))
            (pager(
                &format!("{ROOT}/webhooks"),
                &[("status", query.get("status")), ("account", query.get("account"))], "before",
                found["next_before"].as_str(),
            ))
        }
    };
    Ok(Page::new("Webhooks", "webhooks", body))
}

fn receivers(failing: &Value) -> Markup {
    let row = |receiver: &Value| {
        html! {
            tr {
                td { (id(ROOT, "/accounts/", text(receiver, "account_id"))) }
                td.num { (whole(receiver, "waiting")) }
                td.num { (whole(receiver, "exhausted")) }
                td { (time(&receiver["last_attempt_at"])) }
                td {
                    a href={ (ROOT) "/webhooks?account=" (text(receiver, "account_id")) } {
                        "Deliveries"
                    }
                }
            }
        }
    };
    let rows: Vec<Markup> = list(failing, "receivers").iter().map(row).collect();
    table(
        "Failing receivers",
        &[
            ("Account", false),
            ("Waiting", true),
            ("Given up", true),
            ("Last attempt", false),
            ("", false),
        ],
        &rows,
        "Every receiver takes what it is sent.",
    )
}

/// A list of deliveries.
pub fn deliveries(found: &Value) -> Markup {
    let row = |delivery: &Value| {
        let path = format!(
            "{ROOT}/webhooks/{}/{}",
            text(delivery, "account_id"),
            whole(delivery, "sequence")
        );
        html! {
            tr {
                td { a.id href=(path) { "#" (whole(delivery, "sequence")) } }
                td { (text(delivery, "event")) }
                td { (time(&delivery["due_at"])) }
                td { (badge(text(delivery, "status"))) }
                td.num { (whole(delivery, "attempts")) }
                td { (outcome(delivery)) }
                td { (time(&delivery["next_attempt_at"])) }
                td { (id(ROOT, "/accounts/", text(delivery, "account_id"))) }
            }
        }
    };
    let rows: Vec<Markup> = list(found, "deliveries").iter().map(row).collect();
    let head = [
        ("Delivery", false),
        ("Event", false),
        ("Due", false),
        ("Status", false),
        ("Attempts", true),
        ("Last answer", false),
        ("Next", false),
        ("Account", false),
    ];
    table("Deliveries", &head, &rows, "Nothing was pushed to anybody yet.")
}

fn outcome(delivery: &Value) -> Markup {
    html! {
        @if let Some(status) = delivery["last_status"].as_u64() { "HTTP " (status) }
        @else { (delivery["last_outcome"].as_str().unwrap_or("–").replace('_', " ")) }
    }
}

/// One delivery.
pub async fn one(context: &Context, account: &str, sequence: &str) -> Result<Page, Refused> {
    let subject = format!("delivery-{account}-{sequence}");
    let delivery = context.ask_about(&subject, &format!("deliveries/{account}/{sequence}")).await?;
    let path = format!("{ROOT}/webhooks/{account}/{sequence}");
    let body = html! {
        div.grid {
            section.card {
                dl {
                    dt { "Event" } dd { (text(&delivery, "event")) }
                    dt { "Id" } dd.id { (text(&delivery, "id")) }
                    dt { "Status" } dd { (badge(text(&delivery, "status"))) }
                    dt { "Due" } dd { (time(&delivery["due_at"])) }
                    dt { "Next attempt" } dd { (time(&delivery["next_attempt_at"])) }
                    dt { "Account" } dd { (id(ROOT, "/accounts/", account)) }
                    @if let Some(order) = delivery["order_id"].as_str() {
                        dt { "Order" }
                        dd { (id(ROOT, "/orders/", order)) }
                    }
                }
                @if context.is_operator() {
                    h3 { "Once more" }
                    form.row method="post" action={ (path) "/redeliver" } {
                        label {
                            "Reason"
                            input name="reason" required maxlength="1000" autocomplete="off";
                        }
                        button { "Redeliver" }
                    }
                }
            }
            section.card.flush {
                h2 { "Attempts" }
                (attempts(&delivery))
                @if !delivery["answer"].is_null() {
                    div.pager {
                        span.note { "First bytes received last: " (secret(&delivery["answer"])) }
                    }
                }
            }
        }
        section.card {
            h2 { "Payload" }
            @if delivery["payload"].is_null() {
                p.note { "The account has no webhook any more: nothing would be sent." }
            }
            @else { pre dir="auto" { (format!("{:#}", delivery["payload"])) } }
        }
    };
    let reveal = super::orders::reveal(context, &subject, &path);
    Ok(Page::new(format!("Delivery {sequence}"), "webhooks", body).top(reveal))
}

fn attempts(delivery: &Value) -> Markup {
    let row = |attempt: &Value| {
        html! {
            tr {
                td.num { (whole(attempt, "attempt")) }
                td { (time(&attempt["at"])) }
                td { (text(attempt, "outcome").replace('_', " ")) }
                td.num {
                    @if let Some(status) = attempt["http_status"].as_u64() {
                        (status)
                    } @else {
                        "–"
                    }
                }
                td.num { (millis(&attempt["millis"])) }
            }
        }
    };
    let rows: Vec<Markup> = list(delivery, "attempted").iter().map(row).collect();
    let head =
        [("No.", true), ("When", false), ("Outcome", false), ("Status", true), ("Took", true)];
    table("Attempts", &head, &rows, "No attempt was made yet.")
}
