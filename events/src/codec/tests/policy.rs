//! Golden bytes of the policy, of verdicts and of orders that were refused.

use super::*;
use crate::policy::{
    Class, ConductLimit, Event as Applied, Exceeded, Limit, Mode, Policy, Rule, Ruling, Verdict,
};
use crate::provenance;

pub fn samples() -> Vec<Event> {
    let rule = |id: &str, ruling, basis: &str| Rule {
        id: id.parse().unwrap(),
        platforms: vec![Platform::PayPal, Platform::Wise],
        countries: vec![Country::Gb],
        classes: vec![Class::New, Class::Verified, Class::Trusted],
        ruling,
        reason: "known businesses".to_owned(),
        basis: basis.to_owned(),
    };
    let limits = Limit::ALL.map(|limit| ConductLimit { limit, allowed: 7, mode: Mode::Shadow });
    let policy = Policy {
        mode: Mode::Enforce,
        rules: vec![
            rule("own_staff", Ruling::Allow, "contract 12"),
            rule("rest", Ruling::Deny, ""),
            rule("odd", Ruling::Review, ""),
        ],
        limits: limits.into(),
    };
    let verdict = |mode| Verdict {
        version: 1,
        rule: "rest".parse().unwrap(),
        ruling: Ruling::Deny,
        mode,
        exceeded: vec![Exceeded {
            limit: Limit::Numbers,
            figure: 8,
            allowed: 7,
            mode: Mode::Shadow,
        }],
    };
    let refused = account::OrderRefused {
        order: OrderId(0x0103),
        platform: Platform::PayPal,
        country: Country::Gb,
        verdict: verdict(Mode::Enforce),
        reason: "known businesses".to_owned(),
        at: AT,
    };
    let placed = Placed {
        platform: Platform::Google,
        country: Country::Gb,
        list_price: Money::from_cents(50),
        price: Money::from_micros(475_000),
        lifetime_seconds: 300,
        seek_seconds: 60,
        max_attempts: 3,
        listen_seconds: 120,
        verdict: Some(verdict(Mode::Shadow)),
        at: AT,
    };
    let of_batch = |refused| BatchItem { order: OrderId(0x0103), refused };
    let items = vec![of_batch(None), of_batch(Some(ItemRefusal::Policy(refused.refusal())))];
    vec![
        Applied::Applied {
            version: 1,
            policy,
            by: "alice".to_owned(),
            basis: "ticket 7".to_owned(),
            at: AT,
        }
        .into(),
        of_order(order::Event::Placed(placed)),
        account::Event::OrderRefused(refused).into(),
        account::Event::BatchPlaced { items, at: AT }.into(),
        account::Event::ClassSet { class: Class::Verified, reason: "talked".to_owned(), at: AT }
            .into(),
        stated().into(),
        withdrawn().into(),
    ]
}

fn stated() -> provenance::Event {
    provenance::Event::Stated {
        supplier: "own".parse().unwrap(),
        record: provenance::Record {
            legal_name: "Example Telecom GmbH".to_owned(),
            source: "SIM cards".to_owned(),
            consent: "contract".to_owned(),
            contact: "numbers@example.com".to_owned(),
            valid_until: AT,
        },
        by: "alice".to_owned(),
        at: AT,
    }
}

fn withdrawn() -> provenance::Event {
    provenance::Event::Withdrawn {
        supplier: "own".parse().unwrap(),
        reason: "over".to_owned(),
        by: "alice".to_owned(),
        at: AT,
    }
}
