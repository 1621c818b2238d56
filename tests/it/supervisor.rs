//! What a supervisor that started the service hears from it: a socket in systemd's place.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::server::{QUICK, Server};

/// The next message; `None` after ten seconds without one.
fn heard(socket: &UnixDatagram) -> Option<String> {
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut buffer = [0; 4_096];
    let length = socket.recv(&mut buffer).ok()?;
    Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

/// Everything that has come and was not heard yet.
fn rest(socket: &UnixDatagram) -> Vec<String> {
    socket.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4_096];
    std::iter::from_fn(|| socket.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec()))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

#[test]
fn a_supervisor_hears_that_the_service_starts_serves_and_stops() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let server = Server::start_in(QUICK, &[("NOTIFY_SOCKET", path.to_str().unwrap())]);

    assert!(heard(&socket).unwrap().starts_with("STATUS=starting"));
    let ready = heard(&socket).unwrap();
    assert_eq!(ready, format!("READY=1\nSTATUS=serving on {}", server.address));
    assert_eq!(server.get("/readyz").send().unwrap().status(), 200, "what is ready answers");

    let (status, _data) = server.terminate();
    assert!(status.success());
    let last = rest(&socket);
    assert_eq!(last.len(), 1, "no sign of life was wanted: {last:?}");
    assert!(last[0].starts_with("STOPPING=1\n"), "{last:?}");
}

#[test]
fn a_watchdog_has_its_signs_of_life_and_only_from_the_process_that_it_watches() {
    let name = format!("telenumerus-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    let written = format!("@{name}");
    let watched = [("NOTIFY_SOCKET", written.as_str()), ("WATCHDOG_USEC", "100000")];

    let server = Server::start_in(QUICK, &watched);
    let signs = std::iter::from_fn(|| heard(&socket)).filter(|message| message == "WATCHDOG=1");
    assert_eq!(signs.take(3).count(), 3, "they go on");
    server.signal("-STOP");
    rest(&socket);
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(socket.recv(&mut [0; 64]).is_err(), "who stands still gives none");
    server.signal("-CONT");
    drop(server);

    // The next one is not the process that is watched.
    rest(&socket);
    let other = Server::start_in(QUICK, &[&watched[..], &[("WATCHDOG_PID", "1")]].concat());
    std::thread::sleep(Duration::from_millis(300));
    let (_, _data) = other.terminate();
    let all = rest(&socket);
    assert!(all.iter().any(|message| message.starts_with("READY=1\n")), "{all:?}");
    assert!(!all.iter().any(|message| message == "WATCHDOG=1"), "{all:?}");
}

#[test]
fn a_supervisor_that_does_not_listen_holds_nothing_up() {
    let directory = tempfile::tempdir().unwrap();
    let gone = directory.path().join("nobody");
    // A socket that nobody reads takes a few messages, and then no more.
    let full = directory.path().join("full");
    let _unread = UnixDatagram::bind(&full).unwrap();
    for (written, watchdog) in
        [(gone.to_str(), "0"), (full.to_str(), "1000"), (Some("vsock:2:9"), "")]
    {
        let environment = [("NOTIFY_SOCKET", written.unwrap()), ("WATCHDOG_USEC", watchdog)];
        let server = Server::start_in(QUICK, &environment);
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(server.get("/readyz").send().unwrap().status(), 200, "{written:?}");
        assert!(server.terminate().0.success(), "{written:?}");
    }
}
