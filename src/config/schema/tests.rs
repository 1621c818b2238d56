//! That the schema and the loader read the same: at each table the same keys, of each key whatever
//! the loader takes, of the manual everything.

use std::collections::BTreeSet;

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Format, Serialized, Toml};

use super::*;

/// Every page that shows keys.
fn manuals() -> Vec<String> {
    let pages = ["operating", "suppliers", "deposits", "log_for_programs"];
    let page = |name| format!("{}/docs/{name}.md", env!("CARGO_MANIFEST_DIR"));
    pages.map(|name| std::fs::read_to_string(page(name)).unwrap()).to_vec()
}

/// A place in a configuration, and what the schema says of it.
struct Place {
    /// Names of keys; `[]` is an element of an array, `*` any name.
    path: Vec<String>,
    schema: Value,
}

impl Place {
    fn is_table(&self) -> bool {
        self.schema["properties"].is_object()
    }

    fn name(&self) -> String {
        self.path.join(".")
    }
}

fn resolved(root: &Value, schema: &Value) -> Value {
    // An optional table is one or null.
    let alternatives = schema["anyOf"].as_array().into_iter().flatten();
    let schema = alternatives.into_iter().find(|one| one["type"] != "null").unwrap_or(schema);
    match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => root.pointer(pointer).unwrap().clone(),
        None => schema.clone(),
    }
}

/// Every place, tables and values.
fn places(root: &Value, at: Place, found: &mut Vec<Place>) {
    let below = |name: &str| [at.path.as_slice(), &[name.to_owned()]].concat();
    let mut go = |path, schema: &Value| {
        places(root, Place { path, schema: resolved(root, schema) }, found);
    };
    for (name, schema) in at.schema["properties"].as_object().into_iter().flatten() {
        go(below(name), schema);
    }
    if at.schema["items"].is_object() {
        go(below("[]"), &at.schema["items"]);
    }
    if at.schema["additionalProperties"].is_object() {
        go(below("*"), &at.schema["additionalProperties"]);
    }
    found.push(at);
}

fn all_places() -> Vec<Place> {
    let root = schema();
    let mut found = Vec::new();
    places(&root, Place { path: Vec::new(), schema: root.clone() }, &mut found);
    found
}

/// A configuration with a value at a path, and with what its tables require beside it.
fn written(root: &Value, path: &[String], value: Value) -> Value {
    fn inner(root: &Value, schema: &Value, path: &[String], value: Value) -> Value {
        let schema = resolved(root, schema);
        let Some((name, rest)) = path.split_first() else { return value };
        match name.as_str() {
            "[]" => json!([inner(root, &schema["items"], rest, value)]),
            "*" => json!({ "google": inner(root, &schema["additionalProperties"], rest, value) }),
            _ => {
                let mut table = serde_json::Map::new();
                for required in schema["required"].as_array().into_iter().flatten() {
                    let required = required.as_str().unwrap();
                    let sample = sample(required, &resolved(root, &schema["properties"][required]));
                    table.insert(required.to_owned(), sample);
                }
                let below = inner(root, &schema["properties"][name], rest, value);
                table.insert(name.clone(), below);
                Value::Object(table)
            }
        }
    }
    inner(root, root, path, value)
}

/// Something that stands at a key.
fn sample(key: &str, schema: &Value) -> Value {
    let variants: Vec<_> = schema["oneOf"].as_array().into_iter().flatten().collect();
    match key {
        "number" => json!("+12025550123"),
        "country" => json!("US"),
        _ if schema["type"] == "integer" => json!(1),
        _ if schema["enum"].is_array() => schema["enum"][0].clone(),
        _ if !variants.is_empty() => variants[0]["const"].clone(),
        _ => json!("acme"),
    }
}

fn load(value: &Value) -> Result<Config, Box<figment::Error>> {
    Figment::new().merge(Serialized::defaults(value)).extract::<Config>().map_err(Box::new)
}

#[test]
fn at_each_table_the_loader_knows_the_keys_that_the_schema_lists_and_no_others() {
    let root = schema();
    let tables: Vec<Place> = all_places().into_iter().filter(Place::is_table).collect();
    assert!(tables.len() > 25, "{}", tables.len());
    for table in tables {
        let strange = [table.path.as_slice(), &["xyzzy".to_owned()]].concat();
        let error = load(&written(&root, &strange, json!(1))).unwrap_err();
        let Some(Kind::UnknownField(_, known)) = (*error)
            .into_iter()
            .map(|error| error.kind)
            .find(|kind| matches!(kind, Kind::UnknownField(name, _) if name == "xyzzy"))
        else {
            panic!("{}: the loader takes any key", table.name())
        };
        let known: BTreeSet<&str> = known.iter().copied().collect();
        let listed: BTreeSet<&str> =
            table.schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(known, listed, "{}", table.name());
        assert_eq!(table.schema["additionalProperties"], json!(false), "{}", table.name());
    }
}

#[test]
fn the_schema_takes_whatever_the_loader_takes() {
    let root = schema();
    let validator = jsonschema::validator_for(&root).unwrap();
    let candidates = [
        json!(true),
        json!(0),
        json!(1),
        json!(7),
        json!(-1),
        json!(0.5),
        json!("0.5"),
        json!("acme"),
        json!("127.0.0.1:1"),
        json!("+12025550123"),
        json!("US"),
        json!("json"),
        json!([]),
        json!([443]),
        json!(["acme"]),
        json!([0.1, 0.2]),
        json!({}),
        json!({ "google": 1 }),
        json!({ "google": "acme" }),
    ];
    let (mut taken, mut refused) = (0, 0);
    for place in all_places() {
        // serde reads a table from an array, too; no manual says so, and the schema does not allow
        // it.
        let is_meant = |candidate: &&Value| !(candidate.is_array() && place.is_table());
        for candidate in candidates.iter().filter(is_meant) {
            let config = written(&root, &place.path, candidate.clone());
            // What only bounds forbid is forbidden by both; see below.
            let is_taken = load(&config).is_ok_and(|config| bounds::exceeded(&config).is_empty());
            let is_valid = validator.is_valid(&config);
            assert!(is_valid || !is_taken, "{}: {config} is taken", place.name());
            taken += usize::from(is_taken);
            refused += usize::from(!is_valid);
        }
    }
    assert!(taken > 300 && refused > 1_000, "{taken} taken, {refused} refused");
}

#[test]
fn what_is_outside_of_its_bounds_is_refused_by_both() {
    let root = schema();
    let validator = jsonschema::validator_for(&root).unwrap();
    for bound in bounds::of(&Config::default()) {
        let mut path: Vec<String> = bound.key.split('.').map(ToOwned::to_owned).collect();
        if bound.key == "suppliers.weights" {
            path.push("*".to_owned());
        }
        let below = bound.range.start().checked_sub(1);
        for (value, is_within) in [
            (Some(*bound.range.start()), true),
            (Some(*bound.range.end()), true),
            (Some(bound.range.end() + 1), false),
            (below, false),
        ] {
            let Some(value) = value else { continue };
            let config = written(&root, &path, json!(value));
            assert_eq!(validator.is_valid(&config), is_within, "{} = {value}", bound.key);
            let is_taken = load(&config).is_ok_and(|config| bounds::exceeded(&config).is_empty());
            assert_eq!(is_taken, is_within, "{} = {value}", bound.key);
        }
    }
}

#[test]
fn every_key_is_in_a_manual_and_every_configuration_of_the_manuals_is_valid() {
    let (validator, manuals) = (jsonschema::validator_for(&schema()).unwrap(), manuals());
    for place in all_places().iter().filter(|place| !place.path.is_empty()) {
        let key = place.path.last().unwrap().as_str();
        let is_shown = manuals.iter().any(|manual| {
            manual.match_indices(key).any(|(start, _)| {
                let around =
                    [manual[..start].chars().last(), manual[start + key.len()..].chars().next()];
                around.iter().flatten().all(|letter| !letter.is_alphanumeric() && *letter != '_')
            })
        });
        assert!(is_shown || ["[]", "*"].contains(&key), "{} is in no manual", place.name());
    }
    let mut read = 0;
    for manual in &manuals {
        for block in manual.split("```toml\n").skip(1).filter_map(|rest| rest.split("\n```").next())
        {
            let value: Value = Figment::from(Toml::string(block)).extract().unwrap();
            let wrong: Vec<String> =
                validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{wrong:?}\n{block}");
            read += 1;
        }
    }
    assert!(read > 4, "{read}");
}
