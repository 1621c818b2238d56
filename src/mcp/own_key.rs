//! The key of a process of tools: what it was given, what is kept on its data directory, or what it
//! has registered.

use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::http::ApiKey;
use suppliers::configuration::Secret;

/// Keeps the key beside the log of an embedded service, for its next start and for other hosts on
/// the directory.
const FILE: &str = "mcp.key";
const WHAT_TO_DO: &str =
    "put the right key there, or move the file away, and another account is opened";

/// The key, once there is one.
#[derive(Debug, Default)]
pub struct OwnKey {
    key: Mutex<Held>,
    file: Option<PathBuf>,
}

/// A key, and whether nobody asked for its account: one that is asked for takes its place.
#[derive(Debug, Default)]
struct Held {
    key: Option<Secret>,
    unasked: bool,
    /// Whether it was found on the directory.
    kept: bool,
}

impl OwnKey {
    /// The key that was given, if it can be one; a placeholder out of some documentation is as good
    /// as none.
    pub fn given(text: Option<&str>) -> Self {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        let key = text.filter(|text| ApiKey::parse(text).is_some());
        if text.is_some() && key.is_none() {
            // Before any log is started: standard error is what hosts show.
            eprintln!(
                "telenumerus: TELENUMERUS_API_KEY is no key of this service and is not used; \
                 sms_register makes one"
            );
        }
        Self {
            key: Mutex::new(Held {
                key: key.map(|key| Secret::new(key.to_owned())),
                unasked: false,
                kept: false,
            }),
            file: None,
        }
    }

    /// The same for a service on `directory`: what is registered is kept there.
    pub fn kept_in(self, directory: &Path) -> Self {
        Self { file: Some(directory.join(FILE)), ..self }
    }

    /// Takes the key that is kept on the directory, if none is held. What is there and is no key is
    /// for people to look at.
    pub fn load(&self) -> Result<(), String> {
        let mut held = self.key.lock();
        let (None, Some(file)) = (&held.key, &self.file) else { return Ok(()) };
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(format!("{} cannot be read: {error}", file.display())),
        };
        let text = std::str::from_utf8(&bytes)
            .ok()
            .map(str::trim)
            .filter(|text| ApiKey::parse(text).is_some());
        let text = text.ok_or_else(|| {
            format!("what {} holds is no key of this service; {WHAT_TO_DO}", file.display())
        })?;
        *held = Held { key: Some(Secret::new(text.to_owned())), unasked: false, kept: true };
        Ok(())
    }

    /// The key that was found on the directory, and what to say if it opens no account.
    pub fn found(&self) -> Option<(Secret, String)> {
        let held = self.key.lock();
        let key = held.key.clone().filter(|_| held.kept)?;
        let file = self.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        Some((
            key,
            format!(
                "the key in {file} opens no account of the service on this directory; {WHAT_TO_DO}"
            ),
        ))
    }

    /// The key now.
    pub fn get(&self) -> Option<Secret> {
        self.key.lock().key.clone()
    }

    /// The first account that a process without a key registers is the one it goes on with.
    pub fn adopt(&self, text: &str) {
        self.take(text, false);
    }

    /// An account that the process has opened unasked, until one is registered.
    pub fn open(&self, text: &str) {
        self.take(text, true);
    }

    fn take(&self, text: &str, unasked: bool) {
        let mut held = self.key.lock();
        if held.key.is_some() && !held.unasked {
            return;
        }
        *held = Held { key: Some(Secret::new(text.to_owned())), unasked, kept: false };
        if let Some(file) = &self.file
            && let Err(error) = keep(file, text)
        {
            tracing::warn!(
                path = %file.display(), %error,
                "the key could not be kept: the next start opens another account"
            );
        }
    }
}

/// Whole or not at all; a key that is there already may be an account's that holds money, and is
/// laid aside.
fn keep(file: &Path, text: &str) -> io::Result<()> {
    if file.try_exists()? {
        let aside = (1..=10_000u32)
            .map(|number| file.with_extension(format!("key.{number}")))
            .find(|aside| !aside.exists());
        let aside = aside.ok_or(io::ErrorKind::AlreadyExists)?;
        std::fs::hard_link(file, &aside)?;
        eprintln!("telenumerus: the key of the account before is in {}", aside.display());
    }
    let fresh = file.with_extension("key.new");
    let mut writing = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    writing.write_all(text.as_bytes())?;
    writing.sync_all()?;
    std::fs::rename(&fresh, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_no_key() {
        for text in [None, Some(""), Some("tn_…"), Some("your-key"), Some("tn_0000"), Some("<key>")]
        {
            assert!(OwnKey::given(text).get().is_none(), "{text:?}");
        }
    }
}
