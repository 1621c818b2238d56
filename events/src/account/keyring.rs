//! The keys of an account: each opens it alone and has a name; one can be taken away without
//! touching the others, but never the last.

use std::fmt;
use std::sync::Arc;

use super::event::Event;
use super::refusal::ApiKeyRefusal;
use crate::id::{AccountId, ApiKeyId};
use crate::time::Timestamp;

/// Keys an account may have at a time: a few for each of its programs and people.
pub const MAX_API_KEYS: usize = 20;

/// A key, without its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct HeldKey {
    /// Which key.
    pub id: ApiKeyId,
    /// What its owner calls it.
    pub name: Arc<str>,
    /// SHA-256 of its secret part.
    pub hash: [u8; 32],
    /// Since when it opens the account.
    pub since: Timestamp,
}

impl fmt::Debug for HeldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldKey {{ id: {}, name: {:?}, since: {} }}", self.id, self.name, self.since)
    }
}

/// The keys, oldest first. Shared, for a state is cloned at every publication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keyring(Arc<[HeldKey]>);

impl Keyring {
    /// The key that registration gave: it has the account's own id, for its event has none of its
    /// own.
    pub(super) fn registered(account: AccountId, hash: [u8; 32], since: Timestamp) -> Self {
        Self(Arc::new([HeldKey { id: ApiKeyId(account.0), name: "first".into(), hash, since }]))
    }

    /// The keys of a snapshot.
    pub(super) fn from_keys(keys: Vec<HeldKey>) -> Self {
        Self(keys.into())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &HeldKey> {
        self.0.iter()
    }

    /// The key with this id.
    pub fn get(&self, id: ApiKeyId) -> Option<&HeldKey> {
        self.0.iter().find(|key| key.id == id)
    }

    pub(super) fn add(
        &self,
        id: ApiKeyId,
        name: &str,
        hash: [u8; 32],
        at: Timestamp,
    ) -> Result<Vec<Event>, ApiKeyRefusal> {
        if self.get(id).is_some() {
            return Ok(Vec::new());
        }
        if self.0.len() >= MAX_API_KEYS {
            return Err(ApiKeyRefusal::TooManyApiKeys);
        }
        Ok(vec![Event::ApiKeyAdded { id, name: name.to_owned(), hash, at }])
    }

    /// `may_be_last` for an account whose owner can give it another one.
    pub(super) fn remove(
        &self,
        id: ApiKeyId,
        at: Timestamp,
        may_be_last: bool,
    ) -> Result<Vec<Event>, ApiKeyRefusal> {
        self.get(id).ok_or(ApiKeyRefusal::ApiKeyNotFound)?;
        if self.0.len() == 1 && !may_be_last {
            Err(ApiKeyRefusal::LastApiKey)
        } else {
            Ok(vec![Event::ApiKeyRemoved { id, at }])
        }
    }

    pub(super) fn replace(id: ApiKeyId, hash: [u8; 32], reason: &str, at: Timestamp) -> Vec<Event> {
        vec![Event::ApiKeysReplaced { id, hash, reason: reason.to_owned(), at }]
    }

    /// The keys after a fact; as they are after one that concerns none.
    pub(super) fn after(&self, event: &Event) -> Self {
        let held = |id: ApiKeyId, name: &str, hash: [u8; 32], since: Timestamp| HeldKey {
            id,
            name: name.into(),
            hash,
            since,
        };
        if let Event::ApiKeyAdded { id, name, hash, at } = event {
            return Self(self.0.iter().cloned().chain([held(*id, name, *hash, *at)]).collect());
        }
        if let Event::ApiKeyRemoved { id, .. } = event {
            return Self(self.0.iter().filter(|key| key.id != *id).cloned().collect());
        }
        if let Event::ApiKeysReplaced { id, hash, at, .. } = event {
            return Self(Arc::new([held(*id, "replaced", *hash, *at)]));
        }
        self.clone()
    }
}
