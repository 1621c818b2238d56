//! Names and origins under which the service answers: what is no name would be one that nobody has,
//! or everybody. What is none is told by its place: a secret may stand there by mistake.

use axum::http::uri::Authority;
use url::Url;

use super::Mcp;

/// What is no name under which a browser or a client asks.
pub fn contradictions(admin: &[String], mcp: &Mcp) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(entry) = admin.iter().position(|host| !is_name(host) || has_port(host)) {
        found.push(format!(
            "admin.allowed_hosts lists names such as metrics.internal, without a port; entry {} \
             is none",
            entry + 1
        ));
    }
    if let Some(entry) = mcp.allowed_hosts.iter().position(|host| !is_name(host)) {
        found.push(format!(
            "mcp.allowed_hosts lists names such as sms.example.com, with a port where it is not \
             the usual one; entry {} is none",
            entry + 1
        ));
    }
    if let Some(entry) = mcp.allowed_origins.iter().position(|origin| !is_origin(origin)) {
        found.push(format!(
            "mcp.allowed_origins lists origins such as https://chat.example.com; entry {} is none",
            entry + 1
        ));
    }
    found
}

fn has_port(text: &str) -> bool {
    text.parse::<Authority>().is_ok_and(|authority| authority.port().is_some())
}

/// Letters, digits, dashes and dots, or an address; with a port, perhaps.
fn is_name(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else { return false };
    let host = authority.host();
    let is_address = host.starts_with('[') && host.ends_with(']');
    let is_written =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
    !text.contains('@') && !host.is_empty() && (is_address || host.chars().all(is_written))
}

/// A scheme and a name, and nothing behind it.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        url.has_host()
            && url.origin().ascii_serialization().eq_ignore_ascii_case(text.trim_end_matches('/'))
    })
}
