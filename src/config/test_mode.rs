//! Test keys in the configuration.

use schemars::JsonSchema;
use serde::Deserialize;

/// Keys whose orders are free, have made-up numbers and follow scenarios.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TestMode {
    /// Whether there are any.
    pub enabled: bool,
}

impl Default for TestMode {
    // Whoever writes a client tries it before they pay.
    fn default() -> Self {
        Self { enabled: true }
    }
}
