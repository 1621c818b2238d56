//! `telenumerus numbers import`: a CSV file's lines, sent in parts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use csv::StringRecord;
use serde_json::json;

use crate::admin::{Import, Row};
use crate::cli::Outcome;
use crate::cli::admin::Asking;
use crate::cli::output::{progress, say};

/// Lines sent at once: below what the admin API takes in one request.
const CHUNK: usize = 2_000;

/// Lists the file's numbers in the pools, and says of every line that was not taken why.
pub fn import(asking: &Asking, file: &Path, supplier: &str, operator: &str) -> Outcome {
    let (rows, mut rejected) = read(file, supplier)?;
    let (mut listed, mut unchanged) = (0, 0);
    let bar = progress("importing", u64::try_from(rows.len()).unwrap_or(u64::MAX));
    for chunk in rows.chunks(CHUNK) {
        let import = Import { operator: operator.to_owned(), rows: chunk.to_vec() };
        let answer = asking.ask("numbers/import", Some(&json!(import)))?;
        listed += answer["listed"].as_u64().unwrap_or(0);
        unchanged += answer["unchanged"].as_u64().unwrap_or(0);
        bar.inc(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        let refused = answer["rejected"].as_array().into_iter().flatten();
        rejected.extend(refused.map(|line| {
            (
                line["line"].as_u64().unwrap_or(0),
                line["why"].as_str().unwrap_or_default().to_owned(),
            )
        }));
    }
    bar.finish_and_clear();
    rejected.sort();
    for (line, why) in &rejected {
        say!("line {line}: {why}");
    }
    say!("{listed} listed, {unchanged} as they were, {} rejected", rejected.len());
    Ok(if rejected.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

type Rejected = Vec<(u64, String)>;

/// The columns of a file: where each stands in a line.
struct Columns {
    number: usize,
    country: usize,
    platforms: Option<usize>,
    supplier: Option<usize>,
}

impl Columns {
    /// Those that the first line names, or why it is none of such a file.
    fn of(header: &StringRecord) -> Result<Self, String> {
        let name = |written: &str| written.trim_start_matches('\u{feff}').to_ascii_lowercase();
        let column = |wanted: &str| header.iter().position(|written| name(written) == wanted);
        let (Some(number), Some(country)) = (column("number"), column("country")) else {
            return Err("its first line must name the columns number and country, and may name \
                        platforms and supplier"
                .to_owned());
        };
        let known = ["number", "country", "platforms", "supplier"];
        match header.iter().find(|written| !known.contains(&name(written).as_str())) {
            Some(stranger) => Err(format!(
                "there is no column {stranger:?}; number, country, platforms and supplier are"
            )),
            None => Ok(Self {
                number,
                country,
                platforms: column("platforms"),
                supplier: column("supplier"),
            }),
        }
    }

    /// A line's values; `supplier` where it does not say whose its number is.
    fn row(&self, line: u64, record: &StringRecord, supplier: &str) -> Row {
        let field = |column: Option<usize>| {
            column.and_then(|column| record.get(column)).unwrap_or_default()
        };
        let own = field(self.supplier);
        Row {
            line,
            number: field(Some(self.number)).to_owned(),
            country: field(Some(self.country)).to_owned(),
            supplier: if own.is_empty() { supplier } else { own }.to_owned(),
            platforms: field(self.platforms).replace(';', " "),
        }
    }
}

/// The file's lines, and those that are no lines of such a file.
fn read(file: &Path, supplier: &str) -> Result<(Vec<Row>, Rejected), String> {
    let named = |what: String| format!("{}: {what}", file.display());
    let bytes = std::fs::read(file).map_err(|error| named(error.to_string()))?;
    // The reader counts line feeds, and the second half of a CRLF only with the next record: each
    // line ends in a feed alone.
    let bytes = one_line_feed_a_line(&bytes);
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(bytes.as_slice());
    let header = reader.headers().map_err(|error| named(error.to_string()))?.clone();
    let columns = Columns::of(&header).map_err(named)?;
    let (mut rows, mut rejected, mut seen) = (Vec::new(), Vec::new(), BTreeMap::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                rejected.push((line, "it is no text in UTF-8".to_owned()));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            rejected.push((
                line,
                format!("it has {} fields, and the first line has {}", record.len(), header.len()),
            ));
            continue;
        }
        let row = columns.row(line, &record, supplier);
        // The same number of another country or supplier is another claim: which of them holds is
        // for the service to say.
        let digits: String = row.number.chars().filter(char::is_ascii_digit).collect();
        match seen.insert((digits, row.country.to_ascii_uppercase(), row.supplier.clone()), line) {
            Some(before) if !row.number.is_empty() => {
                rejected.push((line, format!("its number stands in line {before} already")));
            }
            _ => rows.push(row),
        }
    }
    Ok((rows, rejected))
}

/// The bytes, with a line feed for each CRLF and each carriage return.
fn one_line_feed_a_line(bytes: &[u8]) -> Vec<u8> {
    let is_first_half = |place: usize| bytes.get(place..place + 2) == Some(b"\r\n");
    let kept = bytes.iter().enumerate().filter(|(place, _)| !is_first_half(*place));
    kept.map(|(_, byte)| if *byte == b'\r' { b'\n' } else { *byte }).collect()
}
