//! One attempt: a POST over a connection of its own, to where the guard allows, for at most fifteen
//! seconds.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use events::webhook::Outcome;
use events::webhook::target::{self, Allowed};
use parking_lot::Mutex;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::guard::{Guard, NotPublic, NotResolved};
use super::handle::WebhookPayload;
use super::sign::{hex_signature, standard_signature};
use crate::kernel::outbound;
use crate::store::BoxFuture;

/// The contract: "2xx within 15 s is success".
const TIMEOUT: Duration = Duration::from_secs(15);
/// The most that is read of an answer.
const MAX_ANSWER: usize = 64 * 1024;
/// The first bytes of it, which an operator may look at.
const SHOWN: usize = 256;
/// Deliveries whose last answers are kept.
const KEPT: usize = 1_000;

/// The first bytes of what receivers answered last, by the delivery's id: in memory alone, for
/// operators. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Answers(Arc<Mutex<HashMap<String, String>>>);

impl Answers {
    /// What the delivery's receiver answered at the last attempt since the service started.
    pub fn of(&self, id: &str) -> Option<String> {
        self.0.lock().get(id).cloned()
    }

    fn keep(&self, id: String, first: &[u8]) {
        let mut answers = self.0.lock();
        if answers.len() >= KEPT {
            answers.clear();
        }
        answers.insert(id, String::from_utf8_lossy(first).into_owned());
    }
}

/// Takes a letter to its receiver.
pub trait WebhookSender: Send + Sync + 'static {
    /// One attempt.
    fn deliver(&self, letter: WebhookPayload) -> BoxFuture<'_, Outcome>;
}

/// How webhooks are sent.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    /// Lifts the guard, for development.
    pub allow_private_targets: bool,
    /// The ports a target may have.
    pub allowed_ports: Vec<u16>,
    /// Name servers to ask, in place of the system's.
    pub dns_servers: Vec<SocketAddr>,
    /// Further certificates to trust (PEM).
    pub extra_ca_file: Option<PathBuf>,
}

/// Over HTTP, with TLS.
pub struct HttpSender {
    client: reqwest::Client,
    allow_private: bool,
    allowed_ports: Vec<u16>,
    answers: Answers,
}

impl HttpSender {
    /// A post; the error says what in the settings cannot be used.
    pub fn new(settings: &SenderSettings) -> Result<Self, String> {
        let guard = Guard::new(&settings.dns_servers, settings.allow_private_targets)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(trust(settings)?)
            .dns_resolver(guard)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            // A kept connection would go where a name pointed yesterday.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            allow_private: settings.allow_private_targets,
            allowed_ports: settings.allowed_ports.clone(),
            answers: Answers::default(),
        })
    }

    /// What receivers answered last.
    pub fn answers(&self) -> Answers {
        self.answers.clone()
    }

    async fn attempt(&self, letter: WebhookPayload) -> Outcome {
        let allowed = Allowed { private: self.allow_private, ports: &self.allowed_ports };
        let Ok(url) = target::parse(&letter.url, allowed) else { return Outcome::TargetRefused };
        let Some(headers) = headers(&letter) else { return Outcome::TargetRefused };
        let id = letter.id.clone();
        match self.client.post(url).headers(headers).body(letter.body).send().await {
            Ok(mut answer) => {
                let (mut read, mut first) = (0, Vec::new());
                while let Ok(Some(chunk)) = answer.chunk().await {
                    read += chunk.len();
                    first.extend(chunk.iter().take(SHOWN.saturating_sub(first.len())));
                    if read > MAX_ANSWER {
                        break;
                    }
                }
                self.answers.keep(id, &first);
                Outcome::Answered(answer.status().as_u16())
            }
            Err(error) => outcome(&error),
        }
    }
}

impl WebhookSender for HttpSender {
    fn deliver(&self, letter: WebhookPayload) -> BoxFuture<'_, Outcome> {
        Box::pin(self.attempt(letter))
    }
}

fn headers(letter: &WebhookPayload) -> Option<HeaderMap> {
    let seconds = letter.at.millis().div_euclid(1_000);
    let standard: Vec<String> = letter
        .secrets
        .iter()
        .map(|secret| standard_signature(secret, &letter.id, seconds, &letter.body))
        .collect();
    let mut own = letter.secrets.iter().map(|secret| hex_signature(secret, &letter.body));
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: &str| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).ok()?);
        Some(())
    };
    put("content-type", "application/json")?;
    put("user-agent", concat!("Telenumerus/", env!("CARGO_PKG_VERSION")))?;
    put("webhook-id", &letter.id)?;
    put("webhook-timestamp", &seconds.to_string())?;
    put("webhook-signature", &standard.join(" "))?;
    put("x-webhook-event", letter.event)?;
    put("x-webhook-signature", &own.next()?)?;
    if let Some(previous) = own.next() {
        put("x-webhook-signature-previous", &previous)?;
    }
    Some(headers)
}

fn trust(settings: &SenderSettings) -> Result<rustls::ClientConfig, String> {
    let more = settings.extra_ca_file.as_deref().map(outbound::certificates).transpose();
    let trusted = more.and_then(|more| outbound::trust(more.unwrap_or_default()));
    trusted.map_err(|error| format!("webhooks.extra_ca_file {error}"))
}

/// What kept a letter from its receiver.
fn outcome(error: &reqwest::Error) -> Outcome {
    if error.is_timeout() {
        return Outcome::TimedOut;
    }
    let mut beneath: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = beneath {
        if cause.is::<NotPublic>() {
            return Outcome::TargetRefused;
        }
        if cause.is::<NotResolved>() {
            return Outcome::NotResolved;
        }
        beneath = cause.source();
    }
    Outcome::ConnectionFailed
}
