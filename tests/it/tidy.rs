//! The house rules that can be checked: headers, sizes, names, the arrows between rooms, the map
//! against the tree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for room in [
        "code",
        "events",
        "natural_language",
        "projections",
        "actors",
        "chains",
        "suppliers",
        "esdb/src",
        "shared_log",
        "src",
        "tests",
        "benches",
        "xtask",
    ] {
        walk(&root().join(room), &mut found);
    }
    assert!(found.len() > 80, "{} files: the walk is broken", found.len());
    found
}

fn walk(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("esdb/src/generated") {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
        }
    }
}

fn assert_none(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

#[test]
fn every_file_says_first_what_it_holds() {
    let broken: Vec<String> = sources()
        .iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none("the first line of every file starts with //!", &broken);
}

#[test]
fn files_stay_small() {
    let limit = |path: &Path| if is_test(path) { 800 } else { 562 };
    let broken: Vec<String> = sources()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(path, lines)| *lines > limit(path))
        .map(|(path, lines)| format!("{}: {lines}", path.display()))
        .collect();
    assert_none("files stay below 562 lines, tests below 800", &broken);
}

/// What rustfmt leaves long is a literal, or stands in a macro and is broken by hand.
#[test]
fn a_line_over_100_columns_is_one_that_a_literal_fills() {
    let mut broken = Vec::new();
    for (path, text) in sources()
        .into_iter()
        .filter(|(path, _)| !path.starts_with("code") && !path.starts_with("events/src/codec"))
    {
        for (number, columns) in columns(&text).iter().enumerate() {
            if columns.all > 100 && columns.beside_literals > 60 {
                broken.push(format!("{}:{}: {} columns", path.display(), number + 1, columns.all));
            }
        }
    }
    assert_none("lines have 100 columns but where a literal fills them", &broken);
}

/// The columns of a line.
#[derive(Default)]
struct Columns {
    all: usize,
    /// Those of no string.
    beside_literals: usize,
}

/// Where a reader of source text is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Code,
    Comment,
    Text,
    /// In a raw string of so many number signs.
    RawText(usize),
}

/// The columns of each line.
fn columns(text: &str) -> Vec<Columns> {
    let (mut place, mut lines, mut line) = (Place::Code, Vec::new(), Columns::default());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if letter == '\n' {
            lines.push(std::mem::take(&mut line));
            if place == Place::Comment {
                place = Place::Code;
            }
            rest = &rest[1..];
            continue;
        }
        let (taken, next) = match place {
            Place::Code => code(rest),
            Place::Comment => (1, Place::Comment),
            Place::Text => match letter {
                '\\' if !rest[1..].starts_with('\n') => (2, Place::Text),
                '"' => (1, Place::Code),
                _ => (1, Place::Text),
            },
            Place::RawText(signs) => {
                let end = format!("\"{}", "#".repeat(signs));
                if rest.starts_with(&end) { (end.len(), Place::Code) } else { (1, place) }
            }
        };
        line.all += taken;
        line.beside_literals += match place {
            Place::Code | Place::Comment => taken,
            Place::Text | Place::RawText(_) => 0,
        };
        place = next;
        rest = &rest[rest.char_indices().nth(taken).map_or(rest.len(), |(index, _)| index)..];
    }
    lines.push(line);
    lines
}

/// How many letters of code stand together, and where the reader is after them.
fn code(rest: &str) -> (usize, Place) {
    let signs = rest[1.min(rest.len())..].chars().take_while(|letter| *letter == '#').count();
    if rest.starts_with("//") {
        return (2, Place::Comment);
    }
    if rest.starts_with('r') && rest[1 + signs..].starts_with('"') {
        return (2 + signs, Place::RawText(signs));
    }
    if rest.starts_with('"') {
        return (1, Place::Text);
    }
    // A letter in quotes, which may be a quote; a lifetime has no second one.
    let mut letters = rest.chars();
    if letters.next() == Some('\'') {
        let second = letters.next();
        let quoted =
            if second == Some('\\') { rest[3..].find('\'').map(|at| at + 4) } else { Some(3) };
        if let Some(length) = quoted.filter(|length| rest.chars().nth(length - 1) == Some('\'')) {
            return (length, Place::Code);
        }
    }
    (1, Place::Code)
}

#[test]
fn columns_of_literals_are_told_from_those_of_code() {
    let count = |text: &str| columns(text)[0].beside_literals;
    assert_eq!(count("let a = \"0123456789\";"), 10);
    assert_eq!(count("let a = r#\"01\"23\"#;"), 12);
    assert_eq!(count("let a = '\"'; b"), 14);
    assert_eq!(count("fn a<'a>(b: &'a str) // \"c\""), 27);
    assert_eq!(count("let a = \"\\\"b\\\\\";"), 10);
    let lines = columns("say(\n    \"one \\\n     two\",\n);");
    assert_eq!(lines.iter().map(|line| line.beside_literals).collect::<Vec<_>>(), [4, 5, 1, 2]);
}

#[test]
fn no_file_is_named_after_nothing() {
    let banned = [
        "utils",
        "util",
        "helpers",
        "helper",
        "common",
        "misc",
        "types",
        "manager",
        "stuff",
        "door",
        "doors",
        "gate",
        "vocabulary",
        "feed",
        "coins",
        "desk",
        "hands",
        "fate",
        "fiction",
    ];
    let broken: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| {
            path.file_stem().is_some_and(|stem| banned.contains(&stem.to_str().unwrap()))
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none("names say what is in a file", &broken);
}

/// Which crates of ours a crate may depend on.
const CRATES: [(&str, &[&str]); 11] = [
    ("code", &[]),
    ("events", &["sms-code"]),
    ("natural_language", &["events"]),
    ("projections", &["events"]),
    ("actors", &["events"]),
    ("chains", &["actors", "events"]),
    ("suppliers", &["actors", "events"]),
    ("esdb", &[]),
    ("shared_log", &["actors", "events"]),
    ("tests/fakes", &["actors", "events", "suppliers"]),
    ("tests/simulation", &["actors", "events", "projections"]),
];

/// Libraries that belong to the adapters: the domain and the processes do not know them.
const ADAPTERS_ONLY: [(&str, &[&str]); 8] = [
    ("code", &["tokio", "rusqlite", "axum"]),
    ("events", &["tokio", "rusqlite", "axum"]),
    ("natural_language", &["tokio", "rusqlite", "axum"]),
    ("projections", &["axum"]),
    ("actors", &["axum"]),
    ("chains", &["axum", "rusqlite"]),
    ("esdb", &["axum", "rusqlite"]),
    ("shared_log", &["axum", "rusqlite"]),
];

#[test]
fn crates_depend_only_on_those_they_may() {
    let ours = [
        "sms-code",
        "events",
        "natural-language",
        "projections",
        "actors",
        "chains",
        "suppliers",
        "esdb",
        "shared-log",
        "fakes",
    ];
    for (folder, allowed) in CRATES {
        let foreign = ADAPTERS_ONLY
            .iter()
            .find(|(of, _)| *of == folder)
            .map_or(&[][..], |(_, foreign)| foreign);
        for name in dependencies(folder) {
            assert!(
                !ours.contains(&name.as_str()) || allowed.contains(&name.as_str()),
                "{folder} must not depend on {name}"
            );
            assert!(!foreign.contains(&name.as_str()), "{folder} must not depend on {name}");
        }
    }
}

/// What a crate needs to be built; what its tests need is another matter.
fn dependencies(folder: &str) -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let section = manifest
        .split("[dependencies]")
        .nth(1)
        .unwrap_or_default()
        .split("\n[")
        .next()
        .unwrap_or_default()
        .to_owned();
    section
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Which folders of `actors` a folder may use, from the bottom up.
const FOLDERS: [(&str, &[&str]); 10] = [
    ("kernel", &["store"]),
    ("store", &["kernel", "vault"]),
    ("vault", &["kernel", "store"]),
    ("numbers", &["kernel", "store"]),
    ("account", &["kernel", "store"]),
    ("policy", &["kernel", "store"]),
    ("order", &["account", "kernel", "numbers", "store"]),
    ("inbox", &["account", "kernel", "numbers", "order", "store"]),
    ("deposit", &["account", "kernel", "store"]),
    ("webhook", &["account", "kernel", "store"]),
];

#[test]
fn folders_of_actors_use_only_those_below_them() {
    let mut broken = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| path.starts_with("actors/src")) {
        let folder = path
            .strip_prefix("actors/src")
            .unwrap()
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let Some((_, allowed)) = FOLDERS.iter().find(|(name, _)| *name == folder) else { continue };
        let used = text
            .lines()
            .flat_map(|line| line.split("crate::").skip(1))
            .map(|rest| rest.split([':', ';', ',', ' ']).next().unwrap());
        broken.extend(
            used.filter(|name| {
                FOLDERS.iter().any(|(of, _)| of == name)
                    && *name != folder
                    && !allowed.contains(name)
            })
            .map(|name| format!("{}: {name}", path.display())),
        );
    }
    assert_none("folders of actors/src use only those below them", &broken);
}

/// No folder is most of `actors`. The store, which is the log itself, is measured apart: it is the
/// largest by far.
#[test]
fn no_folder_of_actors_outgrows_the_others() {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        if let Ok(below) = path.strip_prefix("actors/src") {
            let folder = below.iter().next().unwrap().to_str().unwrap();
            *lines.entry(folder.to_owned()).or_default() += text.lines().count();
        }
    }
    let store = lines.remove("store").unwrap();
    let others: usize = lines.values().sum();
    let broken: Vec<String> = lines
        .iter()
        .filter(|(_, of_folder)| **of_folder * 100 >= others * 27)
        .map(|(folder, of_folder)| format!("{folder}: {of_folder} of {others} lines"))
        .collect();
    assert_none("a folder of actors is under 27 % of those beside the store", &broken);
    assert!(store * 100 < (store + others) * 46, "the store: {store} of {} lines", store + others);
}

/// A supplier is a folder: beside it, its place in the list, and examples, nothing knows its name.
#[test]
fn a_supplier_is_named_in_few_files_beside_its_folder() {
    for supplier in ["twilio", "telnyx", "vonage", "gammu"] {
        let own = Path::new("suppliers/src").join(supplier);
        let named: Vec<String> = sources()
            .iter()
            .filter(|(path, _)| !is_test(path) && !path.starts_with("benches"))
            .filter(|(path, _)| !path.starts_with("xtask") && !path.starts_with(&own))
            .filter(|(_, text)| text.to_lowercase().contains(supplier))
            .map(|(path, _)| path.display().to_string())
            .collect();
        assert!(named.len() <= 5, "{supplier}: {named:?}");
    }
}

/// Whether a file is for tests alone.
fn is_test(path: &Path) -> bool {
    path.ends_with("tests.rs") || path.iter().any(|part| part == "tests")
}

#[test]
fn words_stay_in_their_rooms() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let stray: &[&str] = if path.starts_with("events/src") || path.starts_with("code/src") {
            &[
                "async fn",
                ".await",
                "SystemTime",
                "Instant::now",
                "std::fs",
                "std::net::Tcp",
                "std::net::Udp",
                "ToSocketAddrs",
            ]
        } else if ["actors/src", "chains/src", "suppliers/src", "projections/src"]
            .iter()
            .any(|folder| path.starts_with(folder))
        {
            &["StatusCode", "axum::"]
        } else if path.starts_with("src/http") {
            &[
                "rusqlite",
                "SELECT ",
                "INSERT ",
                ".decide(",
                ".evolve(",
                "from_history(",
                "read_all(",
                "read_stream(",
                "crate::cli",
            ]
        } else if ["src/admin", "src/console", "src/mcp", "src/config"]
            .iter()
            .any(|folder| path.starts_with(folder))
        {
            &["rusqlite", "SELECT ", "INSERT ", "crate::cli"]
        } else if path.starts_with("src") {
            &["rusqlite", "SELECT ", "INSERT "]
        } else {
            &[]
        };
        broken.extend(
            stray
                .iter()
                .filter(|word| text.contains(**word))
                .map(|word| format!("{}: {word}", path.display())),
        );
        let append = path.starts_with("actors/src")
            && text.contains(".append(append")
            && !path.ends_with("entity.rs")
            && !path.starts_with("actors/src/store");
        if append {
            broken.push(format!("{}: only entity.rs appends", path.display()));
        }
    }
    assert_none("a line knows its room by its words", &broken);
}

#[test]
fn every_refusal_is_named_in_a_test() {
    let tests: String = sources()
        .into_iter()
        .filter(|(path, _)| {
            path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests")
        })
        .map(|(_, text)| text)
        .collect();
    let mut broken = Vec::new();
    for (path, text) in &sources() {
        for (refusal, variants) in refusals(text) {
            let unnamed =
                variants.iter().filter(|variant| !tests.contains(&format!("{refusal}::{variant}")));
            broken
                .extend(unnamed.map(|variant| format!("{}: {refusal}::{variant}", path.display())));
        }
    }
    assert_none("every refusal is named in a test", &broken);
}

/// Every enum of refusals in a file, and its variants.
fn refusals(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        let named = line
            .strip_prefix("pub enum ")
            .or_else(|| line.strip_prefix("enum "))
            .and_then(|rest| rest.strip_suffix(" {"));
        if let Some(name) = named.filter(|name| name.ends_with("Refusal")) {
            found.push((name, Vec::new()));
            is_inside = true;
        } else if line.starts_with('}') {
            is_inside = false;
        } else if is_inside
            && line.starts_with("    ")
            && line.chars().nth(4).is_some_and(char::is_uppercase)
        {
            let variant = line
                .trim_start()
                .split(|letter: char| !letter.is_ascii_alphanumeric())
                .next()
                .unwrap_or_default();
            found.last_mut().unwrap().1.push(variant);
        }
    }
    found
}

#[test]
fn the_map_shows_the_house_as_it_is() {
    let map = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut broken = Vec::new();
    for room in [
        "code/src",
        "events/src",
        "natural_language/src",
        "projections/src",
        "actors/src",
        "chains/src",
        "suppliers/src",
        "shared_log/src",
        "src",
        "tests",
        "benches",
    ] {
        for entry in std::fs::read_dir(root().join(room)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let name = name.trim_end_matches(".rs");
            if !["lib", "mod", "main"].contains(&name) && !map.contains(name) {
                broken.push(format!("{room}/{name} is not on the map"));
            }
        }
    }
    assert_none("docs/architecture.md names every room", &broken);
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X:"].concat()];
    let broken: Vec<String> = sources()
        .iter()
        .filter(|(_, text)| marks.iter().any(|mark| text.contains(mark.as_str())))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none("what is not done is not marked but done", &broken);
}

/// Names of types that have a field's term (`docs/glossary.md`): they do not come back.
const HOUSE_WORDS: [&str; 29] = [
    "Ear",
    "Turns",
    "Heard",
    "Letter",
    "Letters",
    "Post",
    "Round",
    "Desk",
    "Counter",
    "Run",
    "Pursuit",
    "Keeping",
    "Fate",
    "Sighting",
    "Way",
    "Talk",
    "Rooms",
    "Own",
    "Rest",
    "Reach",
    "Wish",
    "Manager",
    "Helper",
    "Util",
    "Thing",
    "Door",
    "Gate",
    "Vocabulary",
    "Feed",
];

#[test]
fn types_are_named_by_the_field_s_terms() {
    let mut broken = Vec::new();
    for (path, text) in sources()
        .iter()
        .filter(|(path, _)| path.iter().any(|part| part == "src") && !path.starts_with("tests"))
    {
        for line in text.lines().map(str::trim_start) {
            let line = ["pub(super) ", "pub(crate) ", "pub "]
                .iter()
                .find_map(|prefix| line.strip_prefix(prefix))
                .unwrap_or(line);
            let Some(rest) = ["struct ", "enum ", "trait ", "type "]
                .iter()
                .find_map(|kind| line.strip_prefix(kind))
            else {
                continue;
            };
            let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            if HOUSE_WORDS.contains(&name.as_str()) {
                broken.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert_none("types are named by the field's terms", &broken);
}

/// Paths in the pages' links and in back quotes, from the root or from the page.
#[test]
fn every_path_that_a_page_names_exists() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(root().join(&page)).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let file = link.split('#').next().unwrap();
            if !root().join(page.parent().unwrap()).join(file).exists() {
                broken.push(format!("{}: the link {link}", page.display()));
            }
        }
        for quoted in text.split('`').skip(1).step_by(2).filter(|quoted| is_path(quoted)) {
            if !root().join(quoted).exists() {
                broken.push(format!("{}: the path {quoted}", page.display()));
            }
        }
    }
    for (path, text) in sources() {
        let doc: String =
            text.lines().take_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join(" ");
        for quoted in doc.split('`').skip(1).step_by(2).filter(|quoted| is_path(quoted)) {
            if !root().join(quoted).exists()
                && !root().join(path.iter().next().unwrap()).join(quoted).exists()
            {
                broken.push(format!("{}: the path {quoted}", path.display()));
            }
        }
    }
    assert_none("every path that is named exists", &broken);
}

/// The page of proofs names tests as `path::function`, and every id that `audit verify` prints,
/// that the models and the simulation judge by, and that the map lists.
#[test]
fn every_promise_has_a_test_that_exists() {
    let page = std::fs::read_to_string(root().join("docs/proof.md")).unwrap();
    let mut broken = Vec::new();
    let (mut ids, mut named) = (std::collections::BTreeSet::new(), 0);
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Id ")) {
        let tests: Vec<&str> =
            row.split('`').skip(1).step_by(2).filter(|quoted| quoted.contains(".rs::")).collect();
        if tests.is_empty() && !row.starts_with("| What ") {
            broken.push(format!("no test: {row}"));
        }
        for test in tests {
            let (path, function) = test.split_once("::").unwrap();
            let text = std::fs::read_to_string(root().join(path)).unwrap_or_default();
            if !text.contains(&format!("fn {function}(")) {
                broken.push(format!("no such test: {test}"));
            }
            named += 1;
        }
        ids.insert(row.trim_start_matches("| ").split(' ').next().unwrap_or_default().to_owned());
    }
    let map = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let naming = sources().into_iter().filter(|(path, _)| {
        ["events/src/audit", "events/tests", "src/audit", "src/cli/audit", "tests/simulation/judge"]
            .iter()
            .any(|of| path.to_string_lossy().starts_with(of))
    });
    let naming = naming.chain([(PathBuf::from("docs/architecture.md"), map)]);
    for (path, text) in naming {
        let printed = text.split(['"', '(', ' ', ')', ':', '|']).filter(|word| is_id(word));
        broken.extend(
            printed
                .filter(|id| !ids.contains(*id))
                .map(|id| format!("{}: {id} is not on the page", path.display())),
        );
    }
    assert_none("docs/proof.md is true", &broken);
    assert!(named > 90, "{named}");
}

/// A capital and a number, as the ids of what must never break are written.
fn is_id(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|first| "MOSIEWAPRLXH".contains(first))
        && letters.clone().next().is_some()
        && letters.all(|letter| letter.is_ascii_digit())
}

/// What is written for people.
fn pages() -> Vec<PathBuf> {
    let below = |folder: &str| {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        entries
            .map(|entry| Path::new(folder).join(entry.unwrap().file_name()))
            .filter(|path| path.extension().is_some_and(|end| end == "md"))
            .collect::<Vec<_>>()
    };
    ["README.md", "CONTRIBUTING.md", "SECURITY.md"]
        .map(PathBuf::from)
        .into_iter()
        .chain(below("docs"))
        .chain(below("docs/decisions"))
        .collect()
}

/// A path of ours: it begins with one of our folders and names what lies in it.
fn is_path(quoted: &str) -> bool {
    let folders = [
        "events",
        "code",
        "natural_language",
        "projections",
        "actors",
        "chains",
        "suppliers",
        "esdb",
        "shared_log",
        "src",
        "tests",
        "benches",
        "docs",
        "contrib",
        "clients",
        "xtask",
    ];
    let is_plain =
        quoted.chars().all(|letter| letter.is_ascii_alphanumeric() || "/_-.".contains(letter));
    is_plain
        && quoted
            .split_once('/')
            .is_some_and(|(first, rest)| folders.contains(&first) && !rest.is_empty())
}
