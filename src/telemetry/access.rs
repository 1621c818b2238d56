//! The access log: a line a request, in the shape of the other lines, put into one buffer that is
//! written out now and then. Through the machinery of the others it cost more than the request's
//! own work.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use events::id::AccountId;
use events::time::Timestamp;
use parking_lot::Mutex;
use tracing_appender::non_blocking::NonBlocking;

use crate::config::LogFormat;

/// Where lines of requests belong.
const TARGET: &str = "access";
/// How long a line waits at most.
const PAUSE: Duration = Duration::from_millis(50);
/// Bytes that are written out at once.
const FULL: usize = 64 << 10;

/// Of this process; set where it shall be written by hand.
static LOG: OnceLock<Arc<AccessLog>> = OnceLock::new();

/// A request that was answered. The route, never the path: paths hold order ids, queries may hold
/// what nobody should have sent.
#[derive(Debug)]
pub struct Line<'a> {
    /// One of the known ones.
    pub method: &'static str,
    /// As it stands in the API's table.
    pub route: &'a str,
    /// What was answered.
    pub status: u16,
    /// The error's name; empty for none.
    pub code: &'static str,
    /// How long it took.
    pub millis: f64,
    /// Whom it counts for.
    pub client: IpAddr,
    /// Whose key it showed.
    pub account: Option<AccountId>,
    /// Its name in answers and logs.
    pub request_id: &'a str,
}

impl Line<'_> {
    /// Writes it down, if anybody wants to read it.
    pub fn write_down(&self, now: Timestamp) {
        if !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
            return;
        }
        match LOG.get() {
            Some(log) => log.put(self, now),
            None => self.trace(),
        }
    }

    /// As the other lines are written, with their colors.
    fn trace(&self) {
        let Self { method, route, status, code, millis, client, account, request_id } = self;
        let account = account.map(|account| account.to_string()).unwrap_or_default();
        tracing::info!(target: TARGET, %method, %route, status, code, millis, %client, account,
            request_id, "request");
    }

    /// Nothing in it needs to be escaped: the values are words of ours, numbers, and an address.
    fn as_json(&self, second: &str, millis: i64, to: &mut String) -> std::fmt::Result {
        let Self { method, route, status, code, millis: took, client, account, request_id } = self;
        write!(
            to,
            r#"{{"timestamp":"{second}.{millis:03}000Z","level":"INFO","message":"request","method":"{method}","route":"{route}""#
        )?;
        write!(
            to,
            r#","status":{status},"code":"{code}","millis":{took:?},"client":"{client}","account":""#
        )?;
        account.iter().try_for_each(|account| write!(to, "{account}"))?;
        writeln!(to, r#"","request_id":"{request_id}","target":"{TARGET}"}}"#)
    }

    fn as_text(&self, second: &str, millis: i64, to: &mut String) -> std::fmt::Result {
        let Self { method, route, status, code, millis: took, client, account, request_id } = self;
        write!(
            to,
            "{second}.{millis:03}000Z  INFO {TARGET}: request method={method} route={route} \
             status={status} code=\"{code}\""
        )?;
        write!(to, " millis={took:?} client={client} account=\"")?;
        account.iter().try_for_each(|account| write!(to, "{account}"))?;
        writeln!(to, "\" request_id=\"{request_id}\"")
    }
}

/// Lines that wait, and where they go.
#[derive(Debug)]
pub struct AccessLog {
    format: LogFormat,
    waiting: Mutex<Waiting>,
    out: Mutex<NonBlocking>,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: String,
    /// The second of the last line, and how it is written.
    second: Option<(i64, String)>,
}

impl AccessLog {
    /// Has lines of requests written to `out` in this format. They are, as long as what is given
    /// back is there; the rest when it is dropped.
    pub fn start(format: LogFormat, out: NonBlocking) -> std::io::Result<Flushed> {
        let log = Arc::new(Self { format, waiting: Mutex::default(), out: Mutex::new(out) });
        let written: Weak<Self> = Arc::downgrade(LOG.get_or_init(|| Arc::clone(&log)));
        let alive = Arc::new(());
        let (ends_with, flushed) = (Arc::downgrade(&alive), Flushed { log, _alive: alive });
        let write_out = move || {
            while ends_with.strong_count() > 0 {
                std::thread::sleep(PAUSE);
                if let Some(log) = written.upgrade() {
                    log.write_out();
                }
            }
        };
        std::thread::Builder::new().name("access-log".to_owned()).spawn(write_out).map(|_| flushed)
    }

    fn put(&self, line: &Line<'_>, now: Timestamp) {
        let (second, millis) = (now.millis().div_euclid(1_000), now.millis().rem_euclid(1_000));
        let mut waiting = self.waiting.lock();
        let Waiting { lines, second: last } = &mut *waiting;
        if last.as_ref().is_none_or(|(of, _)| *of != second) {
            *last = Some((second, in_words(second)));
        }
        let text = last.as_ref().map_or("", |(_, text)| text);
        let written = match self.format {
            LogFormat::Json => line.as_json(text, millis, lines),
            LogFormat::Text => line.as_text(text, millis, lines),
        };
        debug_assert!(written.is_ok(), "a text takes any line");
        if lines.len() >= FULL {
            let full = std::mem::take(lines);
            drop(waiting);
            self.write(&full);
        }
    }

    fn write_out(&self) {
        let lines = std::mem::take(&mut self.waiting.lock().lines);
        self.write(&lines);
    }

    fn write(&self, lines: &str) {
        if !lines.is_empty() {
            // Where standard error is gone there is nobody to tell.
            let _ = self.out.lock().write_all(lines.as_bytes());
        }
    }
}

/// The second as logs write it, without what stands behind the dot.
fn in_words(second: i64) -> String {
    let text = Timestamp::from_millis(second.saturating_mul(1_000)).to_string();
    text.split_once('.').map_or(text.clone(), |(second, _)| second.to_owned())
}

/// Lines that wait are written out when it is dropped.
#[derive(Debug)]
pub struct Flushed {
    log: Arc<AccessLog>,
    _alive: Arc<()>,
}

impl Drop for Flushed {
    fn drop(&mut self) {
        self.log.write_out();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line<'static> {
        Line {
            method: "POST",
            route: "/order/{id}",
            status: 404,
            code: "NOT_FOUND",
            millis: 1.0,
            client: IpAddr::from([192, 0, 2, 1]),
            account: Some(AccountId(7)),
            request_id: "req_1",
        }
    }

    #[test]
    fn a_line_has_the_shape_of_the_others() {
        let now = Timestamp::from_millis(1_795_500_000_007);
        let second = in_words(now.millis() / 1_000);
        let mut json = String::new();
        line().as_json(&second, 7, &mut json).unwrap();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["timestamp"], "2026-11-24T06:00:00.007000Z");
        assert_eq!(
            (&value["status"], &value["millis"], &value["message"]),
            (&404.into(), &1.0.into(), &"request".into())
        );
        assert_eq!(
            (&value["client"], &value["account"], &value["target"]),
            (&"192.0.2.1".into(), &AccountId(7).to_string().into(), &"access".into())
        );
        let mut text = String::new();
        line().as_text(&second, 7, &mut text).unwrap();
        assert_eq!(
            text,
            format!(
                "2026-11-24T06:00:00.007000Z  INFO access: request method=POST route=/order/{{id}} status=404 code=\"NOT_FOUND\" millis=1.0 client=192.0.2.1 account=\"{}\" request_id=\"req_1\"\n",
                AccountId(7)
            )
        );
    }

    #[test]
    fn a_request_without_an_account_has_an_empty_one() {
        let (mut json, mut text) = (String::new(), String::new());
        let line = Line { account: None, code: "", ..line() };
        line.as_json("s", 0, &mut json).unwrap();
        line.as_text("s", 0, &mut text).unwrap();
        assert!(
            json.contains(r#""account":"""#)
                && json.contains(r#""code":"""#)
                && text.contains(r#"account="" "#),
            "{json}{text}"
        );
    }
}
