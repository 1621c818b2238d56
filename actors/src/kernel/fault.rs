//! The world failed: not the caller's doing, and worth another try.

use std::sync::Arc;

use thiserror::Error;

use crate::store::{AppendError, ReadError};

/// A failure of the world. `Display` says what failed; `source` says why. It is logged once, where
/// a request or a process ends with it, with its whole chain.
#[derive(Debug, Clone, Error)]
pub enum Fault {
    /// The store did not take an append; nothing of it is in the log.
    #[error("the store did not take an append")]
    Append(#[source] Arc<AppendError>),
    /// The log that several nodes share takes nothing for now; nothing of the append is in it.
    #[error("the shared log takes nothing for now")]
    Away(#[source] Arc<AppendError>),
    /// An append may be in the log, or not: whoever wants to know reads the stream.
    #[error("whether the store took an append is unknown")]
    Unknown(#[source] Arc<AppendError>),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[source] Arc<ReadError>),
    /// There is no room on the disk for anything new; what is under way goes on.
    #[error("there is no room on the disk for new orders and accounts")]
    NoSpace,
    /// Too much is waiting already; try again shortly.
    #[error("too many requests are waiting")]
    Overloaded,
    /// The actor that had the request ended before it answered; its outcome is in the log.
    #[error("an actor ended before it answered")]
    ActorEnded,
    /// The state that a stream's records lead to is none that the domain can go on from.
    #[error("the state of {stream} is damaged: {detail}")]
    Damaged {
        /// Which stream.
        stream: Arc<str>,
        /// What went wrong.
        detail: Arc<str>,
    },
    /// A view could not be asked.
    #[error("a view could not be read: {0}")]
    View(Arc<str>),
    /// A chain could not be asked.
    #[error("the chain could not be asked: {0}")]
    Chain(Arc<str>),
}

impl Fault {
    /// Whether what is stored is damaged: no other try will find it better, and an operator must
    /// look at it.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Read(error) => {
                matches!(**error, ReadError::Corrupt { .. } | ReadError::Undecodable { .. })
            }
            Self::Append(_)
            | Self::Away(_)
            | Self::Unknown(_)
            | Self::NoSpace
            | Self::Overloaded
            | Self::ActorEnded
            | Self::View(_)
            | Self::Chain(_) => false,
        }
    }
}

impl From<AppendError> for Fault {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::NoSpace => Self::NoSpace,
            AppendError::Away(_) => Self::Away(Arc::new(error)),
            AppendError::Unknown(_) | AppendError::Unsettled(_) => Self::Unknown(Arc::new(error)),
            AppendError::Conflict { .. } | AppendError::Closed | AppendError::NotWritten(_) => {
                Self::Append(Arc::new(error))
            }
        }
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        Self::Read(Arc::new(error))
    }
}

/// Runs `work` to its end even if the caller goes away: what follows a durable fact must not depend
/// on who still listens.
pub async fn detached<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Fault> {
    tokio::spawn(work).await.map_err(|_| Fault::ActorEnded)
}
