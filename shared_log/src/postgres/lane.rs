//! A connection to the database: made when it is needed, left at the first failure.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actors::store::shared::SharedLogError;
use parking_lot::Mutex as Held;
use tokio::sync::Mutex;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, Statement};

use super::address::Address;

/// How long an answer may take: a server that says nothing for longer is taken for one that is not
/// there.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every connection starts with. Several start at the same time; one makes the tables.
const TABLES: &str = "\
CREATE TABLE IF NOT EXISTS log_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    format integer NOT NULL,
    position bigint NOT NULL,
    chain bytea NOT NULL
) WITH (fillfactor = 10);
CREATE TABLE IF NOT EXISTS log_records (
    position bigint PRIMARY KEY,
    stream text NOT NULL,
    revision bigint NOT NULL,
    id bytea NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    at bigint NOT NULL,
    causation bytea NOT NULL,
    correlation bytea,
    actor text NOT NULL,
    payload bytea NOT NULL,
    chain bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS log_leader (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    term bytea NOT NULL,
    since bigint NOT NULL,
    node text NOT NULL,
    url text NOT NULL,
    version text NOT NULL,
    configuration bytea NOT NULL,
    beat bigint NOT NULL,
    is_released boolean NOT NULL
) WITH (fillfactor = 10);
ALTER TABLE log_leader
    ADD COLUMN IF NOT EXISTS heard timestamptz NOT NULL DEFAULT clock_timestamp();
INSERT INTO log_head (format, position, chain)
    VALUES (1, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
";
/// Held while tables are made: two nodes that start at once would trip over each other.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1414415702)";
/// Whether the tables are as they are made here. What the last of their columns is goes in here.
const HAS_TABLES: &str = "SELECT EXISTS (SELECT FROM pg_attribute WHERE NOT attisdropped \
    AND attrelid = to_regclass('log_leader') AND attname = 'heard')";
/// Which format they say they have; the table has one row, unless somebody has removed it.
const FORMAT_OF: &str = "SELECT format FROM log_head";
/// The format of the tables that this version reads and writes.
const FORMAT: i32 = 1;

/// What is said of a log whose end is not there.
pub const NO_HEAD: &str = "its table log_head has no row: it was changed by hand (docs/nodes.md, \
    \"Tables that were changed by hand\")";

/// Each commit is durable, looks at the end of the log as it is when it gets it, and waits no
/// longer for another one than it is waited for, whatever the database has been set to.
const SESSION: &str = "\
    SET default_transaction_isolation = 'read committed'; \
    SET statement_timeout = 0; \
    SET lock_timeout = '3s'; \
    SET client_encoding = 'UTF8'; \
    SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
    WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)";

/// A connection that is in use.
pub struct Asked {
    /// The client of it.
    pub client: Client,
    statements: Held<Vec<(&'static str, Statement)>>,
    is_broken: AtomicBool,
}

impl Asked {
    /// The answer, if it comes in time; without one the connection is not used again.
    pub async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, SharedLogError>>,
    ) -> Result<T, SharedLogError> {
        within(answer).await.unwrap_or_else(|| {
            self.is_broken.store(true, Ordering::Relaxed);
            Err(SharedLogError::Unavailable("no answer in time".to_owned()))
        })
    }

    /// A prepared statement.
    pub async fn statement(&self, text: &'static str) -> Result<Statement, SharedLogError> {
        let known = |(known, statement): &(&str, Statement)| {
            std::ptr::eq(*known, text).then(|| statement.clone())
        };
        if let Some(statement) = self.statements.lock().iter().find_map(known) {
            return Ok(statement);
        }
        let statement = self.client.prepare(text).await.map_err(|error| self.failed(&error))?;
        self.statements.lock().push((text, statement.clone()));
        Ok(statement)
    }

    /// What an error of the server or the connection is; the connection is not used again.
    pub fn failed(&self, error: &Error) -> SharedLogError {
        self.is_broken.store(true, Ordering::Relaxed);
        told(error)
    }
}

/// What an error means to whoever asked.
pub fn told(error: &Error) -> SharedLogError {
    let Some(state) = error.code() else { return SharedLogError::Unavailable(in_words(error)) };
    let is_of = |class: &str| state.code().starts_with(class);
    // Passwords and roles; a database that is not there; rights.
    if is_of("28") || is_of("3D") || *state == SqlState::INSUFFICIENT_PRIVILEGE {
        return SharedLogError::Denied(in_words(error));
    }
    if [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_COLUMN].contains(state) {
        return SharedLogError::Unusable(format!(
            "its tables are not as they were made: {}",
            in_words(error)
        ));
    }
    SharedLogError::Unavailable(in_words(error))
}

/// The server's own words, or the connection's.
fn in_words(error: &Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(told), _) => format!("{} ({})", told.message(), told.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

/// One connection, which whoever asks shares.
pub struct Lane {
    address: Arc<Address>,
    connection: Mutex<Option<Arc<Asked>>>,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Lane {
    /// To this address; not connected yet.
    pub fn to(address: Arc<Address>) -> Self {
        Self { address, connection: Mutex::default() }
    }

    /// The connection: the one that there is, or a new one.
    pub async fn asked(&self) -> Result<Arc<Asked>, SharedLogError> {
        let mut held = self.connection.lock().await;
        let is_usable = |asked: &&Arc<Asked>| {
            !asked.is_broken.load(Ordering::Relaxed) && !asked.client.is_closed()
        };
        if let Some(asked) = held.as_ref().filter(is_usable) {
            return Ok(Arc::clone(asked));
        }
        let late = || SharedLogError::Unavailable("no connection in time".to_owned());
        let asked = Arc::new(within(self.connect()).await.unwrap_or_else(|| Err(late()))?);
        *held = Some(Arc::clone(&asked));
        Ok(asked)
    }

    async fn connect(&self) -> Result<Asked, SharedLogError> {
        let mut client = self.address.connect().await.map_err(|error| told(&error))?;
        client.batch_execute(SESSION).await.map_err(|error| told(&error))?;
        let has_tables = client
            .query_one(HAS_TABLES, &[])
            .await
            .and_then(|row| row.try_get::<_, bool>(0))
            .map_err(|error| told(&error))?;
        if !has_tables {
            let made = async {
                let transaction = client.transaction().await?;
                transaction.batch_execute(LOCK).await?;
                transaction.batch_execute(TABLES).await?;
                transaction.commit().await
            };
            made.await.map_err(|error| told(&error))?;
        }
        let row = client.query_opt(FORMAT_OF, &[]).await.map_err(|error| told(&error))?;
        let row = row.ok_or_else(|| SharedLogError::Unusable(NO_HEAD.to_owned()))?;
        is_readable(row.try_get(0).map_err(|error| told(&error))?)?;
        Ok(Asked { client, statements: Held::default(), is_broken: AtomicBool::new(false) })
    }
}

/// Whether this version reads and writes tables of this format.
pub fn is_readable(format: i32) -> Result<(), SharedLogError> {
    if format == FORMAT {
        return Ok(());
    }
    Err(SharedLogError::Unusable(format!(
        "its tables have format {format}, and this version of the service reads and writes {FORMAT}"
    )))
}

/// What comes in time.
pub async fn within<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(PATIENCE, work).await.ok()
}
