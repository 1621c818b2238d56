//! Whether the index names the places where the log's records stand, for those who verify.

use std::path::Path;

use events::envelope::Position;

use super::index::{self, Checkpoint, Digest, IndexFile};
use super::log::Log;
use super::verify::ChainFinding;
use super::{reader, schema};

/// The index, held against the places of the records that it should have.
pub struct HeldIndex {
    said: Result<Checkpoint, String>,
    /// Of the places in it, as they are.
    found: Digest,
    /// Of the log's places up to where it goes.
    places: Digest,
}

impl HeldIndex {
    /// The index in `directory`; `None` if there is none, which a start makes.
    pub fn of(directory: &Path, log: &Log) -> Option<Self> {
        let path = directory.join(index::FILE);
        if !log.is_current() || !path.is_file() {
            return None;
        }
        // What a crash has left half made, or another version wrote, is no index: nothing is read
        // from it, and a start makes one.
        let Some(index) = IndexFile::open_reader(&path) else {
            let (said, none) = (Err(schema::broken_file(&path)?), Digest::default);
            return Some(Self { said, found: none(), places: none() });
        };
        let mut found = Digest::default();
        let said =
            index.walk(|stream, run| found.add_run(stream, run)).map_err(|error| error.to_string());
        Some(Self { said, found, places: Digest::default() })
    }

    /// Up to where it goes.
    pub fn position(&self) -> Position {
        self.said.as_ref().map_or(Position(0), |checkpoint| checkpoint.position)
    }

    /// Takes in the places of some of the log's records.
    pub fn should_have(&mut self, places: Digest) {
        self.places.merge(places);
    }

    /// What is wrong with it, once all places are known.
    pub fn finding(self, log: &Log) -> Option<ChainFinding> {
        let position = self.position().0;
        let why = match self.said {
            Err(error) => error,
            Ok(Checkpoint { position, chain, .. })
                if !reader::chain_at(log, position).is_ok_and(|found| found == Some(chain)) =>
            {
                "it is of another log, or of more than there is".to_owned()
            }
            Ok(checkpoint) if checkpoint.digest == self.found && self.found == self.places => {
                return None;
            }
            Ok(_) => "it does not name the places where the records stand".to_owned(),
        };
        Some(ChainFinding {
            position,
            stream: index::FILE.to_owned(),
            detail: format!("{why}; the next start makes it anew"),
        })
    }
}
