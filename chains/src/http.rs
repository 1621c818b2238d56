//! Requests to nodes and services: bounded in time and size, and named without their secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use actors::deposit::chain::ChainError;
use actors::kernel::foreign::{self, explanation};

/// The largest answer that is read: a full block of BTC, told in JSON with every output, takes
/// about 15 MB.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Of an error's text, what is worth repeating.
pub const MAX_DETAIL: usize = 200;

/// An endpoint.
#[derive(Clone)]
pub struct Endpoint {
    client: reqwest::Client,
    url: String,
    name: String,
    authorization: Option<String>,
}

/// What an endpoint answered.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What a JSON-RPC endpoint says when it says no.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RpcRefusal {
    /// Its code.
    pub code: i64,
    /// Its words.
    #[serde(default)]
    pub message: String,
}

impl RpcRefusal {
    /// Whether it is asked too often, and not too much at a time.
    pub fn is_about_pace(&self) -> bool {
        let words = self.message.to_ascii_lowercase();
        [429, -32_029].contains(&self.code)
            || words.contains("rate limit")
            || words.contains("too many requests")
            || words.contains("per second")
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<RpcRefusal>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Endpoint {
    /// An endpoint at `url`, which may name a user and a password; `credentials` go before those.
    pub fn new(
        client: reqwest::Client,
        url: &str,
        credentials: Option<(&str, &str)>,
    ) -> Result<Self, String> {
        let mut parsed: reqwest::Url =
            url.parse().map_err(|_| "not an address such as http://127.0.0.1:8332".to_owned())?;
        let host = parsed.host_str().filter(|_| ["http", "https"].contains(&parsed.scheme()));
        let host = host.ok_or_else(|| "not an address such as http://127.0.0.1:8332".to_owned())?;
        // Neither a password nor a path with a key in it.
        let name = parsed.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let own =
            parsed.password().map(|password| (parsed.username().to_owned(), password.to_owned()));
        let pair =
            credentials.map(|(user, password)| (user.to_owned(), password.to_owned())).or(own);
        let authorization = pair.map(|(user, password)| {
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        });
        let unset = parsed.set_username("").and_then(|()| parsed.set_password(None));
        unset.map_err(|()| "an address that cannot be called".to_owned())?;
        Ok(Self {
            client,
            url: parsed.as_str().trim_end_matches('/').to_owned(),
            name,
            authorization,
        })
    }

    /// Where it is, without anything secret.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks for a path.
    pub async fn get(&self, path: &str) -> Result<Answer, ChainError> {
        self.send(self.client.get(format!("{}{path}", self.url))).await
    }

    /// Calls a method; the refusal is the endpoint's own.
    pub async fn call(
        &self,
        method: &str,
        params: Value,
    ) -> Result<Result<Box<RawValue>, RpcRefusal>, ChainError> {
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let request =
            self.client.post(&self.url).header("content-type", "application/json").body(body);
        let Answer { status, body } = self.send(request).await?;
        if status == 401 || status == 403 {
            return Err(
                self.unreachable(format!("HTTP {status}: it does not take this user and password"))
            );
        }
        // Nodes say no with a status of 500 and the reason in the body.
        let envelope: Envelope = foreign::read(&body).map_err(|error| match status {
            200 => self.nonsense(error.to_string()),
            _ => self.unreachable(format!("HTTP {status}")),
        })?;
        match envelope {
            Envelope { error: Some(refusal), .. } => Ok(Err(refusal)),
            Envelope { result, error: None } => {
                Ok(Ok(result.unwrap_or_else(|| RawValue::NULL.to_owned())))
            }
        }
    }

    /// Calls a method that has no reason to refuse.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, ChainError> {
        let answer = self.call(method, params).await?;
        let raw = answer.map_err(|refusal| {
            self.nonsense(format!(
                "{method} refused: {} {}",
                refusal.code,
                explanation(&refusal.message, MAX_DETAIL)
            ))
        })?;
        self.parse(method, raw.get())
    }

    /// An answer's text as what it should be.
    pub fn parse<'a, T: Deserialize<'a>>(
        &self,
        what: &str,
        text: &'a str,
    ) -> Result<T, ChainError> {
        foreign::read(text.as_bytes()).map_err(|error| self.nonsense(format!("{what}: {error}")))
    }

    /// It does not answer.
    pub fn unreachable(&self, detail: String) -> ChainError {
        ChainError::Unreachable { endpoint: self.name.clone(), detail: shortened(detail) }
    }

    /// It answers nonsense.
    pub fn nonsense(&self, detail: String) -> ChainError {
        ChainError::Nonsense { endpoint: self.name.clone(), detail: shortened(detail) }
    }

    async fn send(&self, mut request: reqwest::RequestBuilder) -> Result<Answer, ChainError> {
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        // Its own words would repeat the address, which may hold a key.
        let failed = |error: reqwest::Error| self.unreachable(why(&error));
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(
                    self.nonsense(format!("an answer of more than {MAX_ANSWER_BYTES} bytes"))
                );
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}

fn why(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "it takes too long"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_body() || error.is_decode() {
        "its answer broke off"
    } else {
        "the request failed"
    };
    what.to_owned()
}

fn shortened(mut detail: String) -> String {
    if let Some((place, _)) = detail.char_indices().nth(MAX_DETAIL) {
        detail.truncate(place);
    }
    detail
}
