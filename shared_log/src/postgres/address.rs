//! Where the database is, and how it is spoken to: over TLS, unless it is on this machine or its
//! operator has said otherwise.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use actors::kernel::outbound;
use rustls::pki_types::CertificateDer;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long one host may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long what was sent may stay unconfirmed before the connection is given up.
const UNCONFIRMED: Duration = Duration::from_secs(10);

/// An address that cannot be used; the text says what to change, and never has its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError(String);

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AddressError {}

/// Where, and by whom it is vouched for.
pub struct Address {
    config: Config,
    tls: MakeRustlsConnect,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hosts, name) = (self.config.get_hosts(), self.config.get_dbname());
        f.debug_struct("Address")
            .field("hosts", &hosts)
            .field("database", &name)
            .finish_non_exhaustive()
    }
}

impl Address {
    /// Reads `postgres://user:secret@host:port/database`; of several hosts the one that takes
    /// writes is meant.
    pub fn read(
        address: &str,
        authorities: Vec<CertificateDer<'static>>,
    ) -> Result<Self, AddressError> {
        let is_known =
            ["postgres://", "postgresql://"].iter().any(|kind| address.starts_with(kind));
        if !is_known {
            return Err(AddressError("it begins with postgres://".to_owned()));
        }
        // The parser's own text may quote what it did not understand, and that may be the secret.
        let mut config: Config = address.parse().map_err(|_| {
            AddressError(
                "it is not as PostgreSQL's clients read it: \
                 postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for letters that an \
                 address has a meaning for"
                    .to_owned(),
            )
        })?;
        if config.get_hosts().is_empty() {
            return Err(AddressError("it names no host".to_owned()));
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(AddressError("it names no database".to_owned()));
        }
        let says_how = address.contains("sslmode=");
        if !says_how && !config.get_hosts().iter().all(is_here) {
            config.ssl_mode(SslMode::Require);
        }
        if config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_application_name().is_none() {
            config.application_name("telenumerus");
        }
        config.connect_timeout(PATIENCE).tcp_user_timeout(UNCONFIRMED);
        config.keepalives_idle(UNCONFIRMED).keepalives_interval(PATIENCE).keepalives_retries(3);
        let trust = outbound::trust(authorities).map_err(AddressError)?;
        Ok(Self { config, tls: MakeRustlsConnect::new(trust) })
    }

    /// A new connection, which a task of its own reads.
    pub async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the shared log has ended");
            }
        });
        Ok(client)
    }
}

/// Whether nobody else can listen in on the way there.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        }
        Host::Unix(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Result<Address, AddressError> {
        Address::read(address, Vec::new())
    }

    #[test]
    fn another_machine_is_spoken_to_over_tls_unless_it_is_said_otherwise() {
        let mode = |address: &str| read(address).unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://a:b@db.example.com/log"), SslMode::Require);
        assert_eq!(mode("postgres://a:b@127.0.0.1,db.example.com/log"), SslMode::Require);
        assert_eq!(mode("postgres://a:b@db.example.com/log?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgresql://a:b@127.0.0.1:5433/log"), SslMode::Prefer);
        assert_eq!(mode("postgres://a@%2Fvar%2Frun%2Fpostgresql/log"), SslMode::Prefer);
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_secret() {
        for wrong in [
            "kurrentdb://a:secret@db/log",
            "postgres://a:secret@db:port/log",
            "postgres://a:secret@db/log?secret=1",
            "postgres://a:secret@db",
            "postgres:///log",
            "host=db password=secret",
        ] {
            let told = read(wrong).unwrap_err().to_string();
            assert!(!told.contains("secret"), "{wrong}: {told}");
        }
    }

    #[test]
    fn an_address_in_a_log_line_has_no_secret() {
        let address = read("postgres://a:secret@db.example.com/log").unwrap();
        assert!(!format!("{address:?}").contains("secret"));
    }
}
