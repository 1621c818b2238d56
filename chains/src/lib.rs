//! How the chains that deposits are paid on are asked, one file a way, and what a coin is worth.
//!
//! Holds: what a node says of blocks and transactions, how several must agree, rates. Never holds:
//! whose a payment is or what it credits (`events::deposit` says). Leans on: `events`, `actors`
//! (the ports in `deposit`). Proved by: tests beside each file, `actors/tests/chains.rs`, real
//! nodes in `tests/outside/nodes.py`.

mod agreed;
mod bitcoin;
mod esplora;
mod ethereum;
mod http;
mod question;
mod rates;
mod walk;

pub use agreed::Agreed;
pub use bitcoin::BitcoinRpc;
pub use esplora::Esplora;
pub use ethereum::{Ethereum, Token};
pub use http::Endpoint;
pub use rates::{Kind as RateKind, Rates, Source as RateSource};
