//! Which past the views were folded from: those of another log than the one that is there are
//! thrown away before anybody reads them.

use std::path::Path;

use actors::store::EventStore;
use actors::store::sqlite::SqliteStore;
use events::envelope::Position;
use projections::Views;

use crate::boot::BootError;

/// Throws away views that are ahead of the log, or were folded from another one, as after a restore
/// or a loss that was accepted.
pub async fn forget_views_of_another(
    store: &SqliteStore,
    data_dir: &Path,
) -> Result<(), BootError> {
    // Views that cannot be read are built anew by whoever opens them.
    let Some((position, chain)) =
        Views::reached(data_dir).filter(|(position, _)| *position > Position(0))
    else {
        return Ok(());
    };
    let found = store
        .chain_at(position)
        .await
        .map_err(|error| BootError::Replay(crate::read_model::chain_of(&error)))?;
    if chain.is_none() || found != chain {
        tracing::warn!(
            views = position.0,
            log = store.head().borrow().0,
            "the views are of another past than the log's; they are built anew"
        );
        Views::discard(data_dir);
    }
    Ok(())
}
