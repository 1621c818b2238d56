//! Keys of an account: their frozen shapes -> what they say.

use super::frozen::{AccountApiKeyAddedV1, AccountApiKeyRemovedV1, AccountApiKeysReplacedV1};
use super::lift::{Lift, at};
use crate::account;
use crate::event::Event;
use crate::id::ApiKeyId;

impl Lift for AccountApiKeyAddedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::ApiKeyAdded { id: ApiKeyId(self.key), name: self.name, hash: self.key_hash, at: at(self.at) }.into())
    }
}

impl Lift for AccountApiKeyRemovedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::ApiKeyRemoved { id: ApiKeyId(self.key), at: at(self.at) }.into())
    }
}

impl Lift for AccountApiKeysReplacedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::ApiKeysReplaced { id: ApiKeyId(self.key), hash: self.key_hash, reason: self.reason, at: at(self.at) }.into())
    }
}
