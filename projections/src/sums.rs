//! A sum over every table's rows, kept with each change: a row that is not what was written shows
//! at the next start, and the views are built anew. And every row as text.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use crate::views::{ViewError, Views};

/// The function of the triggers: a sum with a row taken in, or out again.
const MIX: &str = "mix";

/// Teaches the connection of the writer what the triggers call.
pub fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // Without it, a row that is replaced would stay in its sum.
    connection.pragma_update(None, "recursive_triggers", "ON")?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(MIX, -1, flags, |call| {
        let sum: i64 = call.get(0)?;
        let mut row = Row::default();
        (1..call.len()).for_each(|column| row.take(call.get_raw(column)));
        Ok(sum ^ row.finish())
    })
}

/// Has a sum kept of every table there is.
pub fn keep(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE sums (name TEXT PRIMARY KEY, sum INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    )?;
    for table in tables(connection)? {
        let columns = columns(connection, &table)?;
        let of = |row: &str| {
            columns.iter().fold(String::new(), |list, column| list + ", " + row + "." + column)
        };
        let (old, new) = (of("OLD"), of("NEW"));
        connection.execute_batch(&format!(
            "CREATE TRIGGER {table}_in AFTER INSERT ON {table} BEGIN UPDATE sums SET sum = \
             {MIX}(sum{new}) WHERE name = '{table}'; END;
            CREATE TRIGGER {table}_out AFTER DELETE ON {table} BEGIN UPDATE sums SET sum = \
            {MIX}(sum{old}) WHERE name = '{table}'; END;
            CREATE TRIGGER {table}_on AFTER UPDATE ON {table} BEGIN
                UPDATE sums SET sum = {MIX}({MIX}(sum{old}){new}) WHERE name = '{table}';
            END;"
        ))?;
        connection.execute(
            "INSERT INTO sums (name, sum) VALUES (?1, ?2)",
            params![table, sum(connection, &table)?],
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

/// One row on its way into a sum. Another version of the standard library may hash otherwise: the
/// views are then built anew, as for a new schema.
#[derive(Default)]
struct Row(DefaultHasher);

impl Row {
    fn take(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => 0u8.hash(&mut self.0),
            ValueRef::Integer(number) => (1u8, number).hash(&mut self.0),
            ValueRef::Real(number) => (2u8, number.to_bits()).hash(&mut self.0),
            ValueRef::Text(text) => (3u8, text).hash(&mut self.0),
            ValueRef::Blob(bytes) => (4u8, bytes).hash(&mut self.0),
        }
    }

    fn finish(self) -> i64 {
        i64::from_ne_bytes(self.0.finish().to_ne_bytes())
    }
}

impl Views {
    /// Every row of every view as text, in order: two views that agree in it agree in everything.
    /// Blocks.
    pub fn dump(&self) -> Result<String, ViewError> {
        self.read_blocking(|connection| {
            let mut tables = connection.prepare(
                "SELECT name FROM sqlite_master WHERE type = \
                'table' AND name NOT IN ('checkpoint', 'sums')",
            )?;
            let tables: Vec<String> =
                tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            let mut lines = Vec::new();
            for table in tables {
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
