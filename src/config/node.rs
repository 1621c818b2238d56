//! What a node says of itself, where several share a log.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::bounds::is_line;

/// Letters of a name.
const LONGEST_NAME: usize = 64;

/// The node.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Node {
    /// Its name, for people; unset: the machine's.
    pub name: Option<String>,
    /// Where the others and their callers reach it.
    pub url: Option<String>,
    /// How long a leader may give no sign of life before another node takes its place.
    pub patience_seconds: u32,
}

impl Default for Node {
    fn default() -> Self {
        Self { name: None, url: None, patience_seconds: 10 }
    }
}

impl Node {
    /// What no type can say.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.name.as_ref().is_some_and(|name| !is_line(name, LONGEST_NAME)) {
            found.push(format!("node.name is one line of 1 to {LONGEST_NAME} letters"));
        }
        let is_address = |url: &String| {
            Url::parse(url).is_ok_and(|url| {
                ["http", "https"].contains(&url.scheme()) && url.password().is_none()
            })
        };
        if self.url.as_ref().is_some_and(|url| !is_address(url)) {
            found.push("node.url is as https://node1.example.com".to_owned());
        }
        found
    }
}
