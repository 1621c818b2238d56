//! What `doctor` says of the vault.

use std::path::Path;

use actors::vault::Vault;

use crate::config::Config;

/// How the vault is.
pub fn told(config: &Config, data_dir: &Path) -> Result<String, String> {
    let is_there = Vault::is_in(data_dir);
    match config.vault.master()? {
        None if is_there => Err("vault.db is there, and no key for it is configured".to_owned()),
        None => Ok("off: secrets stand in the log as they are, and are never erased".to_owned()),
        Some(_) if !is_there => Ok("on; the next start makes it".to_owned()),
        Some(master) => {
            let vault =
                Vault::open_to_read(data_dir, &master).map_err(|error| error.to_string())?;
            match vault.damage().map_err(|error| error.to_string())? {
                None => Ok("on, and every key opens".to_owned()),
                Some(damage) => {
                    Err(format!("vault.db: {damage}; put back a copy of it, as new as there is"))
                }
            }
        }
    }
}
