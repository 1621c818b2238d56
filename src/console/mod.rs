//! The console: pages for operators on the admin listener, for owners of accounts on the public
//! one, and the landing page.
//!
//! Holds: pages, sessions, assets. Never holds: a rule, a query, a command of its own: pages render
//! what the operator's API and the public API answer, and forms are calls of their routes. Proved
//! by: `tests/it/console.rs`, and `tests/outside/console.py` in a real browser.

mod assets;
mod call;
mod charts;
mod form;
mod guard;
mod landing;
mod live;
mod operator;
mod owner;
mod page;
mod sessions;
mod show;

pub use landing::{html_not_found, router as landing};
pub use operator::router as operators;
pub use owner::router as owners;
pub use sessions::{Sessions, hash_of as fingerprint};
