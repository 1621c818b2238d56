//! The policy, verdicts and provenance in JSON.

use events::codec::Withheld;
use events::policy::{Event, Policy, Verdict};
use events::{erasure, export, invite, leadership, policy, provenance};
use serde_json::{Value, json};

/// A version that was applied.
pub fn applied(event: &Event) -> Value {
    let Event::Applied { version, policy, by, basis, .. } = event;
    json!({ "version": version, "by": by, "basis": basis, "policy": self::policy(policy) })
}

/// A policy, in the words of its file.
pub fn policy(policy: &Policy) -> Value {
    let rule = |rule: &policy::Rule| {
        json!({
            "id": rule.id.as_str(),
            "platforms": rule.platforms.iter().map(|platform| platform.slug()).collect::<Vec<_>>(),
            "countries": rule.countries.iter().map(|country| country.code()).collect::<Vec<_>>(),
            "classes": rule.classes.iter().map(|class| class.name()).collect::<Vec<_>>(),
            "verdict": rule.ruling.name(),
            "reason": rule.reason,
            "basis": rule.basis,
        })
    };
    let limit = |limit: &policy::ConductLimit| {
        json!({
            "limit": limit.limit.name(), "allowed": limit.allowed, "mode": limit.mode.name(),
        })
    };
    json!({
        "mode": policy.mode.name(),
        "rules": policy.rules.iter().map(rule).collect::<Vec<_>>(),
        "limits": policy.limits.iter().map(limit).collect::<Vec<_>>(),
    })
}

/// What was decided of an order.
pub fn verdict(verdict: &Verdict) -> Value {
    let exceeded = |exceeded: &policy::Exceeded| {
        json!({
            "limit": exceeded.limit.name(), "figure": exceeded.figure,
            "allowed": exceeded.allowed, "mode": exceeded.mode.name(),
        })
    };
    json!({
        "version": verdict.version,
        "rule": verdict.rule.as_str(),
        "verdict": verdict.ruling.name(),
        "mode": verdict.mode.name(),
        "limits": verdict.exceeded.iter().map(exceeded).collect::<Vec<_>>(),
    })
}

/// What is stated of a supplier, and who stated it.
pub fn stated(record: &provenance::Record, by: &str) -> Value {
    json!({
        "legal_name": record.legal_name, "source": record.source, "consent": record.consent,
        "contact": record.contact, "valid_until": record.valid_until.to_string(), "by": by,
    })
}

/// What was stated of a supplier, or is no more.
pub fn provenance(event: &provenance::Event) -> Value {
    match event {
        provenance::Event::Stated { supplier, record, by, .. } => {
            let mut stated = stated(record, by);
            stated["supplier"] = json!(supplier.as_str());
            stated
        }
        provenance::Event::Withdrawn { supplier, reason, by, .. } => {
            json!({ "supplier": supplier.as_str(), "reason": reason, "by": by })
        }
    }
}

/// Who leads, or does no more.
pub fn leadership(event: &leadership::Event) -> Value {
    match event {
        leadership::Event::Taken { leader, .. } => json!({
            "node": leader.node, "url": leader.url, "version": leader.version,
            "configuration": super::hex(&leader.configuration),
        }),
        leadership::Event::Released { reason, .. } => json!({ "reason": reason }),
    }
}

/// What was exported.
pub fn exported(event: &export::Event, reveal: bool) -> Value {
    let export::Event::Exported { made, reason, .. } = event;
    json!({
        "scope": scope(&made.scope, reveal), "records": made.records,
        "digest": super::hex(&made.digest), "head": made.head, "reason": reason,
    })
}

/// What was erased, or held.
pub fn erasure(event: &erasure::Event) -> Value {
    match event {
        erasure::Event::Erased { of, kinds, reason, .. } => {
            let of = of.iter().map(|subject| {
                json!({
                    "account": subject.account.to_string(),
                    "order": subject.order.map(|order| order.to_string()),
                })
            });
            let kinds = kinds.iter().map(|kind| kind.name());
            json!({
                "of": of.collect::<Vec<_>>(), "kinds": kinds.collect::<Vec<_>>(),
                "reason": reason,
            })
        }
        erasure::Event::Rewritten { position, chain, sealed, .. } => json!({
            "former_head": position, "former_chain": super::hex(chain), "records_sealed": sealed,
        }),
        erasure::Event::HoldPlaced { account, reason, .. }
        | erasure::Event::HoldLifted { account, reason, .. } => {
            json!({ "account": account.to_string(), "reason": reason })
        }
    }
}

/// The origin of a webhook's target; the rest may be a secret. Null once it was erased.
pub fn origin(url: &str) -> Option<String> {
    let is_there = url != Withheld::Erased.word();
    is_there.then(|| url.split('/').take(3).collect::<Vec<_>>().join("/"))
}

/// Nothing in the place of texts that were erased. The pseudonym of a number stays: it tells which
/// orders had the same one.
pub fn leave_out_erased(data: &mut Value) {
    match data {
        Value::String(text) if text == Withheld::Erased.word() => *data = Value::Null,
        Value::Array(values) => values.iter_mut().for_each(leave_out_erased),
        Value::Object(members) => members.values_mut().for_each(leave_out_erased),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whose events an export has.
pub fn scope(scope: &export::Scope, reveal: bool) -> Value {
    let kind = scope.name();
    match scope {
        export::Scope::Account(account) => json!({ "kind": kind, "account": account.to_string() }),
        export::Scope::Number(phone) => {
            let phone = if reveal { phone.as_str().to_owned() } else { phone.masked() };
            json!({ "kind": kind, "number": phone })
        }
        export::Scope::Period { from, until } => {
            json!({ "kind": kind, "from": from.to_string(), "until": until.to_string() })
        }
    }
}

/// What became of an invite; the hash of its code is never shown.
pub fn invite(event: &invite::Event) -> Value {
    match event {
        invite::Event::Created { id, uses, expires_at, note, .. } => json!({
            "invite": id.to_string(), "uses": uses, "expires_at": expires_at.to_string(),
            "note": note,
        }),
        invite::Event::Used { id, account, .. } => {
            json!({ "invite": id.to_string(), "account": account.to_string() })
        }
        invite::Event::Revoked { id, reason, .. } => {
            json!({ "invite": id.to_string(), "reason": reason })
        }
    }
}
