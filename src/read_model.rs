//! The store as the views and the inbox see it: here crates that do not know each other are joined.

use std::sync::Arc;

use actors::Fault;
use actors::inbox::{PAST_ASSIGNMENTS, PastAssignment, PastAssignments};
use actors::store::{BoxFuture, EventStore, ReadError, Witness};
use actors::vault::Vault;
use events::envelope::{Position, Revision, StreamId};
use events::phone::Phone;
use projections::{Chaining, Log, LogError, OrderRef, Reading, ViewError, Views};
use tokio::sync::watch;

/// A store's log, for the views.
pub struct StoreLog(pub Arc<dyn EventStore>);

impl Log for StoreLog {
    fn read_all(&self, after: Position, limit: usize) -> Reading<'_> {
        Box::pin(async move { self.0.read_all(after, limit).await.map_err(log_error) })
    }

    fn chain_at(&self, position: Position) -> Chaining<'_> {
        Box::pin(async move { self.0.chain_at(position).await.map_err(log_error) })
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.0.head()
    }

    fn room_is_wanted(&self) {
        self.0.room_was_refused();
    }
}

fn log_error(error: ReadError) -> LogError {
    match error {
        ReadError::Corrupt { .. } | ReadError::Undecodable { .. } => {
            LogError::Unreadable(chain_of(&error))
        }
        ReadError::Failed(detail) => LogError::Failed(detail),
    }
}

/// What the views have seen of each stream, for the store.
#[derive(Debug)]
pub struct ViewedEnds(pub Views);

impl Witness for ViewedEnds {
    fn end_of(&self, stream: &StreamId) -> Option<(Revision, Position)> {
        self.0.end_of(stream)
    }
}

/// Earlier orders of a number, from the views.
pub struct ViewedAssignments {
    /// The views.
    pub views: Views,
    /// Where the log ends now: a late message is compared with everything before it.
    pub head: watch::Receiver<Position>,
    /// The vault, which knows under which words orders stand whose numbers were erased.
    pub vault: Option<Arc<Vault>>,
}

impl ViewedAssignments {
    async fn viewed(&self, phone: Phone) -> Result<Vec<PastAssignment>, Fault> {
        let limit = u32::try_from(PAST_ASSIGNMENTS).expect("a handful");
        let erased = self.vault.as_ref().map(|vault| vault.pseudonym(&phone));
        let mut orders = self.views.orders_of_phone(phone, limit).await.map_err(view_fault)?;
        // What an order was told stays its own, also where its number was erased.
        if let Some(erased) = erased {
            let of_erased = self.views.orders_of_phone(erased, limit).await;
            orders.extend(of_erased.map_err(view_fault)?);
        }
        let past = |order: OrderRef| PastAssignment {
            account: order.account,
            order: order.order,
            first: order.first,
            last: order.last,
        };
        Ok(orders.into_iter().map(past).collect())
    }
}

impl PastAssignments for ViewedAssignments {
    fn of(&self, phone: Phone) -> BoxFuture<'_, Result<Vec<PastAssignment>, Fault>> {
        Box::pin(async move {
            reach_head(&self.views, &self.head).await.map_err(view_fault)?;
            self.viewed(phone).await
        })
    }

    fn before_start(&self, phone: Phone) -> BoxFuture<'_, Result<Vec<PastAssignment>, Fault>> {
        // The views had everything when the service started.
        Box::pin(self.viewed(phone))
    }
}

/// Waits until the views have everything that is in the log now.
pub async fn reach_head(views: &Views, head: &watch::Receiver<Position>) -> Result<(), ViewError> {
    let head = *head.borrow();
    views.reach(head).await
}

/// A view's failure as the world's.
pub fn view_fault(error: ViewError) -> Fault {
    Fault::View(error.to_string().into())
}

/// An error and everything beneath it, in one line.
pub fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut beneath = error.source();
    while let Some(cause) = beneath {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        beneath = cause.source();
    }
    text
}
