//! Accounts: the list of all, and one with its money, orders, deliveries and keys, and what an
//! operator does to it.

use maud::{Markup, html};
use serde_json::Value;

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{
    badge, change, id, input, list, money, notice, pager, select, table, test_badge, text, time,
    whole,
};

/// The list.
pub async fn all(context: &Context) -> Result<Page, Refused> {
    let query = &context.query;
    let accounts = context
        .ask(&format!(
            "accounts?limit=50&{}",
            query.query(&["account", "mode", "suspended", "waiting", "before"])
        ))
        .await?;
    let given = ["account", "mode", "suspended", "waiting"].map(|name| (name, query.get(name)));
    let modes = [("live", "Live"), ("test", "For tests")]
        .map(|(mode, shown)| (mode.to_owned(), shown.to_owned()));
    let rows: Vec<Markup> = list(&accounts, "accounts").iter().map(row).collect();
    let head = [
        ("Account", false),
        ("Registered", false),
        ("Standing", false),
        ("Tier", false),
        ("Balance", true),
        ("Held", true),
        ("Spent", true),
        ("Orders", true),
        ("Completed", true),
    ];
    let next = accounts["next_before"].as_u64().map(|next| next.to_string());
    let body = html! {
        form.row.card method="get" action={ (ROOT) "/accounts" } role="search" {
            (input("account", "Account", query.get("account"), "acc_…"))
            (select("mode", "Mode", query.get("mode"), "Any", modes))
            label.check {
                input type="checkbox" name="suspended" value="true"
                    checked[query.given("suspended").is_some()];
                "Suspended only"
            }
            label.check {
                input type="checkbox" name="waiting" value="true"
                    checked[query.given("waiting").is_some()];
                "Waiting only"
            }
            button { "Filter" }
            a.button.quiet href={ (ROOT) "/accounts" } { "Clear" }
        }
        section.card.flush {
            (table("Accounts", &head, &rows, "No account fits. Callers open accounts themselves, \
                with POST /api/v1/register or on the public site."))
            (pager(&format!("{ROOT}/accounts"), &given, "before", next.as_deref()))
        }
    };
    Ok(Page::new("Accounts", "accounts", body))
}

fn row(account: &Value) -> Markup {
    html! {
        tr {
            td { (id(ROOT, "/accounts/", text(account, "account_id"))) }
            td { (time(&account["registered_at"])) }
            td.fit { (badge(text(account, "standing"))) (test_badge(account)) }
            td { (text(account, "tier")) }
            td.num { (money(&account["balance"])) }
            td.num { (money(&account["held"])) }
            td.num { (money(&account["spent"])) }
            td.num { (whole(account, "orders")) }
            td.num { (whole(account, "completed")) }
        }
    }
}

/// One account.
pub async fn one(context: &Context, account: &str) -> Result<Page, Refused> {
    let shown = context.ask(&format!("accounts/{account}")).await?;
    let cursor = context.query.query(&["cursor"]);
    let ledger = context.ask(&format!("accounts/{account}/ledger?limit=25&{cursor}")).await?;
    let orders = context.ask(&format!("orders?limit=10&search={account}")).await?;
    let deposits = context.ask(&format!("accounts/{account}/deposits?limit=10")).await?;
    let deliveries = context.ask(&format!("deliveries?limit=10&account={account}")).await?;
    let keys = context.ask(&format!("accounts/{account}/keys")).await?;
    let path = format!("{ROOT}/accounts/{account}");
    let body = html! {
        @if let Some(why) = shown["suspended_because"].as_str() { (notice("danger", html! {
            "Suspended: "
            bdi { (why) }
        })) }
        @if text(&shown, "registration") == "awaiting_approval" {
            (notice("warning", "It waits for approval: it can neither order nor be paid into."))
        }
        @if text(&shown, "registration") == "declined" {
            (notice("warning", "It was declined: it can neither order nor be paid into."))
        }
        div.side {
            div {
                section.card.flush {
                    h2 { "Ledger" }
                    (table(
                        "Ledger", &LEDGER,
                        &list(&ledger, "entries").iter().map(
                            |entry| movement(ROOT, entry)
                        ).collect::<Vec<_>>(),
                        "No money has moved.",
                    ))
                    (pager(&path, &[], "cursor", ledger["next_cursor"].as_str()))
                }
                section.card.flush {
                    h2 { "Latest orders" }
                    (latest_orders(&orders))
                    div.pager {
                        a href={ (ROOT) "/orders?search=" (account) } {
                            "All orders of this account"
                        }
                    }
                }
                section.card.flush {
                    h2 { "Latest deposits" }
                    (super::deposits::rows(
                        list(&deposits, "deposits"), "Deposits", "Nothing was paid in.",
                    ))
                }
                section.card.flush {
                    h2 { "Latest deliveries" }
                    (super::webhooks::deliveries(&deliveries))
                }
            }
            div {
                section.card { (facts(&shown)) }
                @if context.is_operator() && text(&shown, "registration") != "approved" {
                    section.card { h2 { "Admission" } (super::newcomers::decision(&path)) }
                }
                section.card { h2 { "Keys" } (held_keys(&keys)) }
                @if context.is_operator() { (actions(context, &path, &shown)) }
            }
        }
    };
    Ok(Page::new(format!("Account {account}"), "accounts", body))
}

/// The columns of a ledger.
pub const LEDGER: [(&str, bool); 6] = [
    ("When", false),
    ("What", false),
    ("Order", false),
    ("Amount", true),
    ("Balance", true),
    ("Held", true),
];

/// A movement of money.
pub fn movement(root: &str, entry: &Value) -> Markup {
    html! {
        tr {
            td { (time(&entry["at"])) }
            td { (text(entry, "type")) }
            td {
                @if let Some(order) = entry["order_id"].as_str() {
                    (id(root, "/orders/", order))
                } @else {
                    "–"
                }
            }
            td.num { (change(&entry["amount"])) }
            td.num { (money(&entry["balance_after"])) }
            td.num { (money(&entry["held_after"])) }
        }
    }
}

fn latest_orders(orders: &Value) -> Markup {
    let row = |order: &Value| {
        html! {
            tr {
                td { (id(ROOT, "/orders/", text(order, "order_id"))) }
                td { (time(&order["placed_at"])) }
                td { (badge(text(order, "status"))) }
                td { (text(order, "platform")) ", " (text(order, "country")) }
                td.num { (money(&order["price"])) }
            }
        }
    };
    let rows: Vec<Markup> = list(orders, "orders").iter().map(row).collect();
    table(
        "Orders",
        &[("Order", false), ("Placed", false), ("Status", false), ("For", false), ("Price", true)],
        &rows,
        "It has ordered nothing yet.",
    )
}

fn facts(account: &Value) -> Markup {
    html! {
        dl {
            dt { "Standing" } dd { (badge(text(account, "standing"))) (test_badge(account)) }
            dt { "Balance" } dd { (money(&account["balance"])) }
            dt { "Held" } dd { (money(&account["held"])) }
            dt { "Tier" }
            dd { (text(account, "tier")) ", " (whole(account, "completed_orders")) " completed" }
            dt { "Open orders" } dd { (list(account, "open_orders").len()) }
            dt { "Registered" } dd { (time(&account["registered_at"])) }
            dt { "Webhook" } dd { (account["webhook"].as_str().unwrap_or("none")) }
        }
    }
}

fn held_keys(keys: &Value) -> Markup {
    html! {
        dl {
            @for key in list(keys, "keys") {
                dt { bdi { (text(key, "name")) } }
                dd { (time(&key["created_at"])) }
            }
        }
    }
}

fn actions(context: &Context, path: &str, account: &Value) -> Markup {
    let is_suspended = text(account, "standing") == "suspended";
    let service = &context.console.api.service;
    let reason = html! {
        label {
            "Reason, for the log"
            input name="reason" required maxlength="1000" autocomplete="off";
        }
    };
    // The same form sent twice moves money once.
    let key = || events::id::to_base62(u128::from_be_bytes(service.entropy.bytes()));
    let amount = html! {
        label {
            "Amount in dollars"
            input name="amount" required inputmode="decimal" pattern="[0-9]+([.][0-9]{1,6})?"
                autocomplete="off";
        }
    };
    html! {
        details.card {
            summary { "Credit or debit" }
            form.stack method="post" action={ (path) "/credit" } {
                input type="hidden" name="key" value=(key());
                (amount)
                (reason)
                button { "Credit" }
            }
            h3 { "Take back" }
            form.stack method="post" action={ (path) "/debit" } {
                input type="hidden" name="key" value=(key()); (amount) (reason)
                label.check {
                    input type="checkbox" name="may_overdraw" value="true";
                    "Also below zero"
                }
                button.danger { "Debit" }
            }
        }
        details.card {
            summary { @if is_suspended { "Reinstate" } @else { "Suspend" } }
            form.stack method="post"
                action={ (path) @if is_suspended { "/reinstate" } @else { "/suspend" } } {
                (reason)
                @if is_suspended { button { "Reinstate" } } @else { button.danger { "Suspend" } }
            }
        }
        details.card {
            summary { "Rotate the key" }
            form.stack method="post" action={ (path) "/rotate-key" } {
                p.note {
                    "A fresh key takes the place of all keys of the account. It is shown once."
                }
                (reason)
                button.danger { "Rotate" }
            }
        }
    }
}
