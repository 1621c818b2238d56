//! Messages in parts that numbers wait for, in a view: what recovery looks at again.

use events::number::{Event, SetId};
use events::phone::Phone;
use rusqlite::{Transaction, params};

use crate::column::phone;
use crate::views::{ViewError, Views};

/// What a fact changes in `parts`.
#[derive(Debug, Clone)]
pub struct PartChange {
    phone: Phone,
    /// The message, in words that no other one of the number has.
    set: String,
    is_open: bool,
}

/// The table.
pub const SCHEMA: &str = "CREATE TABLE parts (phone TEXT NOT NULL, message TEXT NOT NULL, PRIMARY \
    KEY (phone, message)) STRICT, WITHOUT ROWID;";

impl PartChange {
    /// What a number's fact changes, if anything.
    pub fn of(phone: Phone, event: &Event) -> Option<Self> {
        let (set, is_open) = match event {
            Event::Listed { .. } | Event::Retired { .. } | Event::SmsKept(_) => return None,
            Event::PartKept { part, opened_at } => {
                let (supplier, sender) = (part.supplier.clone(), part.sender.clone());
                (
                    SetId {
                        opened_at: *opened_at,
                        supplier,
                        sender,
                        reference: part.reference,
                        total: part.total,
                    },
                    true,
                )
            }
            Event::PartsJoined { set, .. } => (set.clone(), false),
        };
        let set = format!("{} {} {}", set.message_id(), set.supplier, set.sender);
        Some(Self { phone, set, is_open })
    }

    /// Writes it, in the order of the log.
    pub fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let sql = if self.is_open {
            "INSERT OR IGNORE INTO parts VALUES (?1, ?2)"
        } else {
            "DELETE FROM parts WHERE phone = ?1 AND message = ?2"
        };
        transaction.prepare_cached(sql)?.execute(params![self.phone.as_str(), self.set]).map(drop)
    }
}

impl Views {
    /// Numbers that wait for the rest of a message.
    pub async fn numbers_with_parts(&self) -> Result<Vec<Phone>, ViewError> {
        self.read(|connection| {
            let mut waiting = connection.prepare("SELECT DISTINCT phone FROM parts")?;
            waiting.query_map([], |row| phone(row, 0))?.collect()
        })
        .await
    }
}
