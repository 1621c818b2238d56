//! Where a webhook may go: https to public addresses only. The address is checked once more, after
//! resolution, at every attempt.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;
use url::{Host, Url};

/// Longest target that is kept.
pub const MAX_URL: usize = 2_048;

/// Longest name of a host, and longest part of one between two dots (RFC 1035).
const MAX_NAME: usize = 253;
const MAX_PART: usize = 63;

/// Why a target is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Not an absolute URL, or too long.
    #[error("the url must be an absolute URL of at most 2048 characters")]
    Malformed,
    /// The host's name has an empty or a longer part than names have: nobody can have it.
    #[error("the url's host is not a name that somebody can have")]
    Name,
    /// Not https.
    #[error("the url must be https")]
    NotHttps,
    /// A user or a password in it would end up in logs.
    #[error("the url must not hold a user or a password")]
    Credentials,
    /// The host is, or stands for, an address that is not public.
    #[error("the url must point to a public address")]
    NotPublic,
    /// The port is not one of those that are allowed.
    #[error("the url must use port 443, or another that the operator of this service allows")]
    Port,
}

/// What the operator allows.
#[derive(Debug, Clone, Copy)]
pub struct Allowed<'a> {
    /// Lifts the guard, for development.
    pub private: bool,
    /// The ports a target may have; any, where the guard is lifted.
    pub ports: &'a [u16],
}

/// Reads a target.
pub fn parse(text: &str, allowed: Allowed) -> Result<Url, TargetError> {
    if text.len() > MAX_URL
        || text.chars().any(|character| character.is_control() || character.is_whitespace())
    {
        return Err(TargetError::Malformed);
    }
    let url: Url = text.parse().map_err(|_| TargetError::Malformed)?;
    let is_http = url.scheme() == "http";
    if url.scheme() != "https" && !(allowed.private && is_http) {
        return Err(TargetError::NotHttps);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetError::Credentials);
    }
    let host = url.host().ok_or(TargetError::Malformed)?;
    if let Host::Domain(name) = host
        && !can_be_had(name)
    {
        return Err(TargetError::Name);
    }
    let refused = match host {
        Host::Ipv4(address) => !is_public(address.into()),
        Host::Ipv6(address) => !is_public(address.into()),
        Host::Domain(name) => is_local_name(name),
    };
    if refused && !allowed.private {
        return Err(TargetError::NotPublic);
    }
    let is_allowed = url.port_or_known_default().is_some_and(|port| allowed.ports.contains(&port));
    if !is_allowed && !allowed.private {
        return Err(TargetError::Port);
    }
    Ok(url)
}

/// Whether a name is as long, and has such parts, as the domain name system has them.
fn can_be_had(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= MAX_NAME && name.split('.').all(|part| (1..=MAX_PART).contains(&part.len()))
}

/// Names that mean this machine or this network, whatever a resolver says of them.
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let local = [
        "localhost",
        "local",
        "internal",
        "intranet",
        "lan",
        "home",
        "corp",
        "localdomain",
        "home.arpa",
        "onion",
        "test",
        "invalid",
        "example",
    ];
    !name.contains('.')
        || local.iter().any(|suffix| name == *suffix || name.ends_with(&format!(".{suffix}")))
}

/// Whether anybody on the internet can be meant by `address`. What the IANA registries call special
/// is not public.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

#[expect(clippy::match_same_arms, reason = "a line is an entry of the registries")]
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // This network, private, loopback, multicast, reserved and broadcast.
        (0 | 10 | 127 | 224..=255, _, _) => true,
        // Carrier-grade NAT.
        (100, 64..=127, _) => true,
        // Link-local, cloud metadata among them.
        (169, 254, _) | (172, 16..=31, _) | (192, 168, _) => true,
        // Protocol assignments, documentation, the 6to4 relay, AS112, benchmarks.
        (192, 0, 0 | 2)
        | (192, 88, 99)
        | (192, 31, 196)
        | (192, 52, 193)
        | (192, 175, 48)
        | (198, 18..=19, _)
        | (198, 51, 100)
        | (203, 0, 113) => true,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // An IPv4 address in IPv6 clothes is judged as what it is, in every way there is to wrap one.
    if let Some(v4) = embedded_v4(&segments) {
        return is_public_v4(v4);
    }
    if isatap_v4(&segments).is_some_and(|v4| !is_public_v4(v4)) {
        return false;
    }
    let [first, second, ..] = segments;
    // Only 2000::/3 is given out; of it not 6to4 (2002::/16), Teredo, ORCHID and the rest of
    // 2001::/23, documentation (2001:db8::/32, 3fff::/20).
    let global = (first & 0xe000) == 0x2000;
    let protocol = first == 0x2002 || (first == 0x2001 && second < 0x0200);
    let documentation =
        (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second < 0x1000);
    global && !protocol && !documentation
}

/// The IPv4 address that a tunnel of a site leads to (RFC 5214): behind any prefix, so it is judged
/// beside the prefix.
fn isatap_v4(segments: &[u16; 8]) -> Option<Ipv4Addr> {
    let [.., fifth, sixth, high, low] = *segments;
    // The two bits say whether the IPv4 address is global and whether it is a group's: whoever
    // writes them may lie.
    (fifth & 0xfcff == 0 && sixth == 0x5efe).then(|| joined(high, low))
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

#[expect(clippy::match_same_arms, reason = "a line is a way to wrap an address")]
fn embedded_v4(segments: &[u16; 8]) -> Option<Ipv4Addr> {
    let [first, second, third, fourth, fifth, sixth, high, low] = *segments;
    match (first, second, third, fourth, fifth, sixth) {
        // Mapped (::ffff:0:0/96), compatible (::/96) and translated (::ffff:0:0:0/96): never
        // routed, judged all the same.
        (0, 0, 0, 0, 0, 0 | 0xffff) | (0, 0, 0, 0, 0xffff, 0) => Some(joined(high, low)),
        // NAT64: how an IPv6-only network reaches the IPv4 internet.
        (0x64, 0xff9b, 0, 0, 0, 0) => Some(joined(high, low)),
        _ => None,
    }
}
