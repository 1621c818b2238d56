//! Newcomers: accounts that wait for an operator's word, and the invites that open others.

use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{Context, ROOT, apology};
use crate::console::call::Refused;
use crate::console::form::Form;
use crate::console::page::{Page, render};
use crate::console::show::{
    badge, id, input, list, notice, pager, table, test_badge, text, time, whole,
};

const WAITING: [(&str, bool); 3] = [("Account", false), ("Registered", false), ("", false)];
const INVITES: [(&str, bool); 8] = [
    ("For", false),
    ("Made", false),
    ("Until", false),
    ("Uses", true),
    ("Left", true),
    ("Standing", false),
    ("Opened", false),
    ("", false),
];

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let before = context.query.query(&["before"]);
    let waiting = context.ask(&format!("accounts?waiting=true&limit=50&{before}")).await?;
    let invites = context.ask("invites").await?;
    let accounts: Vec<Markup> =
        list(&waiting, "accounts").iter().map(|account| waits(context, account)).collect();
    let rows: Vec<Markup> =
        list(&invites, "invites").iter().map(|made| invite(context, made)).collect();
    let next = waiting["next_before"].as_u64().map(|next| next.to_string());
    let mode = context.console.api.service.config.registration.mode.name();
    let body = html! {
        section.card {
            h2 { "Registration is " (badge(mode)) }
            p.note { "The configuration says so, in [registration]." }
        }
        section.card.flush {
            h2 { "Waiting for approval" }
            (table("Accounts", &WAITING, &accounts, "No account waits."))
            (pager(&format!("{ROOT}/newcomers"), &[], "before", next.as_deref()))
        }
        section.card.flush {
            h2 { "Invites" }
            (table("Invites", &INVITES, &rows, "No invite was made."))
        }
        @if context.is_operator() { section.card { (another()) } }
    };
    Ok(Page::new("Newcomers", "newcomers", body))
}

fn waits(context: &Context, account: &Value) -> Markup {
    let path = format!("{ROOT}/accounts/{}", text(account, "account_id"));
    html! {
        tr {
            td { (id(ROOT, "/accounts/", text(account, "account_id"))) (test_badge(account)) }
            td { (time(&account["registered_at"])) }
            td { @if context.is_operator() { (decision(&path)) } }
        }
    }
}

/// A yes or a no, with its reason.
pub fn decision(path: &str) -> Markup {
    html! {
        form.row method="post" {
            input name="reason" placeholder="Why" aria-label="Why" required maxlength="500"
                autocomplete="off";
            button.small formaction={ (path) "/approve" } { "Approve" }
            button.small.danger formaction={ (path) "/decline" } { "Decline" }
        }
    }
}

fn invite(context: &Context, invite: &Value) -> Markup {
    let is_revoked = !invite["revoked"].is_null();
    let standing = match (is_revoked, whole(invite, "left")) {
        (true, _) => "revoked",
        (false, 0) => "used up or over",
        (false, _) => "good",
    };
    let revoke = format!("{ROOT}/newcomers/{}/revoke", text(invite, "invite"));
    html! {
        tr {
            td.wrap { bdi { (text(invite, "note")) } }
            td { (time(&invite["created_at"])) }
            td { (time(&invite["expires_at"])) }
            td.num { (whole(invite, "uses")) }
            td.num { (whole(invite, "left")) }
            td { (badge(standing)) }
            td.wrap {
                @for account in list(invite, "accounts").iter().filter_map(Value::as_str) {
                    (id(ROOT, "/accounts/", account)) " "
                }
            }
            td {
                @if context.is_operator() && standing == "good" {
                    form.row method="post" action=(revoke) {
                        input name="reason" placeholder="Why" aria-label="Why" required
                            maxlength="500" autocomplete="off";
                        button.small.danger { "Revoke" }
                    }
                }
            }
        }
    }
}

fn another() -> Markup {
    html! {
        h2 { "Another invite" }
        form.row method="post" action={ (ROOT) "/newcomers" } {
            (input("note", "For whom, for the log", "", "the testers of Ada"))
            (input("uses", "Accounts that it opens", "1", "1"))
            (input("days", "Days that it lasts", "7", "7"))
            button { "Make" }
        }
    }
}

/// Makes an invite; its code is on this page and on no other.
pub async fn make(context: &Context, form: &Form) -> Response {
    match made(context, form).await {
        Ok(page) => render(&context.frame(), &page),
        Err(refused) => apology(context, &refused),
    }
}

async fn made(context: &Context, form: &Form) -> Result<Page, Refused> {
    let number = |name: &str| {
        form.get(name).parse::<u32>().map_err(|_| Refused {
            status: axum::http::StatusCode::BAD_REQUEST,
            text: format!("{name} is a whole number."),
        })
    };
    let wanted = json!({ "note": form.get("note"), "uses": number("uses")?,
        "days": number("days")?, "operator": context.name() });
    let made = context.command("invites", wanted).await?;
    let body = html! {
        (notice("warning", "This code is shown this once. Whoever has it can open an account."))
        div.card {
            pre id="fresh" { (text(&made, "code")) }
            p { button.quiet type="button" data-copy="fresh" { "Copy" } }
            p.note {
                "For " (whole(&made, "uses")) " accounts, until " (time(&made["expires_at"])) "."
            }
        }
        p { a href={ (ROOT) "/newcomers" } { "Back to the newcomers" } }
    };
    Ok(Page::new("A fresh invite", "newcomers", body))
}

/// Has an invite open no account any more.
pub async fn revoke(context: &Context, id: &str, form: &Form) -> Result<String, Refused> {
    let said = json!({ "reason": form.get("reason"), "operator": context.name() });
    context.command(&format!("invites/{id}/revoke"), said).await?;
    Ok(format!("{ROOT}/newcomers"))
}
