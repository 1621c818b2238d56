//! Numbers behind SMPP 3.4: sessions at SMSCs that bring their messages in. The numbers themselves
//! are a pool like any other.
//!
//! Holds: sessions, frames, what a `deliver_sm` or `data_sm` says. Never holds: which order a
//! message belongs to (`inbox` does). Leans on: `inbox`, `parts`, `alphabet`. Proved by: tests
//! beside each file, `tests/outside/smpp.py` with real SMSCs.

mod bind;
mod body;
mod configuration;
mod connection;
mod context;
mod frame;
mod message;
mod session;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use ractor::Actor;
use tokio::sync::watch;

pub use bind::{Bind, BindStatus, Mode};
pub use configuration::{BindConfiguration, Configuration};
pub use context::SessionContext;
pub use message::DefaultAlphabet;
use session::{Session, SessionState};

use actors::kernel::fault::Fault;

/// The sessions. Cloning shares them.
#[derive(Clone)]
pub struct Smpp {
    binds: Vec<watch::Receiver<BindStatus>>,
    stop: watch::Sender<bool>,
}

impl Smpp {
    /// Starts a session for each bind.
    pub async fn start(binds: Vec<Bind>, context: &SessionContext) -> Result<Self, Fault> {
        let (stop, stopping) = watch::channel(false);
        let mut watched = Vec::with_capacity(binds.len());
        for bind in binds {
            let (status, receiver) = watch::channel(BindStatus {
                address: bind.address.clone(),
                ..BindStatus::default()
            });
            let state = SessionState {
                bind,
                context: context.clone(),
                status,
                stopping: stopping.clone(),
                backoff: Duration::from_secs(1),
                noticed: BTreeSet::new(),
            };
            Session::spawn(None, Session, state).await.map_err(|_| Fault::ActorEnded)?;
            watched.push(receiver);
        }
        Ok(Self { binds: watched, stop })
    }

    /// How each bind is just now.
    pub fn statuses(&self) -> Vec<BindStatus> {
        self.binds.iter().map(|bind| bind.borrow().clone()).collect()
    }

    /// Unbinds everywhere; returns once each session has said goodbye.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        for mut bind in self.binds.clone() {
            // A session that is gone has closed its channel.
            let _ = tokio::time::timeout(
                Duration::from_secs(15),
                bind.wait_for(|status| !status.bound),
            )
            .await;
        }
    }
}
