//! Why a group of appends is not in the log.

use rusqlite::{ErrorCode, ffi};

use super::commit_point::NotShared;

/// Why, and what is known of it.
pub enum Failure {
    /// Nothing of it is, and that is certain.
    NotWritten(rusqlite::Error),
    /// It may be, or not: nothing may be said any more.
    Unknown(rusqlite::Error),
    /// The shared log did not get it.
    NotShared(String),
    /// The shared log is another node's.
    Superseded(String),
    /// The store closes before the shared log has said.
    GivenUp,
}

impl From<NotShared> for Failure {
    fn from(not_shared: NotShared) -> Self {
        match not_shared {
            NotShared::NotWritten(detail) => Self::NotShared(detail),
            NotShared::Superseded(detail) => Self::Superseded(detail),
            NotShared::GivenUp => Self::GivenUp,
        }
    }
}

impl Failure {
    /// A commit writes, then syncs. A write that failed leaves no whole commit behind; after a sync
    /// that failed nobody knows what is on disk.
    pub fn of_commit(error: rusqlite::Error) -> Self {
        let failed_to_write = error
            .sqlite_error()
            .is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_WRITE);
        if failed_to_write || error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
            Self::NotWritten(error)
        } else {
            Self::Unknown(error)
        }
    }
}
