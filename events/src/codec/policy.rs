//! Facts of the policy in bytes, and how verdicts stand in those of orders.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, numbered, records, texts, write};
use crate::country::Country;
use crate::platform::Platform;
use crate::policy::{
    Class, ConductLimit, Event, Exceeded, Limit, Mode, Policy, Rule, RuleId, Ruling, Verdict,
};
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "PolicyApplied" 1 Applied { version: u32, policy: Policy, by: String, basis: String, at: Timestamp }
    }
    values {}
    former {}
    odd {}
    elsewhere {}
}

texts! { "rule" RuleId as_str }

records! {
    Policy { mode: Mode, rules: Vec<Rule>, limits: Vec<ConductLimit> }
    Rule {
        id: RuleId, platforms: Vec<Platform>, countries: Vec<Country>, classes: Vec<Class>, ruling: Ruling, reason: String, basis: String,
    }
    ConductLimit { limit: Limit, allowed: u32, mode: Mode }
    Exceeded { limit: Limit, figure: u32, allowed: u32, mode: Mode }
    Verdict { version: u32, rule: RuleId, ruling: Ruling, mode: Mode, exceeded: Vec<Exceeded> }
}

numbered! {
    "class" Class { New = 0, Verified = 1, Trusted = 2 }
    "ruling" Ruling { Allow = 0, Deny = 1, Review = 2 }
    "mode" Mode { Enforce = 0, Shadow = 1 }
    "limit" Limit { OrdersPerPlatform = 0, Numbers = 1, Ramp = 2, CancelRatio = 3, SuccessRate = 4 }
}
