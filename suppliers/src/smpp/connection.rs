//! What is said over a connection to an SMSC: the bind first, then questions and answers.

use std::collections::VecDeque;

use rusmpp::pdus::{BindReceiver, BindTransceiver};
use rusmpp::types::COctetString;
use rusmpp::values::InterfaceVersion;
use rusmpp::{CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, timeout, timeout_at};

use super::bind::{Bind, Mode};
use super::frame::{Frame, FrameError, Header, Reader, encode};
use super::session::{PATIENCE, SessionError, WINDOW};

/// The commands that sessions know.
pub mod command {
    pub const DELIVER_SM: u32 = 0x05;
    pub const DATA_SM: u32 = 0x103;
    pub const ENQUIRE_LINK: u32 = 0x15;
    pub const UNBIND: u32 = 0x06;
    pub const UNBIND_RESP: u32 = ANSWER | UNBIND;
    pub const BIND_RECEIVER_RESP: u32 = ANSWER | 0x01;
    pub const BIND_TRANSCEIVER_RESP: u32 = ANSWER | 0x09;
    pub const GENERIC_NACK: u32 = ANSWER;
    /// The bit of all answers.
    const ANSWER: u32 = 0x8000_0000;
    const OUTBIND: u32 = 0x0b;
    const ALERT_NOTIFICATION: u32 = 0x102;

    /// Answers, whatever to, and what asks for none.
    pub fn wants_no_answer(command: u32) -> bool {
        command & ANSWER != 0 || matches!(command, OUTBIND | ALERT_NOTIFICATION)
    }
}

/// What is said over a connection.
pub struct Connection<S> {
    reader: Reader<ReadHalf<S>>,
    writer: WriteHalf<S>,
    sequence: u32,
    /// What came before the bind was answered, as some SMSCs have it.
    early: VecDeque<Frame>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    /// A connection on which nothing was said yet.
    pub fn over(stream: S) -> Self {
        let (read, writer) = tokio::io::split(stream);
        Self { reader: Reader::new(read), writer, sequence: 0, early: VecDeque::new() }
    }

    /// Binds. Of the answer, its status counts alone: SMSCs leave its body out, or name themselves
    /// in more letters than there are.
    pub async fn bind(&mut self, bind: &Bind) -> Result<(), SessionError> {
        let system_id = octets(&bind.system_id)?;
        let password = octets(&bind.password)?;
        let system_type = octets(&bind.system_type)?;
        let version = InterfaceVersion::Smpp3_4;
        let pdu: Pdu = match bind.mode {
            Mode::Receiver => BindReceiver {
                system_id,
                password,
                system_type,
                interface_version: version,
                ..BindReceiver::default()
            }
            .into(),
            Mode::Transceiver => BindTransceiver {
                system_id,
                password,
                system_type,
                interface_version: version,
                ..BindTransceiver::default()
            }
            .into(),
        };
        self.ask(pdu).await?;
        let until = Instant::now() + PATIENCE;
        loop {
            let frame =
                timeout_at(until, self.reader.next()).await.map_err(|_| SessionError::Silent)??;
            let (Frame::Pdu(Header { command, status, .. }, _)
            | Frame::TooLong(Header { command, status, .. }, _)) = frame;
            match (command, status) {
                (
                    command::BIND_RECEIVER_RESP | command::BIND_TRANSCEIVER_RESP,
                    CommandStatus::EsmeRok,
                ) => return Ok(()),
                (
                    command::BIND_RECEIVER_RESP
                    | command::BIND_TRANSCEIVER_RESP
                    | command::GENERIC_NACK,
                    status,
                ) => {
                    return Err(SessionError::Refused(status));
                }
                _ if self.early.len() < WINDOW => self.early.push_back(frame),
                _ => {}
            }
        }
    }

    /// The next frame. Giving up on it and asking again loses nothing.
    pub async fn next(&mut self) -> Result<Frame, FrameError> {
        match self.early.pop_front() {
            Some(frame) => Ok(frame),
            None => self.reader.next().await,
        }
    }

    /// Asks the SMSC something.
    pub async fn ask(&mut self, pdu: Pdu) -> Result<(), SessionError> {
        self.sequence = if self.sequence >= 0x7fff_fffe { 1 } else { self.sequence + 1 };
        self.send(CommandStatus::EsmeRok, self.sequence, pdu).await
    }

    /// Says something, under a number of the SMSC's or ours.
    pub async fn send(
        &mut self,
        status: CommandStatus,
        sequence: u32,
        pdu: Pdu,
    ) -> Result<(), SessionError> {
        self.write(&encode(status, sequence, pdu)).await
    }

    /// Writes a PDU.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        let written = timeout(PATIENCE, self.writer.write_all(bytes))
            .await
            .map_err(|_| SessionError::Silent)?;
        written.map_err(SessionError::Write)
    }
}

fn octets<const MIN: usize, const MAX: usize>(
    text: &str,
) -> Result<COctetString<MIN, MAX>, SessionError> {
    let with_end = [text.as_bytes(), &[0]].concat();
    COctetString::from_vec(with_end).map_err(|error| SessionError::Setting(error.to_string()))
}
