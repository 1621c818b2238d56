//! The room on the data directory's disk: how much there is, and how much is kept for what is under
//! way.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

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
            directory,
            reserve: AtomicU64::new(0),
            was_low: AtomicBool::new(false),
            refused: Mutex::default(),
        }
    }

    /// From here on, so many bytes are kept for what is under way.
    pub fn keep(&self, reserve: u64) {
        self.reserve.store(reserve, Ordering::Relaxed);
    }

    /// The disk has refused a write for want of room.
    pub fn was_refused(&self) {
        *self.refused.lock() = Some(Stopwatch::start());
    }

    /// Looks. Says in the log when the room has become too little, and when it is back.
    pub fn look(&self) -> Room {
        let reserve = self.reserve.load(Ordering::Relaxed);
        let free = rustix::fs::statvfs(&self.directory)
            .ok()
            .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
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
        Room { free, reserve, is_low }
    }
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
        space.was_refused();
        assert!(
            space.look().is_low,
            "a disk that has just refused is full, whatever the figures say"
        );
    }
}
