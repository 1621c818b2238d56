//! Keys and pushes: what opens the account, and where its news go.

use std::sync::Arc;

use actors::store::EventStore;
use actors::webhook::PayloadSource;
use axum::http::StatusCode;
use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT, missing};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{badge, id, input, list, notice, pager, table, text, time, whole};
use crate::payloads::Writer;

/// The keys.
pub async fn keys(context: &Context) -> Result<Page, Refused> {
    let keys = context.ask("keys").await?;
    let row = |key: &Value| {
        html! {
            tr {
                td {
                    bdi { (text(key, "name")) }
                    @if key["current"] == true { " " (badge("this session")) }
                }
                td { (time(&key["created_at"])) }
                td { (time(&key["last_used_at"])) }
                td.num {
                    form method="post" action={ (ROOT) "/keys/" (text(key, "key_id")) "/remove" } {
                        button.danger.small { "Take away" }
                    }
                }
            }
        }
    };
    let rows: Vec<Markup> = list(&keys, "keys").iter().map(row).collect();
    let body = html! {
        section.card.flush {
            (table(
                "Keys", &[("Name", false), ("Made", false), ("Last used", false), ("", false)],
                &rows, "There is no key.",
            ))
        }
        form.row.card method="post" action={ (ROOT) "/keys" } {
            label {
                "Name of a further key"
                input name="name" required maxlength="64" autocomplete="off"
                    placeholder="ci runner";
            }
            button { "Make a key" }
        }
        p.note { "A key that is taken away opens nothing from the next call on; the last one \
            stays. Taking away the key of this session ends it." }
    };
    Ok(Page::new("Keys", "keys", body))
}

/// Where pushes go, and how they fared.
pub async fn webhook(context: &Context) -> Result<Page, Refused> {
    let webhook = context.ask("webhook").await?;
    let query = &context.query;
    let found =
        context.ask(&format!("webhook/deliveries?limit=25&{}", query.query(&["cursor"]))).await?;
    let (url, threshold) =
        (webhook["url"].as_str().unwrap_or_default(), webhook["balance_low_threshold"].to_string());
    let body = html! {
        section.card.flush {
            h2 { "Deliveries" }
            (deliveries(&found))
            (pager(&format!("{ROOT}/webhook"), &[], "cursor", found["next_cursor"].as_str()))
        }
    };
    let top = html! {
        form.row.card method="post" action={ (ROOT) "/webhook" } {
            label {
                "Send events to"
                input type="url" name="url" value=(url) required
                    placeholder="https://example.com/hook" autocomplete="off";
            }
            (input(
                "threshold", "balance.low below, dollars",
                if threshold == "null" { "1" } else { &threshold }, "1.00",
            ))
            button { "Save" }
        }
        div.head { div.actions {
            @if url.is_empty() { span.note { "No webhook is set: nothing is pushed." } } @else {
                form method="post" action={ (ROOT) "/webhook/test" } {
                    button.quiet.small { "Send a test" }
                }
                form method="post" action={ (ROOT) "/webhook/rotate-secret" } {
                    button.quiet.small { "Rotate the secret" }
                }
                form method="post" action={ (ROOT) "/webhook/remove" } {
                    button.danger.small { "Remove" }
                }
            }
        } }
    };
    let page = Page::new("Webhook", "webhook", body).top(top);
    Ok(if query.given("cursor").is_some() {
        page
    } else {
        page.live(format!("{ROOT}/live/webhook"))
    })
}

fn deliveries(found: &Value) -> Markup {
    let row = |delivery: &Value| {
        html! {
            tr {
                td {
                    a.id href={ (ROOT) "/webhook/" (whole(delivery, "sequence")) } {
                        "#"
                        (whole(delivery, "sequence"))
                    }
                }
                td { (text(delivery, "event")) }
                td { (time(&delivery["created_at"])) }
                td { (badge(text(delivery, "status"))) }
                td.num { (whole(delivery, "attempts")) }
                td {
                    @if let Some(status) = delivery["last_status"].as_u64() {
                        "HTTP "
                        (status)
                    } @else {
                        (delivery["last_outcome"].as_str().unwrap_or("–").replace('_', " "))
                    }
                }
                td { (time(&delivery["next_attempt_at"])) }
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
    ];
    table("Deliveries", &head, &rows, "Nothing was pushed yet.")
}

/// One delivery with what is sent.
pub async fn delivery(context: &Context, sequence: &str) -> Result<Page, Refused> {
    let sequence: u64 = sequence.parse().map_err(|_| missing())?;
    let found = context
        .ask(&format!("webhook/deliveries?limit=1&cursor={}", sequence.saturating_add(1)))
        .await?;
    let delivery = list(&found, "deliveries")
        .first()
        .filter(|delivery| whole(delivery, "sequence") == sequence)
        .ok_or_else(missing)?;
    let service = &context.console.app.service;
    let store: Arc<dyn EventStore> = Arc::clone(&service.store) as Arc<dyn EventStore>;
    let writer = Writer {
        accounts: service.accounts.clone(),
        orders: service.orders.clone(),
        views: service.views.clone(),
        store,
    };
    let failed = |fault: actors::Fault| Refused {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        text: fault.to_string(),
    };
    let payload = writer.write(context.caller.account, sequence).await.map_err(failed)?;
    let payload: Option<Value> =
        payload.and_then(|payload| serde_json::from_slice(&payload.body).ok());
    let body = html! {
        section.card {
            dl {
                dt { "Event" } dd { (text(delivery, "event")) }
                dt { "Id" } dd.id { (text(delivery, "id")) }
                dt { "Status" } dd { (badge(text(delivery, "status"))) }
                dt { "Due" } dd { (time(&delivery["created_at"])) }
                dt { "Attempts" }
                dd {
                    (whole(delivery, "attempts"))
                    ", the last "
                    (time(&delivery["last_attempt_at"]))
                }
                @if let Some(order) = delivery["order_id"].as_str() {
                    dt { "Order" }
                    dd { (id(ROOT, "/orders/", order)) }
                }
            }
            p {}
            form method="post" action={ (ROOT) "/webhook/" (sequence) "/redeliver" } {
                button.quiet { "Deliver once more" }
            }
        }
        section.card {
            h2 { "Payload" }
            @if let Some(payload) = payload {
                pre dir="auto" { (format!("{payload:#}")) }
            } @else {
                (notice("warning", "No webhook is set any more: nothing would be sent."))
            }
        }
    };
    Ok(Page::new(format!("Delivery {sequence}"), "webhook", body))
}
