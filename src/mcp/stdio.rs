//! The protocol over standard input and output: a message a line, read as strictly as over HTTP.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use rmcp::RoleServer;
use rmcp::model::{ErrorCode, JsonRpcMessage, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Stdin};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::message::{self, MAX_BYTES, Refusal};

/// Lines that wait to be written: a client that does not read is not read from either.
const LINES_TO_WRITE: usize = 64;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// This process's standard input and output.
pub struct Stdio {
    input: BufReader<Stdin>,
    /// What has come of a line whose end has not.
    line: Vec<u8>,
    /// The rest of a line that was refused for its length.
    is_skipping: bool,
    output: Option<mpsc::Sender<Vec<u8>>>,
    /// Requests that have no answer yet.
    under_way: Arc<Mutex<HashSet<RequestId>>>,
    has_complained: bool,
}

impl Stdio {
    /// The transport, and what ends once all that was said is written.
    pub fn open() -> (Self, JoinHandle<()>) {
        let (output, mut lines) = mpsc::channel::<Vec<u8>>(LINES_TO_WRITE);
        let writing = tokio::spawn(async move {
            let mut standard = tokio::io::stdout();
            while let Some(line) = lines.recv().await {
                if standard.write_all(&line).await.is_err() || standard.flush().await.is_err() {
                    return;
                }
            }
        });
        let stdio = Self {
            input: BufReader::new(tokio::io::stdin()),
            line: Vec::new(),
            is_skipping: false,
            output: Some(output),
            under_way: Arc::default(),
            has_complained: false,
        };
        (stdio, writing)
    }

    /// The next whole line, `Err` for one that is too long, `None` at the end. Dropped while it
    /// waits, it loses nothing.
    async fn next_line(&mut self) -> Option<Result<Vec<u8>, Refusal>> {
        loop {
            let available = self.input.fill_buf().await.ok()?;
            if available.is_empty() {
                // The beginning of a message is none.
                return None;
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let (text, taken) = (
                &available[..end.unwrap_or(available.len())],
                end.map_or(available.len(), |end| end + 1),
            );
            let is_too_long = !self.is_skipping && self.line.len() + text.len() > MAX_BYTES;
            if is_too_long {
                self.line = Vec::new();
            } else if !self.is_skipping {
                self.line.extend_from_slice(text);
            }
            self.input.consume(taken);
            let was_skipping = self.is_skipping;
            self.is_skipping = (was_skipping || is_too_long) && end.is_none();
            if is_too_long {
                let text = format!("the line is longer than {MAX_BYTES} bytes");
                return Some(Err(Refusal::of_nobody(ErrorCode::PARSE_ERROR, text)));
            }
            if end.is_some() && !was_skipping {
                return Some(Ok(std::mem::take(&mut self.line)));
            }
        }
    }

    /// The message of a line; `None` where there is nothing to do and nothing to say.
    fn read(&self, line: &[u8]) -> Option<Result<RxJsonRpcMessage<RoleServer>, Refusal>> {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii();
        if line.is_empty() {
            return None;
        }
        let value = match message::read(line) {
            Ok(value) => value,
            Err(refusal) => return Some(Err(refusal)),
        };
        let message = match serde_json::from_slice::<RxJsonRpcMessage<RoleServer>>(line) {
            Ok(message) => message,
            // Nobody waits for an answer to a notification.
            Err(_) if value.get("id").is_none() => return None,
            Err(_) => {
                return Some(Err(Refusal::of_nobody(
                    ErrorCode::INVALID_REQUEST,
                    "the id is a text or a whole number, and the params fit the method",
                )));
            }
        };
        let mut under_way = self.under_way.lock();
        match &message {
            JsonRpcMessage::Request(request) if !under_way.insert(request.id.clone()) => {
                let text = "a request with this id is under way; give each one its own";
                Some(Err(Refusal {
                    code: ErrorCode::INVALID_REQUEST,
                    id: value["id"].clone(),
                    text: text.to_owned(),
                }))
            }
            JsonRpcMessage::Notification(_) if value["method"] == "notifications/cancelled" => {
                // What is cancelled gets no answer.
                if let Ok(id) = RequestId::deserialize(&value["params"]["requestId"]) {
                    under_way.remove(&id);
                }
                Some(Ok(message))
            }
            _ => Some(Ok(message)),
        }
    }

    /// The first one is told to people, too: standard error is what hosts show.
    fn complain(&mut self, refusal: &Refusal) {
        if !std::mem::replace(&mut self.has_complained, true) {
            eprintln!(
                "telenumerus: a line on standard input was refused: {} (said once)",
                refusal.text
            );
        }
    }
}

impl Transport<RoleServer> for Stdio {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        match &message {
            JsonRpcMessage::Response(response) => {
                self.under_way.lock().remove(&response.id);
            }
            JsonRpcMessage::Error(error) => {
                if let Some(id) = &error.id {
                    self.under_way.lock().remove(id);
                }
            }
            _ => {}
        }
        let (output, line) = (self.output.clone(), line_of(&message));
        async move {
            let output = output.ok_or(io::ErrorKind::NotConnected)?;
            output.send(line?).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            // Room for a refusal first: whatever this waits for, nothing is lost when it is
            // dropped.
            let answer = self.output.clone()?.reserve_owned().await.ok()?;
            let refusal = match self.next_line().await? {
                Err(refusal) => refusal,
                Ok(line) => match self.read(&line) {
                    None => continue,
                    Some(Ok(message)) => return Some(message),
                    Some(Err(refusal)) => refusal,
                },
            };
            self.complain(&refusal);
            answer.send(line_of(&refusal.body()).ok()?);
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output = None;
        Ok(())
    }
}

fn line_of(message: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}
