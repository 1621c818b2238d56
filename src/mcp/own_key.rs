//! The key of a process of tools: what it was given, what is kept on its data directory, or what it has registered.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use crate::http::ApiKey;
use crate::secret::Secret;

/// Keeps the key beside the log of an embedded service, for its next start and for other hosts on the directory.
const FILE: &str = "mcp.key";

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
}

impl OwnKey {
    /// The key that was given, if it can be one; a placeholder out of some documentation is as good as none.
    pub fn given(text: Option<&str>) -> Self {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        let key = text.filter(|text| ApiKey::parse(text).is_some());
        if text.is_some() && key.is_none() {
            // Before any log is started: standard error is what hosts show.
            eprintln!("telenumerus: TELENUMERUS_API_KEY is no key of this service and is not used; sms_register makes one");
        }
        Self { key: Mutex::new(Held { key: key.map(|key| Secret::new(key.to_owned())), unasked: false }), file: None }
    }

    /// The same for a service on `directory`: without a key that was given, the one that is kept there.
    pub fn kept_in(self, directory: &Path) -> Self {
        let file = directory.join(FILE);
        let key = self.key.into_inner().key.or_else(|| {
            let text = std::fs::read_to_string(&file).ok()?;
            ApiKey::parse(text.trim()).map(|_| Secret::new(text.trim().to_owned()))
        });
        Self { key: Mutex::new(Held { key, unasked: false }), file: Some(file) }
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
        *held = Held { key: Some(Secret::new(text.to_owned())), unasked };
        if let Some(file) = &self.file
            && let Err(error) = keep(file, text)
        {
            tracing::warn!(path = %file.display(), %error, "the key could not be kept: the next start opens another account");
        }
    }
}

fn keep(file: &Path, text: &str) -> std::io::Result<()> {
    std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(file)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_no_key() {
        for text in [None, Some(""), Some("tn_…"), Some("your-key"), Some("tn_0000"), Some("<key>")] {
            assert!(OwnKey::given(text).get().is_none(), "{text:?}");
        }
    }
}
