//! The account on one screen: money, what runs, and the form that orders.

use maud::{Markup, html};
use serde_json::Value;

use super::act::form_key;
use super::{Context, ROOT, orders};
use crate::console::call::Refused;
use crate::console::page::Page;
use crate::console::show::{list, money, percent, select, text, tile, whole};

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let account = context.ask("account").await?;
    let latest = context.ask("orders?limit=10").await?;
    let stats = &account["stats"];
    let is_empty = account["balance"].as_f64().is_some_and(|balance| balance <= 0.0)
        && whole(stats, "total_orders") == 0;
    let next = account["next_tier"]
        .as_str()
        .map(|next| format!("{} orders to {next}", whole(&account, "orders_to_next_tier")));
    let body = html! {
        div.tiles {
            (tile("Balance", money(&account["balance"]), html! {
                a href={ (ROOT) "/deposits" } { "Add money" }
            }))
            (tile("Held", money(&account["held"]), "for open orders"))
            (tile("Tier", text(&account, "tier"), next.unwrap_or_default()))
            (tile("Completed", whole(stats, "completed"), html! {
                "success "
                (percent(&stats["success_rate"]))
            }))
            (tile("Spent", money(&stats["total_spent"]), html! {
                (whole(stats, "total_orders"))
                " orders"
            }))
        }
        @if is_empty {
            div.notice {
                "The account is empty. "
                a href={ (ROOT) "/deposits" } { "Add money" }
                ", then order a number."
            }
        }
        section.card.flush {
            h2 { "Latest orders" }
            (orders::rows(
                list(&latest, "orders"), "Nothing was ordered yet. Order a number above.",
            ))
        }
    };
    let form = order_form(context).await?;
    Ok(Page::new("Overview", "home", body).top(form).live(format!("{ROOT}/live")))
}

/// The form that orders a number.
pub async fn order_form(context: &Context) -> Result<Markup, Refused> {
    let services = context.ask("services").await?;
    let platform = |service: &Value| {
        (
            text(service, "platform").to_owned(),
            format!("{} ({})", text(service, "name"), money(&service["price"])),
        )
    };
    let countries = list(&services, "countries")
        .iter()
        .filter_map(Value::as_str)
        .map(|code| (code.to_owned(), code.to_owned()));
    Ok(html! {
        form.row.card method="post" action={ (ROOT) "/orders" } {
            input type="hidden" name="key" value=(form_key(context));
            (select(
                "platform", "Platform", "google", "",
                list(&services, "services").iter().map(platform),
            ))
            (select("country", "Country", text(&services, "default_country"), "", countries))
            button { "Order a number" }
        }
    })
}
