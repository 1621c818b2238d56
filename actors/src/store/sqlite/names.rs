//! The texts that records share: stream names, kinds of events, actors. Each stands once in the log
//! and is remembered while it is used.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use events::envelope::StreamId;
use rusqlite::{Connection, OptionalExtension, ToSql, params};

/// Texts remembered of each sort: the streams in use at a time, and far more than there are kinds
/// and actors.
const REMEMBERED: usize = 65_536;

/// From numbers to texts, for readers. Rows of names never change, so what is remembered stays
/// right.
#[derive(Debug, Default)]
pub struct Names {
    streams: HashMap<i64, StreamId>,
    kinds: HashMap<i64, (Arc<str>, u16)>,
    actors: HashMap<i64, Arc<str>>,
}

impl Names {
    /// The stream with this number; `None` if there is none.
    pub fn stream(
        &mut self,
        connection: &Connection,
        id: i64,
    ) -> rusqlite::Result<Option<StreamId>> {
        remembered(&mut self.streams, id, || {
            one(connection, "SELECT name FROM streams WHERE id = ?1", params![id], |row| {
                Ok(StreamId::from_name(row.get_ref(0)?.as_str()?))
            })
        })
    }

    /// The name and version of events of this kind.
    pub fn kind(
        &mut self,
        connection: &Connection,
        id: i64,
    ) -> rusqlite::Result<Option<(Arc<str>, u16)>> {
        remembered(&mut self.kinds, id, || {
            one(connection, "SELECT name, version FROM kinds WHERE id = ?1", params![id], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
        })
    }

    /// The actor with this number.
    pub fn actor(
        &mut self,
        connection: &Connection,
        id: i64,
    ) -> rusqlite::Result<Option<Arc<str>>> {
        remembered(&mut self.actors, id, || {
            one(connection, "SELECT name FROM actors WHERE id = ?1", params![id], |row| row.get(0))
        })
    }
}

/// From texts to numbers, for writers: a text that has none yet gets one, in the transaction that
/// is under way.
#[derive(Debug, Default)]
pub struct Numbers {
    kinds: HashMap<(Arc<str>, u16), i64>,
    actors: HashMap<Arc<str>, i64>,
}

impl Numbers {
    /// The number of events of this kind.
    pub fn kind(
        &mut self,
        connection: &Connection,
        name: &str,
        version: u16,
    ) -> rusqlite::Result<i64> {
        let found = remembered(&mut self.kinds, (name.into(), version), || {
            let find = "SELECT id FROM kinds WHERE name = ?1 AND version = ?2";
            numbered(
                connection,
                find,
                "INSERT INTO kinds (name, version) VALUES (?1, ?2)",
                &[&name, &version],
            )
            .map(Some)
        });
        Ok(found?.unwrap_or_default())
    }

    /// The number of the actor.
    pub fn actor(&mut self, connection: &Connection, name: &str) -> rusqlite::Result<i64> {
        let found = remembered(&mut self.actors, name.into(), || {
            numbered(
                connection,
                "SELECT id FROM actors WHERE name = ?1",
                "INSERT INTO actors (name) VALUES (?1)",
                &[&name],
            )
            .map(Some)
        });
        Ok(found?.unwrap_or_default())
    }

    /// The number of the stream, which gets one if it has none.
    pub fn stream(connection: &Connection, name: &StreamId) -> rusqlite::Result<i64> {
        let found = Self::find_stream(connection, name)?;
        found.map_or_else(
            || {
                connection
                    .prepare_cached("INSERT INTO streams (name) VALUES (?1)")?
                    .insert(params![name.as_str()])
            },
            Ok,
        )
    }

    /// The number of the stream, if it has one.
    pub fn find_stream(connection: &Connection, name: &StreamId) -> rusqlite::Result<Option<i64>> {
        one(connection, "SELECT id FROM streams WHERE name = ?1", params![name.as_str()], |row| {
            row.get(0)
        })
    }

    /// Forgets everything: the transaction that gave out numbers was rolled back.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

fn remembered<K: Hash + Eq, V: Clone>(
    known: &mut HashMap<K, V>,
    key: K,
    look_up: impl FnOnce() -> rusqlite::Result<Option<V>>,
) -> rusqlite::Result<Option<V>> {
    if let Some(value) = known.get(&key) {
        return Ok(Some(value.clone()));
    }
    let found = look_up()?;
    if let Some(value) = &found {
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, value.clone());
    }
    Ok(found)
}

fn numbered(
    connection: &Connection,
    find: &str,
    insert: &str,
    text: &[&dyn ToSql],
) -> rusqlite::Result<i64> {
    match one(connection, find, text, |row| row.get(0))? {
        Some(id) => Ok(id),
        None => connection.prepare_cached(insert)?.insert(text),
    }
}

fn one<T>(
    connection: &Connection,
    query: &str,
    parameters: impl rusqlite::Params,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    connection.prepare_cached(query)?.query_row(parameters, read).optional()
}
