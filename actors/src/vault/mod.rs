//! The vault: the keys that an order's and an account's secrets in the log are encrypted with.
//! Whoever erases a key has erased the secrets, and the log, its chain and its replay stay whole.
//!
//! Holds: data keys, each wrapped by the operator's master key, in `vault.db`; the cipher. Never
//! holds: which fields are secrets (`events::codec` does), the master key on disk. Proved by:
//! `tests.rs` here, `tests/it/vault.rs`.

mod cipher;
mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use events::Event;
use events::codec::{
    self, DecodeError, Encoded, Opened, Part, Parted, SealedPayload, SecretKind, Subject, Withheld,
};
use events::envelope::{Revision, StreamId};
use events::phone::Phone;
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use sha2::Sha256;
use thiserror::Error;

use crate::store::{Append, NewEvent};
use cipher::Key;
pub use cipher::MasterKey;
use file::VaultFile;

/// The file in the data directory.
pub const FILE: &str = "vault.db";
/// Fresh keys that are written together: one sync for so many.
const STOCK: usize = 512;
/// Keys kept in memory of those that were asked for.
const KNOWN: usize = 65_536;

/// The vault cannot be used; the text says what to do.
#[derive(Debug, Error)]
pub enum VaultError {
    /// SQLite says no.
    #[error("cannot use {path}: {source}")]
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The master key is another one than its keys are wrapped by.
    #[error("{path} is under another key than the one that is configured ([vault])")]
    WrongKey {
        /// Which file.
        path: PathBuf,
    },
    /// It is of a newer version of the service, or of another program.
    #[error("{path} is not a vault that this version can use")]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// There is a vault, and no master key.
    #[error("{path} is there, and no key for it is configured: set vault.key_file")]
    Locked {
        /// Which file.
        path: PathBuf,
    },
    /// The log has secrets, and no vault is configured.
    #[error(
        "the log of {directory} has secrets under the keys of a vault, and there is neither a \
         vault nor a key for one: put vault.db back and set vault.key_file"
    )]
    Unconfigured {
        /// The data directory.
        directory: PathBuf,
    },
    /// The log's last secrets are under keys that it does not have, and never had.
    #[error(
        "{path} is another log's vault, or an older copy of this one's: secrets in the log are \
         under keys that it never had. Put the vault that belongs to this log back, or start with \
         --accept-loss to go on without these secrets"
    )]
    AnotherLogs {
        /// Which file.
        path: PathBuf,
    },
    /// The log has secrets, and their vault is gone.
    #[error(
        "{path} is missing, and secrets in the log are under its keys. Put the vault that belongs \
         to this log back, or start with --accept-loss to go on without these secrets"
    )]
    Missing {
        /// Which file.
        path: PathBuf,
    },
}

/// What a data key is called in the log.
pub type KeyName = [u8; 16];

/// A data key and its name.
type NamedKey = (KeyName, Key);

/// The keys of a log's secrets.
pub struct Vault {
    path: PathBuf,
    file: Mutex<VaultFile>,
    in_use: Mutex<InUse>,
    pseudonyms: Key,
    snapshots: Key,
}

/// Keys in memory.
#[derive(Default)]
struct InUse {
    /// By what they were given out for. After a start, a subject gets further keys.
    given: BTreeMap<(SecretKind, Subject), NamedKey>,
    /// By name, of those that were asked for.
    known: BTreeMap<[u8; 16], Option<Key>>,
    /// Durable, and not given out yet.
    stock: Vec<NamedKey>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Vault {
    /// Whether there is a vault in a data directory.
    pub fn is_in(directory: &Path) -> bool {
        directory.join(FILE).is_file()
    }

    /// Opens the vault in `directory`, or makes one.
    pub fn open(directory: &Path, master: &MasterKey) -> Result<Self, VaultError> {
        Self::of(directory, VaultFile::open, master)
    }

    /// Opens the vault in `directory` beside a service that may be running on it.
    pub fn open_to_read(directory: &Path, master: &MasterKey) -> Result<Self, VaultError> {
        Self::of(directory, VaultFile::open_to_read, master)
    }

    /// Puts all keys of the vault in `directory`, which nobody else uses, under another master key,
    /// all or none; how many there are.
    pub fn rotate(directory: &Path, old: &MasterKey, new: &MasterKey) -> Result<usize, VaultError> {
        VaultFile::open(&directory.join(FILE), old)?.rewrap(new)
    }

    fn of(
        directory: &Path,
        open: impl FnOnce(&Path, &MasterKey) -> Result<VaultFile, VaultError>,
        master: &MasterKey,
    ) -> Result<Self, VaultError> {
        let path = directory.join(FILE);
        let file = open(&path, master)?;
        let (pseudonyms, snapshots) = (file.own_key("pseudonyms")?, file.own_key("snapshots")?);
        Ok(Self { path, file: Mutex::new(file), in_use: Mutex::default(), pseudonyms, snapshots })
    }

    /// Encrypts the secrets of an append; the keys are durable when it returns. Blocks for as long
    /// as a sync takes when it needs fresh keys.
    pub fn seal(&self, append: &mut Append) -> Result<(), VaultError> {
        let Append { stream, expected, events } = append;
        for (step, event) in (0..).zip(events) {
            let revision = Revision(expected.next().0 + step);
            self.seal_event(stream, revision, event)?;
        }
        Ok(())
    }

    fn seal_event(
        &self,
        stream: &StreamId,
        revision: Revision,
        event: &mut NewEvent,
    ) -> Result<(), VaultError> {
        if let Some(encoded) = self.sealed(stream, revision, &event.event)? {
            event.encoded = encoded;
        }
        Ok(())
    }

    /// An event of this place with its secrets encrypted; `None` if it has none.
    pub(super) fn sealed(
        &self,
        stream: &StreamId,
        revision: Revision,
        event: &Event,
    ) -> Result<Option<Encoded>, VaultError> {
        let parted = codec::part(stream, event, |phone| self.pseudonym(phone));
        let Some(Parted { subject, public, secrets }) = parted else { return Ok(None) };
        let mut encoded = codec::encode(&public);
        let mut parts = Vec::with_capacity(secrets.len());
        for (kind, secrets) in secrets {
            let (name, key) = self.key_for(kind, subject)?;
            let header = (encoded.name, encoded.version);
            let bound = codec::associated_data(stream, revision, header, kind);
            let (nonce, ciphertext) = key.encrypt(&codec::write_secrets(&secrets), &bound);
            parts.push(Part { kind: kind.number(), key: name, nonce, ciphertext });
        }
        let public = std::mem::take(&mut encoded.payload);
        encoded.payload = codec::write_sealed(SealedPayload { parts, public });
        Ok(Some(encoded))
    }

    /// The key of one kind of a subject's secrets; a fresh one, if it has none in memory.
    fn key_for(&self, kind: SecretKind, subject: Subject) -> Result<NamedKey, VaultError> {
        let mut in_use = self.in_use.lock();
        if let Some(given) = in_use.given.get(&(kind, subject)) {
            return Ok(given.clone());
        }
        if in_use.stock.is_empty() {
            in_use.stock = self.file.lock().add(STOCK)?;
        }
        let fresh =
            in_use.stock.pop().ok_or_else(|| VaultError::Foreign { path: self.path.clone() })?;
        if in_use.given.len() >= KNOWN {
            in_use.given.clear();
        }
        in_use.given.insert((kind, subject), fresh.clone());
        in_use.remember(fresh.0, Some(fresh.1.clone()));
        Ok(fresh)
    }

    /// What stands in a number's place: the same for the same number, and nothing to dial.
    pub fn pseudonym(&self, phone: &Phone) -> Phone {
        if phone.is_erased() {
            return phone.clone();
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(self.pseudonyms.bytes())
            .expect("a MAC takes keys of every length");
        mac.update(phone.as_str().as_bytes());
        let hash: [u8; 32] = mac.finalize().into_bytes().into();
        let [first, ..] = hash.as_chunks::<8>().0 else { unreachable!("32 bytes are 4 times 8") };
        Phone::pseudonym(*first)
    }

    fn open_part(&self, part: &Part, bound: &[u8]) -> Result<Opened, DecodeError> {
        let mut in_use = self.in_use.lock();
        let known = in_use.known.get(&part.key).cloned();
        let key = if let Some(known) = known {
            known
        } else {
            let found = self.file.lock().key(&part.key);
            let found = found.map_err(|error| DecodeError::Vault(error.to_string()))?;
            in_use.remember(part.key, found.clone());
            found
        };
        drop(in_use);
        let Some(key) = key else { return Ok(Opened::Withheld(Withheld::Erased)) };
        let opened = key.decrypt(&part.nonce, &part.ciphertext, bound).ok_or_else(|| {
            DecodeError::Vault("their bytes are not those that were encrypted".to_owned())
        })?;
        codec::read_secrets(&opened).map(Opened::Secrets)
    }

    /// Whether it has, or had, all of these keys.
    pub fn knows(&self, names: &[KeyName]) -> Result<bool, VaultError> {
        let file = self.file.lock();
        for name in names {
            if !file.knows(name)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What is wrong with the file, if anything is. Reads all of it. Blocks.
    pub fn damage(&self) -> Result<Option<String>, VaultError> {
        self.file.lock().damage()
    }

    /// How many of these keys there are.
    pub fn count(&self, names: &[KeyName]) -> Result<usize, VaultError> {
        self.file.lock().count(names)
    }

    /// Erases keys, for ever; how many there were. Blocks.
    pub fn erase(&self, names: &[KeyName]) -> Result<usize, VaultError> {
        let erased = self.file.lock().erase(names)?;
        let mut in_use = self.in_use.lock();
        for name in names {
            in_use.remember(*name, None);
        }
        in_use.given.retain(|_, (name, _)| !names.contains(name));
        Ok(erased)
    }

    /// How far work of this name has come that goes over the log piece by piece.
    pub fn progress(&self, name: &str) -> Result<i64, VaultError> {
        self.file.lock().progress(name)
    }

    /// Keeps how far it has come.
    pub fn set_progress(&self, name: &str, value: i64) -> Result<(), VaultError> {
        self.file.lock().set_progress(name, value)
    }

    /// A snapshot's bytes, encrypted.
    pub(super) fn seal_snapshot(&self, stream: &StreamId, bytes: &[u8]) -> Vec<u8> {
        let (nonce, ciphertext) = self.snapshots.encrypt(bytes, stream.as_str().as_bytes());
        [nonce.as_slice(), &ciphertext].concat()
    }

    /// A snapshot's bytes; `None` if they are not of this vault.
    pub(super) fn open_snapshot(&self, stream: &StreamId, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, ciphertext) = sealed.split_first_chunk()?;
        self.snapshots.decrypt(nonce, ciphertext, stream.as_str().as_bytes())
    }
}

impl InUse {
    fn remember(&mut self, name: [u8; 16], key: Option<Key>) {
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        self.known.insert(name, key);
    }
}

/// The keys of these kinds that a payload's secrets are under; `None` if they are not encrypted.
pub fn keys_of(payload: &[u8], kinds: &[SecretKind]) -> Option<Result<Vec<KeyName>, DecodeError>> {
    let sealed = codec::read_sealed(payload)?;
    Some(sealed.map(|sealed| {
        let wanted = |part: &&Part| kinds.iter().any(|kind| kind.number() == part.kind);
        sealed.parts.iter().filter(wanted).map(|part| part.key).collect()
    }))
}

/// Where a record stands and what its header says: what its secrets are bound to.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// The stream.
    pub stream: &'a StreamId,
    /// Its place there.
    pub revision: Revision,
    /// The event's name.
    pub name: &'a str,
    /// The version of its shape.
    pub version: u16,
}

/// The event of a record, with its secrets; an error, if they are encrypted and there is no vault.
pub fn event_of(
    vault: Option<&Vault>,
    header: Header<'_>,
    payload: &[u8],
) -> Result<Event, DecodeError> {
    match vault {
        Some(_) => event_as_far_as_open(vault, header, payload),
        None => codec::decode(header.name, header.version, payload),
    }
}

/// The event of a record; without a vault, a word in each secret's place.
pub fn event_as_far_as_open(
    vault: Option<&Vault>,
    Header { stream, revision, name, version }: Header<'_>,
    payload: &[u8],
) -> Result<Event, DecodeError> {
    let Some(sealed) = codec::read_sealed(payload) else {
        return codec::decode(name, version, payload);
    };
    codec::decode_sealed(name, version, &sealed?, |kind, part| match vault {
        Some(vault) => {
            let bound = codec::associated_data(stream, revision, (name, version), kind);
            vault.open_part(part, &bound)
        }
        None => Ok(Opened::Withheld(Withheld::Sealed)),
    })
}
