//! The data directory: one service at a time, and nobody else's eyes.

use std::fs::{File, Metadata, Permissions, TryLockError};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use actors::store::sqlite;
use rustix::fs::Mode;
use thiserror::Error;

/// What a running service holds.
const LOCK_FILE: &str = "lock";
/// How the files that the service makes are called, or begin.
const OURS: &[&str] = &[
    "events.db",
    "views.db",
    "snapshots.db",
    "index.db",
    "vault.db",
    "admin.",
    "http.",
    "mcp.",
    "esdb.",
    "anchor.",
    "head",
    "node",
    "reserve",
    LOCK_FILE,
];
/// Where others on this machine find the service that runs on the directory.
const ADDRESS_FILE: &str = "http.addr";
/// Shared memory and write-ahead logs of five files, and a page or two in each.
const ROOM_TO_START: u64 = 1 << 20;
/// Between two lines about a disk that is still full.
const SECONDS_BETWEEN_NEWS: u32 = 60;
/// Everybody but the owner.
const OTHERS: u32 = 0o077;
/// A directory that belongs to everybody, such as `/tmp`.
const STICKY: u32 = 0o1000;

/// Files made from here on are their owner's alone.
pub fn keep_new_files_private() {
    rustix::process::umask(Mode::from_bits_truncate(OTHERS));
}

/// A directory that this service cannot have.
#[derive(Debug, Error)]
pub enum LockError {
    /// It belongs to another one as long as that runs.
    #[error("another service is running on it")]
    InUse,
    /// It cannot be written to.
    #[error(transparent)]
    Files(#[from] std::io::Error),
}

/// The lock of the directory, which is made if it is not there; held as long as the service runs:
/// two writers on one log would each believe to be the only one.
pub fn lock(directory: &Path) -> Result<File, LockError> {
    std::fs::create_dir_all(directory)?;
    let lock = File::create(directory.join(LOCK_FILE))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(LockError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Writes down where the service on the directory is reached.
pub fn announce(directory: &Path, address: SocketAddr) -> std::io::Result<()> {
    std::fs::write(directory.join(ADDRESS_FILE), address.to_string())
}

/// Where the service that runs on the directory is reached, if it has said so.
pub fn announced(directory: &Path) -> Option<SocketAddr> {
    std::fs::read_to_string(directory.join(ADDRESS_FILE)).ok()?.trim().parse().ok()
}

/// Returns once there is room to open the files: what a start writes before anything is asked of
/// it. On a full disk that is what an earlier service has held for it.
pub async fn room_to_start(directory: &Path) {
    let _ = std::fs::create_dir_all(directory);
    let free = || sqlite::free_in(directory).ok().filter(|free| *free < ROOM_TO_START);
    let path = directory.display();
    let mut seconds = 0u32;
    while let Some(free) = free() {
        // Another service's is not given up for a start that will be refused.
        if lock(directory).is_ok() && sqlite::give_up_reserve(directory) {
            tracing::error!(%path, free, "the disk is full: the service starts in the room that \
                was held for it, and takes new orders and accounts once there is more");
            continue;
        }
        if seconds.is_multiple_of(SECONDS_BETWEEN_NEWS) {
            tracing::error!(%path, free, needed = ROOM_TO_START, "the disk is full: the service \
                starts by itself as soon as so many bytes are free there");
        }
        seconds = seconds.saturating_add(1);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Takes the directory and the service's files in it away from everybody but their owner; texts,
/// codes and the secrets of webhooks are in them.
pub fn make_private(directory: &Path) {
    // The operator has named it: where that is a link, what it leads to is meant.
    let directory = &std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    let closed = close(directory, 0o700, Metadata::is_dir);
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let ours = files.filter(|file| {
        OURS.iter().any(|ours| file.file_name().to_string_lossy().starts_with(ours))
    });
    let mended: Vec<String> = ours
        .filter(|file| close(&file.path(), 0o600, Metadata::is_file))
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect();
    if closed || !mended.is_empty() {
        let (path, files) = (directory.display(), mended.join(" "));
        tracing::warn!(%path, files, "the data directory could be read by others on this machine: \
            it is its owner's alone now (0700, files 0600)");
    }
}

/// Whether it had to be closed to others, and was.
fn close(path: &Path, mode: u32, is_meant: impl FnOnce(&Metadata) -> bool) -> bool {
    // A link may lead anywhere: only what lies here itself is ours to close.
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return false };
    if !is_meant(&metadata) || metadata.permissions().mode() & OTHERS == 0 {
        return false;
    }
    if metadata.permissions().mode() & STICKY != 0 {
        tracing::warn!(path = %path.display(), "the data directory is one that everybody writes \
            to; give the service one of its own");
        return false;
    }
    let closed = std::fs::set_permissions(path, Permissions::from_mode(mode));
    if let Err(error) = &closed {
        tracing::error!(path = %path.display(), %error, "others on this machine can read this, \
            and it could not be closed to them");
    }
    closed.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_others_could_read_is_closed_to_them_and_what_is_not_ours_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("data");
        let files = [
            "events.db",
            "events.db-wal",
            "views.db",
            "snapshots.db-shm",
            "admin.token",
            "lock",
            "of-somebody-else.txt",
        ];
        std::fs::create_dir(&directory).unwrap();
        std::fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
        for file in files {
            std::fs::write(directory.join(file), "x").unwrap();
            std::fs::set_permissions(directory.join(file), Permissions::from_mode(0o644)).unwrap();
        }
        let elsewhere = parent.path().join("elsewhere");
        std::fs::write(&elsewhere, "x").unwrap();
        std::fs::set_permissions(&elsewhere, Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&elsewhere, directory.join("views.db-wal")).unwrap();
        make_private(&directory);
        assert_eq!(mode(&directory), 0o700);
        let expected = |file: &str| if file == "of-somebody-else.txt" { 0o644 } else { 0o600 };
        for file in files {
            assert_eq!(mode(&directory.join(file)), expected(file), "{file}");
        }
        assert_eq!(mode(&elsewhere), 0o644);
    }

    #[test]
    fn a_directory_of_everybody_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::set_permissions(parent.path(), Permissions::from_mode(0o1777)).unwrap();
        make_private(parent.path());
        assert_eq!(mode(parent.path()), 0o1777);
    }

    #[test]
    fn a_directory_has_one_service() {
        let directory = tempfile::tempdir().unwrap();
        let held = lock(directory.path()).unwrap();
        assert!(lock(directory.path()).is_err_and(|error| matches!(error, LockError::InUse)));
        drop(held);
        assert!(lock(directory.path()).is_ok());
    }
}
