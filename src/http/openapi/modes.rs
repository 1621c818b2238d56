//! Live and test in the document: the member of every reply that says which, and the header that
//! chooses what a test order does.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::livemode::MEMBER;

/// Operations that order, and so take a scenario.
pub const ORDERING: [&str; 4] = ["order", "verify", "agent", "batch"];

/// The header, which says the same as the body's member.
pub fn put_scenario(operation: &mut Value) {
    let parameter = json!({
        "name": "Telenumerus-Scenario", "in": "header", "required": false,
        "description": "With a test key: what the order does, the same every time. May stand in \
         the body as scenario instead.",
        "schema": { "$ref": "#/components/schemas/ScenarioName" },
    });
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

/// Says of every JSON reply to a caller with a key, of stream messages, webhooks and errors, that
/// they have the member.
pub fn put(document: &mut Value) {
    let mut names = BTreeSet::from(["Error".to_owned(), "StreamMessage".to_owned()]);
    for operation in document["paths"]
        .as_object()
        .into_iter()
        .flat_map(Map::values)
        .flat_map(|path| path.as_object().into_iter().flat_map(Map::values))
    {
        let is_keyed = operation["security"].as_array().is_none_or(|ways| !ways.is_empty());
        if is_keyed {
            collect(
                document,
                &operation["responses"]["200"]["content"]["application/json"]["schema"],
                &mut names,
            );
        }
    }
    for name in names {
        add(&mut document["components"]["schemas"][name.as_str()]);
    }
    for webhook in document["webhooks"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        let schema = &mut webhook["post"]["requestBody"]["content"]["application/json"]["schema"];
        add(schema);
        if let Some(required) = schema["required"].as_array_mut() {
            required.push(json!(MEMBER));
        }
    }
}

/// The components whose objects are whole replies: those that a schema names, and its alternatives.
fn collect(document: &Value, schema: &Value, names: &mut BTreeSet<String>) {
    let Some(name) =
        schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/components/schemas/"))
    else {
        return;
    };
    let component = &document["components"]["schemas"][name];
    let alternatives = ["oneOf", "anyOf"]
        .into_iter()
        .flat_map(|kind| component[kind].as_array().into_iter().flatten());
    let mut is_alternative = false;
    for alternative in alternatives {
        is_alternative = true;
        collect(document, alternative, names);
    }
    if !is_alternative {
        names.insert(name.to_owned());
    }
}

fn add(schema: &mut Value) {
    let member = json!({
        "type": "boolean",
        "description": "False where the key is for tests: nothing of it is real.",
    });
    if schema["properties"].is_object() {
        if schema["properties"][MEMBER].is_null() {
            schema["properties"][MEMBER] = member;
        }
    } else if let Some(own) = schema["allOf"]
        .as_array_mut()
        .and_then(|parts| parts.iter_mut().find(|part| part["properties"].is_object()))
    {
        own["properties"][MEMBER] = member;
    }
}
