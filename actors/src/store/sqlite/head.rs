//! The head file: how far the log was synced, beside the log and not in it. A log that has lost its
//! end, or was exchanged, contradicts it.
//!
//! `head` holds two slots that are written in turn, each signed with `head.key`. A slot is written
//! after the commit it tells of was synced and before anybody is told, so it is never ahead of the
//! log; it is synced at checkpoints and at a clean stop. A slot torn by a power cut fails its
//! signature, and the other one, a commit older, still holds.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use events::envelope::Position;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::kernel::entropy::Entropy;
use crate::store::chain::Mark;

const FILE: &str = "head";
const KEY_FILE: &str = "head.key";
/// Marks a slot and the version of its shape.
const MAGIC: [u8; 8] = *b"TNHEAD\0\x01";
/// Magic, position, chain.
const SIGNED: usize = 8 + 8 + 32;
/// What is signed, and the signature.
const SLOT: usize = SIGNED + 32;
/// Between the starts of the slots: no disk tears two blocks of this size in one write.
const STRIDE: u64 = 4_096;

/// What the head file says of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// There is none: the directory is new, or an older version wrote it.
    Nothing,
    /// There is one, and nothing in it can be trusted.
    Unreadable(&'static str),
    /// The log was synced up to here.
    Synced(Mark),
}

/// What the head file in `directory` says.
pub fn read(directory: &Path) -> io::Result<Said> {
    let Some(bytes) = contents(&directory.join(FILE))? else { return Ok(Said::Nothing) };
    let Some(key) = contents(&directory.join(KEY_FILE))? else {
        return Ok(Said::Unreadable("its key, head.key, is not there"));
    };
    Ok(said(&bytes, &key))
}

fn said(bytes: &[u8], key: &[u8]) -> Said {
    let newest = [0, STRIDE]
        .into_iter()
        .filter_map(|start| slot(bytes, start, key))
        .max_by_key(|mark| mark.position);
    newest.map_or(Said::Unreadable("neither of its slots is signed with head.key"), Said::Synced)
}

fn contents(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match File::open(path) {
        Ok(file) => {
            let mut bytes = Vec::new();
            file.take(4 * STRIDE).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The mark in the slot, if its signature is right.
fn slot(bytes: &[u8], start: u64, key: &[u8]) -> Option<Mark> {
    let start = usize::try_from(start).ok()?;
    let (signed, signature) = bytes.get(start..start + SLOT)?.split_at(SIGNED);
    signer(key).chain_update(signed).verify_slice(signature).ok()?;
    let (magic, rest) = signed.split_at(MAGIC.len());
    let (position, chain) = rest.split_at(8);
    (magic == MAGIC).then_some(())?;
    Some(Mark {
        position: Position(u64::from_be_bytes(position.try_into().ok()?)),
        chain: chain.try_into().ok()?,
    })
}

fn signer(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn signed(mark: Mark, key: &[u8]) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    let (content, signature) = bytes.split_at_mut(SIGNED);
    content[..8].copy_from_slice(&MAGIC);
    content[8..16].copy_from_slice(&mark.position.0.to_be_bytes());
    content[16..].copy_from_slice(&mark.chain);
    signature.copy_from_slice(&signer(key).chain_update(&*content).finalize().into_bytes());
    bytes
}

/// The head file of a log that is being written.
#[derive(Debug)]
pub struct HeadFile {
    file: File,
    key: Vec<u8>,
    written: AtomicU64,
    failed: AtomicBool,
}

impl HeadFile {
    /// Opens the head file of a log that ends at `mark`, whatever it said before. One that was not
    /// there, or could not be read, is made anew: as a whole and synced, so that no crash leaves
    /// half of one.
    pub fn open(directory: &Path, mark: Mark) -> io::Result<Self> {
        let key_path = directory.join(KEY_FILE);
        let (key, is_new) = match contents(&key_path)?.filter(|key| key.len() == 32) {
            Some(key) => (key, false),
            None => (Entropy::System.bytes::<32>().to_vec(), true),
        };
        if is_new {
            place(&key_path, &key)?;
        }
        let mut image = vec![0; usize::try_from(STRIDE).unwrap_or(0) + SLOT];
        let slot = signed(mark, &key);
        image[..SLOT].copy_from_slice(&slot);
        let tail = image.len() - SLOT;
        image[tail..].copy_from_slice(&slot);
        let path = directory.join(FILE);
        place(&path, &image)?;
        let file = OpenOptions::new().write(true).open(&path)?;
        Ok(Self { file, key, written: AtomicU64::new(0), failed: AtomicBool::new(false) })
    }

    /// Says that the log is synced up to `mark`. Without a sync of its own: a power cut may leave
    /// an older word, never one ahead of the log.
    pub fn note(&self, mark: Mark) {
        let turn = self.written.fetch_add(1, Ordering::Relaxed) % 2;
        let outcome = self.file.write_all_at(&signed(mark, &self.key), turn * STRIDE);
        if let Err(error) = outcome
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            tracing::error!(%error, "the head file cannot be written: a log that loses its end \
                would not be noticed");
        }
    }

    /// Syncs what was noted.
    pub fn sync(&self) {
        if let Err(error) = self.file.sync_data()
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            tracing::error!(%error, "the head file cannot be synced: a log that loses its end may \
                not be noticed");
        }
    }
}

/// Puts a whole file in its place, readable by its owner alone; after a crash the old one is there,
/// or the new one.
fn place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let _ = std::fs::remove_file(&beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(position: u64) -> Mark {
        Mark { position: Position(position), chain: [u8::try_from(position).unwrap(); 32] }
    }

    #[test]
    fn what_was_noted_last_is_said() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(directory.path()).unwrap(), Said::Nothing);
        let head = HeadFile::open(directory.path(), mark(3)).unwrap();
        assert_eq!(read(directory.path()).unwrap(), Said::Synced(mark(3)));
        for position in 4..9 {
            head.note(mark(position));
            assert_eq!(read(directory.path()).unwrap(), Said::Synced(mark(position)));
        }
        drop(head);
        HeadFile::open(directory.path(), mark(2)).unwrap();
        assert_eq!(
            read(directory.path()).unwrap(),
            Said::Synced(mark(2)),
            "a loss that was accepted is the log's new end"
        );
    }

    #[test]
    fn no_flipped_bit_and_no_missing_byte_makes_it_say_anything_that_was_not_noted() {
        let directory = tempfile::tempdir().unwrap();
        let head = HeadFile::open(directory.path(), mark(3)).unwrap();
        head.note(mark(4));
        head.note(mark(5));
        let sound =
            [FILE, KEY_FILE].map(|name| std::fs::read(directory.path().join(name)).unwrap());
        let judge = |changed: usize, bytes: &[u8], case: &str| {
            let mut files = [sound[0].as_slice(), sound[1].as_slice()];
            files[changed] = bytes;
            let said = said(files[0], files[1]);
            let is_noted = matches!(said, Said::Unreadable(_))
                || [4, 5].map(mark).map(Said::Synced).contains(&said);
            assert!(is_noted, "file {changed}, {case}: {said:?}");
        };
        for (changed, whole) in sound.iter().enumerate() {
            for bit in 0..whole.len() * 8 {
                let mut bytes = whole.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                judge(changed, &bytes, &format!("bit {bit}"));
            }
            for length in 0..whole.len() {
                judge(changed, &whole[..length], &format!("cut to {length}"));
            }
        }
    }

    #[test]
    fn only_its_owner_reads_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        HeadFile::open(directory.path(), mark(1)).unwrap();
        for name in [FILE, KEY_FILE] {
            assert_eq!(
                std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode()
                    & 0o777,
                0o600,
                "{name}"
            );
        }
    }
}
