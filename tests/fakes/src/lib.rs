//! Stand-ins for services that bring numbers, over real HTTP: they keep their state, and misbehave
//! as they are told.
//!
//! Holds: a source that is asked for each number, the number APIs of telecoms, messages signed as
//! their suppliers sign, logs to be read. Never holds: a rule of ours. Leans on: seeded dice, so
//! that a run can be repeated. Proved by: the conformance checker and the official SDKs, which work
//! against them.

pub mod faults;
pub mod formats;
pub mod past;
pub mod pull;
pub mod telecom;

pub use faults::Faults;

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;

/// Serves `router` on a free port of this machine for as long as the process lives; where.
///
/// # Panics
/// If no port can be had.
pub fn serve(router: Router) -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    serve_on(listener, router)
}

/// The same on a listener of the caller's.
///
/// # Panics
/// If the listener cannot be used.
pub fn serve_on(listener: std::net::TcpListener, router: Router) -> SocketAddr {
    listener.set_nonblocking(true).expect("a listener that need not block");
    let address = listener.local_addr().expect("a bound listener");
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, router).await.expect("an endless service");
        });
    });
    address
}
