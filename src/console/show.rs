//! How values stand on pages: money, times, states, tables.

use maud::{Markup, html};
use serde_json::Value;

use crate::admin::HIDDEN;
use crate::http::LIVEMODE;

/// A member that is a text; nothing, if it is none.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A member that is a whole number; zero, if it is none.
pub fn whole(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_default()
}

/// The entries of a member that is a list.
pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// An order's messages, each as `row` shows it, and what is said of those that are held back;
/// `none` if there are neither.
pub fn messages(order: &Value, none: &str, row: impl Fn(&Value) -> Markup) -> Markup {
    let (messages, held) = (list(order, "messages"), list(order, "held"));
    html! {
        @if messages.is_empty() && held.is_empty() {
            div.empty { (none) }
        }
        @for message in messages {
            article.message { (row(message)) }
        }
        @for message in held {
            article.message {
                header { "held back · " (time(&message["received_at"])) }
                p {
                    @for (place, kind) in list(message, "kinds").iter().enumerate() {
                        @if place > 0 { ", " }
                        (kind.as_str().unwrap_or_default().replace('_', " "))
                    }
                    ": its text is shown to nobody and kept nowhere."
                }
            }
        }
    }
}

/// An amount of dollars, from the text or the number that an API gives.
pub fn money(value: &Value) -> String {
    let amount = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return "–".to_owned(),
    };
    let (sign, amount) =
        amount.strip_prefix('-').map_or(("", amount.as_str()), |amount| ("−", amount));
    let (whole, cents) = amount.split_once('.').unwrap_or((amount, ""));
    let digits: Vec<char> = whole.chars().collect();
    let grouped: Vec<String> =
        digits.rchunks(3).rev().map(|group| group.iter().collect()).collect();
    format!("{sign}${}.{cents:0<2}", grouped.join(","))
}

/// A change of money, with its sign and colour.
pub fn change(value: &Value) -> Markup {
    let shown = money(value);
    if shown == "$0.00" {
        return html! { "–" };
    }
    let class = if shown.starts_with('−') { "minus" } else { "plus" };
    html! { span class=(class) { @if class == "plus" { "+" } (shown) } }
}

/// A time, to the second.
pub fn time(value: &Value) -> Markup {
    let Some(at) = value.as_str() else { return html! { "–" } };
    let shown = at.get(..19).map_or_else(|| at.to_owned(), |at| at.replace('T', " "));
    html! { time datetime=(at) title={ (at) " (UTC)" } { (shown) } }
}

/// Milliseconds as people say them.
pub fn millis(value: &Value) -> String {
    value.as_u64().map_or_else(|| "–".to_owned(), span)
}

/// The same of a number.
pub fn span(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..100_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

/// A part of one in percent.
pub fn percent(value: &Value) -> String {
    value.as_f64().map_or_else(|| "–".to_owned(), |part| format!("{:.1} %", part * 100.0))
}

/// How something is, coloured by what that means.
pub fn badge(status: &str) -> Markup {
    let class = match status {
        "completed" | "credited" | "confirmed" | "delivered" | "good" | "free" | "bound"
        | "operator" | "settled" => "badge good",
        "active" | "pending" | "queued" | "leased" | "listening" | "running" => "badge busy",
        "used up or over" | "revoked" | "approval" | "cooling" | "resting" | "expired"
        | "cancelled" | "retired" | "simulated" | "viewer" => "badge warn",
        "failed" | "suspended" | "exhausted" | "rejected" | "orphaned" | "reversed" | "cut off"
        | "not bound" => "badge bad",
        _ => "badge",
    };
    html! { span class=(class) { (status.replace('_', " ")) } }
}

/// Says that no money is behind it, where that is so.
pub fn test_badge(value: &Value) -> Markup {
    html! {
        @if value[LIVEMODE] == false {
            " "
            span.badge title="For tests: no money is behind it" { "test" }
        }
    }
}

/// A value that may be masked.
pub fn secret(value: &Value) -> Markup {
    match value.as_str() {
        None | Some("") => html! { "–" },
        Some(HIDDEN) => {
            html! { span.hidden-value title="Masked until it is revealed" { "••••••" } }
        }
        Some(text) => html! { span.id dir="auto" { (text) } },
    }
}

/// An id, shortened; the whole of it on hovering.
pub fn id(root: &str, path: &str, id: &str) -> Markup {
    let short = if id.len() > 16 {
        format!("{}…{}", &id[..8], &id[id.len() - 5..])
    } else {
        id.to_owned()
    };
    html! { a.id href={ (root) (path) (id) } title=(id) { (short) } }
}

/// A table; where it has no rows, what to know instead.
pub fn table(caption: &str, head: &[(&str, bool)], rows: &[Markup], empty: &str) -> Markup {
    if rows.is_empty() {
        return html! { div.empty { (empty) } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                thead {
                    tr {
                        @for (name, is_number) in head {
                            th scope="col" class=[is_number.then_some("num")] { (name) }
                        }
                    }
                }
                tbody { @for row in rows { (row) } }
            }
        }
    }
}

/// A number with its name.
pub fn tile(name: &str, value: impl maud::Render, note: impl maud::Render) -> Markup {
    html! { div.tile { span { (name) } b { (value) } small { (note) } } }
}

/// A word to the reader.
pub fn notice(level: &str, body: impl maud::Render) -> Markup {
    html! {
        div class={ "notice " (level) } role=(if level == "danger" { "alert" } else { "status" }) {
            (body)
        }
    }
}

/// A list of choices, one of them chosen.
pub fn select(
    name: &str,
    label: &str,
    chosen: &str,
    any: &str,
    values: impl IntoIterator<Item = (String, String)>,
) -> Markup {
    html! {
        label {
            (label)
            select name=(name) {
                @if !any.is_empty() { option value="" { (any) } }
                @for (value, shown) in values {
                    option value=(value) selected[value == chosen] { (shown) }
                }
            }
        }
    }
}

/// A line of text to be written.
pub fn input(name: &str, label: &str, value: &str, hint: &str) -> Markup {
    html! {
        label { (label) input name=(name) value=(value) placeholder=(hint) autocomplete="off"; }
    }
}

/// A link to the rest of a list.
pub fn pager(path: &str, query: &[(&str, &str)], name: &str, next: Option<&str>) -> Markup {
    let Some(next) = next else { return html! {} };
    let mut written = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in query.iter().filter(|(key, value)| *key != name && !value.is_empty()) {
        written.append_pair(key, value);
    }
    written.append_pair(name, next);
    html! {
        div.pager {
            a.button.quiet.small href={ (path) "?" (written.finish()) } rel="next" { "Older →" }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn money_is_written_for_people() {
        for (value, shown) in [
            (json!("1234567.5"), "$1,234,567.50"),
            (json!(0.5), "$0.50"),
            (json!("-3.000001"), "−$3.000001"),
            (json!(10), "$10.00"),
            (json!("0"), "$0.00"),
            (json!(null), "–"),
        ] {
            assert_eq!(money(&value), shown);
        }
    }

    #[test]
    fn foreign_texts_are_texts() {
        let shown = secret(&json!("<script>alert(1)</script>")).into_string();
        assert!(!shown.contains("<script>") && shown.contains("&lt;script&gt;"), "{shown}");
        assert_eq!(
            (span(950), span(8_400), span(125_000)),
            ("950 ms".to_owned(), "8.4 s".to_owned(), "2 min 5 s".to_owned())
        );
    }
}
