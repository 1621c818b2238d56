//! Chains that deposits are paid on: the port, one file a way to ask one.
//!
//! Holds: what a chain says of blocks and transactions, and what a coin is worth. Never holds: whose a payment is or what it credits (the law
//! does). Leans on: nothing of ours but nouns. Proved by: `tests/deposits.rs` of this crate, and real nodes in `tests/outside/chains.py`.

mod agreed;
mod bitcoin;
mod esplora;
mod ethereum;
mod http;
mod port;
mod question;
mod rates;
mod walk;

pub use agreed::Agreed;
pub use bitcoin::BitcoinRpc;
pub use esplora::Esplora;
pub use ethereum::{Ethereum, Token};
pub use http::Endpoint;
pub use port::{Chain, ChainError, Found, Owner, Payment, Scan, Tip, Watched};
pub use rates::{Kind as RateKind, Rates, Source as RateSource};
