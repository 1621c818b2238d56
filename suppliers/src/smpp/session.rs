//! One bind at an SMSC: connects, binds, takes messages, keeps the link alive, and begins again
//! when it breaks.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use rusmpp::pdus::{DataSmResp, DeliverSmResp};
use rusmpp::{CommandStatus, Pdu};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_util::bytes::BytesMut;

use super::bind::{Bind, BindStatus};
use super::body::Body;
use super::connection::{Connection, command};
use super::context::SessionContext;
use super::frame::{Frame, FrameError, Header, encode};
use super::message::{self, Incoming, Text, Unreadable};
use actors::inbox::alphabet::Certainty;
use actors::kernel::outbound;

/// For a connection, and for each answer that is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Messages of one session that are on their way to the disk at a time: more wait in the
/// connection.
pub(super) const WINDOW: usize = 128;
/// First and longest wait before the next try.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
/// A session that lived so long was a good one: the next try waits the first wait again.
const LIVED: Duration = Duration::from_mins(1);

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

/// The behaviour; the state is `SessionState`.
pub struct Session;

/// One bind's line to its SMSC.
pub struct SessionState {
    /// How it is bound.
    pub bind: Bind,
    /// Where messages go.
    pub context: SessionContext,
    /// How it is, for those who watch.
    pub status: watch::Sender<BindStatus>,
    /// True once the service is stopping.
    pub stopping: watch::Receiver<bool>,
    /// The next wait.
    pub backoff: Duration,
    /// What was odd about this SMSC's messages, each kind once: the log says it once.
    pub noticed: BTreeSet<&'static str>,
}

impl Actor for Session {
    type Msg = Connect;
    type State = SessionState;
    type Arguments = SessionState;

    async fn pre_start(
        &self,
        myself: ActorRef<Connect>,
        state: SessionState,
    ) -> Result<SessionState, ActorProcessingErr> {
        let _ = myself.send_message(Connect);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Connect>,
        Connect: Connect,
        state: &mut SessionState,
    ) -> Result<(), ActorProcessingErr> {
        let begun = Instant::now();
        // A bug ends this session, not the bind: what an SMSC says must not silence it for good.
        let ended = AssertUnwindSafe(Box::pin(state.live()))
            .catch_unwind()
            .await
            .unwrap_or(Err(SessionError::Bug));
        let error = ended.as_ref().err().map(ToString::to_string);
        if *state.stopping.borrow() {
            state.show(false, None);
            myself.stop(None);
            return Ok(());
        }
        if let Some(error) = &error
            && state.status.borrow().error.as_ref() != Some(error)
        {
            tracing::warn!(
                supplier = %state.context.supplier, smsc = state.bind.address, error,
                "the SMPP session is down and is tried again"
            );
        }
        state.show(false, error);
        let wait = if begun.elapsed() >= LIVED { BACKOFF.0 } else { state.backoff };
        state.backoff = (wait * 2).min(BACKOFF.1);
        // Apart from the others that broke at the same moment.
        myself.send_after(wait.mul_f64(0.75 + state.context.entropy.fraction() / 2.0), || Connect);
        Ok(())
    }
}

impl SessionState {
    fn show(&self, bound: bool, error: Option<String>) {
        match (self.status.borrow().bound, bound) {
            (false, true) => self.context.reach.gained(),
            (true, false) => self.context.reach.lost(),
            (true, true) | (false, false) => {}
        }
        self.status.send_modify(|status| (status.bound, status.error) = (bound, error));
    }

    /// One session from its connection to its end.
    async fn live(&mut self) -> Result<(), SessionError> {
        let connect = timeout(PATIENCE, TcpStream::connect(&self.bind.address)).await;
        let stream = connect
            .map_err(|_| SessionError::Silent)?
            .map_err(|error| SessionError::Connect(error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| SessionError::Connect(error.to_string()))?;
        if !self.bind.tls {
            return self.speak(stream).await;
        }
        let host = self
            .bind
            .address
            .rsplit_once(':')
            .map_or(self.bind.address.as_str(), |(host, _)| host)
            .to_owned();
        let name =
            ServerName::try_from(host).map_err(|error| SessionError::Setting(error.to_string()))?;
        let more = self
            .bind
            .ca_file
            .as_deref()
            .map(outbound::certificates)
            .transpose()
            .map_err(SessionError::Setting)?;
        let connector = TlsConnector::from(Arc::new(
            outbound::trust(more.unwrap_or_default()).map_err(SessionError::Setting)?,
        ));
        let secure = timeout(PATIENCE, connector.connect(name, stream)).await;
        let secure = secure
            .map_err(|_| SessionError::Silent)?
            .map_err(|error| SessionError::Connect(error.to_string()))?;
        self.speak(secure).await
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &mut self,
        stream: S,
    ) -> Result<(), SessionError> {
        let mut connection = Connection::over(stream);
        connection.bind(&self.bind).await?;
        self.show(true, None);
        tracing::info!(supplier = %self.context.supplier, smsc = self.bind.address, "bound");
        self.serve(&mut connection).await
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &mut self,
        connection: &mut Connection<S>,
    ) -> Result<(), SessionError> {
        let (answers, mut answered) = mpsc::channel::<BytesMut>(WINDOW);
        let window = Arc::new(Semaphore::new(WINDOW));
        let mut stopping = self.stopping.clone();
        let mut heard = Instant::now();
        let mut enquired = false;
        loop {
            let deadline = heard
                + if enquired { self.bind.enquire_link + PATIENCE } else { self.bind.enquire_link };
            let has_room = window.available_permits() > 0;
            tokio::select! {
                answer = answered.recv() => connection.write(&answer.unwrap_or_default()).await?,
                frame = connection.next(), if has_room => {
                    heard = Instant::now();
                    enquired = false;
                    match frame? {
                        Frame::TooLong(header, length) => {
                            self.pass_over(connection, header, length).await?;
                        }
                        Frame::Pdu(header, body) => match header.command {
                            command::DELIVER_SM | command::DATA_SM => {
                                self.take(header, &body, &window, &answers);
                            }
                            _ => reply(connection, header).await?,
                        },
                    }
                }
                () = tokio::time::sleep_until(deadline) => {
                    if enquired {
                        return Err(SessionError::Silent);
                    }
                    enquired = true;
                    connection.ask(Pdu::EnquireLink).await?;
                }
                () = stopped(&mut stopping) => {
                    return self.leave(connection, &window, &mut answered).await;
                }
            }
        }
    }

    /// A PDU that is too long to be read.
    async fn pass_over<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &self,
        connection: &mut Connection<S>,
        header: Header,
        length: usize,
    ) -> Result<(), SessionError> {
        if command::wants_no_answer(header.command) {
            return Ok(());
        }
        tracing::warn!(
            supplier = %self.context.supplier, smsc = self.bind.address, length,
            "a PDU was refused: it is too long"
        );
        (self.context.counted)("unreadable");
        connection.write(&answer(header, CommandStatus::EsmeRinvcmdlen)).await
    }

    /// Takes a message to the inbox; the SMSC is answered once it is on disk.
    fn take(
        &mut self,
        header: Header,
        bytes: &[u8],
        window: &Arc<Semaphore>,
        answers: &mpsc::Sender<BytesMut>,
    ) {
        let Ok(place) = Arc::clone(window).try_acquire_owned() else { return };
        let body = if header.command == command::DATA_SM {
            Body::of_data_sm(bytes)
        } else {
            Body::of_deliver_sm(bytes)
        };
        let read = message::read(&body, self.bind.default_alphabet);
        body.oddities.iter().for_each(|oddity| self.notice(oddity.name()));
        match &read {
            Ok(Incoming::Text(Text { certainty: Certainty::Detected, .. })) => {
                self.notice("other_alphabet");
            }
            Ok(Incoming::Text(Text { certainty: Certainty::Undecided, .. })) => {
                self.notice("undecided_alphabet");
            }
            Ok(Incoming::Text(_) | Incoming::Receipt) => {}
            Err(reason) => {
                tracing::warn!(
                    supplier = %self.context.supplier, smsc = self.bind.address, %reason,
                    bytes = bytes.len(), "a message was refused; it is lost"
                );
            }
        }
        let (context, answers) = (self.context.clone(), answers.clone());
        tokio::spawn(async move {
            let (status, outcome) = match read {
                Ok(Incoming::Receipt) => (CommandStatus::EsmeRok, "ignored"),
                Ok(Incoming::Text(text)) => match context.deliver(text).await {
                    Ok(outcome) => (CommandStatus::EsmeRok, outcome),
                    // The SMSC redelivers on ESME_RX_T_APPN.
                    Err(fault) => {
                        tracing::warn!(
                            supplier = %context.supplier, error = %fault,
                            "a message was not taken; the SMSC is asked to send it again"
                        );
                        (CommandStatus::EsmeRxTAppn, "failed")
                    }
                },
                Err(Unreadable::Destination) => (CommandStatus::EsmeRinvdstadr, "unreadable"),
                Err(Unreadable::Text) => (CommandStatus::EsmeRinvmsglen, "unreadable"),
            };
            (context.counted)(outcome);
            let _ = answers.send(answer(header, status)).await;
            drop(place);
        });
    }

    /// Counts what is odd about a message; the log says each kind once.
    fn notice(&mut self, oddity: &'static str) {
        (self.context.noticed)(oddity);
        if self.noticed.insert(oddity) {
            tracing::warn!(
                supplier = %self.context.supplier, smsc = self.bind.address, oddity,
                "this SMSC's messages are odd, and read all the same"
            );
        }
    }

    /// Says goodbye: what was taken is answered first.
    async fn leave<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &self,
        connection: &mut Connection<S>,
        window: &Semaphore,
        answered: &mut mpsc::Receiver<BytesMut>,
    ) -> Result<(), SessionError> {
        let until = Instant::now() + PATIENCE;
        while window.available_permits() < WINDOW && Instant::now() < until {
            if let Ok(Some(answer)) = timeout(PATIENCE, answered.recv()).await {
                connection.write(&answer).await?;
            }
        }
        while let Ok(answer) = answered.try_recv() {
            connection.write(&answer).await?;
        }
        connection.ask(Pdu::Unbind).await?;
        loop {
            let frame =
                timeout(PATIENCE, connection.next()).await.map_err(|_| SessionError::Silent)??;
            if let Frame::Pdu(Header { command: command::UNBIND_RESP, .. }, _) = frame {
                return Ok(());
            }
        }
    }
}

/// Answers what is no message; an SMSC that unbinds has ended the session.
async fn reply<S: AsyncRead + AsyncWrite + Unpin + Send>(
    connection: &mut Connection<S>,
    header: Header,
) -> Result<(), SessionError> {
    let (ok, sequence) = (CommandStatus::EsmeRok, header.sequence);
    match header.command {
        command::ENQUIRE_LINK => connection.send(ok, sequence, Pdu::EnquireLinkResp).await,
        command::UNBIND => {
            connection.send(ok, sequence, Pdu::UnbindResp).await?;
            Err(SessionError::Unbound)
        }
        command if command::wants_no_answer(command) => Ok(()),
        _ => connection.send(CommandStatus::EsmeRinvcmdid, sequence, Pdu::GenericNack).await,
    }
}

/// Returns once the service is stopping, or whoever could say so is gone.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// The answer to a PDU, a message or not.
fn answer(header: Header, status: CommandStatus) -> BytesMut {
    match header.command {
        command::DELIVER_SM => encode(status, header.sequence, DeliverSmResp::default()),
        command::DATA_SM => encode(status, header.sequence, DataSmResp::default()),
        _ => encode(status, header.sequence, Pdu::GenericNack),
    }
}
