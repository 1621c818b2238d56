//! SMPP on the wire: one PDU a frame, whatever the PDU holds. What a PDU holds costs nobody the
//! session.

use rusmpp::tokio_codec::CommandCodec;
use rusmpp::{Command, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::bytes::{Buf, BytesMut};
use tokio_util::codec::Encoder;

/// Shortest PDU: its header.
const HEADER: usize = 16;
/// Longest PDU read: a payload may have 64 KiB, and the rest is small.
const LONGEST: usize = 80 * 1024;
/// Longest PDU passed over: a length beyond it is none, and what follows has no beginning any more.
const LONGEST_PASSED: usize = 16 * 1024 * 1024;

/// What stands in front of every PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub command: u32,
    /// What it says of what it answers.
    pub status: CommandStatus,
    /// What its answer is known by.
    pub sequence: u32,
}

/// What came over the wire.
#[derive(Debug)]
pub enum Frame {
    /// A PDU.
    Pdu(Header, BytesMut),
    /// One that is too long to be read, with its length.
    TooLong(Header, usize),
}

/// The connection can no longer be read: its frames have no beginning any more.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// It was closed, or failed.
    #[error("the connection broke: {0}")]
    Broken(#[from] std::io::Error),
    /// A PDU says that it has an impossible length.
    #[error("a PDU of {0} bytes")]
    Length(usize),
}

/// Reads frames. Giving up on a read and reading again loses nothing.
#[derive(Debug)]
pub struct Reader<R> {
    stream: R,
    buffer: BytesMut,
    /// Bytes of a PDU passed over that are still to come.
    to_pass: usize,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// A reader of `stream`.
    pub fn new(stream: R) -> Self {
        Self { stream, buffer: BytesMut::with_capacity(4 * 1024), to_pass: 0 }
    }

    /// The next frame.
    pub async fn next(&mut self) -> Result<Frame, FrameError> {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(frame);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(FrameError::Broken(std::io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    fn take(&mut self) -> Result<Option<Frame>, FrameError> {
        let passed = self.to_pass.min(self.buffer.len());
        self.buffer.advance(passed);
        self.to_pass -= passed;
        let word = |at: usize| {
            self.buffer
                .get(at..at + 4)
                .map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        };
        let (Some(length), Some(command), Some(status), Some(sequence)) =
            (word(0), word(4), word(8), word(12))
        else {
            return Ok(None);
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(HEADER..=LONGEST_PASSED).contains(&length) {
            return Err(FrameError::Length(length));
        }
        let header = Header { command, status: CommandStatus::from(status), sequence };
        if length > LONGEST {
            self.buffer.advance(HEADER);
            self.to_pass = length - HEADER;
            return Ok(Some(Frame::TooLong(header, length)));
        }
        if self.buffer.len() < length {
            return Ok(None);
        }
        let mut pdu = self.buffer.split_to(length);
        pdu.advance(HEADER);
        Ok(Some(Frame::Pdu(header, pdu)))
    }
}

/// A PDU's bytes.
pub fn encode(status: CommandStatus, sequence: u32, pdu: impl Into<Pdu>) -> BytesMut {
    let mut bytes = BytesMut::new();
    let command = Command::new(status, sequence, pdu);
    // Into memory: it cannot fail.
    let _ = CommandCodec::new().encode(command, &mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn frames(bytes: &[u8]) -> Vec<String> {
        let mut reader = Reader::new(bytes);
        let mut seen = Vec::new();
        loop {
            match reader.next().await {
                Ok(Frame::Pdu(header, body)) => {
                    seen.push(format!("{:#x} {} {}", header.command, header.sequence, body.len()));
                }
                Ok(Frame::TooLong(header, length)) => seen
                    .push(format!("{:#x} {} too long: {length}", header.command, header.sequence)),
                Err(FrameError::Length(length)) => {
                    return [seen, vec![format!("length {length}")]].concat();
                }
                Err(FrameError::Broken(_)) => return seen,
            }
        }
    }

    fn pdu(id: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(HEADER + body.len()).unwrap();
        [&length.to_be_bytes()[..], &id.to_be_bytes(), &[0; 4], &sequence.to_be_bytes(), body]
            .concat()
    }

    #[tokio::test]
    async fn what_a_pdu_holds_does_not_disturb_what_follows() {
        let link = pdu(0x15, 9, &[]);
        let long = vec![0; 60_000];
        for body in [&[][..], &[0xff; 300], b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff", &long] {
            let seen = frames(&[pdu(0x05, 7, body), link.clone()].concat()).await;
            assert_eq!(seen, [format!("0x5 7 {}", body.len()), "0x15 9 0".to_owned()]);
        }
        let long = frames(
            &[
                pdu(0x05, 7, &vec![0; 100_000]),
                link.clone(),
                pdu(0x0bad, 3, &vec![1; 1_000_000]),
                link,
            ]
            .concat(),
        )
        .await;
        assert_eq!(
            long,
            ["0x5 7 too long: 100016", "0x15 9 0", "0xbad 3 too long: 1000016", "0x15 9 0"]
        );
    }

    #[tokio::test]
    async fn impossible_lengths_end_the_reading() {
        for (length, shown) in [(0u32, 0), (15, 15), (u32::MAX, usize::try_from(u32::MAX).unwrap())]
        {
            let bytes = [&length.to_be_bytes()[..], &[0; 12]].concat();
            assert_eq!(frames(&bytes).await, [format!("length {shown}")]);
        }
        assert_eq!(frames(&[0, 0, 0, 16, 0, 0]).await, Vec::<String>::new());
    }
}
