//! A sum over every table's rows, kept with each change: a row that is not what was written shows
//! at the next start, and the views are built anew. And every row as text.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Transaction, params};

use crate::views::{ViewError, Views};

/// The function of the triggers: takes a row into the change of its table's sum, or out of it
/// again.
const MIX: &str = "mix";
/// Tables there may be.
const TABLES: usize = 32;

/// How the sums change in the transaction that is under way. They are kept here until it ends: to
/// write a sum with each row took longer than the row.
#[derive(Debug, Clone)]
pub struct Changes(Arc<[AtomicI64; TABLES]>);

/// Teaches the connection of the writer what the triggers call.
pub fn prepare(connection: &Connection) -> rusqlite::Result<Changes> {
    // Without it, a row that is replaced would stay in its sum.
    connection.pragma_update(None, "recursive_triggers", "ON")?;
    let changes = Changes(Arc::new(std::array::from_fn(|_| AtomicI64::new(0))));
    let told = changes.clone();
    connection.create_scalar_function(MIX, -1, FunctionFlags::SQLITE_UTF8, move |call| {
        let mut row = Row::default();
        (1..call.len()).for_each(|column| row.take(call.get_raw(column)));
        let of_table =
            told.0.get(usize::from(call.get::<u8>(0)?)).ok_or(rusqlite::Error::InvalidQuery)?;
        of_table.fetch_xor(row.finish(), Ordering::Relaxed);
        Ok(0)
    })?;
    Ok(changes)
}

impl Changes {
    /// Writes the sums as they are after the transaction.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut find = transaction.prepare_cached("SELECT sum FROM sums WHERE number = ?1")?;
        let mut put = transaction.prepare_cached("UPDATE sums SET sum = ?2 WHERE number = ?1")?;
        for (number, change) in (0u8..).zip(self.0.iter()) {
            let change = change.swap(0, Ordering::Relaxed);
            if change != 0 {
                let before: i64 = find.query_row(params![number], |row| row.get(0))?;
                put.execute(params![number, before ^ change])?;
            }
        }
        Ok(())
    }

    /// Forgets what a transaction has changed that did not come to its end.
    pub fn forget(&self) {
        self.0.iter().for_each(|change| change.store(0, Ordering::Relaxed));
    }
}

/// Has a sum kept of every table there is.
pub fn keep(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE sums (number INTEGER PRIMARY KEY, name TEXT NOT NULL, \
        sum INTEGER NOT NULL) STRICT",
    )?;
    for (number, table) in (0u8..).zip(tables(connection)?) {
        assert!(usize::from(number) < TABLES, "there is room for every table's sum");
        let columns = columns(connection, &table)?;
        let of = |row: &str| {
            columns
                .iter()
                .fold(format!("{MIX}({number}"), |list, column| list + ", " + row + "." + column)
                + ")"
        };
        let (old, new) = (of("OLD"), of("NEW"));
        connection.execute_batch(&format!(
            "CREATE TRIGGER {table}_in AFTER INSERT ON {table} BEGIN SELECT {new}; END;
            CREATE TRIGGER {table}_out AFTER DELETE ON {table} BEGIN SELECT {old}; END;
            CREATE TRIGGER {table}_on AFTER UPDATE ON {table} BEGIN SELECT {old}, {new}; END;"
        ))?;
        connection.execute(
            "INSERT INTO sums (number, name, sum) VALUES (?1, ?2, ?3)",
            params![number, table, sum(connection, &table)?],
        )?;
    }
    Ok(())
}

/// Whether every table's rows are those that were written.
pub fn hold(connection: &Connection) -> rusqlite::Result<bool> {
    let mut kept = connection.prepare("SELECT name, sum FROM sums ORDER BY name")?;
    let kept: Vec<(String, i64)> = kept
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let found = tables(connection)?
        .into_iter()
        .map(|table| sum(connection, &table).map(|sum| (table, sum)));
    Ok(found.collect::<rusqlite::Result<Vec<_>>>()? == kept)
}

/// The tables that hold something of the views.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'sums' AND name \
        NOT LIKE 'sqlite%' ORDER BY name";
    connection.prepare(names)?.query_map([], |row| row.get(0))?.collect()
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let names = "SELECT name FROM pragma_table_info(?1) ORDER BY cid";
    connection.prepare(names)?.query_map(params![table], |row| row.get(0))?.collect()
}

fn sum(connection: &Connection, table: &str) -> rusqlite::Result<i64> {
    let mut all = connection.prepare(&format!("SELECT * FROM {table}"))?;
    let columns = all.column_count();
    let mut rows = all.query([])?;
    let mut sum = 0;
    while let Some(found) = rows.next()? {
        let mut row = Row::default();
        for column in 0..columns {
            row.take(found.get_ref(column)?);
        }
        sum ^= row.finish();
    }
    Ok(sum)
}

/// One row on its way into a sum: each value's kind, and the value, eight bytes at a time.
#[derive(Default)]
struct Row(u64);

impl Row {
    fn take(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.word(0),
            ValueRef::Integer(number) => self.words(1, [number.cast_unsigned()]),
            ValueRef::Real(number) => self.words(2, [number.to_bits()]),
            ValueRef::Text(text) => self.bytes(3, text),
            ValueRef::Blob(bytes) => self.bytes(4, bytes),
        }
    }

    fn bytes(&mut self, kind: u64, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        // The length first: what is filled up with zeros is not what ends in them.
        self.word(kind);
        self.words(
            u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word)),
        );
    }

    fn words(&mut self, first: u64, others: impl IntoIterator<Item = u64>) {
        self.word(first);
        others.into_iter().for_each(|word| self.word(word));
    }

    /// The finalizer of SplitMix64 over what was there and what comes.
    fn word(&mut self, word: u64) {
        let value = (self.0 ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.0 = value ^ (value >> 31);
    }

    fn finish(self) -> i64 {
        self.0.cast_signed()
    }
}

impl Views {
    /// Every row of every view as text, in order: two views that agree in it agree in everything.
    /// Blocks.
    pub fn dump(&self) -> Result<String, ViewError> {
        self.read_blocking(|connection| {
            let mut lines = Vec::new();
            for table in tables(connection)?.iter().filter(|table| *table != "checkpoint") {
                let mut all = connection.prepare(&format!("SELECT * FROM {table}"))?;
                let columns = all.column_count();
                let mut rows = all.query([])?;
                while let Some(row) = rows.next()? {
                    let mut line = table.clone();
                    for column in 0..columns {
                        let _ = write!(line, " {:?}", row.get_ref(column)?);
                    }
                    lines.push(line);
                }
            }
            lines.sort_unstable();
            Ok(lines.join("\n"))
        })
    }
}
