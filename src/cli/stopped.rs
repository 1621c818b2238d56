//! The directory of a service that does not run, for commands that append to its log themselves.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actors::Journal;
use actors::kernel::clock::Clock;
use actors::kernel::entropy::Entropy;
use actors::store::EventStore;
use actors::store::sqlite::{Loss, SqliteStore};

use super::{Place, holds_log, in_words};
use crate::boot::open_store;
use crate::config::Config;
use crate::data;

/// The directory of a service that does not run; each look at its log holds its lock, so that none
/// starts on it meanwhile.
pub struct Stopped {
    pub config: Config,
    pub data_dir: PathBuf,
}

impl Stopped {
    /// The directory, if there is a log in it and no service runs on it.
    pub fn find(place: &Place) -> Result<Option<Self>, String> {
        let (config, data_dir) = place.load().map_err(in_words)?;
        if holds_log(&data_dir).is_err() || is_locked(&data_dir) {
            return Ok(None);
        }
        Ok(Some(Self { config, data_dir }))
    }

    /// What `work` makes of the log.
    pub fn with<T>(
        &self,
        work: impl AsyncFnOnce(Journal) -> Result<T, String>,
    ) -> Result<T, String> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(in_words)?;
        runtime.block_on(async {
            let (_lock, store): (File, Arc<SqliteStore>) =
                open_store(&self.config, &self.data_dir, Loss::Refused).map_err(in_words)?;
            let log = Arc::clone(&store) as Arc<dyn EventStore>;
            let done = work(Journal::new(log, Clock::System, Entropy::System)).await;
            store.close().await;
            done
        })
    }
}

/// Whether a service runs on the directory.
fn is_locked(data_dir: &Path) -> bool {
    matches!(data::lock(data_dir), Err(data::LockError::InUse))
}
