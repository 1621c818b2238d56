//! Numbers and their sources: who is on which order, what rests, and the operator's imports,
//! purchases and retirements.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::{Context, ROOT, missing};
use crate::admin::Row;
use crate::console::call::Refused;
use crate::console::form::Form;
use crate::console::page::Page;
use crate::console::show::{
    badge, id, input, list, pager, percent, secret, select, table, text, time, whole,
};

/// What is revealed of numbers is revealed together.
const SUBJECT: &str = "numbers";

/// The page.
pub async fn page(context: &Context) -> Result<Page, Refused> {
    let query = &context.query;
    let filter = query.query(&["supplier", "state", "after"]);
    let retired = query.get("state") == "retired";
    let path = if retired {
        format!("numbers?retired=true&{}", query.query(&["supplier"]))
    } else {
        format!("numbers?limit=50&{filter}")
    };
    let numbers = context.ask_about(SUBJECT, &path).await?;
    let suppliers = context.ask("suppliers").await?;
    let given = [("supplier", query.get("supplier")), ("state", query.get("state"))];
    let rows: Vec<Markup> = list(&numbers, "numbers").iter().map(number).collect();
    let head = [
        ("Number", false),
        ("Source", false),
        ("Country", false),
        ("Platforms", false),
        ("State", false),
        ("Order", false),
        ("Until", false),
    ];
    let names: Vec<(String, String)> = list(&suppliers, "suppliers")
        .iter()
        .map(|row| (text(row, "supplier").to_owned(), text(row, "supplier").to_owned()))
        .collect();
    let states = ["free", "leased", "listening", "cooling", "retired"]
        .map(|state| (state.to_owned(), state.to_owned()));
    let body = html! {
        section.card.flush { h2 { "Sources" } (sources(&suppliers)) }
        @if !list(&suppliers, "smpp").is_empty() {
            section.card.flush { h2 { "SMPP sessions" } (sessions(&suppliers)) }
        }
        form.row.card method="get" action={ (ROOT) "/numbers" } {
            (select("supplier", "Source", query.get("supplier"), "Any", names))
            (select("state", "State", query.get("state"), "Any", states))
            button { "Filter" }
            a.button.quiet href={ (ROOT) "/numbers" } { "Clear" }
        }
        (super::orders::reveal(context, SUBJECT, &format!("{ROOT}/numbers")))
        section.card.flush {
            h2 {
                "Numbers in pools"
                @if let Some(in_all) = numbers["in_all"].as_u64() { ": " (in_all) }
            }
            (table(
                "Numbers", &head, &rows,
                "No number fits. Import some below, or switch the simulator on.",
            ))
            (pager(&format!("{ROOT}/numbers"), &given, "after", numbers["next_after"].as_str()))
        }
        @if context.is_operator() { (forms(context).await) }
        section.card {
            h2 { "Reconciliation" }
            p.note {
                "What sources say they have leased to this service is laid beside the log, attempt \
                 by attempt, with what each was charged, by "
                code { "telenumerus audit suppliers --attempts" }
                "."
            }
        }
    };
    Ok(Page::new("Numbers and sources", "numbers", body))
}

fn sources(suppliers: &Value) -> Markup {
    let row = |supplier: &Value| {
        let numbers = &supplier["numbers"];
        let count = |name: &str| {
            numbers[name].as_u64().map_or_else(|| "–".to_owned(), |count| count.to_string())
        };
        html! {
            tr {
                td.fit {
                    (text(supplier, "supplier"))
                    @if supplier["simulated"] == true { " " (badge("simulated")) }
                }
                td {
                    @if supplier["cut_off"] == true { (badge("cut off")) } @else { (badge("good")) }
                }
                td.num { (percent(&supplier["score"])) }
                td.num { (count("free")) }
                td.num { (count("leased")) }
                td.num { (count("listening")) }
                td.num { (count("resting")) }
                td.num {
                    @if let Some(open) = supplier["open_leases"].as_u64() { (open) } @else { "–" }
                }
            }
        }
    };
    let rows: Vec<Markup> = list(suppliers, "suppliers").iter().map(row).collect();
    let head = [
        ("Source", false),
        ("Breaker", false),
        ("Score", true),
        ("Free", true),
        ("Leased", true),
        ("Listening", true),
        ("Resting", true),
        ("Leases", true),
    ];
    table("Sources", &head, &rows, "No source is configured.")
}

fn sessions(suppliers: &Value) -> Markup {
    let row = |bind: &Value| {
        html! {
            tr {
                td.id { (text(bind, "address")) }
                td { @if bind["bound"] == true { (badge("bound")) } @else { (badge("not bound")) } }
                td.wrap { (bind["error"].as_str().unwrap_or("–")) }
            }
        }
    };
    let rows: Vec<Markup> = list(suppliers, "smpp").iter().map(row).collect();
    table(
        "SMPP sessions",
        &[("SMSC", false), ("State", false), ("Why", false)],
        &rows,
        "No SMPP session is configured.",
    )
}

fn number(row: &Value) -> Markup {
    let platforms: Vec<&str> =
        row["platforms"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let cooling: Vec<&Value> = list(row, "cooling").iter().collect();
    html! {
        tr {
            td.fit { (secret(&row["number"])) }
            td { (text(row, "supplier")) }
            td { (text(row, "country")) }
            td { @if platforms.is_empty() { "all" } @else { (platforms.join(", ")) } }
            td {
                (badge(text(row, "state")))
                @for rest in &cooling {
                    div.note { (text(rest, "platform")) " until " (time(&rest["until"])) }
                }
            }
            td {
                @if let Some(order) = row["order_id"].as_str() {
                    (id(ROOT, "/orders/", order))
                } @else {
                    (row["reason"].as_str().unwrap_or("–"))
                }
            }
            td {
                @if row["until"].is_null() {
                    (time(&row["rests_until"]))
                } @else {
                    (time(&row["until"]))
                }
            }
        }
    }
}

async fn forms(context: &Context) -> Markup {
    let wanted = context.query.query(&["buy_supplier", "buy_country"]);
    let offers = if wanted.is_empty() { None } else { Some(offers(context).await) };
    let path = |action: &str| format!("{ROOT}/numbers/{action}");
    let reason = html! {
        label {
            "Reason, for the log"
            input name="reason" required maxlength="1000" autocomplete="off";
        }
    };
    html! {
        div.grid {
            details.card {
                summary { "Import" }
                form.stack method="post" action=(path("import")) {
                    label {
                        "Lines of number,country,supplier,platforms"
                        textarea name="file" required spellcheck="false"
                            placeholder="+12025550123,US,own,google telegram" {
                        }
                    }
                    p.note { "A header line is passed over. Without platforms a number serves \
                        all. Every line that is not taken is reported." }
                    button { "Import" }
                }
            }
            details.card {
                summary { "Retire a number" }
                form.stack method="post" action=(path("retire")) {
                    (input("number", "Number", "", "+12025550123"))
                    (reason)
                    button.danger { "Retire" }
                }
            }
            details.card open[offers.is_some()] {
                summary { "Buy at a telecom, give back, list what is owned" }
                form.row method="get" action={ (ROOT) "/numbers" } {
                    (input("buy_supplier", "Telecom", context.query.get("buy_supplier"), "twilio"))
                    (input("buy_country", "Country", context.query.get("buy_country"), "US"))
                    button.quiet { "Search" }
                }
                @if let Some(offers) = offers { (offers) }
                h3 { "Give back" }
                form.stack method="post" action=(path("release")) {
                    (input("supplier", "Telecom", "", "twilio"))
                    (input("number", "Number", "", "+1…"))
                    (reason)
                    button.danger { "Give back" }
                }
                h3 { "List what is owned there" }
                form.row method="post" action=(path("sync")) {
                    (input("supplier", "Telecom", "", "twilio"))
                    button.quiet { "List" }
                }
            }
        }
    }
}

/// What a telecom sells, each with a button.
async fn offers(context: &Context) -> Markup {
    let (supplier, country) = (context.query.get("buy_supplier"), context.query.get("buy_country"));
    let query = {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("supplier", supplier)
            .append_pair("country", country)
            .append_pair("limit", "10")
            .finish()
    };
    match context.ask(&format!("numbers/search?{query}")).await {
        Err(refused) => html! { (crate::console::show::notice("danger", &refused.text)) },
        Ok(found) => html! {
            ul { @for offer in list(&found, "offers") {
                li {
                    form.row method="post" action={ (ROOT) "/numbers/buy" } {
                        input type="hidden" name="supplier" value=(supplier);
                        input type="hidden" name="number" value=(text(offer, "number"));
                        span.id { (text(offer, "number")) }
                        " $"
                        (text(offer, "monthly"))
                        " a month "
                        button.small { "Buy" }
                    }
                }
            } }
            @if list(&found, "offers").is_empty() { p.note { "None is for sale there." } }
        },
    }
}

/// A form about numbers.
pub async fn act(context: &Context, action: &str, form: &Form) -> Result<String, Refused> {
    let (supplier, number, reason) = (form.get("supplier"), form.get("number"), form.get("reason"));
    let body = match action {
        "retire" => json!({ "number": number, "reason": reason, "operator": context.name() }),
        "buy" => json!({ "supplier": supplier, "number": number, "operator": context.name() }),
        "release" => {
            json!({
                "supplier": supplier, "number": number, "reason": reason,
                "operator": context.name(),
            })
        }
        "sync" => json!({ "supplier": supplier, "operator": context.name() }),
        _ => return Err(missing()),
    };
    context.command(&format!("numbers/{action}"), body).await?;
    Ok(format!("{ROOT}/numbers"))
}

/// The lines of a file of numbers.
pub fn rows(file: &str) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(file.as_bytes());
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| error.to_string())?;
        let line = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1);
        let column = |at: usize| record.get(at).unwrap_or_default().to_owned();
        if index == 0 && column(0).eq_ignore_ascii_case("number") {
            continue;
        }
        rows.push(Row {
            line,
            number: column(0),
            country: column(1),
            supplier: column(2),
            platforms: column(3),
        });
    }
    Ok(rows)
}

/// What became of an import, a report a line.
pub fn report(report: &Value) -> Markup {
    let row = |rejected: &Value| {
        html! {
            tr { td.num { (whole(rejected, "line")) } td.wrap { (text(rejected, "why")) } }
        }
    };
    let rows: Vec<Markup> = list(report, "rejected").iter().map(row).collect();
    html! {
        p {
            (whole(report, "listed"))
            " listed, "
            (whole(report, "unchanged"))
            " there already, "
            (rows.len())
            " not taken."
        }
        section.card.flush {
            (table(
                "Lines that were not taken", &[("Line", true), ("Why", false)], &rows,
                "Every line was taken.",
            ))
        }
        p { a href={ (ROOT) "/numbers" } { "Back to the numbers" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_numbers_are_read_with_and_without_a_header() {
        let file = "number,country,supplier,platforms\n\
                    +12025550123, US ,own,google telegram\n\
                    +12025550124,US,own\n";
        let read = rows(file).unwrap();
        let read: Vec<(u64, &str, &str)> = read
            .iter()
            .map(|row| (row.line, row.number.as_str(), row.platforms.as_str()))
            .collect();
        assert_eq!(read, [(2, "+12025550123", "google telegram"), (3, "+12025550124", "")]);
        assert_eq!(rows("").unwrap().len(), 0);
    }
}
