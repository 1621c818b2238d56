//! Legal holds, what was erased, and what was exported: who decided it and why.

use axum::http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::form::Form;
use crate::console::page::Page;
use crate::console::show::{id, input, list, notice, pager, table, text, time, whole};

const HOLDS: [(&str, bool); 5] =
    [("Account", false), ("Since", false), ("By", false), ("Why", false), ("", false)];
const ERASURES: [(&str, bool); 5] =
    [("When", false), ("What", false), ("Of", false), ("By", false), ("Why", false)];
const EXPORTS: [(&str, bool); 5] =
    [("When", false), ("Of", false), ("Records", true), ("By", false), ("Why", false)];

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let query = &context.query;
    let before = query.query(&["before"]);
    let holds = context.ask("holds").await?;
    let erasures = context.ask(&format!("erasures?limit=50&{before}")).await?;
    let exports = context.ask("exports?limit=20").await?;
    let of_holds: Vec<Markup> =
        list(&holds, "holds").iter().map(|held| hold(context, held)).collect();
    let of_erasures: Vec<Markup> = list(&erasures, "erasures").iter().map(erasure).collect();
    let of_exports: Vec<Markup> = list(&exports, "exports").iter().map(export).collect();
    let next = erasures["next_before"].as_u64().map(|next| next.to_string());
    let body = html! {
        @if context.console.api.service.store.vault().is_none() {
            (notice("warning", "There is no vault: nothing of the log can be erased. The \
                configuration names a key for one in [vault]."))
        }
        section.card.flush {
            h2 { "Accounts under a legal hold" }
            (table("Holds", &HOLDS, &of_holds, "No account is under a hold."))
        }
        @if context.is_operator() { section.card { (forms()) } }
        section.card.flush {
            h2 { "Erased and held, the latest first" }
            (table("Erasures", &ERASURES, &of_erasures, "Nothing was erased."))
            (pager(&format!("{ROOT}/erasures"), &[], "before", next.as_deref()))
        }
        section.card.flush {
            h2 { "The last exports" }
            (table("Exports", &EXPORTS, &of_exports, "Nothing was exported."))
        }
    };
    Ok(Page::new("Erasures", "erasures", body))
}

fn forms() -> Markup {
    html! {
        h2 { "Erase or hold" }
        p.note {
            "Erases what the messages of orders that are over said, their codes and numbers; of an \
             account its webhook, too, which is off until it is set again. It cannot be undone. An \
             order that still listens is finished first."
        }
        form.row method="post" {
            (input("subject", "Account, order or number", "", "acc_…, ord_… or +1…"))
            (input("reason", "Why, for the log", "", "request 7"))
            button.danger formaction={ (ROOT) "/erasures/erase" } { "Erase" }
            button.quiet formaction={ (ROOT) "/erasures/hold" } { "Place a hold" }
        }
    }
}

fn hold(context: &Context, hold: &Value) -> Markup {
    html! {
        tr {
            td { (id(ROOT, "/accounts/", text(hold, "account_id"))) }
            td { (time(&hold["since"])) }
            td.fit { bdi { (text(hold, "by")) } }
            td.wrap { bdi { (text(hold, "reason")) } }
            td {
                @if context.is_operator() {
                    form.row method="post" action={ (ROOT) "/erasures/release" } {
                        input type="hidden" name="subject" value=(text(hold, "account_id"));
                        input name="reason" placeholder="Why" aria-label="Why" required
                            maxlength="500" autocomplete="off";
                        button.small { "Lift" }
                    }
                }
            }
        }
    }
}

fn erasure(decided: &Value) -> Markup {
    let of = list(decided, "of");
    let kinds: Vec<&str> = list(decided, "kinds").iter().filter_map(Value::as_str).collect();
    html! {
        tr {
            td { (time(&decided["at"])) }
            td.fit {
                @match text(decided, "event") {
                    "LegalHoldPlaced" => { "hold placed" }
                    "LegalHoldLifted" => { "hold lifted" }
                    "LogRewritten" => { "log rewritten, sealed" }
                    _ => { "erased: " (kinds.join(", ")) }
                }
            }
            td.wrap {
                @if let Some(account) = decided["account"].as_str() {
                    (id(ROOT, "/accounts/", account))
                }
                @for subject in of.iter().take(20) {
                    @if let Some(order) = subject["order"].as_str() {
                        (id(ROOT, "/orders/", order)) " "
                    } @else {
                        (id(ROOT, "/accounts/", text(subject, "account"))) " "
                    }
                }
                @if of.len() > 20 { "and " (of.len() - 20) " more" }
            }
            td.fit { bdi { (text(decided, "by")) } }
            td.wrap { bdi { (text(decided, "reason")) } }
        }
    }
}

fn export(made: &Value) -> Markup {
    let scope = &made["scope"];
    html! {
        tr {
            td { (time(&made["at"])) }
            td.fit {
                (text(scope, "kind")) " "
                @if let Some(account) = scope["account"].as_str() {
                    (id(ROOT, "/accounts/", account))
                }
                (text(scope, "number"))
                @if scope["from"].is_string() {
                    (time(&scope["from"])) " – " (time(&scope["until"]))
                }
            }
            td.num { (whole(made, "records")) }
            td.fit { bdi { (text(made, "by")) } }
            td.wrap { bdi { (text(made, "reason")) } }
        }
    }
}

/// Erases, places a hold or lifts it; where to go on.
pub async fn act(context: &Context, action: &str, form: &Form) -> Result<String, Refused> {
    let subject = form.get("subject");
    let said = json!({ "reason": form.get("reason"), "operator": context.name() });
    if subject.starts_with('+') && action == "erase" {
        let mut wanted = said;
        wanted["number"] = json!(subject);
        context.command("numbers/erase", wanted).await?;
        return Ok(format!("{ROOT}/erasures"));
    }
    if !subject.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        let text = "An account is acc_…, an order ord_…, and a number +….".to_owned();
        return Err(Refused { status: StatusCode::BAD_REQUEST, text });
    }
    let of = if subject.starts_with("ord_") { "orders" } else { "accounts" };
    context.command(&format!("{of}/{subject}/{action}"), said).await?;
    Ok(format!("{ROOT}/erasures"))
}
