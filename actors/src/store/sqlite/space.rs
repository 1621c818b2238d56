//! The room on the data directory's disk: how much there is, and how much is kept for what is under
//! way.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::reserve;
use crate::kernel::clock::Stopwatch;

/// How long a full disk counts as full where the system's own figure does not say so (a quota):
/// then the next append finds out.
const REMEMBERED: Duration = Duration::from_secs(1);

/// Less than this is no room, whatever is kept: an order does not end with its first append.
const SMALLEST: u64 = 256 << 10;

/// The room of one data directory.
#[derive(Debug)]
pub struct Space {
    directory: PathBuf,
    reserve: AtomicU64,
    was_low: AtomicBool,
    refused: Mutex<Option<Stopwatch>>,
    /// Whether a part of the reserve is held by a file.
    is_held: AtomicBool,
}

/// The room as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes that may still be written; `None` where the system does not say.
    pub free: Option<u64>,
    /// Bytes kept for what is under way.
    pub reserve: u64,
    /// Whether only the reserve is left.
    pub is_low: bool,
}

impl Space {
    /// The room of `directory`, with nothing kept.
    pub fn of(directory: PathBuf) -> Self {
        Self {
            is_held: AtomicBool::new(reserve::is_taken(&directory)),
            directory,
            reserve: AtomicU64::new(0),
            was_low: AtomicBool::new(false),
            refused: Mutex::default(),
        }
    }

    /// From here on, so many bytes are kept for what is under way, and a few of them are held by a
    /// file, for the moment when somebody else has taken the rest.
    pub fn keep(&self, reserve: u64) {
        self.reserve.store(reserve, Ordering::Relaxed);
        self.look();
    }

    /// The disk has refused a write for want of room. What the file holds is given up: the next
    /// ones find it.
    pub fn was_refused(&self) {
        *self.refused.lock() = Some(Stopwatch::start());
        if self.is_held.swap(false, Ordering::Relaxed) && reserve::give_up(&self.directory) {
            let directory = self.directory.display();
            tracing::error!(%directory, bytes = reserve::BYTES, "the disk is full: what was held \
                for what is under way is given up to it");
        }
    }

    /// Looks. Says in the log when the room has become too little, and when it is back.
    pub fn look(&self) -> Room {
        let reserve = self.reserve.load(Ordering::Relaxed);
        let free = free_in(&self.directory).ok();
        let was_refused = self.refused.lock().is_some_and(|refused| refused.elapsed() < REMEMBERED);
        let is_low = was_refused || free.is_some_and(|free| free < reserve.max(SMALLEST));
        if self.was_low.swap(is_low, Ordering::Relaxed) != is_low {
            let (free, directory) = (free.unwrap_or(0), self.directory.display());
            if is_low {
                tracing::error!(free, reserve, %directory, "the disk is nearly full: no new \
                    orders and accounts until there is room; open orders go on");
            } else {
                tracing::warn!(
                    free, reserve, %directory,
                    "there is room on the disk again: new orders and accounts are taken"
                );
            }
        }
        if !is_low && free.is_some_and(|free| free >= reserve.saturating_add(reserve::BYTES)) {
            self.hold(reserve);
        }
        Room { free, reserve, is_low }
    }

    /// Has the file hold its part of the reserve, if it does not.
    fn hold(&self, reserve: u64) {
        let bytes = reserve.min(reserve::BYTES);
        if bytes == 0 || self.is_held.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Err(error) = reserve::take(&self.directory, bytes) {
            let directory = self.directory.display();
            tracing::warn!(%directory, %error, "no part of the reserve can be held by a file: a \
                start on a full disk waits for room");
        }
    }
}

/// The bytes that may still be written in `directory`; an error where the system does not say.
pub fn free_in(directory: &Path) -> std::io::Result<u64> {
    let disk = rustix::fs::statvfs(directory)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_above_the_reserve_is_room() {
        let directory = tempfile::tempdir().expect("a directory for a test");
        let space = Space::of(directory.path().to_owned());
        let free = space.look().free.expect("this system says how much room there is");
        assert!(!space.look().is_low, "nothing is kept yet");
        space.keep(u64::MAX);
        assert_eq!(space.look().is_low, free < u64::MAX);
        space.keep(0);
        assert!(!space.look().is_low, "and back");
        assert!(!reserve::is_taken(directory.path()), "nothing is kept, so nothing is held");
        space.keep(2 << 20);
        assert!(reserve::is_taken(directory.path()));
        space.was_refused();
        assert!(!reserve::is_taken(directory.path()), "it is given up to what is under way");
        assert!(
            space.look().is_low,
            "a disk that has just refused is full, whatever the figures say"
        );
    }
}
