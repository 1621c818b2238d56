//! How a value stands in an event's bytes, by its type; and the macro that makes both ways of a
//! fact of that.
//!
//! Fields stand one after the other, with nothing between them: a value of several fields stands as
//! its fields do. Nothing of this may ever change for a type that an event was written with; a new
//! way is a new type, or a new version of the event.

use std::fmt::Display;
use std::str::FromStr;

use bincode::{Decode, Encode};
use thiserror::Error;

use crate::country::Country;
use crate::id::{AccountId, ApiKeyId, DepositId, InviteId, OrderId};
use crate::money::Money;
use crate::phone::Phone;
use crate::platform::Platform;
use crate::supplier::SupplierName;
use crate::time::Timestamp;

/// First byte of every payload: bincode 2 with its legacy configuration (little-endian, fixed-size
/// integers).
const BINCODE_LEGACY: u8 = 1;

/// Longest payload that is read: an SMS and its candidates take a few kB.
const MAX_PAYLOAD_BYTES: usize = 256 * 1024;

/// An event as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Frozen name.
    pub name: &'static str,
    /// Version of the shape.
    pub version: u16,
    /// A codec byte, then the shape's bytes.
    pub payload: Vec<u8>,
}

/// A record that cannot be read. Nobody may go on past it: a fact that is not understood is not
/// skipped.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// No version of this service wrote such an event; a newer one may have.
    #[error("event {name} version {version} is not known to this version of the service")]
    UnknownEvent {
        /// The name in the record header.
        name: String,
        /// The version in the record header.
        version: u16,
    },
    /// The payload's first byte names no codec.
    #[error("payload codec {0} is not known")]
    UnknownCodec(u8),
    /// Its secrets are encrypted, and whoever reads has no vault.
    #[error(
        "its secrets are encrypted, and no vault is open: name the key that vault.db is under \
         (vault.key_file)"
    )]
    Sealed,
    /// Its secrets are encrypted, and the vault could not say whether it has their key, or the key
    /// does not open them.
    #[error("its secrets are encrypted, and cannot be opened: {0}")]
    Vault(String),
    /// The bytes are not the named shape's.
    #[error("the payload is not a {name}: {detail}")]
    Malformed {
        /// The name in the record header.
        name: &'static str,
        /// What is wrong.
        detail: String,
    },
}

/// A value that stands in events.
pub trait Wire: Sized {
    /// What stands on disk.
    type Disk: Encode + Decode<()>;

    /// The value on disk.
    fn freeze(&self) -> Self::Disk;

    /// The value of what stands on disk; the error names what makes no sense.
    fn thaw(disk: Self::Disk) -> Result<Self, String>;
}

/// A payload of these bytes.
pub fn write(name: &'static str, version: u16, disk: &impl Encode) -> Encoded {
    let mut payload = Vec::with_capacity(128);
    payload.push(BINCODE_LEGACY);
    bincode::encode_into_std_write(disk, &mut payload, bincode::config::legacy())
        .expect("plain numbers and texts always encode");
    Encoded { name, version, payload }
}

/// What stands in a payload.
pub fn read<D: Decode<()>>(name: &'static str, payload: &[u8]) -> Result<D, DecodeError> {
    let malformed = |detail: String| DecodeError::Malformed { name, detail };
    let (codec, bytes) =
        payload.split_first().ok_or_else(|| malformed("it is empty".to_owned()))?;
    if *codec != BINCODE_LEGACY {
        return Err(DecodeError::UnknownCodec(*codec));
    }
    let config = bincode::config::legacy().with_limit::<MAX_PAYLOAD_BYTES>();
    let (disk, read) =
        bincode::decode_from_slice(bytes, config).map_err(|error| malformed(error.to_string()))?;
    if read != bytes.len() {
        return Err(malformed(format!("{} bytes are left over", bytes.len() - read)));
    }
    Ok(disk)
}

/// A text on disk as what it says.
pub fn text<T: FromStr<Err: Display>>(what: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|error| format!("{what}: {error}"))
}

macro_rules! as_they_are {
    ($($kind:ty)+) => {$(
        impl Wire for $kind {
            type Disk = Self;

            fn freeze(&self) -> Self {
                self.clone()
            }

            fn thaw(disk: Self) -> Result<Self, String> {
                Ok(disk)
            }
        }
    )+};
}

macro_rules! ids {
    ($($kind:ident)+) => {$(
        impl Wire for $kind {
            type Disk = u128;

            fn freeze(&self) -> u128 {
                self.0
            }

            fn thaw(disk: u128) -> Result<Self, String> {
                Ok(Self(disk))
            }
        }
    )+};
}

/// Types that stand as texts: the word of errors, the type, its text.
macro_rules! texts {
    ($($what:literal $kind:ident $text:ident)+) => {$(
        impl Wire for $kind {
            type Disk = String;

            fn freeze(&self) -> String {
                self.$text().to_owned()
            }

            fn thaw(disk: String) -> Result<Self, String> {
                $crate::codec::wire::text($what, &disk)
            }
        }
    )+};
}

/// Closed sets that stand as numbers: the word of errors, the type, each value's number for ever.
macro_rules! numbered {
    ($($what:literal $kind:ident { $($variant:ident = $number:literal),+ $(,)? })+) => {$(
        impl Wire for $kind {
            type Disk = u8;

            fn freeze(&self) -> u8 {
                match self {
                    $(Self::$variant => $number),+
                }
            }

            fn thaw(disk: u8) -> Result<Self, String> {
                match disk {
                    $($number => Ok(Self::$variant),)+
                    other => Err(format!(concat!($what, " {}"), other)),
                }
            }
        }
    )+};
}

/// Values of several fields, in the order on disk.
macro_rules! records {
    ($($kind:ident { $($field:ident: $of:ty),+ $(,)? })+) => {$(
        impl Wire for $kind {
            type Disk = ($(<$of as Wire>::Disk,)+);

            fn freeze(&self) -> Self::Disk {
                ($(self.$field.freeze(),)+)
            }

            fn thaw(disk: Self::Disk) -> Result<Self, String> {
                let ($($field,)+) = disk;
                Ok(Self { $($field: <$of>::thaw($field)?),+ })
            }
        }
    )+};
}

/// The facts of an aggregate. `fields` are variants with fields, in the order on disk; `values` are
/// variants of one value; `former` are versions that are read and not written any more; `odd` are
/// variants whose fields stand in an order of their own; `elsewhere` are those of another list.
/// `$prefix` stands before the fields of each.
macro_rules! facts {
    (
        $event:ident after $prefix:ty;
        fields { $($name:literal $version:literal $variant:ident { $($field:ident: $of:ty),+ $(,)? })* }
        values { $($vname:literal $vversion:literal $vvariant:ident($vof:ty))* }
        former { $($fname:literal $fversion:literal $fof:ty => |$old:pat_param| $fvariant:expr;)* }
        odd { $($oname:literal $oversion:literal $opattern:pat => $ofreeze:expr, |$odisk:pat_param| -> $oof:ty { $othaw:expr })* }
        elsewhere { $($epattern:pat => $eencoded:expr;)* }
    ) => {
        /// Every name and version of these facts that can stand in a record's header.
        pub const NAMES: &[(&str, u16)] = &[
            $(($name, $version),)* $(($vname, $vversion),)* $(($fname, $fversion),)* $(($oname, $oversion),)*
        ];

        /// The fact's name, version and bytes.
        pub fn encode(prefix: <$prefix as Wire>::Disk, event: &$event) -> Encoded {
            match event {
                $($event::$variant { $($field),+ } => write($name, $version, &(prefix, ($($field.freeze(),)+))),)*
                $($event::$vvariant(value) => write($vname, $vversion, &(prefix, value.freeze())),)*
                $($opattern => write($oname, $oversion, &(prefix, $ofreeze)),)*
                $($epattern => $eencoded,)*
            }
        }

        /// The fact of a record, and what stands before its fields; `None` if it is none of these.
        pub fn decode(name: &str, version: u16, payload: &[u8]) -> Option<Result<(<$prefix as Wire>::Disk, $event), DecodeError>> {
            match (name, version) {
                $(($name, $version) => Some(lifted($name, payload, |($($field,)+): ($(<$of as Wire>::Disk,)+)| {
                    Ok($event::$variant { $($field: <$of>::thaw($field)?),+ })
                })),)*
                $(($vname, $vversion) => Some(lifted($vname, payload, |value| Ok($event::$vvariant(<$vof>::thaw(value)?)))),)*
                $(($fname, $fversion) => Some(lifted($fname, payload, |$old: $fof| Ok($fvariant))),)*
                $(($oname, $oversion) => Some(lifted($oname, payload, |$odisk: $oof| Ok($othaw))),)*
                _ => None,
            }
        }
    };
}

pub(super) use {facts, numbered, records, texts};

/// What stands before the fields, and the fact of the fields.
pub fn lifted<P: Decode<()>, D: Decode<()>, E>(
    name: &'static str,
    payload: &[u8],
    thaw: impl FnOnce(D) -> Result<E, String>,
) -> Result<(P, E), DecodeError> {
    let (prefix, disk) = read::<(P, D)>(name, payload)?;
    Ok((prefix, thaw(disk).map_err(|detail| DecodeError::Malformed { name, detail })?))
}

as_they_are!(u8 u16 u32 u64 i16 bool String [u8; 32] ());
ids!(AccountId OrderId InviteId DepositId ApiKeyId);
texts! { "platform" Platform slug  "country" Country code  "supplier" SupplierName as_str }

impl Wire for Phone {
    type Disk = String;

    fn freeze(&self) -> String {
        self.as_str().to_owned()
    }

    fn thaw(disk: String) -> Result<Self, String> {
        Self::of_log(&disk).map_err(|error| format!("phone: {error}"))
    }
}

impl<T: Wire> Wire for Option<T> {
    type Disk = Option<T::Disk>;

    fn freeze(&self) -> Self::Disk {
        self.as_ref().map(T::freeze)
    }

    fn thaw(disk: Self::Disk) -> Result<Self, String> {
        disk.map(T::thaw).transpose()
    }
}

impl<T: Wire<Disk: 'static>> Wire for Vec<T> {
    type Disk = Vec<T::Disk>;

    fn freeze(&self) -> Self::Disk {
        self.iter().map(T::freeze).collect()
    }

    fn thaw(disk: Self::Disk) -> Result<Self, String> {
        disk.into_iter().map(T::thaw).collect()
    }
}

impl Wire for Timestamp {
    type Disk = i64;

    fn freeze(&self) -> i64 {
        self.millis()
    }

    fn thaw(disk: i64) -> Result<Self, String> {
        Ok(Self::from_millis(disk))
    }
}

impl Wire for Money {
    type Disk = i64;

    fn freeze(&self) -> i64 {
        self.micros()
    }

    fn thaw(disk: i64) -> Result<Self, String> {
        Ok(Self::from_micros(disk))
    }
}
