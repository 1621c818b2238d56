//! What the service tells the supervisor that started it, by systemd's notification protocol
//! (`sd_notify(3)`): that it serves, that it stops, and that it is alive.
//!
//! A service that nobody supervises tells nothing. One whose supervisor does not listen serves all
//! the same: telling is for its convenience.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

/// Where the supervisor listens.
const SOCKET: &str = "NOTIFY_SOCKET";
/// Within how many microseconds it wants a sign of life, again and again.
const WATCHDOG: &str = "WATCHDOG_USEC";
/// From which process; unset: from this one.
const WATCHED: &str = "WATCHDOG_PID";

/// An address that is none; the service runs without its supervisor's knowing.
#[derive(Debug, Error)]
pub enum SupervisorError {
    /// Neither a path nor an abstract name.
    #[error("NOTIFY_SOCKET is neither an absolute path nor an abstract name with an @ before it")]
    Address,
    /// The system gives no socket.
    #[error("NOTIFY_SOCKET cannot be written to: {0}")]
    Socket(#[from] io::Error),
}

/// Whoever started the service and wants to know how it is.
#[derive(Debug, Clone)]
pub struct Supervisor(Option<Arc<Listening>>);

#[derive(Debug)]
struct Listening {
    socket: UnixDatagram,
    address: SocketAddr,
    /// Half of what it waits for a sign of life.
    interval: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names.
    pub fn of_environment() -> Result<Self, SupervisorError> {
        let variable = |name| std::env::var(name).ok();
        let Some(written) = variable(SOCKET).filter(|written| !written.is_empty()) else {
            return Ok(Self(None));
        };
        let address = address(&written)?;
        let socket = UnixDatagram::unbound()?;
        // A supervisor that reads nothing holds nothing up.
        socket.set_nonblocking(true)?;
        let is_watched =
            variable(WATCHED).is_none_or(|process| process.parse() == Ok(std::process::id()));
        let interval = variable(WATCHDOG).filter(|_| is_watched).as_deref().and_then(interval);
        Ok(Self(Some(Arc::new(Listening { socket, address, interval }))))
    }

    /// One that does not listen.
    pub const fn none() -> Self {
        Self(None)
    }

    /// What the service does, before it serves and after.
    pub fn starting(&self, status: &str) {
        self.tell(&format!("STATUS={status}"));
    }

    /// The service answers; from here on it says again and again that it is alive, if that is
    /// wanted.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
        let Some(interval) = self.0.as_ref().and_then(|listening| listening.interval) else {
            return;
        };
        let supervisor = self.clone();
        // A task of the runtime that serves: where no task has its turn any more, nothing is said.
        tokio::spawn(async move {
            let mut turns = tokio::time::interval(interval);
            loop {
                turns.tick().await;
                supervisor.tell("WATCHDOG=1");
            }
        });
    }

    /// The service takes nothing new.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=open requests are finished");
    }

    fn tell(&self, message: &str) {
        let Some(listening) = &self.0 else { return };
        if let Err(error) = listening.socket.send_to_addr(message.as_bytes(), &listening.address) {
            tracing::debug!(%error, "the supervisor could not be told");
        }
    }
}

/// A path, or a name of the abstract namespace, which is written with an @.
fn address(written: &str) -> Result<SocketAddr, SupervisorError> {
    match written.split_at_checked(1) {
        Some(("@", name)) => Ok(SocketAddr::from_abstract_name(name)?),
        Some(("/", _)) => Ok(SocketAddr::from_pathname(written)?),
        _ => Err(SupervisorError::Address),
    }
}

/// How often a sign of life is due, where one is wanted within so many microseconds: twice as
/// often, as `sd_watchdog_enabled(3)` advises.
fn interval(written: &str) -> Option<Duration> {
    let wanted = written.parse().ok().map(Duration::from_micros)?;
    Some(wanted / 2).filter(|interval| !interval.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_paths_and_abstract_names() {
        assert_eq!(
            address("/run/systemd/notify").unwrap().as_pathname().unwrap().to_str(),
            Some("/run/systemd/notify")
        );
        assert_eq!(
            address("@/org/freedesktop").unwrap().as_abstract_name(),
            Some(&b"/org/freedesktop"[..])
        );
        for none in ["run/notify", "vsock:2:9", "ü", " /run"] {
            assert!(matches!(address(none), Err(SupervisorError::Address)), "{none}");
        }
        assert!(address(&format!("/{}", "a".repeat(200))).is_err(), "no socket has so long a path");
    }

    #[test]
    fn a_sign_of_life_is_due_twice_as_often_as_it_is_wanted() {
        assert_eq!(interval("60000000"), Some(Duration::from_secs(30)));
        for none in ["", "0", "1", "-5", "soon", "99999999999999999999999"] {
            assert!(
                interval(none).is_none_or(|interval| interval < Duration::from_micros(1)),
                "{none}"
            );
        }
    }
}
