//! The key that the log's secrets are under.

use std::path::{Path, PathBuf};

use actors::vault::{MasterKey, Vault};
use schemars::JsonSchema;
use serde::Deserialize;
use suppliers::configuration::Secret;

/// Of a file's mode: everybody may read it.
const WORLD_READABLE: u32 = 0o004;
/// Where systemd puts the credentials of a service.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Encryption of what messages say, of codes, numbers of orders and webhooks in the log: off unless
/// one of these names a key of 32 bytes, written as 64 hexadecimal digits or in Base64.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VaultSettings {
    /// A file with the key, outside the data directory.
    pub key_file: Option<PathBuf>,
    /// The name of a credential with the key, as systemd's `LoadCredential=` gives it.
    pub credential: Option<String>,
    /// The key itself; for the environment.
    pub key: Option<Secret>,
}

impl VaultSettings {
    /// The key; `None` where none is named, an error that says what to do where it cannot be had.
    pub fn master(&self) -> Result<Option<MasterKey>, String> {
        let (what, text) = if let Some(key) = &self.key {
            ("vault.key", key.expose().to_owned())
        } else if let Some(path) = &self.key_file {
            ("vault.key_file", read("vault.key_file", path)?)
        } else if let Some(name) = &self.credential {
            let directory = std::env::var_os(CREDENTIALS).ok_or_else(|| {
                format!("vault.credential: {CREDENTIALS} is not set: systemd sets it for services")
            })?;
            ("vault.credential", read("vault.credential", &Path::new(&directory).join(name))?)
        } else {
            return Ok(None);
        };
        let key = MasterKey::parse(&text).ok_or_else(|| {
            format!("{what} is no key: 64 hexadecimal digits, such as `openssl rand -hex 32` gives")
        })?;
        Ok(Some(key))
    }

    /// The vault in a data directory, for commands that read its log; `None` if there is none.
    pub fn open(&self, data_dir: &Path) -> Result<Option<Vault>, String> {
        match self.master()? {
            Some(master) if Vault::is_in(data_dir) => {
                Vault::open_to_read(data_dir, &master).map(Some).map_err(|error| error.to_string())
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Who else can have the key, if its file says so.
    pub fn exposures(&self, data_dir: &Path) -> Vec<String> {
        use std::os::unix::fs::PermissionsExt;
        let Some(path) = &self.key_file else { return Vec::new() };
        let mut found = Vec::new();
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        if real(path).zip(real(data_dir)).is_some_and(|(key, data)| key.starts_with(data)) {
            found.push(format!(
                "{} is in the data directory: whoever has a copy of that has the key, and what is \
                 encrypted is not",
                path.display()
            ));
        }
        let mode = std::fs::metadata(path).map(|file| file.permissions().mode());
        if mode.is_ok_and(|mode| mode & WORLD_READABLE != 0) {
            found.push(format!("{} can be read by everybody: chmod 400", path.display()));
        }
        found
    }

    /// Whether a key is named.
    pub(super) const fn is_on(&self) -> bool {
        self.key_file.is_some() || self.credential.is_some() || self.key.is_some()
    }

    pub(super) fn contradictions(&self) -> Vec<String> {
        let named = [self.key_file.is_some(), self.credential.is_some(), self.key.is_some()];
        if named.iter().filter(|is_named| **is_named).count() > 1 {
            let told = "vault.key_file, vault.credential and vault.key exclude each other";
            return vec![told.to_owned()];
        }
        let is_name =
            |name: &&String| !name.is_empty() && !name.contains('/') && !name.starts_with('.');
        let mut found = Vec::new();
        if self.credential.as_ref().is_some_and(|name| !is_name(&name)) {
            found.push("vault.credential is a name without slashes".to_owned());
        }
        if self.key.as_ref().is_some_and(|key| MasterKey::parse(key.expose()).is_none()) {
            found.push(
                "vault.key is no key: 64 hexadecimal digits, such as `openssl rand -hex 32` gives"
                    .to_owned(),
            );
        }
        found
    }
}

fn read(what: &str, path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{what}: {}: {error}", path.display()))
}
