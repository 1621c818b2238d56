//! Supervision: what an actor looked after is looked after again when a bug has ended it, for it
//! must reach its end.

use std::marker::PhantomData;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::OnceCell;

use crate::kernel::fault::Fault;
use crate::store::BoxFuture;

/// Between two tries of a step that the world did not let happen.
pub const STEP_RETRY: Duration = Duration::from_millis(500);
/// Before an actor is replaced, and between two tries: a bug that strikes at once must not spin.
const PAUSE: Duration = Duration::from_millis(500);

/// Starts an actor in the place of one that failed; done again until it succeeds.
pub type Replace = Box<dyn Fn() -> BoxFuture<'static, Result<(), Fault>> + Send + Sync>;

/// Whoever has actors that must not be missing.
pub trait Supervised: Send + Sync + 'static {
    /// Forgets an actor that has failed, and says how another takes its place; `None` if it was not
    /// missing. What it knew is in the log.
    fn replace(self: Arc<Self>, failed: ActorId) -> Option<Replace>;
}

/// The supervisor of somebody's actors, started with the first of them.
#[derive(Debug, Default)]
pub struct Supervision(OnceCell<ActorCell>);

impl Supervision {
    /// Whom actors of `owner` are linked to.
    pub async fn of<T: Supervised>(&self, owner: &Arc<T>) -> Result<ActorCell, Fault> {
        let start = || async {
            let (supervisor, _) =
                Actor::spawn(None, Supervisor::<T>(PhantomData), Arc::downgrade(owner))
                    .await
                    .map_err(|_| Fault::ActorEnded)?;
            Ok(supervisor.get_cell())
        };
        self.0.get_or_try_init(start).await.cloned()
    }
}

/// Has a round done again and again, with a pause after each, as long as its owner lives. One that
/// a bug has ended is not the last.
pub fn repeat_every<T, F>(
    owner: &Arc<T>,
    pause: Duration,
    round: impl Fn(Arc<T>) -> F + Send + 'static,
) where
    T: Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let owner = Arc::downgrade(owner);
    tokio::spawn(async move {
        while let Some(owner) = owner.upgrade() {
            if tokio::spawn(round(owner)).await.is_err() {
                tracing::error!(
                    owner = std::any::type_name::<T>(),
                    "a round failed; the next one comes"
                );
            }
            tokio::time::sleep(pause).await;
        }
    });
}

/// The behaviour; the state is the owner.
struct Supervisor<T>(PhantomData<fn() -> T>);

impl<T: Supervised> Actor for Supervisor<T> {
    type Msg = ();
    type State = Weak<T>;
    type Arguments = Weak<T>;

    async fn pre_start(
        &self,
        _myself: ActorRef<()>,
        owner: Weak<T>,
    ) -> Result<Weak<T>, ActorProcessingErr> {
        Ok(owner)
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<()>,
        event: SupervisionEvent,
        owner: &mut Weak<T>,
    ) -> Result<(), ActorProcessingErr> {
        let SupervisionEvent::ActorFailed(cell, error) = event else { return Ok(()) };
        tracing::error!(
            owner = std::any::type_name::<T>(), %error, "an actor failed; another takes its place"
        );
        let (owner, failed) = (owner.clone(), cell.get_id());
        tokio::spawn(async move {
            tokio::time::sleep(PAUSE).await;
            let Some(replace) = owner.upgrade().and_then(|owner| owner.replace(failed)) else {
                return;
            };
            while let Err(fault) = replace().await {
                tracing::warn!(
                    error = %fault, "an actor that failed cannot be replaced yet; trying again"
                );
                tokio::time::sleep(PAUSE).await;
            }
        });
        Ok(())
    }
}
