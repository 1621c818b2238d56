//! The owner's orders, and one of them: the number, the code as it arrives, messages, what
//! happened.

use events::order::Status;
use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT, home};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{
    badge, change, id, list, messages, money, pager, percent, select, table, text, time, whole,
};

/// The list.
pub async fn all(context: &Context) -> Result<Page, Refused> {
    let query = &context.query;
    let fields = query.query(&["status", "platform", "cursor"]);
    let orders = context.ask(&format!("orders?limit=50&{fields}")).await?;
    let given = [("status", query.get("status")), ("platform", query.get("platform"))];
    let body = html! {
        section.card.flush {
            (rows(list(&orders, "orders"), "No order fits."))
            (pager(&format!("{ROOT}/orders"), &given, "cursor", orders["next_cursor"].as_str()))
        }
    };
    let states = Status::ALL.map(|status| (status.name().to_owned(), status.name().to_owned()));
    let top = html! {
        (home::order_form(context).await?)
        form.row.card method="get" action={ (ROOT) "/orders" } {
            (select("status", "Status", query.get("status"), "Any", states))
            button.quiet { "Filter" }
        }
    };
    let page = Page::new("Orders", "orders", body).top(top);
    Ok(if query.given("cursor").is_some() {
        page
    } else {
        page.live(format!("{ROOT}/live/orders?{fields}"))
    })
}

/// Rows of a list of orders.
pub fn rows(orders: &[Value], empty: &str) -> Markup {
    let row = |order: &Value| {
        html! {
            tr {
                td { (id(ROOT, "/orders/", text(order, "order_id"))) }
                td { (time(&order["created_at"])) }
                td.fit {
                    (badge(text(order, "status")))
                    @if order["listening"] == true { " " (badge("listening")) }
                }
                td { (text(order, "platform")) ", " (text(order, "country")) }
                td.id { (order["phone"].as_str().unwrap_or("–")) }
                td.num { (money(&order["price"])) }
            }
        }
    };
    let rows: Vec<Markup> = orders.iter().map(row).collect();
    let head = [
        ("Order", false),
        ("Placed", false),
        ("Status", false),
        ("For", false),
        ("Number", false),
        ("Price", true),
    ];
    table("Orders", &head, &rows, empty)
}

/// One order.
pub async fn one(context: &Context, order: &str) -> Result<Page, Refused> {
    let told = context.ask(&format!("order/{order}")).await?;
    let history = context.ask(&format!("order/{order}/events")).await?;
    let body = html! {
        div.side {
            div {
                section.card { (number_and_code(&told)) }
                section.card {
                    h2 { "Messages" }
                    (messages(&told, "No message has come yet.", message))
                }
            }
            div {
                section.card { (facts(&told)) (actions(&told)) }
                section.card { h2 { "What happened" } (timeline(list(&history, "events"))) }
            }
        }
    };
    let name = format!("{} {}", text(&told, "platform"), text(&told, "country"));
    let page = Page::new(name, "orders", body).actions(html! { span.id.note { (order) } });
    let is_over = told["can_cancel"] != true && told["listening"] != true;
    Ok(if is_over { page } else { page.live(format!("{ROOT}/live/orders/{order}")) })
}

fn number_and_code(order: &Value) -> Markup {
    html! {
        h2 { "Number" }
        @if let Some(phone) = order["phone"].as_str() {
            p.copied {
                span.bignumber id="phone" { (phone) }
                " "
                button.quiet.small type="button" data-copy="phone" { "Copy" }
            }
        } @else if order["phone_erased"] == true {
            p.note { "It was erased." }
        } @else if order["can_cancel"] == true {
            p.note { "A number is being sought…" }
        } @else {
            p.note { "There was none." }
        }
        h2 { "Code" }
        @if let Some(code) = order["code"].as_str() {
            p.copied {
                span.bignumber id="code" role="status" { (code) }
                " "
                button.quiet.small type="button" data-copy="code" { "Copy" }
            }
        } @else if order["messages_erased"] == true {
            p.note { "It was erased, with what the messages said." }
        } @else if order["can_cancel"] == true {
            p.note role="status" {
                "Waiting for the message. The code appears here by itself."
            }
        } @else {
            p.note { "No code came." }
        }
    }
}

fn facts(order: &Value) -> Markup {
    html! {
        dl {
            dt { "Status" }
            dd {
                (badge(text(order, "status")))
                @if order["listening"] == true { " " (badge("listening")) }
            }
            dt { "Price" } dd { (money(&order["price"])) }
            @if !order["refunded"].is_null() {
                dt { "Came back" }
                dd { (money(&order["refunded"])) }
            }
            dt { "Placed" } dd { (time(&order["created_at"])) }
            dt { "Expires" } dd { (time(&order["expires_at"])) }
            @if !order["listening_until"].is_null() {
                dt { "Listens until" }
                dd { (time(&order["listening_until"])) }
            }
            @if !order["failure"].is_null() {
                dt { "Failed for" }
                dd { (text(order, "failure").replace('_', " ")) }
            }
        }
    }
}

fn actions(order: &Value) -> Markup {
    let path = |action: &str| format!("{ROOT}/orders/{}/{action}", text(order, "order_id"));
    html! {
        @if order["can_cancel"] == true {
            form method="post" action=(path("cancel")) { p {} button.danger { "Cancel the order" } }
        }
        @if order["listening"] == true {
            form method="post" action=(path("finish")) {
                p {}
                button.quiet { "Give the number back" }
            }
        }
        @if !order["report"].is_null() {
            details {
                summary { "Something is wrong with it" }
                form.row method="post" action=(path("report")) {
                    (select(
                        "reason", "What", "", "",
                        [
                            ("wrong_code", "The code is wrong"), ("no_code", "No code came"),
                            ("number_used", "The number was used before"),
                        ].map(|(value, name)| (value.to_owned(), name.to_owned())),
                    ))
                    button.quiet { "Report" }
                }
            }
        }
    }
}

fn message(message: &Value) -> Markup {
    html! {
        header {
            "from "
            bdi { (text(message, "from")) }
            " · "
            (time(&message["received_at"]))
        }
        p dir="auto" { (text(message, "text")) }
        @if text(message, "verdict") != "code" {
            @for candidate in list(message, "candidates") {
                div.note {
                    "perhaps "
                    span.id { (text(candidate, "code")) }
                    ", confidence "
                    (percent(&candidate["confidence"]))
                }
            }
        }
    }
}

fn timeline(events: &[Value]) -> Markup {
    html! {
        ol.timeline {
            @for event in events {
                li {
                    span.what { (text(event, "type").replace('_', " ")) }
                    span.when { "#" (whole(event, "number")) " · " (time(&event["at"])) }
                    @if event["money"].is_object() {
                        div.note {
                            (text(&event["money"], "type"))
                            " "
                            (change(&event["money"]["balance"]))
                        }
                    }
                }
            }
        }
    }
}
