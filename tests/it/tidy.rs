//! The house rules that can be checked: headers, sizes, names, the arrows between rooms, the map against the tree.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for room in ["code", "events", "natural_language", "projections", "actors", "src", "tests", "benches", "xtask"] {
        walk(&root().join(room), &mut found);
    }
    assert!(found.len() > 80, "{} files: the walk is broken", found.len());
    found
}

fn walk(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
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
    let broken: Vec<String> = sources().iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path.display().to_string()).collect();
    assert_none("the first line of every file starts with //!", &broken);
}

#[test]
fn files_stay_small() {
    let limit = |path: &Path| if path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs") { 800 } else { 420 };
    let broken: Vec<String> = sources()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(path, lines)| *lines > limit(path))
        .map(|(path, lines)| format!("{}: {lines}", path.display()))
        .collect();
    assert_none("files stay below 420 lines, tests below 800", &broken);
}

#[test]
fn no_file_is_named_after_nothing() {
    let banned = ["utils", "util", "helpers", "helper", "common", "misc", "types", "manager", "stuff"];
    let broken: Vec<String> = sources()
        .iter()
        .filter(|(path, _)| path.file_stem().is_some_and(|stem| banned.contains(&stem.to_str().unwrap())))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_none("names say what is in a file", &broken);
}

#[test]
fn rooms_know_only_what_they_may() {
    let manifest = |room: &str| std::fs::read_to_string(root().join(room).join("Cargo.toml")).unwrap();
    for (room, strangers) in [
        ("code", vec!["events", "actors", "projections", "tokio", "rusqlite", "axum", "fakes"]),
        ("events", vec!["actors", "projections", "tokio", "rusqlite", "axum"]),
        ("natural_language", vec!["actors", "projections", "tokio", "axum"]),
        ("projections", vec!["actors", "axum"]),
        ("actors", vec!["projections", "axum"]),
    ] {
        let manifest = manifest(room);
        for stranger in strangers {
            assert!(
                !manifest.lines().any(|line| line.starts_with(&format!("{stranger}.")) || line.starts_with(&format!("{stranger} "))),
                "{room} must not know {stranger}"
            );
        }
    }
}

#[test]
fn words_stay_in_their_rooms() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let stray: &[&str] = if path.starts_with("events/src") || path.starts_with("code/src") {
            &["async fn", ".await", "SystemTime", "Instant::now", "std::fs", "std::net::Tcp", "std::net::Udp", "ToSocketAddrs"]
        } else if path.starts_with("actors/src") || path.starts_with("projections/src") {
            &["StatusCode", "axum::"]
        } else if path.starts_with("src") {
            &["rusqlite", "SELECT ", "INSERT "]
        } else {
            &[]
        };
        broken.extend(stray.iter().filter(|word| text.contains(**word)).map(|word| format!("{}: {word}", path.display())));
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
        .filter(|(path, _)| path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests"))
        .map(|(_, text)| text)
        .collect();
    let mut broken = Vec::new();
    for (path, text) in sources().iter().filter(|(path, _)| path.ends_with("refusal.rs")) {
        for line in text.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     ")) {
            let name: String = line.trim().chars().take_while(char::is_ascii_alphanumeric).collect();
            if name.chars().next().is_some_and(char::is_uppercase) && !tests.contains(&format!("Refusal::{name}")) {
                broken.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert_none("every refusal is named in a test", &broken);
}

#[test]
fn the_map_shows_the_house_as_it_is() {
    let map = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut broken = Vec::new();
    for room in ["code/src", "events/src", "natural_language/src", "projections/src", "actors/src", "src", "tests", "benches"] {
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
