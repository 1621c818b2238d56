//! Signed places of the log, and the key that signs them and what is exported of it.

use std::fmt;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use actors::kernel::entropy::Entropy;
use actors::store::chain::Hash;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use events::envelope::Position;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::description::hex;

/// The key's file, beside the log where no other is named.
pub const KEY_FILE: &str = "anchor.key";
/// What is signed begins with this: no signature of another kind can stand for one of an anchor.
const SIGNED: &str = "telenumerus anchor 1";

/// A place of the log, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The place.
    pub position: u64,
    /// The hash chain after the record at the position, in hex.
    chain: String,
    /// When it was signed.
    pub at: String,
    /// The public key, in base64.
    pub key: String,
    signature: String,
}

impl Anchor {
    /// Signs where the log stands.
    pub fn sign(position: Position, chain: &Hash, at: String, pair: &Ed25519KeyPair) -> Self {
        let (chain, key) = (hex(chain), STANDARD.encode(pair.public_key()));
        let unsigned = Self { position: position.0, chain, at, key, signature: String::new() };
        let signature = STANDARD.encode(pair.sign(unsigned.signed().as_bytes()));
        Self { signature, ..unsigned }
    }

    /// The bytes that are signed.
    fn signed(&self) -> String {
        format!("{SIGNED}\n{}\n{}\n{}\n", self.position, self.chain, self.at)
    }

    /// The last anchor of a file, if it is signed with its key, and with `key` where one is named.
    pub fn read(path: &Path, key: Option<&str>) -> Result<Self, String> {
        let wrong = |what: &str| format!("{}: {what}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
        let line = text
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .ok_or_else(|| wrong("there is no anchor in it"))?;
        let anchor: Self = serde_json::from_str(line)
            .map_err(|error| wrong(&format!("its last line is no anchor: {error}")))?;
        if key.is_some_and(|key| key.trim() != anchor.key) {
            return Err(wrong(&format!("its anchor is signed with another key: {}", anchor.key)));
        }
        let [public, signature] =
            [&anchor.key, &anchor.signature].map(|text| STANDARD.decode(text).unwrap_or_default());
        let is_signed = UnparsedPublicKey::new(&ED25519, &public)
            .verify(anchor.signed().as_bytes(), &signature)
            .is_ok();
        if is_signed {
            Ok(anchor)
        } else {
            Err(wrong("its anchor was changed: the signature does not fit"))
        }
    }

    /// The place, for the chain to be walked from.
    pub fn mark(&self) -> Result<(Position, Hash), String> {
        let chain = crate::description::unhex(&self.chain)
            .ok_or_else(|| "the anchor's chain is no hash".to_owned())?;
        Ok((Position(self.position), chain))
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// The key, made where there is none yet.
pub fn pair(path: &Path) -> Result<Ed25519KeyPair, String> {
    let wrong = |what: &dyn fmt::Display| format!("{}: {what}", path.display());
    let seed = match std::fs::read_to_string(path) {
        Ok(text) => STANDARD.decode(text.trim()).map_err(|error| wrong(&error))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let seed = Entropy::System.bytes::<32>();
            let made =
                std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
            made.and_then(|mut file| {
                writeln!(file, "{}", STANDARD.encode(seed)).and_then(|()| file.sync_all())
            })
            .map_err(|error| wrong(&error))?;
            seed.to_vec()
        }
        Err(error) => return Err(wrong(&error)),
    };
    Ed25519KeyPair::from_seed_unchecked(&seed)
        .map_err(|_| wrong(&"it is no key of 32 bytes in base64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_that_was_changed_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let pair = pair(&directory.path().join("key")).unwrap();
        let anchor =
            Anchor::sign(Position(7), &[9; 32], "2026-11-27T00:00:00.000Z".to_owned(), &pair);
        let path = directory.path().join("anchors");
        let read = |anchor: &Anchor, key: Option<&str>| {
            std::fs::write(&path, format!("{anchor}\n")).unwrap();
            Anchor::read(&path, key)
        };
        assert_eq!(read(&anchor, None).as_ref(), Ok(&anchor));
        assert_eq!(read(&anchor, Some(&anchor.key)).unwrap().mark(), Ok((Position(7), [9; 32])));
        assert!(read(&anchor, Some("another")).unwrap_err().contains("another key"));
        for changed in [
            Anchor { position: 8, ..anchor.clone() },
            Anchor { chain: hex(&[8; 32]), ..anchor.clone() },
            Anchor { at: "2026-11-28T00:00:00.000Z".to_owned(), ..anchor.clone() },
            Anchor { signature: STANDARD.encode([0; 64]), ..anchor.clone() },
            Anchor { key: STANDARD.encode([0; 32]), ..anchor },
        ] {
            assert!(read(&changed, None).unwrap_err().contains("was changed"));
        }
    }
}
