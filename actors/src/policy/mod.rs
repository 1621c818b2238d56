//! What orders are judged by: the policy in force, at hand for every order, and who writes it.
//!
//! Holds: the one policy of the service. Never holds: a rule (`events` does). Leans on: `kernel`.
//! Proved by: `actors/tests/policy.rs`.

mod handle;

pub use handle::Policies;
