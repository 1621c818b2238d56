//! What to call next: where a reply names something, the operation that takes it, as clients and
//! their generators read it.

use serde_json::{Value, json};

/// A link of an operation's success.
struct Link {
    from: &'static str,
    name: &'static str,
    to: &'static str,
    /// A parameter of the next call, and what it becomes.
    takes: Option<(&'static str, &'static str)>,
}

const fn bare(from: &'static str, name: &'static str, to: &'static str) -> Link {
    Link { from, name, to, takes: None }
}

/// With a parameter of the next call that stands in the reply, or in the request.
const fn with(
    from: &'static str,
    name: &'static str,
    to: &'static str,
    parameter: &'static str,
    expression: &'static str,
) -> Link {
    Link { from, name, to, takes: Some((parameter, expression)) }
}

/// A link from a reply's `order_id`.
const fn order(from: &'static str, name: &'static str, to: &'static str) -> Link {
    with(from, name, to, "id", "$response.body#/order_id")
}

/// The next page of a list.
const fn page(from: &'static str) -> Link {
    with(from, "next_page", from, "cursor", "$response.body#/next_cursor")
}

const FIRST_ORDER: &str = "$response.body#/orders/0/order_id";

const LINKS: &[Link] = &[
    bare("register", "deposit", "depositAddresses"),
    bare("register", "verify_deposit", "verifyDeposit"),
    bare("register", "browse_services", "listServices"),
    bare("register", "check_availability", "availability"),
    bare("register", "order", "order"),
    bare("register", "account", "account"),
    bare("account", "ledger", "ledger"),
    bare("account", "orders", "listOrders"),
    bare("account", "webhook", "getWebhook"),
    page("ledger"),
    with("ledger", "order", "getOrder", "id", "$response.body#/entries/0/order_id"),
    with("ledger", "account_then", "account", "as_of", "$response.body#/entries/0/event"),
    with("idempotencyKey", "status", "getOrder", "id", FIRST_ORDER),
    with("createKey", "remove", "removeKey", "id", "$response.body#/key_id"),
    bare("createKey", "keys", "listKeys"),
    with("listKeys", "remove", "removeKey", "id", "$response.body#/keys/0/key_id"),
    bare("removeKey", "keys", "listKeys"),
    with("listServices", "availability", "availability", "country", "$response.body#/country"),
    bare("listServices", "order", "order"),
    bare("availability", "order", "order"),
    bare("depositAddresses", "verify", "verifyDeposit"),
    bare("depositAddresses", "deposits", "listDeposits"),
    bare("verifyDeposit", "again", "verifyDeposit"),
    bare("verifyDeposit", "deposits", "listDeposits"),
    bare("verifyDeposit", "account", "account"),
    page("listDeposits"),
    order("order", "status", "getOrder"),
    order("order", "stream", "streamOrder"),
    order("order", "cancel", "cancel"),
    order("verify", "status", "getOrder"),
    order("verify", "stream", "streamOrder"),
    order("verify", "cancel", "cancel"),
    order("verify", "finish", "finish"),
    order("agent", "status", "getOrder"),
    order("agent", "stream", "streamOrder"),
    order("agent", "cancel", "cancel"),
    with("batch", "status", "getOrder", "id", FIRST_ORDER),
    with("batch", "stream", "streamOrder", "id", FIRST_ORDER),
    with("batch", "cancel", "cancel", "id", FIRST_ORDER),
    page("listOrders"),
    with("listOrders", "status", "getOrder", "id", FIRST_ORDER),
    order("getOrder", "stream", "streamOrder"),
    order("getOrder", "history", "orderEvents"),
    order("getOrder", "cancel", "cancel"),
    order("getOrder", "finish", "finish"),
    order("getOrder", "report", "report"),
    order("orderEvents", "status", "getOrder"),
    with("streamOrder", "status", "getOrder", "id", "$request.path.id"),
    with("streamOrder", "cancel", "cancel", "id", "$request.path.id"),
    order("cancel", "status", "getOrder"),
    order("finish", "status", "getOrder"),
    order("report", "status", "getOrder"),
    bare("setWebhook", "test", "testWebhook"),
    bare("setWebhook", "deliveries", "listWebhookDeliveries"),
    bare("getWebhook", "test", "testWebhook"),
    bare("getWebhook", "deliveries", "listWebhookDeliveries"),
    bare("testWebhook", "deliveries", "listWebhookDeliveries"),
    page("listWebhookDeliveries"),
    with(
        "listWebhookDeliveries",
        "redeliver",
        "redeliver",
        "sequence",
        "$response.body#/deliveries/0/sequence",
    ),
    bare("redeliver", "deliveries", "listWebhookDeliveries"),
    bare("redeliverSince", "deliveries", "listWebhookDeliveries"),
];

/// Puts an operation's links to its success.
pub fn put(id: &str, operation: &mut Value) {
    for link in LINKS.iter().filter(|link| link.from == id) {
        let mut shown = json!({ "operationId": link.to });
        if let Some((parameter, expression)) = link.takes {
            shown["parameters"] = json!({ parameter: expression });
        }
        operation["responses"]["200"]["links"][link.name] = shown;
    }
}
