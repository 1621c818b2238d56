//! The pushes of webhooks, as the document describes them.

use serde_json::{Value, json};

use super::examples;

/// What is pushed to callers, as operations of theirs.
pub(super) fn all() -> Value {
    let amount = || json!({ "type": "number" });
    let text = || json!({ "type": ["string", "null"] });
    let erased = || {
        json!({
            "type": "boolean",
            "description": "True where something of it was erased before this delivery, and is \
                            null here.",
        })
    };
    let sms = json!({
        "order_id": text(), "platform": text(), "country": text(), "phone": text(), "code": text(),
        "verdict": text(), "sms": text(), "from": text(), "received_at": text(),
        "delivery_seconds": { "type": ["integer", "null"] }, "price": amount(),
        "erased": erased(),
    });
    let failed = json!({
        "order_id": text(), "platform": text(), "country": text(), "phone": text(),
        "status": text(), "reason": text(), "refunded": amount(), "ended_at": text(),
        "erased": erased(),
    });
    let low = json!({ "balance": amount(), "threshold": amount() });
    json!({
        "sms.received": delivery("sms.received", "A message arrived on an order's number; code is \
         null where none is certain.", sms),
        "order.failed": delivery(
            "order.failed", "An order failed or expired; its hold is back.", failed,
        ),
        "balance.low": delivery("balance.low", "The balance fell below your threshold.", low),
        "webhook.test": delivery(
            "webhook.test", "You asked for a test.", json!({ "message": text() }),
        ),
    })
}

fn delivery(event: &str, summary: &str, data: Value) -> Value {
    let header = |name: &str, description: &str| {
        json!({
            "name": name, "in": "header", "required": true, "description": description,
            "schema": { "type": "string" },
        })
    };
    json!({
        "post": {
            "operationId": event.replace('.', "_"),
            "summary": summary,
            "tags": ["webhooks"],
            "security": [],
            "parameters": [
                header("webhook-id", "The delivery's id, the same at every attempt."),
                header("webhook-timestamp", "Unix seconds of the attempt."),
                header("webhook-signature", "Standard Webhooks: v1,<base64>; two of them for 24 \
                    hours after a rotation."),
                header("X-Webhook-Signature", "Lower-case hex HMAC-SHA256 of the exact body, \
                    keyed with the webhook_secret as shown."),
                header("X-Webhook-Event", "The event's name."),
            ],
            "requestBody": { "required": true, "content": { "application/json": { "schema": {
                "type": "object",
                "required": ["id", "event", "created_at", "sequence", "data"],
                "properties": {
                    "id": { "type": "string" },
                    "event": { "type": "string", "const": event },
                    "created_at": { "type": "string", "format": "date-time" },
                    "sequence": {
                        "type": "integer", "minimum": 1,
                        "description": "Rises by one with every delivery of the account.",
                    },
                    "data": { "type": "object", "properties": data },
                },
            }, "example": examples::push(event) } } },
            "responses": { "2XX": { "description": "Taken. Anything else, a redirect too, is \
             tried again: after 5 s, 30 s, 2 min, 10 min, 1 h." } },
        },
    })
}
