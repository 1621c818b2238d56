//! The JSON schema of a configuration, made of the types that read one: what it lists is what is
//! read, with its description and its default.
//!
//! It says what types and bounds say. What does not fit together is said by `config check`.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{Config, bounds};

/// The schema.
pub fn schema() -> Value {
    let generated =
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Config>();
    let mut schema = generated.to_value();
    schema["title"] = json!("Telenumerus");
    schema["description"] = json!(concat!(
        "The configuration of telenumerus ",
        env!("CARGO_PKG_VERSION"),
        ". Everything may be left out."
    ));
    for bound in bounds::of(&Config::default()) {
        let number = at(&mut schema, bound.key);
        number["minimum"] = json!(bound.range.start());
        number["maximum"] = json!(bound.range.end());
    }
    schema
}

/// The schema of a number, by its key; of a table of numbers, that of each.
fn at<'a>(schema: &'a mut Value, key: &str) -> &'a mut Value {
    let mut pointer = String::new();
    for part in key.split('.') {
        pointer = definition(schema, pointer) + "/properties/" + part;
    }
    let pointer = definition(schema, pointer);
    let is_table = schema.pointer(&pointer).is_some_and(|found| found["type"] == "object");
    let pointer = if is_table { pointer + "/additionalProperties" } else { pointer };
    schema.pointer_mut(&pointer).expect("a bound is that of a key")
}

/// Where the schema at a place stands: there, or where its reference leads.
fn definition(schema: &Value, pointer: String) -> String {
    let reference = schema.pointer(&pointer).and_then(|found| found["$ref"].as_str());
    reference.and_then(|reference| reference.strip_prefix('#')).map_or(pointer, ToOwned::to_owned)
}

#[cfg(test)]
mod tests;
