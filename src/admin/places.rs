//! Places in a list whose entries are secret: what a page says of where the next one begins can be
//! given back, and not read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// Seals places, and opens those of this run of the service.
pub struct Places(LessSafeKey);

impl Places {
    /// With a fresh key: places of an earlier run are none.
    pub fn new(key: [u8; 16]) -> Option<Self> {
        Some(Self(LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?)))
    }

    /// The entry as a place; `random` is another one each time.
    pub fn seal(&self, entry: &str, random: [u8; 16]) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&random[..NONCE_LEN]);
        let mut sealed = entry.as_bytes().to_vec();
        let nonce_said = nonce;
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce_said.as_slice(), &sealed].concat()))
    }

    /// The entry of a place; `None` for what is none of this run.
    pub fn open(&self, place: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(place).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let entry = self.0.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
        String::from_utf8(entry.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back_and_says_nothing() {
        let places = Places::new([7; 16]).unwrap();
        let (one, other) = (
            places.seal("+12025550101", [1; 16]).unwrap(),
            places.seal("+12025550101", [2; 16]).unwrap(),
        );
        assert_eq!(places.open(&one).as_deref(), Some("+12025550101"));
        assert_ne!(one, other);
        for wrong in ["", "+12025550101", &one[1..], &one[..20]] {
            assert_eq!(places.open(wrong), None, "{wrong}");
        }
        assert_eq!(Places::new([8; 16]).unwrap().open(&one), None, "of another run");
    }
}
