//! Orders: the live list of all, and one with everything that happened to it, now and as of each of
//! its events.

use events::country::Country;
use events::order::Status;
use events::platform::Platform;
use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{
    badge, change, id, input, list, messages, millis, money, pager, secret, select, table,
    test_badge, text, time, whole,
};

const FILTERS: [&str; 7] =
    ["search", "status", "open", "platform", "country", "supplier", "before"];

/// The list.
pub async fn all(context: &Context) -> Result<Page, Refused> {
    let query = context.query.query(&FILTERS);
    let orders = context.ask(&format!("orders?limit=50&{query}")).await?;
    let given: Vec<(&str, &str)> =
        FILTERS.iter().map(|name| (*name, context.query.get(name))).collect();
    let rows: Vec<Markup> = list(&orders, "orders").iter().map(row).collect();
    let head = [
        ("Order", false),
        ("Placed", false),
        ("Status", false),
        ("Platform", false),
        ("Country", false),
        ("Number", false),
        ("Source", false),
        ("Delivery", true),
        ("Price", true),
        ("Account", false),
    ];
    let body = html! {
        section.card.flush {
            (table("Orders", &head, &rows, "No order fits. Change the filters, or place one."))
            (pager(&format!("{ROOT}/orders"), &given, "before", orders["next_before"].as_str()))
        }
    };
    let page = Page::new("Orders", "orders", body).top(filters(context));
    // Further pages hold what was: nothing new comes into them.
    Ok(if context.query.given("before").is_some() {
        page
    } else {
        page.live(format!("{ROOT}/live/orders?{query}"))
    })
}

fn filters(context: &Context) -> Markup {
    let query = &context.query;
    let pair = |name: &str| (name.to_owned(), name.replace('_', " "));
    html! {
        form.row.card method="get" action={ (ROOT) "/orders" } role="search" {
            (input("search", "Id or phone", query.get("search"), "ord_…, acc_… or +1…"))
            (select(
                "status", "Status", query.get("status"), "Any",
                Status::ALL.map(|status| pair(status.name())),
            ))
            (select(
                "platform", "Platform", query.get("platform"), "Any",
                Platform::ALL.iter().map(|platform| pair(platform.slug())),
            ))
            (select(
                "country", "Country", query.get("country"), "Any",
                Country::ALL.iter().map(|country| pair(country.code())),
            ))
            (input("supplier", "Source", query.get("supplier"), "any"))
            label.check {
                input type="checkbox" name="open" value="true"
                    checked[query.given("open").is_some()];
                "Open only"
            }
            button { "Filter" }
            a.button.quiet href={ (ROOT) "/orders" } { "Clear" }
        }
    }
}

fn row(order: &Value) -> Markup {
    html! {
        tr {
            td { (id(ROOT, "/orders/", text(order, "order_id"))) }
            td { (time(&order["placed_at"])) }
            td.fit {
                (badge(text(order, "status")))
                @if order["listening"] == true { " " (badge("listening")) }
                (test_badge(order))
            }
            td { (text(order, "platform")) }
            td { (text(order, "country")) }
            td.fit { (kept(&order["phone"], &order["phone_erased"])) }
            td { (order["supplier"].as_str().unwrap_or("–")) }
            td.num.fit { (millis(&order["delivery_millis"])) }
            td.num { (money(&order["price"])) }
            td { (id(ROOT, "/accounts/", text(order, "account_id"))) }
        }
    }
}

/// One order.
pub async fn one(context: &Context, order: &str) -> Result<Page, Refused> {
    let as_of = context.query.query(&["as_of"]);
    let shown = context.ask_about(order, &format!("orders/{order}?{as_of}")).await?;
    let told = &shown["order"];
    let body = html! {
        div.side {
            section.card { h2 { "What happened" } (timeline(list(&shown, "events"))) }
            div {
                section.card { (facts(&shown)) }
                section.card { h2 { "Messages" } (messages(told, "No message has come.", message)) }
            }
        }
    };
    let title = format!("Order {order}");
    let page = Page::new(title, "orders", body).top(html! {
        (slider(order, &shown))
        (reveal(context, order, &format!("{ROOT}/orders/{order}")))
    });
    Ok(if as_of.is_empty() { page.live(format!("{ROOT}/live/orders/{order}")) } else { page })
}

/// As of which of its events the order is shown: without scripts a form, with them without leaving
/// the page.
fn slider(order: &str, shown: &Value) -> Markup {
    let (event, in_all) = (whole(shown, "event"), whole(shown, "events_in_all"));
    let path = format!("{ROOT}/orders/{order}");
    html! {
        form.row.card method="get" action=(path) {
            label {
                "As of event (1 to " (in_all) ")"
                input type="range" name="as_of" min="1" max=(in_all) value=(event) hx-get=(path)
                    hx-trigger="input delay:120ms" hx-target="#live" hx-select="#live"
                    hx-swap="outerHTML";
            }
            button.quiet { "Show" }
            a.button.quiet href=(path) { "Now" }
        }
    }
}

/// The form that has something shown, and the reason stands in the log.
pub fn reveal(context: &Context, subject: &str, next: &str) -> Markup {
    if context.sees(subject) {
        return html! { (crate::console::show::notice("warning", "Numbers, texts and codes are \
        shown here, to you, for 15 minutes after you gave a reason. That stands in the log.")) };
    }
    if !context.is_operator() {
        return html! {
            p.note { "Numbers, texts and codes are masked. An operator can reveal them." }
        };
    }
    html! {
        details.card {
            summary { "Reveal numbers, texts and codes" }
            form.row method="post" action={ (ROOT) "/reveal" } {
                input type="hidden" name="subject" value=(subject);
                input type="hidden" name="next" value=(next);
                label {
                    "Reason, for the log"
                    input name="reason" required maxlength="1000" autocomplete="off";
                }
                button { "Reveal" }
            }
        }
    }
}

fn facts(shown: &Value) -> Markup {
    let order = &shown["order"];
    let pair = |name: &str, value: Markup| html! { dt { (name) } dd { (value) } };
    html! {
        h2 { "As of event " (whole(shown, "event")) " of " (whole(shown, "events_in_all")) }
        dl {
            (pair("Status", html! {
                (badge(text(order, "status")))
                @if order["listening"] == true { " " (badge("listening")) }
            }))
            (pair("For", html! { (text(order, "platform")) ", " (text(order, "country")) }))
            (pair("Number", kept(&order["phone"], &order["phone_erased"])))
            (pair("Code", kept(&order["code"], &order["messages_erased"])))
            (pair("Source", html! { (shown["supplier"].as_str().unwrap_or("–")) }))
            (pair("Price", html! { (money(&order["price"])) }))
            (pair("Refunded", html! { (money(&order["refunded"])) }))
            (pair("Attempts", html! { (whole(order, "attempts")) }))
            (pair("Placed", time(&order["created_at"])))
            (pair("Expires", time(&order["expires_at"])))
            (pair("Ended", time(&order["ended_at"])))
            (pair("Failure", html! { (order["failure"].as_str().unwrap_or("–")) }))
            (pair("Account", id(ROOT, "/accounts/", text(shown, "account_id"))))
        }
    }
}

/// A secret, or that it was erased.
fn kept(value: &Value, is_erased: &Value) -> Markup {
    if *is_erased == true {
        html! { (badge("erased")) }
    } else {
        secret(value)
    }
}

fn timeline(events: &[Value]) -> Markup {
    html! {
        ol.timeline {
            @for event in events {
                li {
                    span.what { (text(event, "type").replace('_', " ")) }
                    span.when { "#" (whole(event, "number")) " · " (time(&event["at"])) }
                    div.note.wrap { (details(&event["data"])) }
                    @if let Some(effect) = event["money"].as_object() {
                        div.note {
                            (effect["type"].as_str().unwrap_or_default())
                            ": balance "
                            (change(&event["money"]["balance"]))
                            ", held "
                            (change(&event["money"]["held"]))
                        }
                    }
                }
            }
        }
    }
}

/// An event's own values, in words.
fn details(data: &Value) -> Markup {
    let members = data.as_object().into_iter().flatten();
    let shown =
        members.filter(|(name, value)| !value.is_array() && !value.is_object() && *name != "text");
    html! {
        @for (at, (name, value)) in shown.enumerate() { @if at > 0 { " · " } (detail(name, value)) }
    }
}

fn detail(name: &str, value: &Value) -> Markup {
    let (label, unit) = name.strip_suffix("_seconds").map_or((name, ""), |name| (name, " s"));
    let shown = match value {
        Value::Null => html! { "none" },
        price if name.ends_with("price") => html! { (money(price)) },
        // A moment, by its name: what callers or senders wrote never has one of these.
        Value::String(_) if name == "at" || name.ends_with("_at") || name.ends_with("_until") => {
            time(value)
        }
        Value::String(text) => html! { bdi { (text) } },
        other => html! { (other.to_string()) },
    };
    html! { (label.replace('_', " ")) " " (shown) (unit) }
}

/// A message with what could be the code in it, how sure that is, and why.
fn message(message: &Value) -> Markup {
    html! {
        header {
            "from "
            (secret(&message["from"]))
            " · "
            (time(&message["received_at"]))
            " · "
            (badge(text(message, "verdict")))
        }
        p dir="auto" {
            @if text(message, "text") == crate::admin::HIDDEN {
                (secret(&message["text"]))
            } @else {
                (text(message, "text"))
            }
        }
        @for candidate in list(message, "candidates") {
            div.note {
                "candidate "
                (secret(&candidate["code"]))
                ", confidence "
                (crate::console::show::percent(&candidate["confidence"]))
                ": "
                (reasons(candidate))
            }
        }
        @if !list(message, "repeated_at").is_empty() {
            div.note { "repeated " (list(message, "repeated_at").len()) " times" }
        }
    }
}

/// Why a candidate is taken for the code, in words.
fn reasons(candidate: &Value) -> String {
    let reasons = list(candidate, "reasons").iter().filter_map(Value::as_str);
    reasons.collect::<Vec<_>>().join(", ").replace('_', " ")
}
