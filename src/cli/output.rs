//! What commands write to standard output: lines, tables, JSON, and how far long work has come.
//!
//! A reader that has seen enough, or a disk that is full, ends a command quietly with [`CLOSED`]:
//! there is nobody left to tell.

use std::fmt::Display;
use std::io::{IsTerminal, StdoutLock, Write};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

/// How a command ends whose output cannot be written: as `sysexits.h` names an input or output
/// error.
pub const CLOSED: i32 = 74;

/// Writes a line to standard output, as `println!` does, and never panics.
macro_rules! say {
    () => { $crate::cli::output::line("") };
    ($($text:tt)+) => { $crate::cli::output::line(format_args!($($text)+)) };
}
pub(crate) use say;

/// One line.
pub fn line(text: impl Display) {
    let mut out = std::io::stdout().lock();
    written(writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// Many lines, written together.
pub struct Lines(std::io::BufWriter<StdoutLock<'static>>);

impl Lines {
    pub fn open() -> Self {
        Self(std::io::BufWriter::new(std::io::stdout().lock()))
    }

    pub fn line(&mut self, text: impl Display) {
        written(writeln!(self.0, "{text}"));
    }

    pub fn flush(&mut self) {
        written(self.0.flush());
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.flush();
    }
}

fn written(result: std::io::Result<()>) {
    if result.is_err() {
        std::process::exit(CLOSED);
    }
}

/// Rows under their headers, or, with `--json`, what they were made of. Every cell stands on one
/// line, whatever strangers wrote.
pub fn listing(
    as_json: bool,
    value: &Value,
    headers: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) {
    if as_json {
        return line(format_args!("{value:#}"));
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(headers);
    for row in rows {
        table.add_row(row.into_iter().map(|cell| plain(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.to_string();
    text.lines().for_each(|row| line(row.trim_end()));
}

/// A text that cannot steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// A member of a reply as a cell.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(elements) => elements.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// The members of a reply as cells.
pub fn cells(value: &Value, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| cell(&value[*name])).collect()
}

/// How far work of `total` steps has come, with rate and time left, on standard error; nothing
/// where that is no terminal.
pub fn progress(what: &'static str, total: u64) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target).with_message(what);
    let style = ProgressStyle::with_template(
        "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta} left",
    );
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_is_one_line_whatever_it_holds() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        assert_eq!(
            cells(&json!({ "a": null, "b": ["x", "y"], "c": 1.5 }), &["a", "b", "c", "d"]),
            ["-", "x y", "1.5", "-"]
        );
    }
}
