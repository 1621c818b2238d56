//! An example of each call's success, as the guide tells the story: register, deposit, order, code.

use serde_json::{Value, json};

const ORDER: &str = "ord_5Kd3NBUAdUnhyzenEwVLy";
const PHONE: &str = "+12025550123";
const AT: &str = "2026-11-24T12:00:00.000Z";
const UNTIL: &str = "2026-11-24T12:05:00.000Z";

/// The example of an operation's success.
pub fn of(operation: &str) -> Option<Value> {
    account(operation).or_else(|| ordering(operation)).or_else(|| deposits(operation))
}

fn account(operation: &str) -> Option<Value> {
    let example = match operation {
        "register" => json!({
            "api_key": "tn_…", "webhook_secret": "whsec_…", "account_id": "acc_2M8hxqYc3nJ1v5Zk7QbTrd", "balance": 0.0, "tier": "Standard",
            "next_steps": {
                "deposit": "GET /api/v1/deposit/addresses", "verify_deposit": "POST /api/v1/deposit/verify", "browse_services": "GET /api/v1/services",
                "check_availability": "GET /api/v1/availability", "order": "POST /api/v1/order", "account": "GET /api/v1/account",
            },
        }),
        "account" => json!({
            "account_id": "acc_2M8hxqYc3nJ1v5Zk7QbTrd", "created_at": AT, "balance": 9.5, "held": 0.0, "tier": "Standard", "discount": 0.0,
            "next_tier": "Silver", "orders_to_next_tier": 19, "active_order": null, "active_orders": [], "webhook": null, "event": 7,
            "stats": { "total_orders": 1, "completed": 1, "cancelled": 0, "expired": 0, "failed": 0, "active": 0, "success_rate": 1.0, "total_spent": 0.5 },
        }),
        "health" => json!({
            "status": "ok", "version": "0.1.0", "uptime_seconds": 3600,
            "store": { "status": "ok", "position": 1024 }, "projections": { "status": "ok", "position": 1024, "lag_events": 0 },
            "suppliers": [{ "name": "own", "status": "ok", "simulated": false, "success_rate": 0.93 }],
            "chains": [{ "name": "btc", "status": "ok", "simulated": false }],
        }),
        _ => return None,
    };
    Some(example)
}

fn ordering(operation: &str) -> Option<Value> {
    let hints = json!({ "code_format": "numeric", "expect_code_length": 6, "usual_delivery_seconds": 8 });
    let links = |name: &str| format!("/api/v1/order/{ORDER}{name}");
    let example = match operation {
        "order" => json!({
            "status": "ok", "order_id": ORDER, "phone": PHONE, "platform": "google", "country": "US", "price": 0.5, "expires_in": 300, "expires_at": UNTIL,
            "can_cancel": true, "platform_hints": hints, "check_status": links(""), "stream": links("/stream"), "cancel": links("/cancel"),
        }),
        "verify" => json!({
            "status": "ok", "order_id": ORDER, "platform": "google", "country": "US", "phone": PHONE, "code": "847291",
            "sms": "G-847291 is your Google verification code.", "delivery_seconds": 8, "price": 0.5, "refunded": null, "expires_in": null,
            "expires_at": UNTIL, "can_cancel": false, "check_status": links(""), "stream": links("/stream"),
        }),
        "agent" => json!({
            "understood": true, "interpretation": { "platform": "google", "country": "GB", "country_named": true, "dry_run": true }, "quote": 0.6,
        }),
        "getOrder" => json!({
            "status": "active", "order_id": ORDER, "platform": "google", "country": "US", "phone": PHONE, "code": null, "sms": null, "messages": [],
            "price": 0.5, "refunded": null, "attempts": 1, "created_at": AT, "expires_at": UNTIL, "expires_in": 300, "ended_at": null,
            "delivery_seconds": null, "failure": null, "can_cancel": true, "platform_hints": hints, "check_status": links(""), "stream": links("/stream"),
            "cancel": links("/cancel"),
        }),
        "listOrders" => json!({
            "orders": [{ "order_id": ORDER, "status": "completed", "platform": "google", "country": "US", "phone": PHONE, "price": 0.5, "created_at": AT,
                "ended_at": "2026-11-24T12:00:08.000Z", "can_cancel": false, "check_status": links("") }],
            "next_cursor": null,
        }),
        "listServices" => json!({
            "total_platforms": 33, "country": "US", "services": [{ "platform": "google", "name": "Google", "price": 0.5, "hints": hints }],
            "countries": ["US", "GB"], "default_country": "US",
        }),
        "availability" => json!({
            "country": "US",
            "platforms": [{ "platform": "google", "name": "Google", "success_rate": 0.92, "sample_size": 120, "stock": "high", "avg_delivery_seconds": 8,
                "price": 0.5, "hints": hints }],
        }),
        "cancel" => json!({ "status": "ok", "order_id": ORDER, "refunded": 0.5 }),
        "batch" => json!({
            "status": "ok", "accepted": 1, "refused": 1, "held": 0.5,
            "orders": [
                { "index": 0, "status": "active", "order_id": ORDER, "platform": "google", "country": "US", "price": 0.5, "hold": 0.5, "phone": PHONE,
                  "expires_at": UNTIL, "can_cancel": true, "check_status": links(""), "stream": links("/stream"), "cancel": links("/cancel") },
                { "index": 1, "status": "refused", "error": "The platform is not supported.", "error_code": "UNKNOWN_PLATFORM", "retryable": false,
                  "retry_after_seconds": null, "service": "Telenumerus", "request_id": "req_0000000000000000000000" },
            ],
        }),
        _ => return None,
    };
    Some(example)
}

fn deposits(operation: &str) -> Option<Value> {
    let example = match operation {
        "depositAddresses" => json!({
            "addresses": { "btc": "bc1q…", "ltc": "ltc1q…", "usdt_erc20": "0x…" }, "minimum_deposit_usd": 1.0, "personal": true, "simulated": false,
            "message": "Payments to these addresses are credited to you.",
        }),
        _ => return None,
    };
    Some(example)
}
