//! How the service is, on one screen.

use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{list, millis, money, notice, percent, table, text, tile, whole};

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let overview = context.ask("overview?hours=24").await?;
    let body = html! {
        @for warning in list(&overview, "warnings") {
            (notice(text(warning, "level"), text(warning, "text")))
        }
        (tiles(&overview))
        div.grid {
            section.card.flush {
                h2 { "Success by source and platform, 24 h" }
                (success(&overview["success"]))
            }
            div {
                section.card.flush { h2 { "Delivery, 24 h" } (delivery(&overview["delivery"])) }
                section.card.flush { h2 { "Chains" } (chains(&overview)) }
            }
        }
    };
    Ok(Page::new("Overview", "overview", body).live(format!("{ROOT}/live")))
}

fn tiles(overview: &Value) -> Markup {
    let (cash, orders, delivery, views) =
        (&overview["money"], &overview["orders"], &overview["delivery"], &overview["views"]);
    let listening = match (whole(orders, "listening"), whole(orders, "open_tests")) {
        (listening, 0) => format!("{listening} more listen after their code"),
        (listening, tests) => format!("{tests} of them tests; {listening} more listen"),
    };
    let lag = if views["stopped"].is_null() {
        format!("log at {}", whole(views, "log"))
    } else {
        "stopped".to_owned()
    };
    let test = &cash["test"];
    html! {
        @if whole(test, "orders") > 0 || money(&test["balance"]) != "$0.00" {
            p.note { "Without tests. Accounts for tests have "
                (money(&test["balance"])) " with no money behind it, and have placed "
                (whole(test, "orders")) " orders." }
        }
        div.tiles {
            (tile("Open orders", whole(orders, "open"), listening))
            (tile(
                "Codes a minute", overview["codes_per_minute"].as_f64().unwrap_or_default(),
                "of the last five minutes",
            ))
            (tile("Delivery p50", millis(&delivery["p50_millis"]), html! {
                "p95 "
                (millis(&delivery["p95_millis"]))
            }))
            (tile("Held now", money(&cash["held"]), html! {
                "balances "
                (money(&cash["balance"]))
            }))
            (tile("Captured today", money(&cash["captured_today"]), html! {
                "sources charged "
                (money(&cash["charged_today"]))
            }))
            (tile("View lag", format!("{} events", whole(views, "lag")), lag))
        }
    }
}

fn success(rows: &Value) -> Markup {
    let row = |row: &Value| {
        html! {
            tr {
                td {
                    @if row["supplier"].is_null() {
                        span.note { "no number found" }
                    } @else {
                        (text(row, "supplier"))
                    }
                }
                td { (text(row, "platform")) }
                td.num { (percent(&row["rate"])) }
                td.num.fit { (percent(&row["low"])) " – " (percent(&row["high"])) }
                td.num { (whole(row, "n")) }
            }
        }
    };
    let rows: Vec<Markup> = rows.as_array().into_iter().flatten().map(row).collect();
    let head = [
        ("Source", false),
        ("Platform", false),
        ("Success", true),
        ("95 % interval", true),
        ("n", true),
    ];
    table("Success", &head, &rows, "No order has ended in the last 24 hours.")
}

fn delivery(delivery: &Value) -> Markup {
    let codes = whole(delivery, "codes");
    let row = |bucket: &Value| {
        html! {
            tr {
                td { "up to " (millis(&bucket["up_to_millis"])) }
                td.num { (whole(bucket, "codes")) }
                td {
                    progress max=(codes.max(1)) value=(whole(bucket, "codes"))
                        aria-label={ "codes within " (millis(&bucket["up_to_millis"])) } {
                    }
                }
            }
        }
    };
    let rows: Vec<Markup> = list(delivery, "histogram").iter().map(row).collect();
    table(
        "Delivery times",
        &[("From number to code", false), ("Codes", true), ("", false)],
        &rows,
        "No code has come in the last 24 hours.",
    )
}

fn chains(overview: &Value) -> Markup {
    let row = |chain: &Value| {
        html! {
            tr {
                td { (text(chain, "chain")) }
                td.num { (whole(chain, "height")) }
                td.num { (whole(chain, "lag_blocks")) }
                td.wrap {
                    @if chain["error"].is_null() {
                        "answers"
                    } @else {
                        span.minus { (text(chain, "error")) }
                    }
                }
            }
        }
    };
    let rows: Vec<Markup> = list(overview, "chains").iter().map(row).collect();
    table(
        "Chains",
        &[("Chain", false), ("Height", true), ("Blocks behind", true), ("State", false)],
        &rows,
        "No chain is followed.",
    )
}
