//! Documents that are large and seldom change: with a tag, so that they need not be sent again, and
//! compressed for those who take it.
//!
//! Never for what holds a key, a code or money: the length of something compressed tells of what is
//! in it.

use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::weights::weights;

/// Smaller ones fit a packet or two as they are.
const WORTH_COMPRESSING: usize = 2_048;
/// Compressed documents that are kept: the services of 24 countries, and a few pages.
const KEPT: usize = 64;

type Tag = u128;

static COMPRESSED: LazyLock<Mutex<HashMap<Tag, Bytes>>> = LazyLock::new(Mutex::default);

/// Gives a success its tag, answers 304 to those who have it, and compresses it.
pub async fn serve(request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut bytes = body.to_bytes();
    let tag = tag_of(&bytes);
    // Weak: the same document compressed is another sequence of bytes.
    let written = format!("W/\"{tag:032x}\"");
    let value = |text: &str| HeaderValue::from_str(text).expect("hex in quotes is a header value");
    head.headers.insert(ETAG, value(&written));
    head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    head.headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if is_known(&headers, &written) {
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(CONTENT_LENGTH);
        return Response::from_parts(head, Body::empty());
    }
    if bytes.len() >= WORTH_COMPRESSING && takes_gzip(&headers) {
        bytes = compressed(tag, &bytes);
        head.headers.remove(CONTENT_LENGTH);
        head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Response::from_parts(head, Body::from(bytes))
}

fn tag_of(bytes: &[u8]) -> Tag {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let (half, _) = digest.split_at(size_of::<Tag>());
    Tag::from_be_bytes(half.try_into().expect("a split at sixteen leaves sixteen"))
}

/// The document, compressed once.
fn compressed(tag: Tag, bytes: &[u8]) -> Bytes {
    if let Some(known) = COMPRESSED.lock().get(&tag) {
        return known.clone();
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::default());
    let done = encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("memory takes what is written to it");
    let done = Bytes::from(done);
    let mut kept = COMPRESSED.lock();
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(tag, done.clone());
    done
}

fn listed(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let strong = tag.trim_start_matches("W/");
    listed(headers, IF_NONE_MATCH)
        .any(|known| known == "*" || known.trim_start_matches("W/") == strong)
}

/// Whether the caller would rather have it packed.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let [gzip, identity, any] = weights(headers, ACCEPT_ENCODING, ["gzip", "identity", "*"]);
    gzip.or(any)
        .is_some_and(|weight| weight > 0.0 && identity.is_none_or(|identity| weight >= identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_those_who_take_it() {
        let takes = |text: &str| {
            takes_gzip(&[(ACCEPT_ENCODING, text.parse().unwrap())].into_iter().collect())
        };
        for text in ["gzip", "br, GZIP;q=0.5", "*", "deflate, *;q=0.1"] {
            assert!(takes(text), "{text}");
        }
        for text in [
            "",
            "identity",
            "gzip;q=0",
            "br",
            "gzip;q=0, *",
            "gzip;q=x",
            "gzip;q=0.5, identity;q=1",
        ] {
            assert!(!takes(text), "{text}");
        }
    }
}
