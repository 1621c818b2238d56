//! The OpenAPI document of the operator's API: what the handlers say of themselves, completed with
//! what all of them share.

use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

/// The document as it is served.
pub fn complete(generated: OpenApi) -> Value {
    let mut document = serde_json::to_value(generated).unwrap_or_default();
    document["info"] = json!({
        "title": "Telenumerus: the operator's API", "version": env!("CARGO_PKG_VERSION"),
        "summary": "Accounts, orders, numbers, money and the log of a service, for those who run it.",
        "description": "Served on the admin listener alone, behind the admin token or a token of \
         admin.tokens. A viewer's token reads; an operator's does everything. Amounts are texts \
         of dollars. Phone numbers of orders, texts and codes are masked until /admin/v1/reveal \
         shows them, which the log records.",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    document["servers"] = json!([{ "url": "/" }]);
    document["security"] = json!([{ "bearer": [] }]);
    document["tags"] = json!([
        { "name": "service", "description": "How the service is" },
        { "name": "accounts", "description": "Callers and their money" },
        { "name": "orders", "description": "Orders, and what callers say of them" },
        { "name": "numbers", "description": "Numbers and their sources" },
        { "name": "messages", "description": "Messages that gave no order its code" },
        { "name": "deposits", "description": "Money in" },
        { "name": "webhooks", "description": "Pushes to callers" },
        { "name": "audit", "description": "The log" },
    ]);
    document["components"]["securitySchemes"]["bearer"] = json!({
        "type": "http", "scheme": "bearer", "description": "Authorization: Bearer <admin token>",
    });
    document["components"]["schemas"]["Error"] = json!({
        "type": "object", "required": ["error", "error_code", "retryable", "service", "request_id"],
        "properties": {
            "error": { "type": "string" }, "error_code": { "type": "string" },
            "retryable": { "type": "boolean" },
            "retry_after_seconds": { "type": ["integer", "null"] }, "service": { "type": "string" },
            "request_id": { "type": "string" },
        },
    });
    let error = |description: &str| {
        json!({
            "description": description,
            "content": {
                "application/json": { "schema": { "$ref": "#/components/schemas/Error" } }
            },
        })
    };
    for operations in
        document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut())
    {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            let responses = &mut operation["responses"];
            responses["400"] = error("A value that is none");
            responses["401"] = error("Without a token that is known");
            responses["429"] = error("Too many wrong tokens from this address");
            responses["500"] = error("The world failed");
            if method == "post" {
                responses["403"] = error("A viewer's token");
                responses["409"] = error("The state does not allow it");
            }
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_call_of_operators_is_described_once_and_under_a_name_of_its_own() {
        let document = crate::admin::document();
        let paths = document["paths"].as_object().unwrap();
        let mut names = BTreeSet::new();
        for (path, operations) in paths {
            assert!(path.starts_with("/admin/v1/"), "{path}");
            for operation in operations.as_object().unwrap().values() {
                assert!(
                    names.insert(operation["operationId"].as_str().unwrap().to_owned()),
                    "{path}"
                );
                assert!(operation["summary"].is_string(), "{path}");
                assert!(
                    operation["responses"]["401"]["content"]["application/json"]["schema"]["$ref"]
                        .is_string()
                );
            }
        }
        for path in [
            "/admin/v1/accounts",
            "/admin/v1/accounts/{id}",
            "/admin/v1/orders",
            "/admin/v1/orders/{id}",
            "/admin/v1/deliveries",
            "/admin/v1/usage",
        ] {
            assert!(paths.contains_key(path), "{path}");
        }
    }
}
