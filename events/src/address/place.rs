//! Addresses as wallets read them, and what outputs that pay them hold.

use std::fmt;

use bech32::{Fe32, Hrp, segwit};
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};
use sha3::Keccak256;
use thiserror::Error;

use crate::deposit::Currency;

/// Which of a coin's networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// Where coins are worth something.
    #[default]
    Mainnet,
    /// The public one for trying out.
    Testnet,
    /// One's own, for tests.
    Regtest,
}

/// What an output pays to, as the chain writes it: the script of BTC and LTC, the 20 bytes of an
/// EVM address; in lower-case hex.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination(Box<str>);

/// An address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As wallets read it.
    pub text: String,
    /// As the chain writes it.
    pub destination: Destination,
}

/// The text is not an address that can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseAddressError {
    /// Not an address of this coin at all.
    #[error(
        "not an address of this coin (BTC and LTC: bech32, such as bc1q…; USDT: 0x and 40 hex \
         digits)"
    )]
    Malformed,
    /// The checksum says that a letter is wrong.
    #[error("not an address: its checksum is wrong")]
    Checksum,
    /// An address of another coin or network: money sent there would be lost.
    #[error("an address of another coin or network")]
    OtherNetwork,
}

impl Destination {
    /// From the chain's hex, in any case, with or without `0x`.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digits = hex.strip_prefix("0x").unwrap_or(hex);
        let fits = !digits.is_empty()
            && digits.len().is_multiple_of(2)
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(digits.to_ascii_lowercase().into()))
    }

    /// Lower-case hex, without `0x`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(bytes: &[u8]) -> Self {
        Self(hex(bytes).into())
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Address {
    /// The address of a public key: P2WPKH for BTC and LTC, the account of an EVM.
    pub fn of_key(
        currency: Currency,
        network: Network,
        compressed: &[u8],
        uncompressed: &[u8],
    ) -> Self {
        match currency {
            Currency::Btc | Currency::Ltc => {
                let program = Ripemd160::digest(Sha256::digest(compressed));
                let text = segwit::encode_v0(hrp(currency, network), &program)
                    .expect("20 bytes are a witness program of version 0");
                Self { text, destination: witness_script(Fe32::Q, &program) }
            }
            Currency::UsdtErc20 => {
                // Without the byte that says "uncompressed".
                let hash = Keccak256::digest(uncompressed.get(1..).unwrap_or_default());
                let account = &hash[12..];
                Self { text: checksummed(&hex(account)), destination: Destination::of(account) }
            }
        }
    }

    /// Reads an address, as an operator writes a shared one.
    pub fn parse(
        currency: Currency,
        network: Network,
        text: &str,
    ) -> Result<Self, ParseAddressError> {
        match currency {
            Currency::Btc | Currency::Ltc => {
                let (found, version, program) =
                    segwit::decode(text).map_err(|_| unreadable(currency, text))?;
                if found != hrp(currency, network) {
                    return Err(ParseAddressError::OtherNetwork);
                }
                Ok(Self {
                    text: text.to_ascii_lowercase(),
                    destination: witness_script(version, &program),
                })
            }
            Currency::UsdtErc20 => {
                let digits = text
                    .strip_prefix("0x")
                    .filter(|digits| digits.len() == 40)
                    .ok_or(ParseAddressError::Malformed)?;
                let destination =
                    Destination::from_hex(digits).ok_or(ParseAddressError::Malformed)?;
                let written = checksummed(destination.as_str());
                let has_checksum = digits.bytes().any(|byte| byte.is_ascii_uppercase());
                if has_checksum && written != text {
                    return Err(ParseAddressError::Checksum);
                }
                Ok(Self { text: written, destination })
            }
        }
    }
}

/// Why bech32 was not read: a coin's own prefix with a wrong letter behind it is the usual case.
fn unreadable(currency: Currency, text: &str) -> ParseAddressError {
    let ours = [Network::Mainnet, Network::Testnet, Network::Regtest].into_iter().any(|network| {
        text.to_ascii_lowercase().starts_with(&format!("{}1", hrp(currency, network)))
    });
    if ours { ParseAddressError::Checksum } else { ParseAddressError::Malformed }
}

fn hrp(currency: Currency, network: Network) -> Hrp {
    let text = match (currency, network) {
        (Currency::Ltc, Network::Mainnet) => "ltc",
        (Currency::Ltc, Network::Testnet) => "tltc",
        (Currency::Ltc, Network::Regtest) => "rltc",
        (Currency::Btc | Currency::UsdtErc20, Network::Mainnet) => "bc",
        (Currency::Btc | Currency::UsdtErc20, Network::Testnet) => "tb",
        (Currency::Btc | Currency::UsdtErc20, Network::Regtest) => "bcrt",
    };
    Hrp::parse(text).expect("short lower-case words are prefixes")
}

/// The script of a witness program: its version, its length, itself.
fn witness_script(version: Fe32, program: &[u8]) -> Destination {
    // OP_0 is 0x00, OP_1 to OP_16 are 0x51 to 0x60.
    let opcode = if version == Fe32::Q { 0 } else { 0x50 + version.to_u8() };
    let length = u8::try_from(program.len()).expect("a witness program has at most 40 bytes");
    Destination::of(&[&[opcode, length], program].concat())
}

/// EIP-55: a letter is upper-case where the hash of the lower-case address has a digit of 8 or
/// more.
fn checksummed(digits: &str) -> String {
    let hash = hex(&Keccak256::digest(digits.as_bytes()));
    let cased = digits
        .chars()
        .zip(hash.chars())
        .map(|(digit, nibble)| if nibble >= '8' { digit.to_ascii_uppercase() } else { digit });
    std::iter::once('0').chain(std::iter::once('x')).chain(cased).collect()
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
