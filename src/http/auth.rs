//! API keys: their form, who they are, and where they may stand in a request.

use std::sync::Arc;

use actors::account::{AccessError, Accounts, Published};
use actors::kernel::entropy::Entropy;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri};
use events::account::{Standing, StandingRefusal};
use events::id::{AccountId, ApiKeyId, WIDTH, from_base62, to_base62};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::{ApiError, ErrorCode};

const PREFIX: &str = "tn_";
/// How the documentation writes a key that is yet to come.
const PLACEHOLDERS: [&str; 4] = ["tn_…", "tn_...", "<key>", ""];
/// Two 128-bit numbers: 256 random bits.
const SECRET_WIDTH: usize = 2 * WIDTH;
/// Enough to tell a typing error from a wrong key without asking the store.
const CHECKSUM_WIDTH: usize = 6;
/// Parameters under which keys are sent in query strings elsewhere.
const QUERY_NAMES: &[&str] =
    &["api_key", "apikey", "api-key", "key", "token", "access_token", "x-api-key"];

/// `tn_`, the account's id, a secret and a checksum: the key names its account, so that no table is
/// needed to find it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    account: AccountId,
    secret: String,
}

impl ApiKey {
    /// A fresh key of `account`.
    pub fn fresh(account: AccountId, entropy: &Entropy) -> Self {
        let half = || to_base62(u128::from_be_bytes(entropy.bytes()));
        Self { account, secret: half() + &half() }
    }

    /// Whose it says it is.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// SHA-256 of the secret: all that is stored. The secret is 256 random bits, so no slow hash is
    /// needed.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret.as_bytes()).into()
    }

    /// The key as its owner keeps it.
    pub fn expose(&self) -> String {
        let body = self.account.digits() + &self.secret;
        let checksum = checksum(&body);
        format!("{PREFIX}{body}{checksum}")
    }

    /// Reads a key; `None` for what cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        if rest.len() != WIDTH + SECRET_WIDTH + CHECKSUM_WIDTH || !rest.is_ascii() {
            return None;
        }
        let (body, given) = rest.split_at(WIDTH + SECRET_WIDTH);
        let (account, secret) = body.split_at(WIDTH);
        let account = AccountId(from_base62(account).ok()?);
        (checksum(body) == given).then(|| Self { account, secret: secret.to_owned() })
    }
}

fn checksum(body: &str) -> String {
    let digest = Sha256::digest(body.as_bytes());
    let (head, _) = digest.split_at(4);
    let number = u32::from_be_bytes(head.try_into().expect("a split at 4 leaves 4 bytes"));
    to_base62(number.into()).split_off(WIDTH - CHECKSUM_WIDTH)
}

/// Who is calling.
#[derive(Clone)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The key it calls with.
    pub key: ApiKeyId,
    /// Its state when the call arrived, for the check of its standing alone: by the time a route
    /// answers it may be old, so no route can read it.
    published: Arc<Published>,
    /// Of a test account's caller, the live account that it belongs to, if to one.
    live: Option<Arc<Published>>,
}

impl Caller {
    /// The owner of an account by a key that is still its: somebody who has logged in with it.
    pub async fn of_session(
        accounts: &Accounts,
        account: AccountId,
        key: ApiKeyId,
    ) -> Result<Self, AccessError> {
        let published = accounts.read(account).await?;
        if published.state.api_keys.get(key).is_none() {
            return Err(AccessError::NotFound);
        }
        let caller = Self::of_key(accounts, account, key, published).await?;
        if caller.is_removed() { Err(AccessError::NotFound) } else { Ok(caller) }
    }

    async fn of_key(
        accounts: &Accounts,
        account: AccountId,
        key: ApiKeyId,
        published: Arc<Published>,
    ) -> Result<Self, AccessError> {
        let live = match published.state.live_account() {
            Some(live) => Some(accounts.read(live).await?),
            None => None,
        };
        Ok(Self { account, key, published, live })
    }

    /// Whether the account was suspended when the call arrived.
    pub fn is_suspended(&self) -> bool {
        self.accounts().any(|published| matches!(published.state.standing, Standing::Suspended(_)))
    }

    /// Whether the account, or the live one behind it, was removed when the call arrived.
    pub fn is_removed(&self) -> bool {
        self.accounts().any(|published| published.state.standing == Standing::Removed)
    }

    /// Whether the account had ever had money when the call arrived.
    pub fn was_ever_funded(&self) -> bool {
        self.accounts().any(|published| published.state.was_ever_funded())
    }

    /// Whether it may order and be paid into, as things were when the call arrived.
    pub fn is_admitted(&self) -> Result<(), StandingRefusal> {
        self.published.state.is_admitted()
    }

    /// Whether the account is for tests, which it is for ever.
    pub fn is_test(&self) -> bool {
        self.published.state.is_test()
    }

    /// Of a test account's caller, the live account that it belongs to, if to one.
    pub fn live_account(&self) -> Option<AccountId> {
        self.published.state.live_account()
    }

    /// The account, and the live one that stands behind it.
    fn accounts(&self) -> impl Iterator<Item = &Published> {
        [Some(&self.published), self.live.as_ref()].into_iter().flatten().map(AsRef::as_ref)
    }
}

/// The key in the headers, if there is one; `Err` where it stands where no key may stand, or two
/// differ.
pub fn key_of(headers: &HeaderMap, uri: &Uri) -> Result<Option<String>, ApiError> {
    if uri.query().is_some_and(has_key) {
        let text = "API keys are not accepted in query strings, which end up in logs; send \
            Authorization: Bearer <key> or X-API-Key.";
        return Err(ApiError::new(ErrorCode::InvalidApiKey, text));
    }
    let invalid = || ApiError::new(ErrorCode::InvalidApiKey, "The API key is not valid.");
    let bearer = headers.get_all(AUTHORIZATION).iter().map(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
    });
    let header = headers
        .get_all("x-api-key")
        .iter()
        .map(|value| Some(value.to_str().ok()?.trim().to_owned()));
    let given: Vec<String> = bearer.chain(header).collect::<Option<_>>().ok_or_else(invalid)?;
    // What proxies and clients in between take for the key depends on which they look at: there is
    // one, however often it is said.
    if given.iter().any(|key| Some(key) != given.first()) {
        return Err(ApiError::new(
            ErrorCode::InvalidApiKey,
            "Authorization and X-API-Key hold different keys; send one.",
        ));
    }
    Ok(given.into_iter().next())
}

fn has_key(query: &str) -> bool {
    query.split('&').any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        QUERY_NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
            || ApiKey::parse(value).is_some()
    })
}

/// Whether what stands where a key would is the documentation's own placeholder, pasted as it is.
pub fn is_placeholder(headers: &HeaderMap) -> bool {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().split_at_checked(7));
    let bearer =
        bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer ")).map(|(_, key)| key);
    let header = headers.get("x-api-key").map(HeaderValue::as_bytes);
    let mut given = [bearer, header].into_iter().flatten().peekable();
    given.peek().is_some()
        && given.all(|key| {
            PLACEHOLDERS.iter().any(|placeholder| placeholder.as_bytes() == key.trim_ascii())
        })
}

/// The account of a key, if the key is its.
pub async fn verify(accounts: &Accounts, key: &ApiKey) -> Result<Caller, AccessError> {
    let published = accounts.read(key.account).await?;
    let hash = key.hash();
    let held = published
        .state
        .api_keys
        .iter()
        .find(|held| held.hash.ct_eq(&hash).into())
        .map(|held| held.id);
    let id = held.ok_or(AccessError::NotFound)?;
    Caller::of_key(accounts, key.account, id, published).await
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    /// The middleware has verified the key; here it only has to be there, and its account in good
    /// standing.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Self>().cloned();
        let caller = caller.ok_or_else(|| {
            ApiError::new(
                ErrorCode::InvalidApiKey,
                "An API key is needed: send Authorization: Bearer <key> or X-API-Key.",
            )
        })?;
        match caller.published.state.standing {
            _ if caller.is_suspended() => Err(ApiError::suspended()),
            _ if caller.is_removed() => Err(ApiError::removed()),
            Standing::Good | Standing::Suspended(_) | Standing::Removed => Ok(caller),
            Standing::Unregistered => Err(AccessError::NotFound.into()),
        }
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, ApiError> {
        if parts.extensions.get::<Self>().is_none() {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_names_its_account() {
        let key = ApiKey::fresh(AccountId(7), &Entropy::seeded(1));
        let text = key.expose();
        assert_eq!(text.len(), 75);
        let read = ApiKey::parse(&text).unwrap();
        assert_eq!(read.account, AccountId(7));
        assert_eq!(read.hash(), key.hash());
    }

    #[test]
    fn a_typing_error_is_no_key() {
        let text = ApiKey::fresh(AccountId(7), &Entropy::seeded(1)).expose();
        for place in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[place] = if wrong[place] == b'A' { b'B' } else { b'A' };
            assert!(ApiKey::parse(&String::from_utf8(wrong).unwrap()).is_none(), "place {place}");
        }
        for text in ["", "tn_", "tn_é", &"tn_".repeat(25), &format!("{text}0")] {
            assert!(ApiKey::parse(text).is_none());
        }
    }

    #[test]
    fn keys_in_query_strings_are_seen_under_any_name() {
        let key = ApiKey::fresh(AccountId(7), &Entropy::seeded(1)).expose();
        for query in ["api_key=x", "a=1&TOKEN=x", "key", &format!("whatever={key}")] {
            assert!(has_key(query), "{query}");
        }
        for query in ["country=US", "wait=5", "keyboard=1"] {
            assert!(!has_key(query), "{query}");
        }
    }
}
