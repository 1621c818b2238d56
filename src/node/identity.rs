//! Who a node is: its name, and what it says of itself.

use std::path::Path;
use std::time::Duration;

use actors::kernel::entropy::Entropy;
use actors::store::shared::Lead;
use events::id::to_base62;
use events::leadership::Leader;

use super::standing;
use crate::config::Config;

/// Under which name a directory is the same node, also after a restart.
const IDENTITY_FILE: &str = "node";

/// How long a node waits for a silent leader.
pub fn patience(config: &Config) -> Duration {
    Duration::from_secs(config.node.patience_seconds.into())
}

/// Why a node of this configuration would not take the place of that leader, were it to die.
pub fn hindrance(config: &Config, data_dir: &Path, lead: &Lead) -> Option<String> {
    let is_own = is_own(data_dir, &lead.leader.node);
    let me = described(config, if is_own { lead.leader.node.clone() } else { String::new() });
    standing::hindrance(&me, lead)
}

/// Whether the node of that name is the one of this directory.
pub fn is_own(data_dir: &Path, node: &str) -> bool {
    let own = std::fs::read_to_string(data_dir.join(IDENTITY_FILE)).unwrap_or_default();
    let own = own.trim();
    !own.is_empty() && node.strip_suffix(own).is_some_and(|name| name.ends_with('-'))
}

/// What a node of this configuration says of itself.
pub(super) fn described(config: &Config, node: String) -> Leader {
    Leader {
        node,
        url: config.node.url.clone().unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        configuration: config.fingerprint(),
    }
}

/// The node's name, and what tells it from others of the same name.
pub(super) fn identity(config: &Config, data_dir: &Path) -> std::io::Result<String> {
    let file = data_dir.join(IDENTITY_FILE);
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    let known = known.trim();
    let own = if known.is_empty() {
        let drawn = to_base62(u128::from_be_bytes(Entropy::System.bytes()));
        let own = drawn[drawn.len() - 6..].to_owned();
        std::fs::write(&file, format!("{own}\n"))?;
        own
    } else {
        known.chars().take(64).collect()
    };
    let name = config.node.name.clone().unwrap_or_else(|| {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        name.trim().to_owned()
    });
    Ok(format!("{name}-{own}"))
}
