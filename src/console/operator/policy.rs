//! What orders are judged by, what waits for a person, and where suppliers' numbers come from.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::{Context, ROOT};
use crate::console::call::Refused;
use crate::console::form::Form;
use crate::console::page::Page;
use crate::console::show::{badge, id, input, list, notice, table, text, time, whole};

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let known = context.ask("policy").await?;
    let reviews = context.ask("reviews?limit=50").await?;
    let provenance = context.ask("provenance").await?;
    let rules: Vec<Markup> = list(&known["policy"], "rules").iter().map(rule).collect();
    let limits: Vec<Markup> = list(&known["policy"], "limits").iter().map(limit).collect();
    let waiting: Vec<Markup> =
        list(&reviews, "reviews").iter().map(|review| waits(context, review)).collect();
    let suppliers: Vec<Markup> = list(&provenance, "suppliers").iter().map(supplier).collect();
    let of_rules = head(["Rule", "Platforms", "Countries", "Classes", "Says", "Reason", "Basis"]);
    let of_limits = head(["Limit", "Allowed", "Mode"]);
    let of_reviews = head(["When", "Account", "Class", "Wanted", "Rule", "Reason", ""]);
    let of_suppliers = head(["Supplier", "Holds", "Serves", "Who", "Source", "Until"]);
    let body = html! {
        section.card { (in_force(&known)) }
        section.card.flush {
            h2 { "Rules, the first that speaks decides" }
            (table("Rules", &of_rules, &rules, "No rule of your own."))
            p.note { "Behind them: " (joined(&known["denied_unless_allowed"])) " are denied with real numbers." }
        }
        section.card.flush {
            h2 { "Limits on conduct" }
            (table("Limits", &of_limits, &limits, "None."))
        }
        section.card.flush {
            h2 { "Waits for a person" }
            (table("Reviews", &of_reviews, &waiting, "Nothing waits."))
        }
        section.card.flush {
            h2 { "Where real numbers come from" }
            (table("Suppliers", &of_suppliers, &suppliers, "No supplier brings real numbers."))
        }
        @if context.is_operator() { section.card { (trial(&known)) } }
    };
    Ok(Page::new("Policy", "policy", body))
}

fn in_force(known: &Value) -> Markup {
    let applied = &known["applied"];
    html! {
        h2 { "Version " (whole(known, "version")) " " (badge(text(&known["policy"], "mode"))) }
        @if applied.is_null() {
            p.note { "The built-in policy: nobody has applied another one." }
        } @else {
            p.note { "Applied by " (text(applied, "by")) ", " (time(&applied["at"])) ": "
                (text(applied, "basis")) }
        }
        @if known["real_numbers"] != true {
            (notice("good", "All numbers are made up: every order is allowed."))
        }
    }
}

fn rule(rule: &Value) -> Markup {
    html! {
        tr {
            td.fit { code { (text(rule, "id")) } }
            td.wrap { (joined(&rule["platforms"])) }
            td.wrap { (joined(&rule["countries"])) }
            td.wrap { (joined(&rule["classes"])) }
            td { (badge(text(rule, "verdict"))) }
            td.wrap { bdi { (text(rule, "reason")) } }
            td.wrap { bdi { (text(rule, "basis")) } }
        }
    }
}

fn limit(limit: &Value) -> Markup {
    html! {
        tr {
            td.fit { code { (text(limit, "limit")) } }
            td { (whole(limit, "allowed")) }
            td { (badge(text(limit, "mode"))) }
        }
    }
}

fn waits(context: &Context, review: &Value) -> Markup {
    let account = text(review, "account_id");
    html! {
        tr {
            td { (time(&review["at"])) }
            td { (id(ROOT, "/accounts/", account)) }
            td { (text(review, "class")) }
            td.fit { (text(review, "platform")) " " (text(review, "country")) }
            td.fit { code { (text(review, "rule")) } }
            td.wrap { bdi { (text(review, "reason")) } }
            td {
                @if context.is_operator() {
                    form.row method="post" action={ (ROOT) "/accounts/" (account) "/class" } {
                        select name="class" aria-label="Class" {
                            @for class in ["new", "verified", "trusted"] {
                                option value=(class) { (class) }
                            }
                        }
                        input name="reason" placeholder="Why" aria-label="Why" required;
                        button.small { "Decide" }
                    }
                }
            }
        }
    }
}

fn supplier(supplier: &Value) -> Markup {
    let stated = &supplier["stated"];
    let word = |value: &Value| if *value == true { "yes" } else { "no" };
    html! {
        tr {
            td.fit { (text(supplier, "supplier")) }
            td { (word(&supplier["holds"])) }
            td { (word(&supplier["serves"])) }
            td.wrap { bdi { (text(stated, "legal_name")) } }
            td.wrap { bdi { (text(stated, "source")) } }
            td { @if stated.is_null() { "–" } @else { (time(&stated["valid_until"])) } }
        }
    }
}

/// A policy to be tried on the orders there were, or applied.
fn trial(known: &Value) -> Markup {
    let document = serde_json::to_string_pretty(&known["policy"]).unwrap_or_default();
    html! {
        h2 { "Another policy" }
        form method="post" action={ (ROOT) "/policy" } {
            label {
                "Policy, as JSON"
                textarea name="policy" rows="14" spellcheck="false" { (document) }
            }
            input type="hidden" name="replaces" value=(whole(known, "version"));
            div.row {
                (input("days", "Days back, for a trial", "30", "30"))
                (input("basis", "Basis, to apply it", "", "board of 12 May"))
            }
            div.row {
                button.quiet name="action" value="try" { "Who would be refused?" }
                button name="action" value="apply" { "Apply" }
            }
        }
    }
}

/// What a form of the page asks: the page that answers it, or where to go.
pub async fn act(context: &Context, form: &Form) -> Result<Option<Page>, Refused> {
    let wrong = |text: String| Refused { status: axum::http::StatusCode::BAD_REQUEST, text };
    let policy: Value = serde_json::from_str(form.get("policy"))
        .map_err(|error| wrong(format!("The policy is no JSON: {error}")))?;
    if form.get("action") == "apply" {
        let replaces: Option<u32> = form.get("replaces").parse().ok();
        let wanted = json!({
            "policy": policy, "basis": form.get("basis"), "replaces": replaces,
            "operator": context.name(),
        });
        context.command("policy", wanted).await?;
        return Ok(None);
    }
    let days: u32 = form.get("days").parse().map_err(|_| wrong("Days is a number.".to_owned()))?;
    let found = context.command("policy/diff", json!({ "policy": policy, "days": days })).await?;
    Ok(Some(Page::new("A trial", "policy", tried(&found, days))))
}

fn tried(found: &Value, days: u32) -> Markup {
    let row = |order: &Value| {
        html! {
            tr {
                td { (time(&order["at"])) }
                td { (id(ROOT, "/accounts/", text(order, "account_id"))) }
                td { (text(order, "class")) }
                td { (id(ROOT, "/orders/", text(order, "order_id"))) }
                td.fit { (text(order, "platform")) " " (text(order, "country")) }
                td { (text(order, "was")) " → " (text(order, "would_be")) }
                td.fit { code { (text(order, "rule")) } }
            }
        }
    };
    let rows: Vec<Markup> = list(found, "orders").iter().map(row).collect();
    let head = head(["When", "Account", "Class", "Order", "For", "Decision", "Rule"]);
    html! {
        (notice("good", html! { (whole(found, "judged")) " orders of " (days) " days: "
            (whole(found, "would_be_refused")) " would be refused, "
            (whole(found, "changed")) " decided in another way. Nothing was changed." }))
        section.card.flush { (table("Orders", &head, &rows, "No order would be decided in another way.")) }
        p { a href={ (ROOT) "/policy" } { "Back to the policy" } }
    }
}

/// The heads of columns of words.
fn head<const N: usize>(names: [&'static str; N]) -> [(&'static str, bool); N] {
    names.map(|name| (name, false))
}

fn joined(values: &Value) -> String {
    let words: Vec<&str> =
        values.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if words.is_empty() { "all".to_owned() } else { words.join(", ") }
}
