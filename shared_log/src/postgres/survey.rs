//! What a database is, looked at without changing anything in it: for an operator who wants to know
//! whether a node can work with it.

use actors::store::chain::Mark;
use actors::store::shared::SharedLogError;
use events::envelope::Position;
use events::time::Timestamp;
use tokio_postgres::{Client, Row};

use super::lane::{NO_HEAD, is_readable, told, within};
use super::rows::{self, column};
use super::{HEAD, Postgres};

const SERVER: &str = "SELECT current_setting('server_version'), current_database()::text, \
    current_user::text, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, \
    current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on', \
    current_setting('synchronous_standby_names'), \
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), \
    (SELECT count(*) FROM unnest(ARRAY['log_head', 'log_records', 'log_leader']) AS name \
    WHERE to_regclass(name) IS NOT NULL)";

/// Rights that the service uses and this role has not.
const LACKING: &str = "SELECT coalesce(string_agg(privilege || ' on ' || name, ', '), '') FROM \
    (VALUES ('log_head', 'SELECT'), ('log_head', 'UPDATE'), ('log_records', 'SELECT'), \
    ('log_records', 'INSERT'), ('log_leader', 'SELECT'), ('log_leader', 'INSERT'), \
    ('log_leader', 'UPDATE')) AS used (name, privilege) \
    WHERE NOT has_table_privilege(name, privilege)";

const FORMAT: &str = "SELECT format FROM log_head";

const LAST: &str = "SELECT position, chain, at FROM log_records ORDER BY position DESC LIMIT 1";

/// The tables that the service makes.
const TABLES: i64 = 3;

/// A database, as one connection finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Its server's version.
    pub version: String,
    /// Its name.
    pub database: String,
    /// Who asks.
    pub role: String,
    /// What its clock says.
    pub now: Timestamp,
    /// Whether a crash of the server leaves what it has acknowledged.
    pub is_durable: bool,
    /// Servers that have every commit before it is acknowledged; empty: none.
    pub synchronous: String,
    /// The tables of the log.
    pub tables: Tables,
}

/// The tables of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tables {
    /// There are none yet, and the role may make them.
    Missing,
    /// There are none, and the role may not make them.
    Forbidden,
    /// The role has not all the rights that the service uses: these are missing.
    Lacking(String),
    /// They are not as the service made them.
    Wrong(String),
    /// They are as they should be.
    Whole {
        /// Where the log ends.
        end: Mark,
        /// When its last record was decided.
        last: Option<Timestamp>,
    },
}

impl Postgres {
    /// Looks at the database; nothing is made or changed there.
    pub async fn survey(&self) -> Result<Survey, SharedLogError> {
        let late = || SharedLogError::Unavailable("no answer in time".to_owned());
        within(self.looked_at()).await.unwrap_or_else(|| Err(late()))
    }

    async fn looked_at(&self) -> Result<Survey, SharedLogError> {
        let client = self.address.connect().await.map_err(|error| told(&error))?;
        let row = client.query_one(SERVER, &[]).await.map_err(|error| told(&error))?;
        let read = || {
            Ok(Survey {
                version: column(&row, 0)?,
                database: column(&row, 1)?,
                role: column(&row, 2)?,
                now: Timestamp::from_millis(column(&row, 3)?),
                is_durable: column(&row, 4)?,
                synchronous: column(&row, 5)?,
                tables: Tables::Missing,
            })
        };
        let survey: Survey = read().map_err(SharedLogError::Unusable)?;
        let (may_make, found): (bool, i64) =
            (column(&row, 6).unwrap_or(false), column(&row, 7).unwrap_or(0));
        let tables = match (found, may_make) {
            (TABLES, _) => tables(&client).await?,
            (0, true) => Tables::Missing,
            (0, false) => Tables::Forbidden,
            (some, _) => Tables::Wrong(format!(
                "only {some} of its {TABLES} tables are there (docs/nodes.md)"
            )),
        };
        Ok(Survey { tables, ..survey })
    }
}

async fn tables(client: &Client) -> Result<Tables, SharedLogError> {
    let one = async |statement: &str| -> Result<Option<Row>, SharedLogError> {
        client.query_opt(statement, &[]).await.map_err(|error| told(&error))
    };
    let lacking = one(LACKING).await?.and_then(|row| column::<String>(&row, 0).ok());
    if let Some(lacking) = lacking.filter(|lacking| !lacking.is_empty()) {
        return Ok(Tables::Lacking(lacking));
    }
    let (format, head, last) = (one(FORMAT).await?, one(HEAD).await?, one(LAST).await?);
    let (Some(format), Some(head)) = (format, head) else {
        return Ok(Tables::Wrong(NO_HEAD.to_owned()));
    };
    Ok(whole(&format, &head, last.as_ref()).unwrap_or_else(Tables::Wrong))
}

fn whole(format: &Row, head: &Row, last: Option<&Row>) -> Result<Tables, String> {
    is_readable(column(format, 0)?).map_err(|error| error.to_string())?;
    let end = rows::mark(head)?;
    let (found, at) = match last {
        None => (Mark::START, None),
        Some(row) => (rows::mark(row)?, Some(Timestamp::from_millis(column(row, 2)?))),
    };
    if found == end {
        return Ok(Tables::Whole { end, last: at });
    }
    let (Position(said), Position(is)) = (end.position, found.position);
    Err(format!(
        "log_head says that the log ends at position {said}, and its last record is {is}{}: the \
         tables were changed by hand (docs/nodes.md)",
        if said == is { " with another chain" } else { "" }
    ))
}
