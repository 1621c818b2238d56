//! XChaCha20-Poly1305 under keys of 32 bytes, and the master key as operators write it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

use crate::kernel::entropy::Entropy;

/// A key of the vault; `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hidden")
    }
}

impl Key {
    /// A key of these bytes.
    pub fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh one.
    pub fn fresh() -> Self {
        Self(Entropy::System.bytes())
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bytes encrypted and bound to `bound`, with the nonce they need to be read. A nonce of 24
    /// random bytes is not drawn twice.
    pub fn encrypt(&self, bytes: &[u8], bound: &[u8]) -> ([u8; 24], Vec<u8>) {
        let nonce: [u8; 24] = Entropy::System.bytes();
        let ciphertext = XChaCha20Poly1305::new(&self.0.into())
            .encrypt(&XNonce::from(nonce), Payload { msg: bytes, aad: bound })
            .expect("nothing that is encrypted here is longer than 256 GB");
        (nonce, ciphertext)
    }

    /// What was encrypted; `None` if it was not by this key, or not bound to `bound`, or is not as
    /// it was written.
    pub fn decrypt(&self, nonce: &[u8; 24], ciphertext: &[u8], bound: &[u8]) -> Option<Vec<u8>> {
        XChaCha20Poly1305::new(&self.0.into())
            .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: bound })
            .ok()
    }
}

/// The operator's key, which wraps all others and is not in the data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterKey(Key);

impl MasterKey {
    /// The key of a text: 32 bytes as 64 hexadecimal digits or in Base64. `None` if it is not.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = if text.len() == 64 {
            let digit = |digit: &u8| char::from(*digit).to_digit(16);
            let byte = |pair: &[u8; 2]| u8::try_from(digit(&pair[0])? << 4 | digit(&pair[1])?).ok();
            text.as_bytes().as_chunks().0.iter().map(byte).collect::<Option<Vec<u8>>>()?
        } else {
            STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()?
        };
        Some(Self(Key::of(bytes.try_into().ok()?)))
    }

    /// A data key as it is kept: only its own name opens it.
    pub fn wrap(&self, name: &[u8], key: &Key) -> Vec<u8> {
        let (nonce, ciphertext) = self.0.encrypt(key.bytes(), name);
        [nonce.as_slice(), &ciphertext].concat()
    }

    /// The data key; `None` if it was wrapped by another one.
    pub fn unwrap(&self, name: &[u8], wrapped: &[u8]) -> Option<Key> {
        let (nonce, ciphertext) = wrapped.split_first_chunk()?;
        let bytes = self.0.decrypt(nonce, ciphertext, name)?;
        Some(Key::of(bytes.try_into().ok()?))
    }
}
