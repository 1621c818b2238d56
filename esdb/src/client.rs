//! A client of servers that speak the protocol: what it takes to follow a log from another machine.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status, Streaming};
use url::Url;

use crate::log::Event;
use crate::protocol::event_store::client::uuid::Value;
use crate::protocol::streams::read_req::Options;
use crate::protocol::streams::read_req::options::{
    AllOptions, CountOption, FilterOption, Position, ReadDirection, StreamOption,
    SubscriptionOptions, UuidOption, all_options::AllOption, uuid_option::Content as UuidContent,
};
use crate::protocol::streams::read_resp::{Content, ReadEvent};
use crate::protocol::streams::streams_client::StreamsClient;
use crate::protocol::streams::{ReadReq, ReadResp};

/// Where the protocol is usually spoken.
const DEFAULT_PORT: u16 = 2113;
/// For a connection to stand.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// Between two pings, and for the answer to one.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Of one event, with its bytes in text.
const MAX_MESSAGE_BYTES: usize = 16 << 20;
/// Of the protocol's times, in a millisecond.
const TICKS: i64 = 10_000;

/// Where a server is, and who asks: `esdb://NAME:TOKEN@HOST:PORT?tls=true&tlsCaFile=FILE`, as other
/// clients write it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
    /// Whose certificate is trusted; `None` for the public ones.
    pub ca_file: Option<PathBuf>,
    name: Option<String>,
    token: Option<String>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Without the token: it stands in logs.
impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// An address that is none; the text says what is wrong with it, and never repeats it: there may be
/// a token in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = |what: &str| {
            AddressError(format!(
                "{what}; write esdb://HOST:PORT, with ?tls=false where the server is not encrypted"
            ))
        };
        let url = Url::parse(text).map_err(|error| wrong(&format!("not an address: {error}")))?;
        if !["esdb", "kurrentdb"].contains(&url.scheme()) {
            return Err(wrong("an address begins with esdb:// or kurrentdb://"));
        }
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| wrong("the address has no host"))?
            .to_owned();
        let (mut is_encrypted, mut ca_file) = (true, None);
        for (key, value) in url.query_pairs() {
            match (key.to_lowercase().as_str(), &*value) {
                ("tls", "true") => is_encrypted = true,
                ("tls", "false") => is_encrypted = false,
                ("tls", _) => return Err(wrong("tls is true or false")),
                ("tlscafile", file) => ca_file = Some(PathBuf::from(file)),
                (other, _) => {
                    return Err(wrong(&format!(
                        "the address has a key {other:?} that is not known here"
                    )));
                }
            }
        }
        let part = |text: &str| percent_decoded(text).filter(|text| !text.is_empty());
        let (name, token) = (part(url.username()), url.password().and_then(part));
        Ok(Self {
            host,
            port: url.port().unwrap_or(DEFAULT_PORT),
            is_encrypted,
            ca_file,
            name,
            token,
        })
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    // The form encoding's reader, with a plus kept as it is.
    let pair = text.replace('+', "%2B").replace('&', "%26");
    url::form_urlencoded::parse(pair.as_bytes()).next().map(|(key, _)| key.into_owned())
}

impl Address {
    /// The same, asked with this token where none stands in the address.
    #[must_use]
    pub fn with_token(mut self, token: Option<String>) -> Self {
        self.token = self.token.or(token);
        self
    }

    fn authorization(&self) -> Result<Option<MetadataValue<Ascii>>, AddressError> {
        let Some(token) = &self.token else { return Ok(None) };
        let text = match &self.name {
            Some(name) => format!("Basic {}", STANDARD.encode(format!("{name}:{token}"))),
            None => format!("Bearer {token}"),
        };
        let value = text.parse().map_err(|_| {
            AddressError("the token has letters that a header cannot carry".to_owned())
        })?;
        Ok(Some(value))
    }
}

/// What a call ends with.
#[derive(Debug, Error)]
pub enum ClientError {
    /// There is no connection, or it broke off: to be tried again.
    #[error("{0}")]
    Unavailable(String),
    /// The server says no, and will again.
    #[error("the server refuses: {0}")]
    Refused(String),
    /// What the server says is not of the protocol.
    #[error("the server does not speak the protocol: {0}")]
    Foreign(&'static str),
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        use tonic::Code;
        let text = status.message().to_owned();
        match status.code() {
            Code::Unavailable
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Internal
            | Code::Unknown => Self::Unavailable(text),
            _ => Self::Refused(text),
        }
    }
}

/// A connection.
#[derive(Debug, Clone)]
pub struct Client {
    streams: StreamsClient<Channel>,
    authorization: Option<MetadataValue<Ascii>>,
}

/// What a subscription brings.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// An event.
    Event(Box<Event>),
    /// What comes from here on is new.
    CaughtUp,
}

/// A subscription.
#[derive(Debug)]
pub struct Subscription(Streaming<ReadResp>);

impl Client {
    /// Connects.
    pub async fn connect(address: &Address) -> Result<Self, ClientError> {
        let refused = |error: &dyn std::fmt::Display| ClientError::Refused(error.to_string());
        let authorization = address.authorization().map_err(|error| refused(&error))?;
        let scheme = if address.is_encrypted { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
            .map_err(|error| refused(&error))?;
        let mut endpoint = endpoint.connect_timeout(CONNECT_PATIENCE).tcp_nodelay(true);
        endpoint = endpoint
            .http2_keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_EVERY)
            .keep_alive_while_idle(true);
        if address.is_encrypted {
            let mut tls = ClientTlsConfig::new().domain_name(address.host.trim_matches(['[', ']']));
            tls = match &address.ca_file {
                Some(file) => {
                    let pem = std::fs::read(file).map_err(|error| {
                        ClientError::Refused(format!("{}: {error}", file.display()))
                    })?;
                    tls.ca_certificate(Certificate::from_pem(pem))
                }
                None => tls.with_webpki_roots(),
            };
            endpoint = endpoint.tls_config(tls).map_err(|error| refused(&error))?;
        }
        let channel = endpoint.connect().await.map_err(|error| failed(address, &error))?;
        Ok(Self {
            streams: StreamsClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES),
            authorization,
        })
    }

    /// The log's last event, or the last one before `before`; `None` if there is none.
    pub async fn last_before(&mut self, before: Option<u64>) -> Result<Option<Event>, ClientError> {
        let from = before.map_or(AllOption::End(()), position);
        let mut messages = self.read(from, ReadDirection::Backwards, CountOption::Count(1)).await?;
        while let Some(message) = messages.message().await? {
            if let Some(News::Event(event)) = news(message)? {
                return Ok(Some(*event));
            }
        }
        Ok(None)
    }

    /// Everything after a position, and what comes.
    pub async fn subscribe(&mut self, after: u64) -> Result<Subscription, ClientError> {
        let from = if after == 0 { AllOption::Start(()) } else { position(after) };
        self.read(from, ReadDirection::Forwards, CountOption::Subscription(SubscriptionOptions {}))
            .await
            .map(Subscription)
    }

    async fn read(
        &mut self,
        from: AllOption,
        direction: ReadDirection,
        count: CountOption,
    ) -> Result<Streaming<ReadResp>, ClientError> {
        let options = Options {
            read_direction: direction.into(),
            resolve_links: false,
            uuid_option: Some(UuidOption { content: Some(UuidContent::String(())) }),
            control_option: None,
            stream_option: Some(StreamOption::All(AllOptions { all_option: Some(from) })),
            count_option: Some(count),
            filter_option: Some(FilterOption::NoFilter(())),
        };
        let mut request = Request::new(ReadReq { options: Some(options) });
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        Ok(self.streams.read(request).await?.into_inner())
    }
}

impl Subscription {
    /// What comes next; a subscription that ends has broken off.
    pub async fn next(&mut self) -> Result<News, ClientError> {
        loop {
            let message = self
                .0
                .message()
                .await?
                .ok_or_else(|| ClientError::Unavailable("the subscription ended".to_owned()))?;
            if let Some(news) = news(message)? {
                return Ok(news);
            }
        }
    }
}

/// Why there is no connection. A handshake that was answered in the clear will be again.
fn failed(address: &Address, error: &dyn std::error::Error) -> ClientError {
    let text = chain(error);
    if address.is_encrypted && text.contains("InvalidContentType") {
        return ClientError::Refused(
            "it does not speak TLS: write ?tls=false, if it is on this machine".to_owned(),
        );
    }
    ClientError::Unavailable(text)
}

fn position(position: u64) -> AllOption {
    AllOption::Position(Position { commit_position: position, prepare_position: position })
}

fn news(message: ReadResp) -> Result<Option<News>, ClientError> {
    Ok(match message.content {
        Some(Content::Event(event)) => Some(News::Event(Box::new(
            told(event).ok_or(ClientError::Foreign("an event is not whole"))?,
        ))),
        Some(Content::CaughtUp(_)) => Some(News::CaughtUp),
        _ => None,
    })
}

fn told(event: ReadEvent) -> Option<Event> {
    let event = event.event?;
    let Value::String(id) = event.id?.value? else { return None };
    let ticks: i64 = event.metadata.get("created")?.parse().ok()?;
    Some(Event {
        id: u128::from_str_radix(&id.replace('-', ""), 16).ok()?,
        stream: String::from_utf8(event.stream_identifier?.stream_name.to_vec()).ok()?,
        revision: event.stream_revision,
        position: event.commit_position,
        name: event.metadata.get("type")?.clone(),
        at: ticks.div_euclid(TICKS),
        data: event.data.to_vec(),
        metadata: event.custom_metadata.to_vec(),
    })
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut beneath = error.source();
    while let Some(cause) = beneath {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        beneath = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_other_clients_write() {
        let address: Address =
            "esdb://auditor:a%2Bb+c%40d@log.example.com?tls=true&tlsCaFile=/etc/ca.pem"
                .parse()
                .unwrap();
        assert_eq!(
            (address.to_string().as_str(), address.is_encrypted),
            ("log.example.com:2113", true)
        );
        assert_eq!(
            (address.name.as_deref(), address.token.as_deref()),
            (Some("auditor"), Some("a+b+c@d"))
        );
        assert_eq!(address.ca_file, Some(PathBuf::from("/etc/ca.pem")));
        assert!(!format!("{address:?}").contains("a+b"), "no token in a log");
        let plain: Address = "kurrentdb://127.0.0.1:9000?tls=false".parse().unwrap();
        assert_eq!((plain.to_string().as_str(), plain.is_encrypted), ("127.0.0.1:9000", false));
        assert_eq!(
            plain.with_token(Some("t".to_owned())).authorization().unwrap().unwrap(),
            "Bearer t"
        );
        assert_eq!("esdb://[::1]:5?tls=false".parse::<Address>().unwrap().to_string(), "[::1]:5");
    }

    #[test]
    fn an_address_that_is_none_is_told_so_without_being_repeated() {
        for wrong in [
            "127.0.0.1:2113",
            "http://x",
            "esdb://",
            "esdb://x?tls=perhaps",
            "esdb://x?discover=1",
            "esdb://u:secret@x:99999",
        ] {
            let error = wrong.parse::<Address>().unwrap_err().to_string();
            assert!(!error.contains("secret") && error.contains("esdb://HOST:PORT"), "{error}");
        }
    }
}
