//! An example of each call's success, as the guide tells the story: register, deposit, order, code.

use serde_json::{Value, json};

const ORDER: &str = "ord_5Kd3NBUAdUnhyzenEwVLy";
const PHONE: &str = "+12025550123";
const AT: &str = "2026-11-24T12:00:00.000Z";
const UNTIL: &str = "2026-11-24T12:05:00.000Z";

const TX_HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const CODE_AT: &str = "2026-11-24T12:00:08.000Z";
const KEY: &str = "key_5Kd3NBUAdUnhyzenEwVLy";
const DELIVERY: &str = "dlv_7bH2kQv0RzWm4sTnXc9LpE";

/// The example of an operation's success.
pub fn of(operation: &str) -> Option<Value> {
    let families = [account, money, keys, ordering, choosing, after, deposits, webhooks];
    families.iter().find_map(|family| family(operation))
}

/// What a push holds, by its event.
pub fn push(event: &str) -> Value {
    let data = match event {
        "sms.received" => json!({
            "order_id": ORDER, "platform": "google", "country": "US", "phone": PHONE,
            "code": "847291", "verdict": "code",
            "sms": "G-847291 is your Google verification code.", "from": "Google",
            "received_at": CODE_AT, "delivery_seconds": 8, "price": 0.5,
        }),
        "order.failed" => json!({
            "order_id": ORDER, "platform": "google", "country": "US", "phone": PHONE,
            "status": "expired", "reason": null, "refunded": 0.5, "ended_at": UNTIL,
        }),
        "balance.low" => json!({ "balance": 0.5, "threshold": 1.0 }),
        _ => json!({ "message": "This is a test: your webhook works." }),
    };
    json!({
        "id": DELIVERY, "event": event, "created_at": CODE_AT, "sequence": 1, "livemode": true,
        "data": data,
    })
}

fn account(operation: &str) -> Option<Value> {
    let example = match operation {
        "register" => json!({
            "api_key": "tn_…", "webhook_secret": "whsec_…",
            "account_id": "acc_2M8hxqYc3nJ1v5Zk7QbTrd", "balance": 0.0, "tier": "Standard",
            "livemode": true, "registration": "approved",
            "next_steps": {
                "deposit": "GET /api/v1/deposit/addresses",
                "verify_deposit": "POST /api/v1/deposit/verify",
                "browse_services": "GET /api/v1/services",
                "check_availability": "GET /api/v1/availability", "order": "POST /api/v1/order",
                "account": "GET /api/v1/account",
            },
        }),
        "registerChallenge" => json!({
            "mode": "open", "needs": ["accept_terms", "proof_of_work"],
            "terms": { "version": "2026-11", "url": "https://sms.example.com/terms" },
            "proof_of_work": {
                "challenge": "1.18.300.0000000000000000000007.9f2c…", "algorithm": "sha256",
                "difficulty": 18, "expires_in": 300,
            },
        }),
        "account" => json!({
            "account_id": "acc_2M8hxqYc3nJ1v5Zk7QbTrd", "created_at": AT, "balance": 9.5,
            "held": 0.0, "tier": "Standard", "discount": 0.0,
            "next_tier": "Silver", "orders_to_next_tier": 19, "active_order": null,
            "active_orders": [], "listening_orders": [], "webhook": null, "event": 7,
            "stats": {
                "total_orders": 1, "completed": 1, "cancelled": 0, "expired": 0, "failed": 0,
                "active": 0, "success_rate": 1.0, "total_spent": 0.5,
            },
        }),
        "health" => json!({
            "status": "ok", "version": "0.1.0", "uptime_seconds": 3600,
            "store": { "status": "ok", "position": 1024 },
            "clock": { "status": "ok", "log_ahead_seconds": 0 },
            "projections": { "status": "ok", "position": 1024, "lag_events": 0 },
            "suppliers": [{
                "name": "own", "status": "ok", "simulated": false, "success_rate": 0.93,
            }],
            "chains": [{ "name": "btc", "status": "ok", "simulated": false }],
            "deposits": { "status": "ok", "steps_failing": 0 },
        }),
        _ => return None,
    };
    Some(example)
}

/// What an account's money did.
fn money(operation: &str) -> Option<Value> {
    let example = match operation {
        "ledger" => json!({
            "entries": [
                {
                    "event": 7, "type": "capture", "at": CODE_AT, "order_id": ORDER, "amount": 0.0,
                    "balance_before": 9.5, "balance_after": 9.5, "held_before": 0.5,
                    "held_after": 0.0,
                },
                {
                    "event": 4, "type": "hold", "at": AT, "order_id": ORDER, "amount": -0.5,
                    "balance_before": 10.0, "balance_after": 9.5, "held_before": 0.0,
                    "held_after": 0.5,
                },
            ],
            "next_cursor": "My4xMDAwMDAwMC4w",
        }),
        "exportAccount" => json!({
            "events": [
                {
                    "event": 4, "type": "HoldTaken", "at": AT, "order_id": ORDER,
                    "data": { "order": ORDER, "amount": "0.50" },
                },
                {
                    "event": 7, "type": "OrderCompleted", "at": CODE_AT, "order_id": ORDER,
                    "data": {
                        "code": "482913", "message_id": "sim-1", "listens_until": CODE_AT,
                    },
                },
            ],
            "next_cursor": "7",
        }),
        "usage" => {
            let sums = json!({
                "orders": 1, "completed": 1, "failed": 0, "cancelled": 0, "expired": 0,
                "spent": 0.5, "avg_delivery_seconds": 8.0,
            });
            let mut entry = sums.clone();
            entry["start"] = json!("2026-11-24T00:00:00.000Z");
            json!({
                "from": "2026-11-24T00:00:00.000Z", "to": AT, "truncated": false,
                "granularity": "day", "totals": sums, "series": [entry],
                "group_by": "platform",
                "groups": [{ "platform": "google", "totals": sums, "series": [entry] }],
            })
        }
        "idempotencyKey" => json!({
            "key": "order-17", "effect": "order", "used_at": AT,
            "expires_at": "2026-12-01T12:00:00.000Z",
            "orders": [{ "order_id": ORDER, "check_status": format!("/api/v1/order/{ORDER}") }],
            "transaction_id": null,
        }),
        _ => return None,
    };
    Some(example)
}

fn keys(operation: &str) -> Option<Value> {
    let example = match operation {
        "createKey" => {
            json!({
                "status": "ok", "key_id": KEY, "name": "ci runner", "mode": "live",
                "account_id": "acc_2M8hxqYc3nJ1v5Zk7QbTrd", "webhook_secret": null,
                "api_key": "tn_…", "created_at": AT,
            })
        }
        "listKeys" => json!({ "keys": [
            {
                "key_id": KEY, "name": "first", "mode": "live", "created_at": AT,
                "last_used_at": CODE_AT, "current": true,
            },
        ] }),
        "removeKey" => json!({ "status": "ok", "key_id": KEY }),
        _ => return None,
    };
    Some(example)
}

fn hints() -> Value {
    json!({ "code_format": "numeric", "expect_code_length": 6, "usual_delivery_seconds": 8 })
}

/// What there is to order.
fn choosing(operation: &str) -> Option<Value> {
    let hints = hints();
    let example = match operation {
        "listServices" => json!({
            "total_platforms": 33, "country": "US",
            "services": [{
                "platform": "google", "name": "Google", "price": 0.5, "hints": hints,
                "policy": null,
            }],
            "countries": ["US", "GB"], "default_country": "US",
        }),
        "availability" => json!({
            "country": "US",
            "platforms": [{
                "platform": "google", "name": "Google", "success_rate": 0.92, "sample_size": 120,
                "stock": "high", "avg_delivery_seconds": 8, "price": 0.5, "hints": hints,
                "policy": null,
            }],
        }),
        _ => return None,
    };
    Some(example)
}

fn ordering(operation: &str) -> Option<Value> {
    let hints = hints();
    let links = |name: &str| format!("/api/v1/order/{ORDER}{name}");
    let example = match operation {
        "order" => json!({
            "status": "ok", "order_id": ORDER, "phone": PHONE, "platform": "google",
            "country": "US", "price": 0.5, "expires_in": 300, "expires_at": UNTIL,
            "can_cancel": true, "platform_hints": hints, "check_status": links(""),
            "stream": links("/stream"), "cancel": links("/cancel"),
        }),
        "verify" => json!({
            "status": "ok", "order_id": ORDER, "platform": "google", "country": "US",
            "phone": PHONE, "code": "847291",
            "sms": "G-847291 is your Google verification code.", "delivery_seconds": 8,
            "messages_erased": false, "held": [], "price": 0.5, "refunded": null, "expires_in": null,
            "expires_at": UNTIL, "can_cancel": false, "check_status": links(""),
            "stream": links("/stream"),
        }),
        "agent" => json!({
            "understood": true,
            "interpretation": {
                "platform": "google", "country": "US", "country_named": false, "dry_run": false,
            },
            "status": "ok", "order_id": ORDER, "phone": PHONE, "platform": "google",
            "country": "US", "price": 0.5, "expires_in": 300, "expires_at": UNTIL,
            "can_cancel": true, "platform_hints": hints, "check_status": links(""),
            "stream": links("/stream"), "cancel": links("/cancel"),
        }),
        "getOrder" => json!({
            "status": "active", "order_id": ORDER, "platform": "google", "country": "US",
            "phone": PHONE, "code": null, "codes": [], "sms": null, "messages": [], "held": [],
            "messages_erased": false, "phone_erased": false,
            "listening": false, "listening_until": null, "finish": null, "report": links("/report"),
            "price": 0.5, "refunded": null, "scenario": null, "attempts": 1, "created_at": AT,
            "expires_at": UNTIL, "expires_in": 300, "ended_at": null,
            "delivery_seconds": null, "failure": null, "can_cancel": true, "platform_hints": hints,
            "check_status": links(""), "stream": links("/stream"),
            "cancel": links("/cancel"),
        }),
        "listOrders" => json!({
            "orders": [{
                "order_id": ORDER, "status": "completed", "platform": "google", "country": "US",
                "phone": PHONE, "price": 0.5, "created_at": AT, "ended_at": CODE_AT,
                "can_cancel": false, "listening": true, "phone_erased": false,
                "check_status": links(""),
            }],
            "next_cursor": null,
        }),
        "cancel" => json!({ "status": "ok", "order_id": ORDER, "refunded": 0.5 }),
        "batch" => json!({
            "status": "ok", "accepted": 1, "refused": 1, "held": 0.5,
            "orders": [
                {
                    "index": 0, "status": "active", "order_id": ORDER, "platform": "google",
                    "country": "US", "price": 0.5, "hold": 0.5, "phone": PHONE, "expires_at": UNTIL,
                    "can_cancel": true, "check_status": links(""), "stream": links("/stream"),
                    "cancel": links("/cancel"),
                },
                {
                    "index": 1, "status": "refused", "error": "The platform is not supported.",
                    "error_code": "UNKNOWN_PLATFORM", "retryable": false,
                    "retry_after_seconds": null, "service": "Telenumerus",
                    "request_id": "req_0000000000000000000000",
                },
            ],
        }),
        _ => return None,
    };
    Some(example)
}

/// What is asked of an order that there is.
fn after(operation: &str) -> Option<Value> {
    let held = |balance: f64, held: f64, kind: &str| {
        json!({
            "type": kind, "balance": balance, "held": held,
        })
    };
    let fact = |number: u32, kind: &str, at: &str, attempt: Value, money: Value| {
        json!({
            "number": number, "type": kind, "at": at, "attempt": attempt, "money": money,
        })
    };
    let example = match operation {
        "orderEvents" => json!({
            "order_id": ORDER, "status": "completed",
            "events": [
                fact(1, "placed", AT, json!(null), held(-0.5, 0.5, "hold")),
                fact(2, "number_assigned", AT, json!(1), json!(null)),
                fact(3, "sms_received", CODE_AT, json!(null), json!(null)),
                fact(4, "completed", CODE_AT, json!(null), held(0.0, -0.5, "capture")),
            ],
        }),
        "streamOrder" => json!({
            "event": "completed", "order_id": ORDER, "at": CODE_AT, "status": "completed",
            "code": "847291", "price": 0.5,
        }),
        "finish" => {
            json!({
                "status": "ok", "order_id": ORDER, "code": "847291",
                "finished_at": "2026-11-24T12:01:00.000Z",
            })
        }
        "report" => {
            json!({ "status": "ok", "order_id": ORDER, "reason": "wrong_code", "refunded": 0.5 })
        }
        _ => return None,
    };
    Some(example)
}

fn deposits(operation: &str) -> Option<Value> {
    let example = match operation {
        "depositAddresses" => json!({
            "addresses": { "btc": "bc1q…", "ltc": "ltc1q…", "usdt_erc20": "0x…" },
            "minimum_deposit_usd": 1.0, "personal": true, "simulated": false,
            "message": "Payments to these addresses are credited to you.",
        }),
        "verifyDeposit" => json!({
            "status": "confirmed", "reason": null, "transaction_id": "txn_3Vb8mKq1XsZt6yRwPj4NcD",
            "tx_hash": TX_HASH, "amount": 65.0,
            "confirmations": 3, "confirmations_required": 2, "deposits": [paid()],
            "simulated": false, "message": "Credited to your balance.",
        }),
        "listDeposits" => json!({ "deposits": [paid()], "next_cursor": null }),
        _ => return None,
    };
    Some(example)
}

/// An output that is credited.
fn paid() -> Value {
    json!({
        "deposit_id": "dep_6Yc1pLw9HdKx2vQnTg5ZaB", "currency": "btc", "tx_hash": TX_HASH,
        "output": 0, "paid": "0.001", "status": "confirmed",
        "reason": "credited", "confirmations": 3, "confirmations_required": 2, "amount": 65.0,
        "rate": "65000", "rate_source": "fixed",
        "seen_at": AT, "credited_at": "2026-11-24T12:20:00.000Z",
    })
}

fn webhooks(operation: &str) -> Option<Value> {
    let deliveries = "/api/v1/webhook/deliveries";
    let webhook = |is_set: bool| {
        json!({
            "status": "ok", "url": is_set.then_some("https://your-server.com/hook"),
            "events": ["sms.received", "order.failed", "balance.low"],
            "webhook_secret": null,
            "balance_low_threshold": is_set.then_some(1.0), "set_at": is_set.then_some(AT),
            "test": "/api/v1/webhook/test", "deliveries": deliveries,
        })
    };
    let example = match operation {
        "setWebhook" | "getWebhook" => webhook(true),
        "removeWebhook" => webhook(false),
        "testWebhook" => {
            json!({
                "status": "ok", "delivery_id": DELIVERY, "sequence": 1, "deliveries": deliveries,
            })
        }
        "rotateWebhookSecret" => {
            json!({
                "status": "ok", "webhook_secret": "whsec_…",
                "previous_valid_until": "2026-11-25T12:00:00.000Z",
            })
        }
        "listWebhookDeliveries" => json!({
            "deliveries": [{
                "id": DELIVERY, "sequence": 1, "event": "sms.received", "order_id": ORDER,
                "created_at": CODE_AT, "status": "delivered", "attempts": 1,
                "last_attempt_at": CODE_AT, "last_outcome": "answered", "last_status": 204,
                "next_attempt_at": null,
                "redeliver": "/api/v1/webhook/deliveries/1/redeliver",
            }],
            "next_cursor": null,
        }),
        "redeliver" | "redeliverSince" => {
            json!({ "status": "ok", "redelivered": 1, "more": false })
        }
        _ => return None,
    };
    Some(example)
}
