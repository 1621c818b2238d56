//! Every movement of the account's money.

use maud::{Markup, html};

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::operator::{LEDGER, movement};
use crate::console::page::Page;
use crate::console::show::{list, pager, table};

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let ledger = context
        .ask(&format!("account/ledger?limit=50&{}", context.query.query(&["cursor"])))
        .await?;
    let rows: Vec<Markup> =
        list(&ledger, "entries").iter().map(|entry| movement(ROOT, entry)).collect();
    let body = html! {
        section.card.flush {
            (table("Ledger", &LEDGER, &rows, "No money has moved yet."))
            (pager(&format!("{ROOT}/ledger"), &[], "cursor", ledger["next_cursor"].as_str()))
        }
    };
    Ok(Page::new("Ledger", "ledger", body)
        .actions(html! { a.button.quiet.small href={ (ROOT) "/data/ledger.csv" } { "CSV" } }))
}
