//! A route's answer in a few words for the model, with what it should call next.

use std::collections::BTreeSet;

use serde_json::Value;

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or("-")
}

/// What a tool has done.
pub(super) fn success(tool: &str, body: &Value) -> String {
    let order = text(body, "order_id");
    match tool {
        "sms_register" => format!(
            "Account {} is open, with no money yet. Keep the api_key now, it is not shown again: \
             set it as TELENUMERUS_API_KEY for this server, or send it as Authorization: Bearer.",
            text(body, "account_id")
        ),
        "sms_order" | "sms_agent_order" => ordered(order, body),
        "sms_verify" => verified(order, body),
        "sms_check_order" => checked(order, body),
        "sms_cancel_order" => format!("Order {order} is cancelled; ${} is back.", body["refunded"]),
        "sms_account" => {
            format!(
                "${} to spend, ${} held, tier {}. Open order: {}.",
                body["balance"],
                body["held"],
                text(body, "tier"),
                text(body, "active_order")
            )
        }
        "sms_deposit" => deposited(body),
        "sms_availability" => format!(
            "{} platforms in {}.",
            body["platforms"].as_array().map_or(0, Vec::len),
            text(body, "country")
        ),
        "sms_list_services" => {
            format!("{} platforms; prices for {}.", body["total_platforms"], text(body, "country"))
        }
        _ => String::new(),
    }
}

fn ordered(order: &str, body: &Value) -> String {
    if body["order_id"].is_null() {
        return format!(
            "Understood: {} in {}; it would cost ${}. Nothing was ordered.",
            body["interpretation"]["platform"], body["interpretation"]["country"], body["quote"]
        );
    }
    if body["phone"].is_null() {
        return format!(
            "Order {order} is placed; a number is still being sought. Next: sms_check_order \
             with order_id {order} and wait."
        );
    }
    format!(
        "Use {} for {}; ${} is held. Order {order}, {} seconds. Next: sms_check_order with \
         order_id {order} and wait.",
        text(body, "phone"),
        text(body, "platform"),
        body["price"],
        body["expires_in"]
    )
}

fn verified(order: &str, body: &Value) -> String {
    if body["messages_erased"] == true {
        return erased(order);
    }
    if body["code"].is_string() {
        return format!(
            "The code for {} is {}. It cost ${}.",
            text(body, "phone"),
            text(body, "code"),
            body["price"]
        );
    }
    if !body["refunded"].is_null() {
        return format!(
            "No code came in time. Order {order} was cancelled and ${} is back.{}",
            body["refunded"],
            held(body)
        );
    }
    format!(
        "No code yet on {}. The order lives on.{} Next: sms_check_order with order_id {order} \
         and wait; or sms_cancel_order to get the money back.",
        text(body, "phone"),
        held(body)
    )
}

fn checked(order: &str, body: &Value) -> String {
    match text(body, "status") {
        "completed" if body["messages_erased"] == true => erased(order),
        "completed" => {
            format!("Completed: the code for {} is {}.", text(body, "phone"), text(body, "code"))
        }
        status @ ("cancelled" | "expired" | "failed") => {
            format!("The order is {status}; ${} is back.{}", body["refunded"], held(body))
        }
        status => format!(
            "The order is {status}, on {}.{} Next: sms_check_order with order_id {order} and wait.",
            text(body, "phone"),
            held(body)
        ),
    }
}

fn erased(order: &str) -> String {
    format!("Order {order} had its code; what its messages said was erased since.")
}

/// That messages came which the operator holds back, and why.
fn held(order: &Value) -> String {
    let kinds: BTreeSet<&str> = order["held"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|message| message["kinds"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    if kinds.is_empty() {
        return String::new();
    }
    let kinds = kinds.into_iter().collect::<Vec<_>>().join(", ");
    format!(" A message came that this service holds back ({kinds}); nobody is shown it.")
}

fn deposited(body: &Value) -> String {
    let Some(addresses) = body["addresses"].as_object() else {
        return format!("The deposit is {}. {}", text(body, "status"), text(body, "message"));
    };
    if body["simulated"] == true {
        let example = "ab".repeat(32);
        return format!(
            "Deposits are simulated here: send nothing. Next: sms_deposit with any 64 hex \
             digits as tx_hash, such as {example}, each hash once; \
             $10 are credited two seconds later, and the same call again says so."
        );
    }
    let known: Vec<String> = addresses
        .iter()
        .filter_map(|(coin, address)| Some(format!("{coin}: {}", address.as_str()?)))
        .collect();
    format!(
        "{} {} At least ${}. Next: sms_deposit with the payment's tx_hash.",
        text(body, "message"),
        known.join(", "),
        body["minimum_deposit_usd"]
    )
}

/// Why a tool has done nothing.
pub(super) fn refusal(body: &Value) -> String {
    let next = match body["error_code"].as_str().unwrap_or_default() {
        "INVALID_API_KEY" => " Next: sms_register for a key, or set TELENUMERUS_API_KEY.",
        "INSUFFICIENT_BALANCE" => " Next: sms_deposit.",
        "ORDER_IN_PROGRESS" => {
            " Next: sms_check_order or sms_cancel_order on the open order (sms_account names it)."
        }
        "UNKNOWN_PLATFORM" => " Next: sms_list_services for the names.",
        "PROVIDER_UNAVAILABLE" => " Next: sms_availability, for another country.",
        _ => "",
    };
    let retry = body["retry_after_seconds"]
        .as_u64()
        .map_or_else(String::new, |seconds| format!(" Retry in {seconds} s."));
    format!(
        "{}: {}{}{retry}{next}",
        body["error_code"].as_str().unwrap_or("INTERNAL_ERROR"),
        body["error"].as_str().unwrap_or("something failed"),
        held(&body["order"])
    )
}
