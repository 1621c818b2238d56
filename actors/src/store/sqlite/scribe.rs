//! Writes records as compact rows, one behind the other, in the transaction that is under way.

use events::envelope::Position;
use rusqlite::{Connection, params};

use super::layout::{self, Command, Derived};
use super::log::bounded;
use super::names::Numbers;
use crate::store::chain::{self, Fields, Hash};

/// What it takes to write the next row: the numbers of names, and the command of the row before.
#[derive(Debug, Default)]
pub struct Scribe {
    numbers: Numbers,
    command: Option<Command>,
}

impl Scribe {
    /// Writes one record of the stream with the number `stream`.
    pub fn write(
        &mut self,
        connection: &Connection,
        stream: i64,
        position: Position,
        fields: &Fields<'_>,
        checksum: i64,
        chain: &Hash,
    ) -> rusqlite::Result<()> {
        let kind = self.numbers.kind(connection, fields.name, fields.version)?;
        let actor = self.numbers.actor(connection, fields.actor)?;
        let step = layout::step(fields.id, fields.causation);
        let command =
            Command { first: position, causation: fields.causation, actor, at: fields.at };
        let is_shared = self.command.is_some_and(|shared| {
            step_of(shared, position) == Some(step)
                && Command { first: shared.first, ..command } == shared
        });
        if !is_shared {
            self.command = Some(command).filter(|_| step == Derived::From(0));
        }
        let own = |value: i64| (!is_shared).then_some(value);
        connection.prepare_cached(layout::INSERT)?.execute(params![
            bounded(position.0),
            stream,
            bounded(fields.revision.0),
            kind,
            step,
            (!is_shared).then(|| fields.causation.to_be_bytes()),
            own(actor),
            own(fields.at),
            layout::correlation(fields.correlation, fields.payload),
            fields.payload,
            checksum,
            chain,
        ])?;
        Ok(())
    }

    /// Starts anew: the transaction that gave out numbers was rolled back.
    pub fn forget(&mut self) {
        self.numbers.forget();
        self.command = None;
    }
}

/// Where in its command a record at `position` would be.
fn step_of(command: Command, position: Position) -> Option<Derived> {
    let steps = position.0.checked_sub(command.first.0).filter(|steps| *steps > 0)?;
    u32::try_from(steps).ok().map(Derived::From)
}

/// The part of a digest that stands beside each record, and the chain after it.
pub fn seal(before: &Hash, position: Position, digest: &Hash) -> (i64, Hash) {
    (chain::checksum(digest), chain::link(before, position, digest))
}
