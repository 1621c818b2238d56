//! SMPP on the wire: one PDU a frame, whatever the PDU holds. A PDU that cannot be read costs the peer a `generic_nack` and nobody the session.

use rusmpp::tokio_codec::CommandCodec;
use rusmpp::{Command, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

/// The command of messages.
const DELIVER_SM: u32 = 0x05;
/// Shortest PDU: its header.
const HEADER: usize = 16;
/// Longest PDU taken: a payload may have 64 KiB, and the rest is small.
const LONGEST: usize = 80 * 1024;

/// What came over the wire.
#[derive(Debug)]
pub enum Frame {
    /// A PDU.
    Command(Box<Command>),
    /// One that cannot be read, by its sequence number.
    Unreadable(u32),
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
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// A reader of `stream`.
    pub fn new(stream: R) -> Self {
        Self { stream, buffer: BytesMut::with_capacity(4 * 1024) }
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
        let word = |at: usize| self.buffer.get(at..at + 4).map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        let (Some(length), Some(sequence)) = (word(0), word(12)) else { return Ok(None) };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(HEADER..=LONGEST).contains(&length) {
            return Err(FrameError::Length(length));
        }
        if self.buffer.len() < length {
            return Ok(None);
        }
        // The codec sees this PDU and nothing of the next: what it leaves unread is gone with it.
        let mut pdu = self.buffer.split_to(length);
        make_sender_plain(&mut pdu);
        let command = CommandCodec::new().with_max_length(LONGEST).decode(&mut pdu);
        Ok(Some(match command {
            Ok(Some(command)) => Frame::Command(Box::new(command)),
            Ok(None) | Err(_) => Frame::Unreadable(sequence),
        }))
    }
}

/// Senders with letters that no address may have are common; the codec would refuse their messages whole.
fn make_sender_plain(pdu: &mut BytesMut) {
    let is_message = pdu.get(4..8) == Some(&DELIVER_SM.to_be_bytes());
    let Some(service_type) = pdu.get(HEADER..).and_then(|body| body.iter().position(|byte| *byte == 0)).filter(|_| is_message) else { return };
    // Behind the service type's end: type of number, numbering plan, then the sender up to its end.
    let sender = pdu.iter_mut().skip(HEADER + service_type + 3).take_while(|byte| **byte != 0);
    for byte in sender.filter(|byte| !byte.is_ascii()) {
        *byte = b'?';
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
                Ok(Frame::Command(command)) => seen.push(format!("{:?} {}", command.id(), command.sequence_number())),
                Ok(Frame::Unreadable(sequence)) => seen.push(format!("unreadable {sequence}")),
                Err(FrameError::Length(length)) => return [seen, vec![format!("length {length}")]].concat(),
                Err(FrameError::Broken(_)) => return seen,
            }
        }
    }

    fn pdu(id: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(HEADER + body.len()).unwrap();
        [&length.to_be_bytes()[..], &id.to_be_bytes(), &[0; 4], &sequence.to_be_bytes(), body].concat()
    }

    #[tokio::test]
    async fn what_cannot_be_read_does_not_disturb_what_follows() {
        let link = pdu(0x15, 9, &[]);
        let deliver = |body: &[u8]| pdu(0x05, 7, body);
        for hostile in [deliver(&[]), deliver(&[0xff; 300]), deliver(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff"), deliver(&vec![0; 60_000])] {
            let seen = frames(&[hostile, link.clone()].concat()).await;
            assert_eq!((seen.len(), seen[1].as_str()), (2, "EnquireLink 9"), "{seen:?}");
        }
        assert_eq!(frames(&[pdu(0x0bad, 3, &[1, 2, 3]), link.clone()].concat()).await.last().unwrap(), "EnquireLink 9");
    }

    #[tokio::test]
    async fn a_sender_with_foreign_letters_does_not_cost_its_message() {
        let body = [b"\0\x05\0Banqu\xe9\0\x01\x0112025550123\0".as_slice(), &[0; 3], b"\0\0", &[0; 4], b"\x04caf\xe9"].concat();
        let bytes = pdu(0x05, 7, &body);
        let Frame::Command(command) = Reader::new(bytes.as_slice()).next().await.unwrap() else { panic!("unreadable") };
        let Some(Pdu::DeliverSm(sm)) = command.pdu() else { panic!("{command:?}") };
        assert_eq!((sm.source_addr.to_string().as_str(), sm.short_message().as_ref()), ("Banqu?", b"caf\xe9".as_slice()));
    }

    #[tokio::test]
    async fn impossible_lengths_end_the_reading() {
        for (length, shown) in [(0u32, 0), (15, 15), (u32::MAX, usize::try_from(u32::MAX).unwrap())] {
            let bytes = [&length.to_be_bytes()[..], &[0; 12]].concat();
            assert_eq!(frames(&bytes).await, [format!("length {shown}")]);
        }
        assert_eq!(frames(&[0, 0, 0, 16, 0, 0]).await, Vec::<String>::new());
    }
}
