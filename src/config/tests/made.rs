//! Configurations that are made of the manual's own: lines left out, doubled and moved, values of
//! other kinds in their places. Each is read, or its mistakes are told without what it says.

use proptest::prelude::*;

use crate::config::mistakes;

const MANUAL: &str = include_str!("../../../docs/operating.md");
/// A word that stands in values alone.
const CANARY: &str = "hunter2hunter2";

/// What may stand behind an equals sign.
const VALUES: [&str; 18] = [
    "\"hunter2hunter2\"",
    "[\"hunter2hunter2\"]",
    "{ hunter2 = \"hunter2hunter2\" }",
    "\"\"",
    "0",
    "-1",
    "9223372036854775807",
    "1e308",
    "nan",
    "true",
    "[]",
    "{}",
    "[[[[[[1]]]]]]",
    "2026-11-27T00:00:00Z",
    "\"https://\\u0000\"",
    "'''\n'''",
    "\"127.0.0.1:99999\"",
    "\"",
];

#[derive(Debug, Clone)]
enum Edit {
    Drop(prop::sample::Index),
    Double(prop::sample::Index, prop::sample::Index),
    Value(prop::sample::Index, usize),
    Key(prop::sample::Index, String),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let at = any::<prop::sample::Index>;
    let one = prop_oneof![
        1 => at().prop_map(Edit::Drop),
        1 => (at(), at()).prop_map(|(from, to)| Edit::Double(from, to)),
        4 => (at(), 0..VALUES.len()).prop_map(|(at, value)| Edit::Value(at, value)),
        1 => (at(), "[a-z_.\"]{1,12}").prop_map(|(at, key)| Edit::Key(at, key)),
    ];
    prop::collection::vec(one, 1..8)
}

fn made(edits: &[Edit]) -> String {
    let block = MANUAL.split("```toml\n").nth(1).and_then(|rest| rest.split("\n```").next());
    let mut lines: Vec<String> = block.unwrap().lines().map(str::to_owned).collect();
    for edit in edits {
        let length = lines.len();
        match edit {
            Edit::Drop(at) => drop(lines.remove(at.index(length))),
            Edit::Double(from, to) => {
                let line = lines[from.index(length)].clone();
                lines.insert(to.index(length), line);
            }
            Edit::Value(at, value) => {
                let line = &mut lines[at.index(length)];
                if let Some((key, _)) = line.split_once('=') {
                    *line = format!("{key}= {}", VALUES[*value]);
                }
            }
            Edit::Key(at, key) => {
                let line = &mut lines[at.index(length)];
                if let Some((_, value)) = line.split_once('=') {
                    *line = format!("{key} ={value}");
                }
            }
        }
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_configuration_is_read_or_told_without_its_values(edits in edits()) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), made(&edits)).unwrap();
        for mistake in mistakes::all(Some(file.path())) {
            prop_assert!(!mistake.contains(CANARY), "{mistake}");
        }
    }
}
