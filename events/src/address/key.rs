//! The operator's public account key: addresses come from it, and nothing can be spent with it.

use std::fmt;

use bip32::{ChildNumber, ExtendedKey, PublicKey, XPub};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::place::{Address, Network, hex};
use crate::deposit::Currency;

/// `purpose' / coin' / account'`: what wallets export for watching.
const ACCOUNT_DEPTH: u8 = 3;
/// Addresses given to others stand on this branch; the other is the wallet's change.
const EXTERNAL: u32 = 0;
/// Beyond it child keys are hardened, which a public key cannot derive.
pub const MAX_INDEX: u32 = 0x7fff_ffff;

/// Which key an address was derived from: 8 hex digits of its hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Box<str>);

/// A public account key, for one coin on one network.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountKey {
    currency: Currency,
    network: Network,
    id: KeyId,
    external: XPub,
}

/// The text is not a public account key. No message repeats it: it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseKeyError {
    /// A private key: it must not be anywhere near this service.
    #[error(
        "a PRIVATE key. It can spend everything: move what it holds to a fresh wallet, and give \
         this service the account's PUBLIC key (xpub, zpub)"
    )]
    Private,
    /// Not an extended key.
    #[error("not an extended public key (xpub…, zpub…; 111 characters)")]
    Malformed,
    /// Of another place in the wallet than an account.
    #[error(
        "an extended public key of depth {0}; an account's has depth {ACCOUNT_DEPTH} (BTC \
         m/84'/0'/0', LTC m/84'/2'/0', EVM m/44'/60'/0')"
    )]
    NotAnAccount(u8),
}

impl KeyId {
    /// An id as it stands in events.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// 8 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AccountKey {
    /// Reads an extended public key, whatever its first letters: wallets disagree about them.
    pub fn parse(currency: Currency, network: Network, text: &str) -> Result<Self, ParseKeyError> {
        let key: ExtendedKey = text.trim().parse().map_err(|_| unreadable(text))?;
        // A private key has no parity in front.
        if key.key_bytes.first() == Some(&0) {
            return Err(ParseKeyError::Private);
        }
        let account = PublicKey::from_bytes(key.key_bytes).map_err(|_| ParseKeyError::Malformed)?;
        if key.attrs.depth != ACCOUNT_DEPTH {
            return Err(ParseKeyError::NotAnAccount(key.attrs.depth));
        }
        let digest =
            Sha256::digest([key.attrs.chain_code.as_slice(), key.key_bytes.as_slice()].concat());
        let id = KeyId(hex(&digest[..4]).into());
        let external = child(&XPub::new(account, key.attrs.clone()), EXTERNAL)
            .ok_or(ParseKeyError::Malformed)?;
        Ok(Self { currency, network, id, external })
    }

    /// Which key this is.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The coin.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The address at an index; `None` for the one in 2^127 that has none, and past [`MAX_INDEX`].
    pub fn address(&self, index: u32) -> Option<Address> {
        let key = child(&self.external, index)?;
        let uncompressed = key.public_key().to_sec1_point(false);
        Some(Address::of_key(self.currency, self.network, &key.to_bytes(), uncompressed.as_bytes()))
    }
}

/// The key's id says enough.
impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountKey({}, {})", self.currency, self.id.as_str())
    }
}

fn child(key: &XPub, index: u32) -> Option<XPub> {
    key.derive_child(ChildNumber::new(index, false).ok()?).ok()
}

/// Why a text was not read; one that looks like a private key or a wallet's words is called what it
/// is.
fn unreadable(text: &str) -> ParseKeyError {
    let text = text.trim();
    let extended = text.get(1..4).is_some_and(|letters| letters == "prv");
    let words = text.split_whitespace().count() >= 12;
    let raw = text.trim_start_matches("0x").len() == 64
        && text.trim_start_matches("0x").bytes().all(|byte| byte.is_ascii_hexdigit());
    if extended || words || raw { ParseKeyError::Private } else { ParseKeyError::Malformed }
}
