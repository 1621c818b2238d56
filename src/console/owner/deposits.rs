//! Money in: where to pay, with codes for cameras; what was paid; and a claim by hash.

use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{badge, list, money, notice, pager, table, text, tile, time};

const COINS: [(&str, &str); 3] =
    [("btc", "Bitcoin"), ("ltc", "Litecoin"), ("usdt_erc20", "USDT on Ethereum")];

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let addresses = context.ask("deposit/addresses").await?;
    let deposits =
        context.ask(&format!("deposits?limit=25&{}", context.query.query(&["cursor"]))).await?;
    let account = context.ask("account").await?;
    let is_simulated = addresses["simulated"] == true;
    let body = html! {
        div.tiles {
            (tile("Balance", money(&account["balance"]), ""))
            (tile("Least deposit", money(&addresses["minimum_deposit_usd"]), "credited at once"))
        }
        section.card.flush {
            h2 { "Deposits" }
            (rows(list(&deposits, "deposits")))
            (pager(&format!("{ROOT}/deposits"), &[], "cursor", deposits["next_cursor"].as_str()))
        }
    };
    let top = html! {
        @if let Some(said) = context.query.given("said") { (notice("good", said)) }
        @if is_simulated {
            (simulated())
        } @else {
            p.note { (text(&addresses, "message")) }
            (coins(&addresses["addresses"]))
        }
        details.card {
            summary { "Claim a payment by its hash" }
            form.row method="post" action={ (ROOT) "/deposits" } {
                label {
                    "Transaction hash"
                    input name="tx_hash" required autocomplete="off" spellcheck="false"
                        placeholder="64 hex digits";
                }
                button.quiet { "Look it up" }
            }
        }
    };
    Ok(Page::new("Deposits", "deposits", body).top(top).live(format!("{ROOT}/live/deposits")))
}

fn simulated() -> Markup {
    html! {
        div.card {
            p { "Deposits are simulated here: a made-up payment is credited $10 after two \
                seconds." }
            form method="post" action={ (ROOT) "/deposits/simulate" } {
                button { "Make a simulated deposit" }
            }
        }
    }
}

fn coins(addresses: &Value) -> Markup {
    html! {
        div.grid {
            @for (coin, name) in COINS {
                @if let Some(address) = addresses[coin].as_str() {
                    section.card {
                        h2 { (name) }
                        img.qr src={ (ROOT) "/data/qr/" (coin) }
                            alt={ (name) " address as a QR code" } width="168" height="168";
                        pre id=(coin) { (address) }
                        p {
                            button.quiet.small type="button" data-copy=(coin) { "Copy the address" }
                        }
                    }
                }
            }
        }
    }
}

fn rows(deposits: &[Value]) -> Markup {
    let row = |deposit: &Value| {
        html! {
            tr {
                td { (time(&deposit["seen_at"])) }
                td { (badge(text(deposit, "status"))) }
                td { (text(deposit, "currency")) }
                td.id title=(text(deposit, "tx_hash")) {
                    (text(deposit, "tx_hash").get(..14).unwrap_or_default())
                    "…"
                }
                td.num { (deposit["paid"].as_str().unwrap_or("–")) }
                td.num { (money(&deposit["amount"])) }
                td { (time(&deposit["credited_at"])) }
            }
        }
    };
    let rows: Vec<Markup> = deposits.iter().map(row).collect();
    let head = [
        ("Seen", false),
        ("Status", false),
        ("Coin", false),
        ("Transaction", false),
        ("Paid", true),
        ("Worth", true),
        ("Credited", false),
    ];
    table("Deposits", &head, &rows, "Nothing was paid yet.")
}
