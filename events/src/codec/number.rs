//! Facts of a number in bytes.

use super::wire::{DecodeError, Encoded, Wire, facts, lifted, numbered, records, write};
use crate::country::Country;
use crate::number::{Alphabet, Event, KeptSms, Listing, Part, SetId, Unclaimed};
use crate::platform::Platform;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

facts! {
    Event after ();
    fields {
        "NumberListed" 1 Listed { listing: Listing, at: Timestamp }
        "NumberRetired" 1 Retired { reason: String, at: Timestamp }
        "NumberPartsJoined" 1 PartsJoined { set: SetId, is_whole: bool, at: Timestamp }
    }
    values {
        "NumberSmsKept" 1 SmsKept(KeptSms)
    }
    former {}
    odd {
        "NumberPartKept" 1 Event::PartKept { part, opened_at } => part_on_disk(part, *opened_at), |disk| -> PartOnDisk { part_of(disk)? }
    }
    elsewhere {}
}

records! {
    Listing { supplier: SupplierName, country: Country, platforms: Option<Vec<Platform>> }
    SetId { supplier: SupplierName, sender: String, reference: u32, total: u8, opened_at: Timestamp }
    KeptSms { message_id: String, supplier: SupplierName, sender: String, text: String, received_at: Timestamp, why: Unclaimed, at: Timestamp }
}

numbered! {
    "why" Unclaimed { UnknownNumber = 0, NotAssigned = 1, OrderEnded = 2, TooManyMessages = 3 }
}

/// Supplier, sender, reference, number, total, alphabet, bytes, when it was received, when its set
/// was opened, when it was recorded.
type PartOnDisk = (String, String, u32, u8, u8, (u8, u8, u8), Vec<u8>, i64, i64, i64);

fn part_on_disk(part: &Part, opened_at: Timestamp) -> PartOnDisk {
    let Part { supplier, sender, reference, number, total, alphabet, bytes, received_at, at } =
        part;
    let times = (received_at.freeze(), opened_at.freeze(), at.freeze());
    (
        supplier.freeze(),
        sender.clone(),
        *reference,
        *number,
        *total,
        alphabet.freeze(),
        bytes.clone(),
        times.0,
        times.1,
        times.2,
    )
}

fn part_of(
    (supplier, sender, reference, number, total, alphabet, bytes, received_at, opened_at, at): PartOnDisk,
) -> Result<Event, String> {
    let (supplier, alphabet) = (SupplierName::thaw(supplier)?, Alphabet::thaw(alphabet)?);
    let (received_at, at) = (Timestamp::from_millis(received_at), Timestamp::from_millis(at));
    let part =
        Part { supplier, sender, reference, number, total, alphabet, bytes, received_at, at };
    Ok(Event::PartKept { part, opened_at: Timestamp::from_millis(opened_at) })
}

impl Wire for Alphabet {
    /// Its number, and the two national tables of GSM.
    type Disk = (u8, u8, u8);

    fn freeze(&self) -> (u8, u8, u8) {
        match self {
            Self::Gsm(locking, single) => (0, *locking, *single),
            Self::Latin1 => (1, 0, 0),
            Self::Utf16 => (2, 0, 0),
            Self::Utf8 => (3, 0, 0),
        }
    }

    fn thaw((alphabet, locking, single): (u8, u8, u8)) -> Result<Self, String> {
        match alphabet {
            0 => Ok(Self::Gsm(locking, single)),
            1 => Ok(Self::Latin1),
            2 => Ok(Self::Utf16),
            3 => Ok(Self::Utf8),
            other => Err(format!("alphabet {other}")),
        }
    }
}
