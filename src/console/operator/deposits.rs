//! Deposits that somebody should look at, and how far each chain is.

use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{badge, id, list, money, notice, table, text, time, whole};

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let deposits = context.ask("deposits?stuck_hours=3").await?;
    let concerns = [
        (
            "stuck",
            "Stuck",
            "Seen or claimed more than three hours ago, and not credited.",
            "Nothing is stuck.",
        ),
        (
            "unknown",
            "Of nobody",
            "Paid to a shared address, and claimed by nobody.",
            "Every payment has its account.",
        ),
        ("dust", "Dust", "Too small to be credited alone; kept until there is more.", "No dust."),
        (
            "reversed",
            "Reversed",
            "Credited, and taken back when the chain lost the block.",
            "No credit was ever taken back.",
        ),
    ];
    let simulated =
        context.console.api.service.deposits.as_ref().is_some_and(actors::Deposits::is_simulated);
    let body = html! {
        @if simulated { (notice("warning", "Deposits are simulated: any transaction hash is \
            credited $10 after two seconds.")) }
        section.card.flush { h2 { "Chains" } (chains(&deposits)) }
        @for (name, title, what, empty) in concerns {
            section.card.flush {
                h2 { (title) " " small.note { (what) } }
                (rows(list(&deposits, name), title, empty))
            }
        }
    };
    Ok(Page::new("Deposits and chains", "deposits", body).live(format!("{ROOT}/live/deposits")))
}

fn chains(deposits: &Value) -> Markup {
    let row = |chain: &Value| {
        html! {
            tr {
                td { (text(chain, "chain")) }
                td.num { (whole(chain, "height")) }
                td.num { (whole(chain, "scanned_height")) }
                td.num { (whole(chain, "lag_blocks")) }
                td.num { @if let Some(rate) = chain["rate"].as_str() { "$" (rate) } @else { "–" } }
                td { (time(&chain["answered_at"])) }
                td.num { (whole(chain, "addresses_given")) }
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
    let rows: Vec<Markup> = list(deposits, "chains").iter().map(row).collect();
    let head = [
        ("Chain", false),
        ("Height", true),
        ("Looked through", true),
        ("Behind", true),
        ("Rate", true),
        ("Answered", false),
        ("Addresses given", true),
        ("State", false),
    ];
    table(
        "Chains",
        &head,
        &rows,
        "No chain is followed: balances grow by an operator's credit, or are simulated.",
    )
}

/// A list of deposits.
pub fn rows(deposits: &[Value], title: &str, empty: &str) -> Markup {
    let row = |deposit: &Value| {
        html! {
            tr {
                td { (time(&deposit["seen_at"])) }
                td { (badge(text(deposit, "status"))) }
                td { (text(deposit, "chain")) }
                td.id title=(text(deposit, "tx_hash")) {
                    (text(deposit, "tx_hash").get(..14).unwrap_or_default())
                    "…"
                }
                td.num { (text(deposit, "paid")) }
                td.num { (text(deposit, "rate")) }
                td.num { (money(&deposit["amount"])) }
                td {
                    @if let Some(account) = deposit["account_id"].as_str() {
                        (id(ROOT, "/accounts/", account))
                    } @else {
                        "–"
                    }
                }
            }
        }
    };
    let rows: Vec<Markup> = deposits.iter().map(row).collect();
    let head = [
        ("Seen", false),
        ("Status", false),
        ("Chain", false),
        ("Transaction", false),
        ("Paid", true),
        ("Rate", true),
        ("Worth", true),
        ("Account", false),
    ];
    table(title, &head, &rows, empty)
}
