//! Room on the disk, held by a file that says nothing. It is given up when the disk is full, so
//! that what is under way goes on and a start finds room to open its files, and taken again once
//! there is enough.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// The file in a data directory.
const FILE: &str = "reserve";
/// What it takes: some ten thousand events, and the shared memory of five files.
pub const BYTES: u64 = 4 << 20;

/// Whether the room is taken.
pub fn is_taken(directory: &Path) -> bool {
    directory.join(FILE).is_file()
}

/// Takes so much room; all of it, or none.
pub fn take(directory: &Path, bytes: u64) -> io::Result<()> {
    let path = directory.join(FILE);
    let file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    fill(&file, bytes).inspect_err(|_| {
        let _ = std::fs::remove_file(&path);
    })
}

/// Gives the room back; whether there was any to give.
pub fn give_up(directory: &Path) -> bool {
    std::fs::remove_file(directory.join(FILE)).is_ok()
}

fn fill(mut file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        // The file system has no way to promise room; one that is full of bytes has it.
        Err(Errno::OPNOTSUPP) => {
            file.write_all(&vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)])
        }
        outcome => outcome.map_err(io::Error::from),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn what_is_taken_takes_room_and_is_given_back_once() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!is_taken(directory.path()) && !give_up(directory.path()));
        take(directory.path(), BYTES).unwrap();
        assert!(is_taken(directory.path()));
        let file = std::fs::metadata(directory.path().join(FILE)).unwrap();
        assert!(file.blocks() * 512 >= BYTES, "it takes {} blocks", file.blocks());
        assert!(give_up(directory.path()) && !give_up(directory.path()));
        assert!(take(directory.path(), u64::MAX >> 1).is_err(), "no disk is so large");
        assert!(!is_taken(directory.path()), "half of it would be no promise");
    }
}
