//! `vault.db`: keys by name, each wrapped by the master key. What is deleted in it is overwritten.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::cipher::{Key, MasterKey};
use super::{NamedKey, VaultError};
use crate::kernel::entropy::Entropy;

/// "TNVT": marks the file as a vault of this service.
const APPLICATION_ID: i64 = 0x544e_5654;
/// Rises when the tables change.
const SCHEMA_VERSION: i64 = 1;
/// How long whoever opens the file waits for others to leave it.
const PATIENCE: Duration = Duration::from_secs(10);

const TABLES: &str = "
CREATE TABLE own (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT;
CREATE TABLE keys (name BLOB PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID;
";
/// How far work has come that goes over the log piece by piece.
const PROGRESS: &str = "
CREATE TABLE IF NOT EXISTS progress (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
";
/// Keys that are no order's and no account's: of pseudonyms, and of snapshots.
const OWN: [&str; 2] = ["pseudonyms", "snapshots"];

/// The file, opened.
pub struct VaultFile {
    path: PathBuf,
    connection: Connection,
    master: MasterKey,
}

impl VaultFile {
    /// Opens the file, or makes it.
    pub fn open(path: &Path, master: &MasterKey) -> Result<Self, VaultError> {
        let connection = Connection::open(path).and_then(|connection| {
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // A key that secrets are under must not be lost, whatever happens to the machine.
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "secure_delete", "ON")?;
            Ok(connection)
        });
        let file = Self::with(path, connection, master)?;
        file.make().map_err(|source| file.failed(source))?;
        file.check()
    }

    /// Opens the file to read it.
    pub fn open_to_read(path: &Path, master: &MasterKey) -> Result<Self, VaultError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .and_then(|connection| connection.busy_timeout(PATIENCE).map(|()| connection));
        Self::with(path, connection, master)?.check()
    }

    fn with(
        path: &Path,
        connection: rusqlite::Result<Connection>,
        master: &MasterKey,
    ) -> Result<Self, VaultError> {
        let path = path.to_owned();
        match connection {
            Ok(connection) => Ok(Self { path, connection, master: master.clone() }),
            Err(source) => Err(VaultError::Sqlite { path, source }),
        }
    }

    fn failed(&self, source: rusqlite::Error) -> VaultError {
        VaultError::Sqlite { path: self.path.clone(), source }
    }

    /// Makes the tables of a file that has none, all or nothing.
    fn make(&self) -> rusqlite::Result<()> {
        if self.pragma("user_version")? != 0 {
            return self.connection.execute_batch(PROGRESS);
        }
        let transaction = self.connection.unchecked_transaction()?;
        transaction.execute_batch(TABLES)?;
        transaction.execute_batch(PROGRESS)?;
        for name in OWN {
            let wrapped = self.master.wrap(name.as_bytes(), &Key::fresh());
            transaction.execute("INSERT INTO own VALUES (?1, ?2)", params![name, wrapped])?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()
    }

    fn check(self) -> Result<Self, VaultError> {
        let found = (self.pragma("application_id"), self.pragma("user_version"));
        match found {
            (Ok(APPLICATION_ID), Ok(SCHEMA_VERSION)) => Ok(self),
            (Ok(_), Ok(_)) => Err(VaultError::Foreign { path: self.path }),
            (Err(source), _) | (_, Err(source)) => Err(self.failed(source)),
        }
    }

    fn pragma(&self, name: &str) -> rusqlite::Result<i64> {
        self.connection.pragma_query_value(None, name, |row| row.get(0))
    }

    /// One of the vault's own keys; it shows whether the master key is the right one.
    pub fn own_key(&self, name: &str) -> Result<Key, VaultError> {
        let wrapped: Vec<u8> = self
            .connection
            .query_row("SELECT wrapped FROM own WHERE name = ?1", params![name], |row| row.get(0))
            .map_err(|source| self.failed(source))?;
        self.unwrapped(name.as_bytes(), &wrapped)
    }

    /// Whether the vault has, or had, a key of this name.
    pub fn knows(&self, name: &[u8; 16]) -> Result<bool, VaultError> {
        self.connection
            .prepare_cached("SELECT 1 FROM keys WHERE name = ?1")
            .and_then(|mut find| find.exists(params![name]))
            .map_err(|source| self.failed(source))
    }

    /// A key by its name; `None` if it was erased.
    pub fn key(&self, name: &[u8; 16]) -> Result<Option<Key>, VaultError> {
        let wrapped: Option<Vec<u8>> = self
            .connection
            .prepare_cached("SELECT wrapped FROM keys WHERE name = ?1 AND wrapped <> x''")
            .and_then(|mut find| find.query_row(params![name], |row| row.get(0)).optional())
            .map_err(|source| self.failed(source))?;
        wrapped.map(|wrapped| self.unwrapped(name, &wrapped)).transpose()
    }

    fn unwrapped(&self, name: &[u8], wrapped: &[u8]) -> Result<Key, VaultError> {
        let wrong = || VaultError::WrongKey { path: self.path.clone() };
        self.master.unwrap(name, wrapped).ok_or_else(wrong)
    }

    /// So many fresh keys; they are on disk.
    pub fn add(&self, count: usize) -> Result<Vec<NamedKey>, VaultError> {
        let fresh: Vec<NamedKey> =
            (0..count).map(|_| (Entropy::System.bytes(), Key::fresh())).collect();
        let write = || {
            let transaction = self.connection.unchecked_transaction()?;
            let mut put =
                transaction.prepare_cached("INSERT INTO keys (name, wrapped) VALUES (?1, ?2)")?;
            for (name, key) in &fresh {
                put.execute(params![name, self.master.wrap(name, key)])?;
            }
            drop(put);
            transaction.commit()
        };
        write().map_err(|source| self.failed(source))?;
        Ok(fresh)
    }

    /// What is wrong with the file, if anything is: pages that are not whole, keys that the master
    /// key does not open. Reads all of it.
    pub fn damage(&self) -> Result<Option<String>, VaultError> {
        let failed = |source| self.failed(source);
        let found: String = self
            .connection
            .pragma_query_value(None, "integrity_check", |row| row.get(0))
            .map_err(failed)?;
        if found != "ok" {
            return Ok(Some(found));
        }
        let mut all = self
            .connection
            .prepare("SELECT name, wrapped FROM keys WHERE wrapped <> x''")
            .map_err(failed)?;
        let all = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
        let mut broken = 0_u64;
        for row in all {
            let (name, wrapped): (Vec<u8>, Vec<u8>) = row.map_err(failed)?;
            broken += u64::from(self.master.unwrap(&name, &wrapped).is_none());
        }
        Ok((broken > 0).then(|| format!("{broken} keys are not as they were written")))
    }

    /// How many of these keys there are.
    pub fn count(&self, names: &[[u8; 16]]) -> Result<usize, VaultError> {
        let count = || -> rusqlite::Result<usize> {
            let mut find = self
                .connection
                .prepare_cached("SELECT 1 FROM keys WHERE name = ?1 AND wrapped <> x''")?;
            let mut count = 0;
            for name in names {
                count += usize::from(find.exists(params![name])?);
            }
            Ok(count)
        };
        count().map_err(|source| self.failed(source))
    }

    /// Erases keys; when it returns, their bytes are in no file of the vault. Their names stay: a
    /// name that is not there is another vault's.
    pub fn erase(&self, names: &[[u8; 16]]) -> Result<usize, VaultError> {
        let erase = || -> rusqlite::Result<usize> {
            let transaction = self.connection.unchecked_transaction()?;
            let mut delete = transaction.prepare_cached(
                "UPDATE keys SET wrapped = x'' WHERE name = ?1 AND wrapped <> x''",
            )?;
            let mut erased = 0;
            for name in names {
                erased += delete.execute(params![name])?;
            }
            drop(delete);
            transaction.commit()?;
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(erased)
        };
        erase().map_err(|source| self.failed(source))
    }

    /// How far work of this name has come; 0 before it has begun.
    pub fn progress(&self, name: &str) -> Result<i64, VaultError> {
        let find = "SELECT value FROM progress WHERE name = ?1";
        let found: rusqlite::Result<Option<i64>> =
            self.connection.query_row(find, params![name], |row| row.get(0)).optional();
        found.map(Option::unwrap_or_default).map_err(|source| self.failed(source))
    }

    /// Keeps how far it has come.
    pub fn set_progress(&self, name: &str, value: i64) -> Result<(), VaultError> {
        self.connection
            .execute("INSERT OR REPLACE INTO progress VALUES (?1, ?2)", params![name, value])
            .map(drop)
            .map_err(|source| self.failed(source))
    }

    /// Wraps every key by another master key; when it returns, none is wrapped by the old one in
    /// any file of the vault.
    pub fn rewrap(self, new: &MasterKey) -> Result<usize, VaultError> {
        let failed = |source| self.failed(source);
        let transaction = self.connection.unchecked_transaction().map_err(failed)?;
        let mut count = 0;
        for (table, is_own) in [("own", true), ("keys", false)] {
            let mut all = transaction
                .prepare(&format!("SELECT CAST(name AS BLOB), wrapped FROM {table}"))
                .map_err(failed)?;
            let all: rusqlite::Result<Vec<(Vec<u8>, Vec<u8>)>> =
                all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).and_then(Iterator::collect);
            let name = if is_own { "CAST(name AS BLOB)" } else { "name" };
            let mut put = transaction
                .prepare(&format!("UPDATE {table} SET wrapped = ?2 WHERE {name} = ?1"))
                .map_err(failed)?;
            let all = all.map_err(failed)?.into_iter().filter(|(_, wrapped)| !wrapped.is_empty());
            for (name, wrapped) in all {
                let key = self.unwrapped(&name, &wrapped)?;
                put.execute(params![name, new.wrap(&name, &key)]).map_err(failed)?;
                count += usize::from(!is_own);
            }
        }
        transaction.commit().map_err(failed)?;
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(failed)?;
        Ok(count)
    }
}
