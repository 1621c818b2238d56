//! Who reads: by a token in the call's header, as the clients of the protocol send it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actors::kernel::clock::Stopwatch;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tonic::Status;

use crate::config::{Esdb, LogReader, Right};
use crate::http::limit::{Limiter, Subject};

/// Wrong tokens from one address in a minute; then it is not asked any more.
const WRONG_TOKENS: u32 = 10;

/// Who reads, and what they see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The name in the configuration; `None` without a token.
    pub name: Option<Arc<str>>,
    /// Texts, senders, codes and full phone numbers.
    pub reveals: bool,
    /// The bytes of each event.
    pub has_bytes: bool,
}

/// Those that are known.
pub struct Readers {
    known: Vec<(LogReader, Reader)>,
    serves_anonymous: bool,
    wrong_tokens: Limiter,
    started: Stopwatch,
}

impl Readers {
    /// As configured.
    pub fn of(settings: &Esdb) -> Self {
        let reader = |reader: &LogReader| Reader {
            name: Some(reader.name.as_str().into()),
            reveals: reader.rights.contains(&Right::Reveal),
            has_bytes: reader.rights.contains(&Right::Bytes),
        };
        let known = settings
            .readers
            .iter()
            .map(|configured| (configured.clone(), reader(configured)))
            .collect();
        Self {
            known,
            serves_anonymous: settings.serves_anonymous(),
            wrong_tokens: Limiter::new(WRONG_TOKENS, Duration::from_mins(1)),
            started: Stopwatch::start(),
        }
    }

    /// Who makes the call.
    pub fn of_call(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Reader, Status> {
        let Some(header) = headers.get(AUTHORIZATION) else {
            if self.serves_anonymous {
                return Ok(Reader { name: None, reveals: false, has_bytes: false });
            }
            return Err(esdb::unauthenticated(
                "a reader shows its token: esdb://NAME:TOKEN@… or a header authorization: Bearer TOKEN",
            ));
        };
        let (address, now) = (Subject::address(peer), self.started.elapsed());
        if self.wrong_tokens.is_exhausted(address, now) {
            return Err(esdb::unauthenticated(
                "too many wrong tokens came from this address; try again in a minute",
            ));
        }
        let shown = header.to_str().ok().and_then(Shown::of);
        let found = shown.and_then(|shown| {
            self.known.iter().find(|(known, _)| shown.is(known)).map(|(_, reader)| reader.clone())
        });
        found.ok_or_else(|| {
            self.wrong_tokens.take(address, now);
            metrics::counter!("esdb_wrong_tokens_total").increment(1);
            esdb::unauthenticated("this token is not known here")
        })
    }
}

/// What a call shows.
struct Shown {
    /// Of those that send a name with it.
    name: Option<String>,
    token: String,
}

impl Shown {
    fn of(header: &str) -> Option<Self> {
        let (scheme, rest) = header.split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self { name: None, token: rest.to_owned() });
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        let (name, token) = text.split_once(':')?;
        Some(Self { name: Some(name.to_owned()), token: token.to_owned() })
    }

    fn is(&self, known: &LogReader) -> bool {
        let is_token = known.token.is(&self.token);
        is_token && self.name.as_ref().is_none_or(|name| *name == known.name)
    }
}

#[cfg(test)]
mod tests {
    use suppliers::configuration::Secret;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn readers(anonymous: bool) -> Readers {
        let reader = |name: &str, rights: &[Right]| LogReader {
            name: name.to_owned(),
            token: Secret::new(format!("token-of-{name}-which-is-long")),
            rights: rights.iter().copied().collect(),
        };
        let readers =
            vec![reader("auditor", &[Right::Reveal, Right::Bytes]), reader("finance", &[])];
        Readers::of(&Esdb { readers, anonymous: Some(anonymous), ..Esdb::default() })
    }

    /// Who reads, by name if by one; an error where nobody may.
    fn call(readers: &Readers, header: Option<&str>) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, header.parse().unwrap());
        }
        readers
            .of_call(&headers, PEER)
            .map(|reader| reader.name.map(|name| name.to_string()))
            .map_err(drop)
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn a_token_says_who_reads_and_a_name_beside_it_must_be_its_own() {
        let readers = readers(false);
        let finance = Ok(Some("finance".to_owned()));
        assert_eq!(call(&readers, Some("Bearer token-of-finance-which-is-long")), finance);
        assert_eq!(call(&readers, Some(&basic("finance:token-of-finance-which-is-long"))), finance);
        for wrong in [
            &*basic("auditor:token-of-finance-which-is-long"),
            "Bearer x",
            "Basic ***",
            "Digest x",
            "token-of-finance-which-is-long",
        ] {
            assert_eq!(call(&readers, Some(wrong)), Err(()), "{wrong}");
        }
    }

    #[test]
    fn without_a_token_it_is_the_configuration_that_says_whether_one_is_served() {
        assert_eq!(call(&readers(true), None), Ok(None));
        assert_eq!(call(&readers(false), None), Err(()));
        assert_eq!(
            call(&readers(true), Some("Bearer wrong")),
            Err(()),
            "a wrong token is not the same as none"
        );
    }

    #[test]
    fn an_address_that_guesses_is_not_asked_any_more() {
        let readers = readers(false);
        for guess in 0..WRONG_TOKENS {
            assert_eq!(call(&readers, Some(&format!("Bearer {guess}"))), Err(()));
        }
        assert_eq!(call(&readers, Some("Bearer token-of-finance-which-is-long")), Err(()));
    }
}
