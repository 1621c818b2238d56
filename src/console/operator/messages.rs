//! Messages that gave no order its code: why, to which number, and which order had it then.

use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT, missing};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{badge, id, list, pager, secret, select, table, text, time, whole};

/// Messages of a page.
const PAGE: usize = 50;
const REASONS: [&str; 8] = [
    "unknown_number",
    "not_assigned",
    "order_ended",
    "too_many_messages",
    "unsure",
    "nothing",
    "other_brand",
    "repeated",
];

/// The list.
pub async fn all(context: &Context) -> Result<Page, Refused> {
    let query = &context.query;
    let messages = context
        .ask(&format!("numbers/messages?limit={PAGE}&{}", query.query(&["why", "before"])))
        .await?;
    let messages = list(&messages, "messages");
    let rows: Vec<Markup> = messages.iter().map(row).collect();
    let next = messages
        .last()
        .filter(|_| messages.len() == PAGE)
        .map(|last| whole(last, "position").to_string());
    let reasons = REASONS.map(|reason| (reason.to_owned(), reason.replace('_', " ")));
    let body = html! {
        form.row.card method="get" action={ (ROOT) "/messages" } {
            (select("why", "Reason", query.get("why"), "Any", reasons))
            button { "Filter" }
            a.button.quiet href={ (ROOT) "/messages" } { "Clear" }
        }
        section.card.flush {
            (table(
                "Messages",
                &[
                    ("When", false), ("Number", false), ("Source", false),
                    ("Why no order has it", false), ("", false),
                ],
                &rows, "Every message gave an order its code.",
            ))
            (pager(
                &format!("{ROOT}/messages"), &[("why", query.get("why"))], "before",
                next.as_deref(),
            ))
        }
    };
    Ok(Page::new("Messages without an order", "messages", body))
}

fn row(message: &Value) -> Markup {
    html! {
        tr {
            td { (time(&message["at"])) }
            td { (secret(&message["number"])) }
            td { (text(message, "supplier")) }
            td { (badge(text(message, "why"))) }
            td { a href={ (ROOT) "/messages/" (whole(message, "position")) } { "Look" } }
        }
    }
}

/// One message.
pub async fn one(context: &Context, position: &str) -> Result<Page, Refused> {
    let position: u64 = position.parse().map_err(|_| missing())?;
    let subject = format!("message-{position}");
    let message = context.ask_about(&subject, &format!("numbers/messages/{position}")).await?;
    let then = &message["order_then"];
    let body = html! {
        div.grid {
            section.card {
                dl {
                    dt { "When" } dd { (time(&message["at"])) }
                    dt { "Number" } dd { (secret(&message["number"])) }
                    dt { "Source" } dd { (text(&message, "supplier")) }
                    dt { "Why no order has it" } dd { (badge(text(&message, "why"))) }
                    dt { "In the log at" } dd { (position) }
                }
                h3 { "Text" }
                @if context.sees(&subject) {
                    article.message {
                        header { "from " (secret(&message["sender"])) }
                        p dir="auto" {
                            (message["text"].as_str().unwrap_or(
                                "the same as the message that it repeats"
                            ))
                        }
                    }
                } @else { p { (secret(&Value::from(crate::admin::HIDDEN))) } }
            }
            section.card {
                h2 { "The order that the number had then" }
                @if then.is_null() { p.note { "None has had it before." } } @else {
                    dl {
                        dt { "Order" } dd { (id(ROOT, "/orders/", text(then, "order_id"))) }
                        dt { "Status" } dd { (badge(text(then, "status"))) }
                        dt { "Had it from" } dd { (time(&then["assigned_at"])) }
                        dt { "Ended" } dd { (time(&then["ended_at"])) }
                        dt { "Account" } dd { (id(ROOT, "/accounts/", text(then, "account_id"))) }
                    }
                }
            }
        }
    };
    let reveal = super::orders::reveal(context, &subject, &format!("{ROOT}/messages/{position}"));
    Ok(Page::new(format!("Message {position}"), "messages", body).top(reveal))
}
