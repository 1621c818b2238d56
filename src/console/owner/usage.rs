//! What was ordered and spent over time.

use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{list, money, table, text, tile, time, whole};

/// Widths of an entry.
const WIDTHS: [(&str, &str); 3] = [("hour", "Hours"), ("day", "Days"), ("month", "Months")];

/// The width that a query asks for.
pub fn width(context: &Context) -> &'static str {
    WIDTHS
        .iter()
        .map(|(width, _)| *width)
        .find(|width| *width == context.query.get("granularity"))
        .unwrap_or("day")
}

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let width = width(context);
    let usage = context.ask(&format!("usage?granularity={width}&group_by=platform")).await?;
    let totals = &usage["totals"];
    let chart = |title: &str, name: &str| {
        let data = format!("{ROOT}/data/{name}?granularity={width}");
        html! {
            section.card {
                h2 { (title) }
                div.chart data-chart=(data) data-kind="lines" role="img"
                    aria-label={ (title) ", as numbers below" } {
                }
            }
        }
    };
    let body = html! {
        div.tiles {
            (tile("Orders", whole(totals, "orders"), "in 30 days"))
            (tile("Completed", whole(totals, "completed"), html! {
                (whole(totals, "expired") + whole(totals, "failed"))
                " without a code"
            }))
            (tile("Spent", money(&totals["spent"]), ""))
            (tile(
                "Average delivery",
                totals["avg_delivery_seconds"].as_f64().map_or_else(
                    || "–".to_owned(), |seconds| format!("{seconds} s"),
                ),
                "",
            ))
        }
        div.grid { (chart("Orders", "orders")) (chart("Spent", "spent")) }
        section.card.flush { h2 { "By platform" } (platforms(list(&usage, "groups"))) }
        details.card { summary { "The numbers" } (series(list(&usage, "series"))) }
    };
    let actions = html! {
        @for (of, name) in WIDTHS {
            a.button.quiet.small href={ (ROOT) "/usage?granularity=" (of) }
                aria-current=[(of == width).then_some("true")] {
                (name)
            }
        }
        a.button.quiet.small href={ (ROOT) "/data/usage.csv?granularity=" (width) } { "CSV" }
    };
    Ok(Page::new("Usage", "usage", body).actions(actions).charts())
}

fn platforms(groups: &[Value]) -> Markup {
    let row = |group: &Value| {
        let totals = &group["totals"];
        html! {
            tr {
                td { (text(group, "platform")) }
                td.num { (whole(totals, "orders")) }
                td.num { (whole(totals, "completed")) }
                td.num { (money(&totals["spent"])) }
            }
        }
    };
    let rows: Vec<Markup> = groups.iter().map(row).collect();
    table(
        "By platform",
        &[("Platform", false), ("Orders", true), ("Completed", true), ("Spent", true)],
        &rows,
        "Nothing was ordered in this time.",
    )
}

fn series(series: &[Value]) -> Markup {
    let row = |entry: &Value| {
        html! {
            tr {
                td { (time(&entry["start"])) }
                td.num { (whole(entry, "orders")) }
                td.num { (whole(entry, "completed")) }
                td.num { (money(&entry["spent"])) }
            }
        }
    };
    let rows: Vec<Markup> = series
        .iter()
        .rev()
        .filter(|entry| whole(entry, "orders") + whole(entry, "completed") > 0)
        .map(row)
        .collect();
    table(
        "Over time",
        &[("From", false), ("Orders", true), ("Completed", true), ("Spent", true)],
        &rows,
        "Nothing was ordered in this time.",
    )
}
