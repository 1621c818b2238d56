//! The shared log as three tables of a PostgreSQL database: where it ends, its records, and who
//! leads.

mod address;
mod lane;
mod rows;
mod survey;

use std::sync::Arc;
use std::time::Duration;

use actors::store::chain::Mark;
use actors::store::shared::{Commit, Lead, SharedLog, SharedLogError};
use actors::store::{BoxFuture, Record};
use events::envelope::Position;
use events::id::TermId;
use rustls::pki_types::CertificateDer;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use address::Address;
pub use address::AddressError;
use lane::{Asked, Lane};
use rows::Columns;
pub use survey::{Survey, Tables};

/// Records in one answer, at most: the largest of them have a quarter of a megabyte.
const PAGE: usize = 512;

/// Moves the end and writes the records, in one statement: both, or nothing. Whoever commits at the
/// same moment waits for the row, and then looks at it anew.
const COMMIT: &str = "WITH moved AS (UPDATE log_head SET position = $3, chain = $4 \
    WHERE position = $1 AND chain = $2 RETURNING 1) \
    INSERT INTO log_records (position, stream, revision, id, name, version, at, causation, \
    correlation, actor, payload, chain) SELECT r.* FROM unnest($5::bigint[], $6::text[], \
    $7::bigint[], $8::bytea[], $9::text[], $10::integer[], $11::bigint[], $12::bytea[], \
    $13::bytea[], $14::text[], $15::bytea[], $16::bytea[]) AS r, moved";

const READ: &str = "SELECT position, stream, revision, id, name, version, at, causation, \
    correlation, actor, payload, chain FROM log_records WHERE position > $1 ORDER BY position \
    LIMIT $2";

const HEAD: &str = "SELECT position, chain FROM log_head";

const LEADER: &str =
    "SELECT term, since, node, url, version, configuration, beat, is_released FROM log_leader";

const LEAD: &str = "INSERT INTO log_leader (term, since, node, url, version, configuration, \
    beat, is_released) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (one) DO UPDATE SET \
    term = excluded.term, since = excluded.since, node = excluded.node, url = excluded.url, \
    version = excluded.version, configuration = excluded.configuration, beat = excluded.beat, \
    heard = clock_timestamp(), is_released = excluded.is_released \
    WHERE log_leader.since <= excluded.since";

const BEAT: &str = "UPDATE log_leader SET beat = beat + 1, heard = clock_timestamp(), \
    is_released = $2 WHERE term = $1";

const HEARD: &str =
    "SELECT (extract(epoch FROM clock_timestamp() - heard) * 1000)::bigint FROM log_leader";

/// The log in a database.
#[derive(Debug)]
pub struct Postgres {
    /// Commits, one after the other.
    commits: Lane,
    /// Everything else: a question never waits behind a commit.
    questions: Lane,
    address: Arc<Address>,
}

impl Postgres {
    /// In the database at `address` (`postgres://...`), whose certificate is by a public authority
    /// or one of `authorities`. Nothing is asked yet.
    pub fn new(
        address: &str,
        authorities: Vec<CertificateDer<'static>>,
    ) -> Result<Self, AddressError> {
        let address = Arc::new(Address::read(address, authorities)?);
        Ok(Self {
            commits: Lane::to(Arc::clone(&address)),
            questions: Lane::to(Arc::clone(&address)),
            address,
        })
    }
}

async fn head(asked: &Asked) -> Result<Mark, SharedLogError> {
    let statement = asked.statement(HEAD).await?;
    let row =
        asked.client.query_opt(&statement, &[]).await.map_err(|error| asked.failed(&error))?;
    let row = row.ok_or_else(|| SharedLogError::Unusable(lane::NO_HEAD.to_owned()))?;
    rows::mark(&row).map_err(SharedLogError::Unusable)
}

async fn commit(asked: &Asked, after: Mark, group: &[Record]) -> Commit {
    let Some(last) = group.last() else { return Commit::Taken };
    let columns = match Columns::of(group) {
        Ok(columns) => columns,
        Err(detail) => return Commit::NotTaken(detail),
    };
    let statement = match asked.statement(COMMIT).await {
        Ok(statement) => statement,
        Err(error) => return Commit::NotTaken(error.to_string()),
    };
    let (from, to) = (rows::signed(after.position.0), rows::signed(last.position.0));
    let (before, chain) = (after.chain.as_slice(), last.chain.as_slice());
    let ends: [&(dyn ToSql + Sync); 4] = [&from, &before, &to, &chain];
    let parameters: Vec<_> = ends.into_iter().chain(columns.parameters()).collect();
    match asked.client.execute(&statement, &parameters).await {
        Ok(0) => head(asked)
            .await
            .map_or_else(|error| Commit::Unknown(error.to_string()), Commit::Refused),
        Ok(_) => Commit::Taken,
        Err(error) => {
            let told = asked.failed(&error).to_string();
            if error.code().is_some_and(says_that_nothing_was_done) {
                Commit::NotTaken(told)
            } else {
                Commit::Unknown(told)
            }
        }
    }
}

/// Whether the server says that a statement was undone. What it says of connections and of its own
/// end, a commit may have come before.
fn says_that_nothing_was_done(state: &SqlState) -> bool {
    // Data, what the tables do not allow, transaction state (a standby takes no writes), rights,
    // rollbacks, names, resources, objects in use.
    ["22", "23", "25", "28", "40", "42", "53", "55"]
        .iter()
        .any(|class| state.code().starts_with(class))
}

impl SharedLog for Postgres {
    fn head(&self) -> BoxFuture<'_, Result<Mark, SharedLogError>> {
        Box::pin(async move {
            let asked = self.questions.asked().await?;
            asked.within(head(&asked)).await
        })
    }

    fn commit(&self, after: Mark, group: Arc<[Record]>) -> BoxFuture<'_, Commit> {
        Box::pin(async move {
            let asked = match self.commits.asked().await {
                Ok(asked) => asked,
                Err(error) => return Commit::NotTaken(error.to_string()),
            };
            let answer = asked.within(async { Ok(commit(&asked, after, &group).await) }).await;
            answer.unwrap_or_else(|error| Commit::Unknown(error.to_string()))
        })
    }

    fn read(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, SharedLogError>> {
        Box::pin(async move {
            let asked = self.questions.asked().await?;
            asked
                .within(async {
                    let statement = asked.statement(READ).await?;
                    let (from, limit) =
                        (rows::signed(after.0), rows::signed(limit.min(PAGE) as u64));
                    let found = asked.client.query(&statement, &[&from, &limit]).await;
                    let found = found.map_err(|error| asked.failed(&error))?;
                    rows::records(after, &found).map_err(SharedLogError::Unusable)
                })
                .await
        })
    }

    fn leader(&self) -> BoxFuture<'_, Result<Option<Lead>, SharedLogError>> {
        Box::pin(async move {
            let asked = self.questions.asked().await?;
            asked
                .within(async {
                    let statement = asked.statement(LEADER).await?;
                    let row = asked.client.query_opt(&statement, &[]).await;
                    let row = row.map_err(|error| asked.failed(&error))?;
                    row.map(|row| rows::lead(&row)).transpose().map_err(SharedLogError::Unusable)
                })
                .await
        })
    }

    fn lead(&self, lead: Lead) -> BoxFuture<'_, Result<bool, SharedLogError>> {
        Box::pin(async move {
            let asked = self.questions.asked().await?;
            asked
                .within(async {
                    let statement = asked.statement(LEAD).await?;
                    let term = lead.term.0.to_be_bytes();
                    let (term, configuration) =
                        (term.as_slice(), lead.leader.configuration.as_slice());
                    let (since, beat) = (rows::signed(lead.since.0), rows::signed(lead.beat));
                    let values: [&(dyn ToSql + Sync); 8] = [
                        &term,
                        &since,
                        &lead.leader.node,
                        &lead.leader.url,
                        &lead.leader.version,
                        &configuration,
                        &beat,
                        &lead.is_released,
                    ];
                    let written = asked.client.execute(&statement, &values);
                    written.await.map(|rows| rows == 1).map_err(|error| asked.failed(&error))
                })
                .await
        })
    }

    fn heard(&self) -> BoxFuture<'_, Result<Option<Duration>, SharedLogError>> {
        Box::pin(async move {
            let asked = self.questions.asked().await?;
            asked
                .within(async {
                    let statement = asked.statement(HEARD).await?;
                    let row = asked.client.query_opt(&statement, &[]).await;
                    let row = row.map_err(|error| asked.failed(&error))?;
                    row.map(|row| rows::elapsed(&row)).transpose().map_err(SharedLogError::Unusable)
                })
                .await
        })
    }

    fn beat(&self, term: TermId, is_released: bool) -> BoxFuture<'_, Result<bool, SharedLogError>> {
        Box::pin(async move {
            let asked = self.questions.asked().await?;
            asked
                .within(async {
                    let statement = asked.statement(BEAT).await?;
                    let term = term.0.to_be_bytes();
                    let told =
                        asked.client.execute(&statement, &[&term.as_slice(), &is_released]).await;
                    told.map(|rows| rows == 1).map_err(|error| asked.failed(&error))
                })
                .await
        })
    }
}
