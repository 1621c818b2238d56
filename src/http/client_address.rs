//! The address a request counts for: the socket's, or what trusted proxies say of it.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

use crate::serve::is_in;

/// The address a request counts for.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// The socket's address, or, behind trusted proxies, the right-most hop that is not one of them.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer;
    let hops = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','));
    let hops: Vec<&str> = hops.map(str::trim).collect();
    for hop in hops.iter().rev() {
        if !is_in(trusted, client) {
            break;
        }
        match hop_address(hop) {
            Some(address) => client = address,
            // A trusted proxy does not write this; whoever did is behind the last address that is
            // known.
            None => break,
        }
    }
    client
}

/// An address as proxies write it: alone, with a port, in brackets, in quotes.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.strip_prefix('"').and_then(|hop| hop.strip_suffix('"')).unwrap_or(hop);
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_forwarding_header_counts_only_from_a_trusted_proxy() {
        assert_eq!(client("198.51.100.7", &["192.0.2.1"], &[]), "198.51.100.7");
        assert_eq!(client("198.51.100.7", &["192.0.2.1"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["192.0.2.1"], &["10.0.0.0/8"]), "192.0.2.1");
    }

    #[test]
    fn the_right_most_untrusted_hop_counts_whatever_the_caller_wrote_before_it() {
        assert_eq!(
            client("10.0.0.1", &["1.1.1.1, 192.0.2.1, 10.0.0.2"], &["10.0.0.0/8"]),
            "192.0.2.1"
        );
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "192.0.2.1"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["192.0.2.1, nonsense"], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn a_hop_counts_however_a_proxy_writes_it() {
        for (hop, address) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[hop], &["10.0.0.0/8"]), address, "{hop}");
            assert_eq!(
                client("10.0.0.1", &[&format!("203.0.113.9, {hop}, 10.0.0.2:80")], &["10.0.0.0/8"]),
                address,
                "{hop}"
            );
        }
        for nonsense in
            ["", "[192.0.2.1", "192.0.2.1:", "192.0.2.1:99999", "unknown", "_hidden", "[[::1]]"]
        {
            assert_eq!(client("10.0.0.1", &[nonsense], &["10.0.0.0/8"]), "10.0.0.1", "{nonsense}");
        }
    }

    proptest::proptest! {
        /// Whatever is written in front of it: the hop that the last trusted proxy has added is
        /// whom a request counts for.
        #[test]
        fn nothing_that_a_caller_writes_changes_whom_a_request_counts_for(
            lines in proptest::collection::vec("[ -~]{0,60}", 0..4),
            client in proptest::prelude::any::<std::net::IpAddr>(),
        ) {
            let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
            proptest::prop_assume!(!is_in(&trusted, client));
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let stranger = "198.51.100.7".parse().unwrap();
            proptest::prop_assert_eq!(client_address(stranger, &headers, &trusted), stranger);
            headers.append("x-forwarded-for", client.to_string().parse().unwrap());
            let proxy = "10.0.0.1".parse().unwrap();
            proptest::prop_assert_eq!(client_address(proxy, &headers, &trusted), client);
        }
    }
}
