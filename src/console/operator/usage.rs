//! Orders, success, delivery, revenue and cost over time: charts, the numbers under them, and a
//! file.

use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{list, millis, money, table, text, tile, time, whole};

/// Choices of time.
const SPANS: [(&str, &str); 4] =
    [("24", "24 h"), ("168", "7 days"), ("720", "30 days"), ("1680", "70 days")];

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let hours = context.query.given("hours").unwrap_or("24");
    let hours = if SPANS.iter().any(|(span, _)| *span == hours) { hours } else { "24" };
    let usage = context.ask(&format!("usage?hours={hours}")).await?;
    let totals = &usage["totals"];
    let data = |name: &str| format!("{ROOT}/data/{name}?hours={hours}");
    let chart = |title: &str, name: &str, kind: &str| {
        html! {
            section.card {
                h2 { (title) }
                div.chart data-chart=(data(name)) data-kind=(kind) role="img"
                    aria-label={ (title) ", as numbers below" } {
                }
            }
        }
    };
    let body = html! {
        div.tiles {
            (tile("Orders", whole(totals, "orders"), html! {
                (whole(totals, "completed"))
                " completed"
            }))
            (tile("Revenue", money(&totals["revenue"]), "captured, less what was refunded"))
            (tile("Cost", money(&totals["cost"]), "charged by sources for leases"))
            (tile("Delivery p50", millis(&usage["delivery"]["p50_millis"]), html! {
                "p95 "
                (millis(&usage["delivery"]["p95_millis"]))
            }))
        }
        div.grid {
            (chart("Orders", "orders", "lines"))
            (chart("Success", "success", "lines"))
            (chart("Revenue and cost", "money", "lines"))
            (chart("Average delivery", "delivery", "lines"))
            (chart("Delivery times", "histogram", "bars"))
        }
        div.grid {
            section.card.flush {
                h2 { "By source" }
                (sums(list(&usage, "suppliers"), "supplier", "Source"))
            }
            section.card.flush {
                h2 { "By platform" }
                (sums(list(&usage, "platforms"), "platform", "Platform"))
            }
        }
        details.card { summary { "The numbers by the hour" } (hourly(list(&usage, "series"))) }
    };
    let actions = html! {
        @for (span, name) in SPANS {
            a.button.quiet.small href={ (ROOT) "/usage?hours=" (span) }
                aria-current=[(span == hours).then_some("true")] {
                (name)
            }
        }
        a.button.quiet.small href={ (ROOT) "/data/usage.csv?hours=" (hours) } { "CSV" }
    };
    Ok(Page::new("Usage", "usage", body).actions(actions).charts())
}

fn sums(rows: &[Value], name: &str, title: &str) -> Markup {
    let row = |row: &Value| {
        html! {
            tr {
                td { (text(row, name)) }
                td.num { (whole(row, "completed")) }
                td.num { (whole(row, "expired") + whole(row, "failed")) }
                td.num { (money(&row["revenue"])) }
                td.num { (money(&row["cost"])) }
                td.num.fit { (millis(&row["delivery_millis"])) }
            }
        }
    };
    let rows: Vec<Markup> = rows.iter().map(row).collect();
    table(
        title,
        &[
            (title, false),
            ("Completed", true),
            ("Without a code", true),
            ("Revenue", true),
            ("Cost", true),
            ("Delivery", true),
        ],
        &rows,
        "No order has ended in this time.",
    )
}

fn hourly(series: &[Value]) -> Markup {
    let row = |hour: &Value| {
        html! {
            tr {
                td { (time(&hour["start"])) }
                td.num { (whole(hour, "orders")) }
                td.num { (whole(hour, "completed")) }
                td.num { (whole(hour, "cancelled")) }
                td.num { (whole(hour, "expired")) } td.num { (whole(hour, "failed")) }
                td.num { (money(&hour["revenue"])) }
                td.num { (money(&hour["cost"])) }
                td.num.fit { (millis(&hour["delivery_millis"])) }
            }
        }
    };
    let busy = series.iter().rev().filter(|hour| {
        hour["orders"] != 0
            || hour["completed"] != 0
            || whole(hour, "expired") + whole(hour, "failed") > 0
    });
    let rows: Vec<Markup> = busy.map(row).collect();
    let head = [
        ("Hour", false),
        ("Orders", true),
        ("Completed", true),
        ("Cancelled", true),
        ("Expired", true),
        ("Failed", true),
        ("Revenue", true),
        ("Cost", true),
        ("Delivery", true),
    ];
    table("By the hour", &head, &rows, "Nothing happened in this time.")
}
