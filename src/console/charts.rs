//! What charts draw: lists of numbers beside lists of times or names; and the same as CSV.

use serde_json::{Value, json};

/// A line of a chart.
pub struct Line {
    pub label: &'static str,
    pub values: Vec<Value>,
    /// Before each value, such as a currency.
    pub prefix: &'static str,
    /// After each value, such as a unit.
    pub suffix: &'static str,
}

impl Line {
    /// A line of plain numbers.
    pub fn of(label: &'static str, values: Vec<Value>) -> Self {
        Self { label, values, prefix: "", suffix: "" }
    }

    /// Numbers with something before each.
    pub fn prefixed(self, prefix: &'static str) -> Self {
        Self { prefix, ..self }
    }

    /// Numbers with something after each.
    pub fn suffixed(self, suffix: &'static str) -> Self {
        Self { suffix, ..self }
    }
}

/// Lines over times.
pub fn over_time(starts: impl Iterator<Item = String>, lines: Vec<Line>) -> Value {
    let x: Vec<i64> = starts
        .map(|start| start.parse::<events::time::Timestamp>().map_or(0, |at| at.millis() / 1_000))
        .collect();
    json!({ "x": x, "series": lines.iter().map(series).collect::<Vec<_>>() })
}

/// Bars, one a name.
pub fn over_names(x_label: &str, names: &[String], lines: Vec<Line>) -> Value {
    let x: Vec<usize> = (0..names.len()).collect();
    json!({
        "x": x, "labels": names, "x_label": x_label,
        "series": lines.iter().map(series).collect::<Vec<_>>(),
    })
}

fn series(line: &Line) -> Value {
    json!({
        "label": line.label, "values": line.values, "prefix": line.prefix, "suffix": line.suffix,
    })
}

/// A number that an API gives as a text.
pub fn number(value: &Value) -> Value {
    match value {
        Value::String(text) => text.parse::<f64>().map_or(Value::Null, |number| json!(number)),
        other => other.clone(),
    }
}

/// Rows as CSV: `columns` of each, under their names.
pub fn csv(rows: &[Value], columns: &[&str]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(columns.iter().map(|column| cell(&row[*column])))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))
}

/// A spreadsheet takes what begins so for a formula: a text of somebody else's must not be one.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text)
            if text.starts_with(['=', '@', '\t', '\r'])
                || (text.starts_with(['+', '-']) && text.parse::<f64>().is_err()) =>
        {
            format!("'{text}")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_amounts_stay_numbers() {
        let rows = [json!({ "a": "=1+1", "b": "-0.5", "c": null, "d": 3, "e": "x,\"y\"" })];
        let written = String::from_utf8(csv(&rows, &["a", "b", "c", "d", "e"]).unwrap()).unwrap();
        assert_eq!(written, "a,b,c,d,e\n'=1+1,-0.5,,3,\"x,\"\"y\"\"\"\n");
    }
}
