//! One bind at an SMSC: connects, binds, takes messages, keeps the link alive, and begins again when it breaks.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use events::supplier::SupplierName;
use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use rusmpp::pdus::{BindReceiver, BindTransceiver, DeliverSm, DeliverSmResp};
use rusmpp::types::COctetString;
use rusmpp::values::InterfaceVersion;
use rusmpp::{CommandStatus, Pdu};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_util::bytes::BytesMut;

use super::frame::{Frame, FrameError, Reader, encode};
use super::message::{self, DefaultAlphabet, Incoming, Text};
use crate::entropy::Entropy;
use crate::fault::Fault;
use crate::inbox::{InboundSms, Inbox};
use crate::outbound;
use crate::parts::{InboundPart, Parts};
use crate::supplier::{Reach, alphabet};

/// For a connection, and for each answer that is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Messages of one session that are on their way to the disk at a time: more wait in the connection.
const WINDOW: usize = 128;
/// First and longest wait before the next try.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
/// A session that lived so long was a good one: the next try waits the first wait again.
const LIVED: Duration = Duration::from_mins(1);

/// How a session is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Receives only.
    Receiver,
    /// Receives, and could send.
    Transceiver,
}

/// A bind as the operator has written it.
#[derive(Clone)]
pub struct Bind {
    /// Host and port.
    pub address: String,
    /// Whether to speak TLS.
    pub tls: bool,
    /// Further certificates that the SMSC may have (PEM).
    pub ca_file: Option<PathBuf>,
    /// Who we are.
    pub system_id: String,
    /// The password; at most eight characters, as SMPP 3.4 has it.
    pub password: String,
    /// The type of system, if the SMSC wants one.
    pub system_type: String,
    /// How to bind.
    pub mode: Mode,
    /// What `data_coding` 0 means there.
    pub default_alphabet: DefaultAlphabet,
    /// How often to ask whether the link is alive.
    pub enquire_link: Duration,
}

/// Without the password.
impl std::fmt::Debug for Bind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bind").field("address", &self.address).field("system_id", &self.system_id).finish_non_exhaustive()
    }
}

/// How a bind is just now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BindStatus {
    /// Host and port.
    pub address: String,
    /// Whether it is bound.
    pub bound: bool,
    /// Why not, if it is known.
    pub error: Option<String>,
}

/// What sessions share.
#[derive(Clone)]
pub struct Way {
    /// The source's name.
    pub supplier: SupplierName,
    /// Where whole messages go.
    pub inbox: Inbox,
    /// Where parts go.
    pub parts: Parts,
    /// Told when a session comes up or goes down.
    pub reach: Arc<Reach>,
    /// Dice for the waits.
    pub entropy: Entropy,
    /// Told what became of each message, for the metrics.
    pub counted: Arc<dyn Fn(&'static str) + Send + Sync>,
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("cannot connect: {0}")]
    Connect(String),
    #[error("the SMSC does not answer")]
    Silent,
    #[error("the SMSC refuses the bind: {0:?}")]
    Refused(CommandStatus),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("cannot be written to: {0}")]
    Write(std::io::Error),
    #[error("the SMSC has ended the session")]
    Unbound,
    #[error("{0}")]
    Setting(String),
    #[error("a bug has ended the session; the log says where")]
    Bug,
}

/// The only message: connect.
pub struct Connect;

/// The behaviour; the state is `Line`.
pub struct Session;

/// One bind's line to its SMSC.
pub struct Line {
    /// How it is bound.
    pub bind: Bind,
    /// Where messages go.
    pub way: Way,
    /// How it is, for those who watch.
    pub status: watch::Sender<BindStatus>,
    /// True once the service is stopping.
    pub stopping: watch::Receiver<bool>,
    /// The next wait.
    pub backoff: Duration,
}

impl Actor for Session {
    type Msg = Connect;
    type State = Line;
    type Arguments = Line;

    async fn pre_start(&self, myself: ActorRef<Connect>, line: Line) -> Result<Line, ActorProcessingErr> {
        let _ = myself.send_message(Connect);
        Ok(line)
    }

    async fn handle(&self, myself: ActorRef<Connect>, Connect: Connect, line: &mut Line) -> Result<(), ActorProcessingErr> {
        let begun = Instant::now();
        // A bug ends this session, not the bind: what an SMSC says must not silence it for good.
        let ended = AssertUnwindSafe(Box::pin(line.live())).catch_unwind().await.unwrap_or(Err(SessionError::Bug));
        let error = ended.as_ref().err().map(ToString::to_string);
        if *line.stopping.borrow() {
            line.show(false, None);
            myself.stop(None);
            return Ok(());
        }
        if let Some(error) = &error
            && line.status.borrow().error.as_ref() != Some(error)
        {
            tracing::warn!(supplier = %line.way.supplier, smsc = line.bind.address, error, "the SMPP session is down and is tried again");
        }
        line.show(false, error);
        let wait = if begun.elapsed() >= LIVED { BACKOFF.0 } else { line.backoff };
        line.backoff = (wait * 2).min(BACKOFF.1);
        // Apart from the others that broke at the same moment.
        myself.send_after(wait.mul_f64(0.75 + line.way.entropy.fraction() / 2.0), || Connect);
        Ok(())
    }
}

impl Line {
    fn show(&self, bound: bool, error: Option<String>) {
        match (self.status.borrow().bound, bound) {
            (false, true) => self.way.reach.gained(),
            (true, false) => self.way.reach.lost(),
            (true, true) | (false, false) => {}
        }
        self.status.send_modify(|status| (status.bound, status.error) = (bound, error));
    }

    /// One session from its connection to its end.
    async fn live(&mut self) -> Result<(), SessionError> {
        let connect = timeout(PATIENCE, TcpStream::connect(&self.bind.address)).await;
        let stream = connect.map_err(|_| SessionError::Silent)?.map_err(|error| SessionError::Connect(error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| SessionError::Connect(error.to_string()))?;
        if !self.bind.tls {
            return self.speak(stream).await;
        }
        let host = self.bind.address.rsplit_once(':').map_or(self.bind.address.as_str(), |(host, _)| host).to_owned();
        let name = ServerName::try_from(host).map_err(|error| SessionError::Setting(error.to_string()))?;
        let more = self.bind.ca_file.as_deref().map(outbound::certificates).transpose().map_err(SessionError::Setting)?;
        let connector = TlsConnector::from(Arc::new(outbound::trust(more.unwrap_or_default()).map_err(SessionError::Setting)?));
        let secure = timeout(PATIENCE, connector.connect(name, stream)).await;
        let secure = secure.map_err(|_| SessionError::Silent)?.map_err(|error| SessionError::Connect(error.to_string()))?;
        self.speak(secure).await
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send>(&mut self, stream: S) -> Result<(), SessionError> {
        let (read, write) = tokio::io::split(stream);
        let mut talk = Talk { reader: Reader::new(read), writer: write, sequence: 0 };
        talk.bind(&self.bind).await?;
        self.show(true, None);
        tracing::info!(supplier = %self.way.supplier, smsc = self.bind.address, "bound");
        self.serve(&mut talk).await
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send>(&mut self, talk: &mut Talk<S>) -> Result<(), SessionError> {
        let (answers, mut answered) = mpsc::channel::<BytesMut>(WINDOW);
        let window = Arc::new(Semaphore::new(WINDOW));
        let mut stopping = self.stopping.clone();
        let mut heard = Instant::now();
        let mut enquired = false;
        loop {
            let deadline = heard + if enquired { self.bind.enquire_link + PATIENCE } else { self.bind.enquire_link };
            let has_room = window.available_permits() > 0;
            tokio::select! {
                answer = answered.recv() => talk.write(&answer.unwrap_or_default()).await?,
                frame = talk.reader.next(), if has_room => {
                    heard = Instant::now();
                    enquired = false;
                    match frame? {
                        Frame::Unreadable(sequence) => talk.send(CommandStatus::EsmeRinvcmdlen, sequence, Pdu::GenericNack).await?,
                        Frame::Command(command) => match command.pdu() {
                            Some(Pdu::DeliverSm(sm)) => self.take(sm.clone(), command.sequence_number(), &window, &answers),
                            Some(Pdu::EnquireLink) => talk.send(CommandStatus::EsmeRok, command.sequence_number(), Pdu::EnquireLinkResp).await?,
                            Some(Pdu::Unbind) => {
                                talk.send(CommandStatus::EsmeRok, command.sequence_number(), Pdu::UnbindResp).await?;
                                return Err(SessionError::Unbound);
                            }
                            // Answers to what we asked, and what asks for none.
                            Some(Pdu::EnquireLinkResp | Pdu::GenericNack | Pdu::UnbindResp | Pdu::AlertNotification(_)) => {}
                            _ => talk.send(CommandStatus::EsmeRinvcmdid, command.sequence_number(), Pdu::GenericNack).await?,
                        },
                    }
                }
                () = tokio::time::sleep_until(deadline) => {
                    if enquired {
                        return Err(SessionError::Silent);
                    }
                    enquired = true;
                    talk.ask(Pdu::EnquireLink).await?;
                }
                () = stopped(&mut stopping) => return self.leave(talk, &window, &mut answered).await,
            }
        }
    }

    /// Takes a message on its way; the SMSC is answered once it is on disk.
    fn take(&self, sm: DeliverSm, sequence: u32, window: &Arc<Semaphore>, answers: &mpsc::Sender<BytesMut>) {
        let Ok(place) = Arc::clone(window).try_acquire_owned() else { return };
        let (way, answers, default) = (self.way.clone(), answers.clone(), self.bind.default_alphabet);
        tokio::spawn(async move {
            let (status, outcome) = match message::read(&sm, default) {
                Ok(Incoming::Receipt) => (CommandStatus::EsmeRok, "ignored"),
                Ok(Incoming::Text(text)) => match way.deliver(text).await {
                    Ok(outcome) => (CommandStatus::EsmeRok, outcome),
                    // Asks for it once more.
                    Err(fault) => {
                        tracing::warn!(supplier = %way.supplier, error = %fault, "a message was not taken; the SMSC is asked to send it again");
                        (CommandStatus::EsmeRxTAppn, "failed")
                    }
                },
                Err(message::Unreadable::Destination) => (CommandStatus::EsmeRinvdstadr, "unreadable"),
            };
            (way.counted)(outcome);
            let _ = answers.send(encode(status, sequence, DeliverSmResp::default())).await;
            drop(place);
        });
    }

    /// Says goodbye: what was taken is answered first.
    async fn leave<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &self,
        talk: &mut Talk<S>,
        window: &Semaphore,
        answered: &mut mpsc::Receiver<BytesMut>,
    ) -> Result<(), SessionError> {
        let until = Instant::now() + PATIENCE;
        while window.available_permits() < WINDOW && Instant::now() < until {
            if let Ok(Some(answer)) = timeout(PATIENCE, answered.recv()).await {
                talk.write(&answer).await?;
            }
        }
        while let Ok(answer) = answered.try_recv() {
            talk.write(&answer).await?;
        }
        talk.ask(Pdu::Unbind).await?;
        loop {
            let frame = timeout(PATIENCE, talk.reader.next()).await.map_err(|_| SessionError::Silent)??;
            if let Frame::Command(command) = frame
                && matches!(command.pdu(), Some(Pdu::UnbindResp))
            {
                return Ok(());
            }
        }
    }
}

/// Returns once the service is stopping, or whoever could say so is gone.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

impl Way {
    /// What became of a message, once it is durable.
    async fn deliver(&self, text: Text) -> Result<&'static str, Fault> {
        if let Some(part) = text.part {
            let (reference, number, total) = (part.reference, part.number, part.total);
            let Text { to, from: sender, alphabet, bytes, .. } = text;
            let part = InboundPart { supplier: self.supplier.clone(), to, sender, reference, number, total, alphabet, bytes, received_at: None };
            return Ok(self.parts.deliver(part).await?.name());
        }
        let sms = InboundSms {
            supplier: self.supplier.clone(),
            message_id: text.id,
            to: text.to,
            sender: text.from,
            text: alphabet::decode(text.alphabet, &text.bytes),
            received_at: None,
        };
        Ok(self.inbox.deliver(sms).await?.name())
    }
}

/// What is said over a connection.
struct Talk<S> {
    reader: Reader<tokio::io::ReadHalf<S>>,
    writer: tokio::io::WriteHalf<S>,
    sequence: u32,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Talk<S> {
    async fn bind(&mut self, bind: &Bind) -> Result<(), SessionError> {
        let system_id = octets(&bind.system_id)?;
        let password = octets(&bind.password)?;
        let system_type = octets(&bind.system_type)?;
        let version = InterfaceVersion::Smpp3_4;
        let pdu: Pdu = match bind.mode {
            Mode::Receiver => BindReceiver { system_id, password, system_type, interface_version: version, ..BindReceiver::default() }.into(),
            Mode::Transceiver => {
                BindTransceiver { system_id, password, system_type, interface_version: version, ..BindTransceiver::default() }.into()
            }
        };
        self.ask(pdu).await?;
        loop {
            let frame = timeout(PATIENCE, self.reader.next()).await.map_err(|_| SessionError::Silent)??;
            let Frame::Command(command) = frame else { continue };
            match command.pdu() {
                Some(Pdu::BindReceiverResp(_) | Pdu::BindTransceiverResp(_) | Pdu::GenericNack) if command.status() == CommandStatus::EsmeRok => {
                    return Ok(());
                }
                Some(Pdu::BindReceiverResp(_) | Pdu::BindTransceiverResp(_) | Pdu::GenericNack) => {
                    return Err(SessionError::Refused(command.status()));
                }
                // A refusal may come without a body.
                _ if command.status() != CommandStatus::EsmeRok => return Err(SessionError::Refused(command.status())),
                _ => {}
            }
        }
    }

    async fn ask(&mut self, pdu: Pdu) -> Result<(), SessionError> {
        self.sequence = if self.sequence >= 0x7fff_fffe { 1 } else { self.sequence + 1 };
        self.send(CommandStatus::EsmeRok, self.sequence, pdu).await
    }

    async fn send(&mut self, status: CommandStatus, sequence: u32, pdu: Pdu) -> Result<(), SessionError> {
        self.write(&encode(status, sequence, pdu)).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        let written = timeout(PATIENCE, self.writer.write_all(bytes)).await.map_err(|_| SessionError::Silent)?;
        written.map_err(SessionError::Write)
    }
}

fn octets<const MIN: usize, const MAX: usize>(text: &str) -> Result<COctetString<MIN, MAX>, SessionError> {
    let with_end = [text.as_bytes(), &[0]].concat();
    COctetString::from_vec(with_end).map_err(|error| SessionError::Setting(error.to_string()))
}
