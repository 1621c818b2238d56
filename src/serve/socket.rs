//! The socket below the HTTP library: writes that nobody reads end, and the library's own refusals
//! get the listener's words.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::connections::{Connection, Phase};
use super::refused::{Reason, Refusal, Refuse};

/// What a reader has to take in a write timeout to be given another one: a few hundred bytes a
/// second.
const LEAST_TAKEN: usize = 16 * 1024;
/// Bytes that the system may hold for a reader beyond what is on its way to it.
const UNSENT: u32 = 64 * 1024;
/// After an answer to a request that was not read to its end: how long and how much is read and
/// thrown away, for an end that closes with bytes unread takes its answer back.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 1024 * 1024;

pub(super) struct Socket {
    stream: TokioIo<TcpStream>,
    connection: Arc<Connection>,
    refuse: Refuse,
    write_timeout: Duration,
    /// Runs while the other end does not read.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Bytes taken since it runs.
    taken: usize,
    /// How far the service had acted when everything was written out.
    flushed: u64,
    /// What is left of a refusal in the listener's own words.
    own: Vec<u8>,
    refused: bool,
}

impl Socket {
    pub(super) fn new(
        stream: TcpStream,
        connection: Arc<Connection>,
        refuse: Refuse,
        write_timeout: Duration,
    ) -> Self {
        // Answers are written in one piece; waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        let stream = TokioIo::new(stream);
        Self {
            stream,
            connection,
            refuse,
            write_timeout,
            stalled: None,
            taken: 0,
            flushed: 0,
            own: Vec::new(),
            refused: false,
        }
    }

    /// Whether a refusal was written that no service made.
    pub(super) fn has_refused(&self) -> bool {
        self.refused
    }

    /// Writes a refusal, if the other end reads it in time.
    pub(super) async fn say(&mut self, reason: Reason) {
        self.refuse(reason);
        let _ = std::future::poll_fn(|cx| self.poll_own(cx)).await;
    }

    /// Ends the sending half, and lets the other end read what was sent before the socket is
    /// closed.
    pub(super) async fn end(mut self) {
        let _ = std::future::poll_fn(|cx| Pin::new(&mut self).poll_shutdown(cx)).await;
        let mut stream = self.stream.into_inner();
        let drain = async {
            let (mut buffer, mut drained) = ([0; 4_096], 0);
            while drained < LINGER_BYTES {
                match stream.read(&mut buffer).await {
                    Ok(read @ 1..) => drained += read,
                    Ok(0) | Err(_) => return,
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, drain).await;
    }

    /// Whether the other end has closed its sending half. A reply is finished all the same; whoever
    /// follows a stream and does that has gone, and the stream would hold a place until something
    /// is written to it. Wakes the task when it happens.
    fn has_hung_up(&self, cx: &mut Context<'_>) -> bool {
        let mut byte = [0];
        let peeked = self.stream.inner().poll_peek(cx, &mut tokio::io::ReadBuf::new(&mut byte));
        matches!(peeked, Poll::Ready(Ok(0) | Err(_)))
    }

    fn refuse(&mut self, reason: Reason) {
        let refusal: Refusal = (self.refuse)(reason, self.connection.peer());
        self.own = refusal.to_bytes();
        self.refused = true;
    }

    /// What the library writes without the service having done anything is its own refusal.
    fn refusal_in(&self, bytes: &[u8]) -> Option<Reason> {
        let status = bytes
            .strip_prefix(b"HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .filter(|status| status[0] == b'4')?;
        let is_own = self.connection.activity() == self.flushed && !self.refused;
        is_own
            .then(|| Reason::of_library(status, self.connection.saw_line().load(Ordering::Relaxed)))
    }

    fn poll_own(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.own.is_empty() {
            let written = Pin::new(&mut self.stream).poll_write(cx, &self.own);
            let written = ready!(self.watched(cx, written))?;
            self.own.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    /// Ends a connection whose other end takes less than it must.
    fn watched(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.taken += bytes;
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.connection.enter(Phase::Stalled);
                loop {
                    let timeout = self.write_timeout;
                    let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(timeout)));
                    ready!(timer.as_mut().poll(cx));
                    if self.taken < LEAST_TAKEN {
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                    (self.stalled, self.taken) = (None, 0);
                }
            }
        }
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.connection.saw_line().load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        // Only until a head's first line has come: its bytes are looked at.
        let mut bytes = [0; 8_192];
        let room = buffer.remaining().min(bytes.len());
        let mut read = hyper::rt::ReadBuf::new(&mut bytes[..room]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, read.unfilled()))?;
        let filled = read.filled();
        if filled.contains(&b'\n') {
            self.connection.saw_line().store(true, Ordering::Relaxed);
        }
        buffer.put_slice(filled);
        Poll::Ready(Ok(()))
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(reason) = self.refusal_in(bytes) {
            self.refuse(reason);
            return Poll::Ready(Ok(bytes.len()));
        }
        ready!(self.poll_own(cx))?;
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(reason) = slices.first().and_then(|first| self.refusal_in(first)) {
            self.refuse(reason);
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        ready!(self.poll_own(cx))?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watched(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_own(cx))?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        // The library flushes once all of its own bytes are written.
        self.flushed = self.connection.activity();
        if self.stalled.take().is_some() {
            self.taken = 0;
            self.connection.goes_on();
        }
        if self.connection.is_streaming() && self.has_hung_up(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_own(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
