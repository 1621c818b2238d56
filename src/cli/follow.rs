//! `telenumerus follow`: a live copy of another machine's log, held against the hash chain record
//! by record.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use actors::kernel::clock::Stopwatch;
use actors::store::Record;
use actors::store::chain::Hash;
use actors::store::sqlite::Replica;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use esdb::client::{Address, Client, ClientError, News, Subscription};
use events::envelope::{Position, Revision, StreamId};
use events::id::EventId;
use events::time::Timestamp;
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};

use super::output::say;
use super::{Outcome, in_words};
use crate::data;
use crate::description::unhex;

/// Records in one transaction of the copy.
const GROUP: usize = 512;
/// How long records wait for others before they are written.
const GROUP_PATIENCE: Duration = Duration::from_millis(20);
/// Between two lines about how far it is.
const NEWS_EVERY: Duration = Duration::from_secs(5);
/// Between two attempts to connect, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Attempts in a row of a copy that is to be made once.
const ATTEMPTS_ONCE: u32 = 5;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus follow esdb://log.example.com:2113 /var/lib/telenumerus-copy\n  telenumerus follow 'esdb://127.0.0.1:2113?tls=false' copy --once"
)]
pub struct Options {
    /// Where the service's log is read (its `[esdb] listen`): `esdb://HOST:PORT`, with `?tls=false`
    /// on the same machine and `?tlsCaFile=FILE` for a certificate of your own.
    address: Address,
    /// The copy's directory; made if it is not there, gone on with if it is.
    directory: PathBuf,
    /// End once the copy has what the log had at the start.
    #[arg(long)]
    once: bool,
    /// A reader's token with the right `bytes`. Better in the environment than here, where every
    /// process of the machine sees it.
    #[arg(long, env = "TELENUMERUS_READER_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
}

pub fn run(options: &Options) -> Outcome {
    let address = options.address.clone().with_token(options.token.clone());
    let _lock = data::lock(&options.directory)
        .map_err(|error| format!("{}: {error}", options.directory.display()))?;
    data::make_private(&options.directory);
    let replica = Replica::open(&options.directory).map_err(in_words)?;
    say!(
        "following {address} into {} from position {}",
        options.directory.display(),
        replica.end().0.0
    );
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(in_words)?;
    let mut follower =
        Follower { address, replica, is_once: options.once, waiting: Vec::new(), head: 0, told: 0 };
    let ended = runtime.block_on(follower.run());
    follower.replica.close();
    ended.map(|()| ExitCode::SUCCESS)
}

/// Why a connection was left.
enum Left {
    /// Everything is there that was wanted.
    Done,
    /// It broke off: to be tried again.
    Broken(String),
    /// It makes no sense to go on.
    Refused(String),
}

impl From<ClientError> for Left {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Unavailable(text) => Self::Broken(text),
            ClientError::Refused(_) | ClientError::Foreign(_) => Self::Refused(error.to_string()),
        }
    }
}

struct Follower {
    address: Address,
    replica: Replica,
    is_once: bool,
    /// Records that are not written yet.
    waiting: Vec<Record>,
    /// Where the log ended when it was last asked.
    head: u64,
    /// The position of the last line.
    told: u64,
}

impl Follower {
    async fn run(&mut self) -> Result<(), String> {
        let mut terminate = signal(SignalKind::terminate()).map_err(in_words)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(in_words)?;
        tokio::select! {
            ended = self.follow() => ended,
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        }
    }

    async fn follow(&mut self) -> Result<(), String> {
        let mut attempts = 0;
        loop {
            let before = self.replica.end().0;
            let left = self.connection().await;
            self.waiting.clear();
            attempts = if self.replica.end().0 > before { 1 } else { attempts + 1 };
            match left {
                Left::Done => return Ok(()),
                Left::Refused(text) => return Err(text),
                Left::Broken(text) if self.is_once && attempts >= ATTEMPTS_ONCE => {
                    return Err(text);
                }
                Left::Broken(text) => {
                    let pause = LONGEST_PAUSE.min(Duration::from_secs(1 << attempts.min(5)) / 2);
                    eprintln!(
                        "{}: {text}; again in {} s, from position {}",
                        self.address,
                        pause.as_secs(),
                        self.replica.end().0.0
                    );
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// One connection, until it breaks off.
    async fn connection(&mut self) -> Left {
        match self.connected().await {
            Ok(()) => Left::Done,
            Err(left) => left,
        }
    }

    async fn connected(&mut self) -> Result<(), Left> {
        let mut client = Client::connect(&self.address).await?;
        self.check_past(&mut client).await?;
        let wanted = self.head;
        if self.is_once && self.replica.end().0.0 >= wanted {
            self.tell_caught_up();
            return Ok(());
        }
        let mut subscription = client.subscribe(self.replica.end().0.0).await?;
        let mut since = Stopwatch::start();
        loop {
            match self.next(&mut subscription).await? {
                Some(News::Event(event)) => self.waiting.push(record(*event)?),
                Some(News::CaughtUp) => {
                    self.write()?;
                    self.head = self.head.max(self.replica.end().0.0);
                    if !self.is_once {
                        self.tell_caught_up();
                    }
                }
                None => self.write()?,
            }
            if self.waiting.len() >= GROUP {
                self.write()?;
            }
            if self.is_once && self.replica.end().0.0 + self.waiting.len() as u64 >= wanted {
                self.write()?;
                self.tell_caught_up();
                return Ok(());
            }
            if since.elapsed() >= NEWS_EVERY {
                since = Stopwatch::start();
                self.tell(&mut client).await?;
            }
        }
    }

    /// What comes next; `None` if records have waited long enough.
    async fn next(&self, subscription: &mut Subscription) -> Result<Option<News>, Left> {
        let patience = if self.waiting.is_empty() { NEWS_EVERY } else { GROUP_PATIENCE };
        match tokio::time::timeout(patience, subscription.next()).await {
            Ok(news) => Ok(Some(news?)),
            Err(_) => Ok(None),
        }
    }

    /// The log must be the one that the copy was made of: as long, and with the same chain where
    /// the copy ends.
    async fn check_past(&mut self, client: &mut Client) -> Result<(), Left> {
        let (own, chain) = self.replica.end();
        let last = client.last_before(None).await?;
        self.head = last.as_ref().map_or(0, |last| last.position);
        if self.head < own.0 {
            let text = format!(
                "the log at {} ends at position {}, and this copy has position {}: it has lost \
                 its end, or is another log",
                self.address, self.head, own.0
            );
            return Err(Left::Refused(text));
        }
        if own.0 == 0 {
            return Ok(());
        }
        let there =
            if self.head == own.0 { last } else { client.last_before(Some(own.0 + 1)).await? };
        let there = there.filter(|event| event.position == own.0).map(record).transpose()?;
        if there.is_none_or(|there| there.chain != chain) {
            let text = format!(
                "the log at {} is not the one that this copy was made of: another record stands \
                 at position {}",
                self.address, own.0
            );
            return Err(Left::Refused(text));
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Left> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.replica.extend(&waiting).map_err(|error| Left::Refused(error.to_string()))
    }

    /// How far it is, and how far behind.
    async fn tell(&mut self, client: &mut Client) -> Result<(), Left> {
        self.head = client.last_before(None).await?.map_or(0, |last| last.position);
        let reached = self.replica.end().0.0;
        if reached != self.told {
            self.told = reached;
            say!("position {reached}, {} behind", self.head.saturating_sub(reached));
        }
        Ok(())
    }

    fn tell_caught_up(&mut self) {
        self.told = self.replica.end().0.0;
        say!("caught up at position {}", self.told);
    }
}

/// What stands around an event.
#[derive(Deserialize)]
struct Around {
    actor: String,
    causation: String,
    correlation: Option<String>,
    version: u16,
    chain: Option<String>,
    payload: Option<String>,
}

/// The record that an event was told of.
fn record(event: esdb::Event) -> Result<Record, Left> {
    let at = event.position;
    let foreign = |what: &str| {
        Left::Refused(format!(
            "record {at}: {what}; is this the log of a telenumerus of this version?"
        ))
    };
    let around: Around = serde_json::from_slice(&event.metadata)
        .map_err(|_| foreign("what stands around it cannot be read"))?;
    let (Some(chain), Some(payload)) = (around.chain, around.payload) else {
        let text = "this reader is not given the bytes that a copy is made of: it needs a token \
            whose rights have \"bytes\" ([[esdb.readers]] of the service)";
        return Err(Left::Refused(text.to_owned()));
    };
    let payload = STANDARD.decode(payload).map_err(|_| foreign("its bytes cannot be read"))?;
    let correlation = around
        .correlation
        .map(|order| order.parse())
        .transpose()
        .map_err(|_| foreign("its order cannot be read"))?;
    let mut record = Record {
        position: Position(event.position),
        stream: StreamId::from_name(&event.stream),
        revision: Revision(event.revision),
        id: EventId(event.id),
        name: event.name.into(),
        version: around.version,
        at: Timestamp::from_millis(event.at),
        causation: around.causation.parse().map_err(|_| foreign("its command cannot be read"))?,
        correlation,
        actor: around.actor.into(),
        payload,
        digest: Hash::default(),
        chain: unhex(&chain).ok_or_else(|| foreign("its chain cannot be read"))?,
    };
    record.digest = record.fields().digest();
    Ok(record)
}
