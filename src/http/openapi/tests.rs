//! The document against itself: examples are what their schemas say, links lead to operations that
//! there are.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

fn document() -> Value {
    crate::http::document()
}

/// Every operation by its id.
fn operations(document: &Value) -> BTreeMap<String, &Value> {
    let paths = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values());
    paths
        .map(|operation| (operation["operationId"].as_str().unwrap().to_owned(), operation))
        .collect()
}

/// What `value` breaks of a schema of the document.
fn broken(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut whole = json!({ "components": document["components"] });
    whole.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
    let judge =
        jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap();
    judge.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect()
}

#[test]
fn every_success_has_an_example_and_each_is_what_its_schema_says() {
    let document = document();
    let mut wrong = Vec::new();
    for (id, operation) in operations(&document) {
        for (status, response) in operation["responses"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
        {
            for (kind, content) in response["content"]
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(kind, _)| *kind != "image/svg+xml")
            {
                match &content["example"] {
                    Value::Null => wrong.push(format!("{id} {status} {kind} has no example")),
                    example => wrong.extend(
                        broken(&document, &content["schema"], example)
                            .into_iter()
                            .map(|what| format!("{id}: {what}")),
                    ),
                }
            }
        }
    }
    for (event, push) in document["webhooks"].as_object().unwrap() {
        let content = &push["post"]["requestBody"]["content"]["application/json"];
        wrong.extend(
            broken(&document, &content["schema"], &content["example"])
                .into_iter()
                .map(|what| format!("{event}: {what}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_example_of_a_refusal_is_what_its_schema_says() {
    let document = document();
    for (id, operation) in operations(&document) {
        for (status, response) in operation["responses"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(status, _)| !status.starts_with('2'))
        {
            let content = &response["content"]["application/json"];
            let examples = content["examples"]
                .as_object()
                .unwrap_or_else(|| panic!("{id} {status} has no examples"));
            for example in examples.values() {
                assert_eq!(
                    broken(&document, &content["schema"], &example["value"]),
                    Vec::<String>::new(),
                    "{id} {status}"
                );
            }
        }
    }
}

#[test]
fn every_link_leads_to_an_operation_with_what_the_reply_has_for_it() {
    let document = document();
    let operations = operations(&document);
    let nothing = Map::new();
    let mut linked = 0;
    for (id, operation) in &operations {
        let response = &operation["responses"]["200"];
        let example = response["content"]
            .as_object()
            .and_then(|content| content.values().next())
            .map_or(&Value::Null, |content| &content["example"]);
        for (name, link) in response["links"].as_object().unwrap_or(&nothing) {
            let target = operations
                .get(link["operationId"].as_str().unwrap())
                .unwrap_or_else(|| panic!("{id} {name} leads nowhere"));
            for (parameter, expression) in link["parameters"].as_object().unwrap_or(&nothing) {
                let known = |operation: &Value, name: &str| {
                    operation["parameters"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .any(|known| known["name"] == name)
                };
                assert!(known(target, parameter), "{id} {name}: no {parameter}");
                let expression = expression.as_str().unwrap();
                match expression.strip_prefix("$response.body#") {
                    Some(pointer) => assert!(
                        example.pointer(pointer).is_some(),
                        "{id} {name}: no {pointer} in the example"
                    ),
                    None => assert!(
                        known(operation, expression.strip_prefix("$request.path.").unwrap()),
                        "{id} {name}: {expression}"
                    ),
                }
            }
            linked += 1;
        }
    }
    for id in ["register", "agent", "batch", "depositAddresses", "verifyDeposit", "order", "verify"]
    {
        assert!(
            operations[id]["responses"]["200"]["links"].is_object(),
            "{id} names the next call and links to none"
        );
    }
    assert!(linked > 50, "{linked}");
}
