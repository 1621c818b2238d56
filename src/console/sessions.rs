//! Who is logged in: a random cookie in the browser, its hash in memory and in a file of the data
//! directory, so that a restart logs nobody out.

use std::collections::HashMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actors::kernel::entropy::Entropy;
use events::id::to_base62;
use events::time::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::description::hex;

/// How long a session lasts, used or not.
const LIFE: Duration = Duration::from_hours(12);
/// How long something stays revealed to the session that gave a reason for it.
const REVEALED: Duration = Duration::from_mins(15);
/// Sessions kept; the oldest leaves for a new one.
const KEPT: usize = 10_000;
/// Sessions of one holder.
const KEPT_OF_ONE: usize = 20;

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of")]
pub enum Holder {
    /// Somebody with a token of operators, by the token's fingerprint: another token in the
    /// configuration ends it.
    Operator { name: String, token: String },
    /// An account's owner, by the key: taken away, it ends it.
    Owner { account: String, key: String },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    holder: Holder,
    until_millis: i64,
}

/// A session as a request shows it.
#[derive(Debug, Clone)]
pub struct Session {
    /// The hash of its cookie.
    pub hash: String,
    /// Whose.
    pub holder: Holder,
}

/// The sessions of one listener.
pub struct Sessions {
    path: PathBuf,
    kept: Mutex<HashMap<String, Kept>>,
    /// What was revealed to which session, and until when: in memory alone.
    revealed: Mutex<HashMap<(String, String), Timestamp>>,
}

impl Sessions {
    /// Those that are kept in the file, as far as it can be read.
    pub fn open(path: PathBuf) -> Arc<Self> {
        let kept = std::fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Arc::new(Self { path, kept: Mutex::new(kept), revealed: Mutex::default() })
    }

    /// Starts one; the cookie's value, which is nowhere else.
    pub fn start(
        &self,
        holder: Holder,
        entropy: &Entropy,
        now: Timestamp,
    ) -> std::io::Result<String> {
        let half = || to_base62(u128::from_be_bytes(entropy.bytes()));
        let cookie = half() + &half();
        let mut kept = self.kept.lock();
        kept.retain(|_, session| session.until_millis > now.millis());
        let of_one = kept.values().filter(|session| session.holder == holder).count();
        let oldest = |kept: &HashMap<String, Kept>, is_meant: &dyn Fn(&Kept) -> bool| {
            kept.iter()
                .filter(|(_, session)| is_meant(session))
                .min_by_key(|(_, session)| session.until_millis)
                .map(|(hash, _)| hash.clone())
        };
        let leaves = if of_one >= KEPT_OF_ONE {
            oldest(&kept, &|session| session.holder == holder)
        } else if kept.len() >= KEPT {
            oldest(&kept, &|_| true)
        } else {
            None
        };
        if let Some(hash) = leaves {
            kept.remove(&hash);
        }
        kept.insert(hash_of(&cookie), Kept { holder, until_millis: now.plus(LIFE).millis() });
        write(&self.path, &kept)?;
        Ok(cookie)
    }

    /// The session of a cookie.
    pub fn find(&self, cookie: &str, now: Timestamp) -> Option<Session> {
        let hash = hash_of(cookie);
        let kept = self.kept.lock();
        let session = kept.get(&hash).filter(|session| session.until_millis > now.millis())?;
        Some(Session { holder: session.holder.clone(), hash })
    }

    /// Ends one.
    pub fn end(&self, session: &Session) {
        let mut kept = self.kept.lock();
        kept.remove(&session.hash);
        self.revealed.lock().retain(|(hash, _), _| *hash != session.hash);
        if let Err(error) = write(&self.path, &kept) {
            tracing::warn!(%error, "a session has ended, and the file of sessions could not be \
                written: after a restart it may be there again");
        }
    }

    /// The session has given a reason to see something.
    pub fn reveal(&self, session: &Session, subject: &str, now: Timestamp) {
        let mut revealed = self.revealed.lock();
        revealed.retain(|_, until| *until > now);
        revealed.insert((session.hash.clone(), subject.to_owned()), now.plus(REVEALED));
    }

    /// Whether anything is revealed to the session: its pages are then its own.
    pub fn has_reveals(&self, session: &Session, now: Timestamp) -> bool {
        self.revealed.lock().iter().any(|((hash, _), until)| *hash == session.hash && *until > now)
    }

    /// Whether it has, not long ago.
    pub fn is_revealed(&self, session: &Session, subject: &str, now: Timestamp) -> bool {
        self.revealed
            .lock()
            .get(&(session.hash.clone(), subject.to_owned()))
            .is_some_and(|until| *until > now)
    }
}

/// The hash under which a secret is kept.
pub fn hash_of(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Beside the file first, then in its place: it is the old one or the new one, whole.
fn write(path: &Path, kept: &HashMap<String, Kept>) -> std::io::Result<()> {
    let beside = path.with_extension("sessions-new");
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(&serde_json::to_vec(kept)?)?;
    file.sync_data()?;
    std::fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_512_345_678);

    fn ada() -> Holder {
        Holder::Operator { name: "ada".to_owned(), token: hash_of("token") }
    }

    #[test]
    fn a_session_outlives_a_restart_and_its_cookie_is_nowhere() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sessions");
        let cookie = Sessions::open(path.clone()).start(ada(), &Entropy::seeded(1), NOW).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains(&cookie));
        let sessions = Sessions::open(path);
        let session = sessions.find(&cookie, NOW).unwrap();
        assert_eq!(session.holder, ada());
        assert!(
            sessions.find(&cookie, NOW.plus(LIFE)).is_none() && sessions.find("", NOW).is_none()
        );
        sessions.end(&session);
        assert!(sessions.find(&cookie, NOW).is_none());
    }

    #[test]
    fn one_holder_has_few_sessions_and_the_oldest_leaves() {
        let directory = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(directory.path().join("admin.sessions"));
        let entropy = Entropy::seeded(1);
        let at = |second: u64| NOW.plus(Duration::from_secs(second));
        let cookies: Vec<String> =
            (0..=20).map(|second| sessions.start(ada(), &entropy, at(second)).unwrap()).collect();
        assert!(
            sessions.find(&cookies[0], NOW).is_none() && sessions.find(&cookies[1], NOW).is_some()
        );
    }

    #[test]
    fn what_was_revealed_is_so_to_its_session_and_for_a_while() {
        let directory = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(directory.path().join("admin.sessions"));
        let entropy = Entropy::seeded(1);
        let [one, other] = [0, 1]
            .map(|_| sessions.find(&sessions.start(ada(), &entropy, NOW).unwrap(), NOW).unwrap());
        sessions.reveal(&one, "ord_1", NOW);
        assert!(
            sessions.is_revealed(&one, "ord_1", NOW) && !sessions.is_revealed(&other, "ord_1", NOW)
        );
        assert!(
            !sessions.is_revealed(&one, "ord_2", NOW)
                && !sessions.is_revealed(&one, "ord_1", NOW.plus(REVEALED))
        );
    }
}
