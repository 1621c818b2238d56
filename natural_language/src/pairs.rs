//! Countries' names of two words with a slip in them: `united kindgom`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use strsim::osa_distance;

use super::fold::{comparable, fold, is_unspaced};

/// Letters from which a name may have one slip; shorter ones are a slip away from other words.
const LEAST: usize = 9;
/// Letters from which it may have two.
const LONG: usize = 14;

/// Names of two words, by their first letter, each with its country.
static NAMES: LazyLock<BTreeMap<char, BTreeSet<(String, String)>>> = LazyLock::new(|| {
    let files = [
        include_str!("../data/aliases.txt"),
        include_str!("../data/countries.txt"),
        include_str!("../data/others.txt"),
    ];
    let mut names: BTreeMap<char, BTreeSet<(String, String)>> = BTreeMap::new();
    let lines = files.iter().flat_map(|file| file.lines()).filter(|line| !line.starts_with('#'));
    for (code, line) in lines.filter_map(|line| line.split_once('\t')) {
        let is_pair = |name: &String| {
            name.split(' ').count() == 2
                && name.chars().count() >= LEAST
                && !name.contains(['*', '=', '.'])
                && !name.chars().any(is_unspaced)
        };
        for name in line.split('|').map(|name| fold(&comparable(name))).filter(is_pair) {
            let first = name.chars().next().unwrap_or_default();
            names.entry(first).or_default().insert((name, code.to_owned()));
        }
    }
    names
});

/// The countries whose names are nearly these two words.
pub fn misspelt(first: &str, second: &str) -> BTreeSet<&'static str> {
    let words = format!("{first} {second}");
    let letters = words.chars().count();
    let allowed = if letters >= LONG { 2 } else { 1 };
    let Some(initial) = words.chars().next().filter(|_| letters >= LEAST) else {
        return BTreeSet::new();
    };
    let near = |name: &str| {
        name.chars().count().abs_diff(letters) <= allowed && osa_distance(name, &words) <= allowed
    };
    NAMES
        .get(&initial)
        .into_iter()
        .flatten()
        .filter(|(name, _)| near(name))
        .map(|(_, code)| code.as_str())
        .collect()
}
