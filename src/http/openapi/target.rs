//! The pattern of a webhook's target, so that a client generated from the document refuses what
//! this service refuses and nothing else.
//!
//! It uses neither look-ahead nor back-reference: the patterns of RE2 and of Rust's `regex` know
//! neither, and clients check with those. What it leaves to the service: names that are local,
//! names in other scripts (written as `xn--`), names of more than 253 characters, public addresses
//! beside reserved ones.

use crate::config::Webhooks;

const HEX: &str = "[0-9A-Fa-f]";
/// A label of a name: letters, digits, hyphens and the underscore inside.
const LABEL: &str = "[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?";
/// The last label starts with a letter: one that starts with a digit would make the name an IPv4
/// address.
const LAST_LABEL: &str = r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])\.?";
/// What follows the host: a path, a query or a fragment without spaces.
const REST: &str = "([/?#][!-~]*)?";

/// The pattern of the targets that these settings allow.
pub fn pattern(settings: &Webhooks) -> String {
    if settings.allow_private_targets {
        let octet = octets(0, 255);
        let host = format!(
            r"({LABEL}\.)*{LAST_LABEL}|({octet})(\.({octet})){{3}}|\[{HEX}{{0,4}}:[0-9A-Fa-f:.]*\]"
        );
        return format!("^[Hh][Tt][Tt][Pp][Ss]?://({host})(:[1-9][0-9]{{0,3}})?{REST}$");
    }
    let name = format!(r"({LABEL}\.)+{LAST_LABEL}");
    format!(
        "^[Hh][Tt][Tt][Pp][Ss]://({name}|{}|{}){}{REST}$",
        ipv4(),
        ipv6(),
        ports(&settings.allowed_ports)
    )
}

/// 443 need not be written; where it is not allowed, one of the others must be.
fn ports(allowed: &[u16]) -> String {
    let listed = allowed.iter().map(u16::to_string).collect::<Vec<_>>().join("|");
    let optional = if allowed.contains(&443) { "?" } else { "" };
    format!("(:({listed})){optional}")
}

/// Public IPv4 addresses.
fn ipv4() -> String {
    let octet = octets(0, 255);
    // The first octets of which every address is public, and of the others what is public of their
    // second.
    let whole = [
        (1, 9),
        (11, 99),
        (101, 126),
        (128, 168),
        (170, 171),
        (173, 191),
        (193, 197),
        (199, 202),
        (204, 223),
    ]
    .map(|(from, to)| octets(from, to))
    .join("|");
    let partly: [(u8, &[(u8, u8)]); 6] = [
        (100, &[(0, 63), (128, 255)]),
        (169, &[(0, 253), (255, 255)]),
        (172, &[(0, 15), (32, 255)]),
        (192, &[(1, 30), (32, 51), (53, 87), (89, 167), (169, 174), (176, 255)]),
        (198, &[(0, 17), (20, 50), (52, 255)]),
        (203, &[(1, 255)]),
    ];
    let partly = partly
        .map(|(first, seconds)| {
            let seconds =
                seconds.iter().map(|(from, to)| octets(*from, *to)).collect::<Vec<_>>().join("|");
            format!(r"{first}\.({seconds})")
        })
        .join("|");
    format!(r"((({whole})\.({octet}))|{partly})(\.({octet})){{2}}")
}

/// The decimal numbers of a range, as alternatives by their first two digits.
fn octets(from: u8, to: u8) -> String {
    let mut alternatives: Vec<String> = Vec::new();
    let mut tens = from / 10;
    while tens <= to / 10 {
        let low = if tens == from / 10 { from % 10 } else { 0 };
        let high = if tens == to / 10 { to % 10 } else { 9 };
        let prefix = if tens == 0 { String::new() } else { tens.to_string() };
        alternatives.push(if low == high {
            format!("{prefix}{low}")
        } else {
            format!("{prefix}[{low}-{high}]")
        });
        tens += 1;
    }
    alternatives.join("|")
}

/// Global IPv6 addresses, with at most one run of zeros left out.
fn ipv6() -> String {
    let group = format!("{HEX}{{1,4}}");
    // 2003::/16 and 2400::/6 upwards are given out whole, 2001::/16 from 2001:400::.
    let whole = format!("(2003|2[4-9A-Fa-f]{HEX}{{2}})");
    let two = format!("({whole}:{group}|2001:([1-9A-Fa-f]{HEX}{{3}}|[4-9A-Ca-c]{HEX}{{2}}))");
    let after = |at_most: usize| format!("({group}(:{group}){{0,{}}})?", at_most - 1);
    let shortened = (0..=4).map(|left| format!("(:{group}){{{left}}}::{}", after(5 - left)));
    let rest = shortened
        .chain([format!("(:{group}){{5}}::"), format!("(:{group}){{6}}")])
        .collect::<Vec<_>>()
        .join("|");
    format!(r"\[({whole}::{}|{two}({rest}))\]", after(6))
}

#[cfg(test)]
mod tests {
    use events::webhook::target::{self, Allowed};
    use proptest::prelude::*;
    use proptest::string::string_regex;

    use super::*;

    fn settings(private: bool, ports: &[u16]) -> Webhooks {
        Webhooks {
            allow_private_targets: private,
            allowed_ports: ports.to_vec(),
            ..Webhooks::default()
        }
    }

    fn takes(settings: &Webhooks, url: &str) -> bool {
        target::parse(
            url,
            Allowed { private: settings.allow_private_targets, ports: &settings.allowed_ports },
        )
        .is_ok()
    }

    fn matches(pattern: &str, url: &str) -> bool {
        jsonschema::is_valid(
            &serde_json::json!({ "type": "string", "pattern": pattern }),
            &serde_json::json!(url),
        )
    }

    #[test]
    fn what_people_write_and_the_service_takes_is_what_the_pattern_says() {
        let default = settings(false, &[443]);
        for url in [
            "https://your-server.com/hook",
            "https://hooks.acme.dev",
            "HTTPS://Hooks.Acme.Dev/In",
            "https://hooks.acme.dev:443/in?token=a%20b&x=1#part",
            "https://hooks.acme.dev?x=1",
            "https://a--b.xn--bcher-kva.de/",
            "https://my_service.acme.co.uk./",
            "https://1.2.acme.dev/",
            "https://8.8.8.8/x",
            "https://172.32.0.1/",
            "https://192.1.168.1:443/",
            "https://[2606:4700:4700::1111]/",
            "https://[2A00:1450:4001:82b::200e]/in",
            "https://[2001:4860:4860::8888]/",
            "https://[2001:4860:4860:0:0:0:0:8888]/",
            "https://[2003::1]/",
        ] {
            assert!(takes(&default, url), "the service refuses {url}");
            assert!(matches(&pattern(&default), url), "the pattern refuses {url}");
        }
    }

    #[test]
    fn what_the_service_refuses_by_its_form_is_refused_by_the_pattern() {
        let default = settings(false, &[443]);
        for url in [
            "",
            "http://hooks.acme.dev/",
            "https://hooks/",
            "https://user:secret@hooks.acme.dev/",
            "https://hooks.acme.dev:8443/",
            "https://hooks.acme.dev/a b",
            "https://10.0.0.1/",
            "https://127.0.0.1/",
            "https://169.254.169.254/",
            "https://192.168.1.1/",
            "https://[::1]/",
            "https://[fe80::1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:db8::1]/",
            "https://[2606:4700::1::2]/",
        ] {
            assert!(!takes(&default, url), "the service takes {url}");
            assert!(!matches(&pattern(&default), url), "the pattern takes {url}");
        }
        let other = settings(false, &[8443, 443]);
        assert!(
            takes(&other, "https://hooks.acme.dev:8443/")
                && matches(&pattern(&other), "https://hooks.acme.dev:8443/")
        );
        let without = settings(false, &[8443]);
        assert!(
            !takes(&without, "https://hooks.acme.dev/")
                && !matches(&pattern(&without), "https://hooks.acme.dev/")
        );
        let lifted = settings(true, &[443]);
        assert!(
            takes(&lifted, "http://127.0.0.1:9999/in")
                && matches(&pattern(&lifted), "http://127.0.0.1:9999/in")
        );
    }

    #[test]
    fn every_octet_of_a_range_and_no_other() {
        for (from, to) in [(0, 255), (1, 9), (11, 99), (9, 101), (192, 192), (128, 168), (53, 87)] {
            let pattern = format!("^({})$", octets(from, to));
            for octet in 0..=999_u16 {
                assert_eq!(
                    matches(&pattern, &octet.to_string()),
                    (u16::from(from)..=u16::from(to)).contains(&octet),
                    "{octet} of {from} to {to}"
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        /// A client that fills the pattern at random is not refused, but for a name that is too
        /// long to be one.
        #[test]
        fn what_the_pattern_takes_the_service_takes(
            url in string_regex(
                pattern(&settings(false, &[443])).trim_start_matches('^').trim_end_matches('$')
            )
            .unwrap()
        ) {
            prop_assume!(
                url.len() <= target::MAX_URL && !url.to_ascii_lowercase().contains("xn--")
            );
            let host = url.split(['/', '?', '#']).nth(2).unwrap_or_default();
            let name = host.split_once(':').map_or(host, |(name, _)| name).trim_end_matches('.');
            prop_assert_eq!(takes(&settings(false, &[443]), &url), name.len() <= 253, "{}", url);
        }
    }
}
