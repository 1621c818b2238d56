//! HTTP clients of this process, for calls to services it is told of.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// A client that trusts the public certificates and follows nothing.
pub fn client(timeout: Duration) -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(trust([])?)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout);
    builder.build().map_err(|error| error.to_string())
}

/// The certificates in a PEM file.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.map_err(|error| format!("{}: {error}", path.display()))
}

/// TLS that trusts the public certificates, the same on every machine, and these.
pub fn trust(
    more: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in more {
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ));
    let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// What a service answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer; what was asked may have been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// It takes too long.
    #[error("it does not answer in time")]
    TimedOut,
    /// There was no connection, or it broke off.
    #[error("no connection, or it broke off")]
    Broken,
    /// It answers more than is read.
    #[error("it answers too much")]
    TooLarge,
}

/// Sends a request and reads the whole answer, at most so many bytes.
pub async fn answer(request: reqwest::RequestBuilder, most: usize) -> Result<Answer, Unanswered> {
    // The error's own words would repeat the address, which may hold a key.
    let why = |error: reqwest::Error| {
        if error.is_timeout() { Unanswered::TimedOut } else { Unanswered::Broken }
    };
    let mut response = request.send().await.map_err(why)?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(why)? {
        if body.len() + chunk.len() > most {
            return Err(Unanswered::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body })
}
