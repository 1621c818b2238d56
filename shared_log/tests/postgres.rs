//! The port's suite over Debian's PostgreSQL, on loopback, in a directory of its own. A machine
//! without it runs nothing of this and says so; `cargo xtask test` installs it before.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use actors::store::chain::Mark;
use actors::store::shared::conformance::{self, group};
use actors::store::shared::{Commit, SharedLog, SharedLogError, end_of};
use events::envelope::Position;
use telenumerus_shared_log::{Postgres, Tables};

/// Whom a server runs as that is started by root, which PostgreSQL refuses to run as.
const NOBODY: u32 = 65_534;

/// A server with one database; ended with the test.
struct Server {
    process: Child,
    port: u16,
    directory: tempfile::TempDir,
    programs: PathBuf,
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let found = versions.flatten().map(|version| version.path().join("bin"));
    found.filter(|folder| folder.join("postgres").is_file()).max()
}

fn command(programs: &Path, name: &str, home: &Path) -> Command {
    let mut command = Command::new(programs.join(name));
    command.current_dir(home).stdout(Stdio::null()).stderr(Stdio::null());
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt;
        own.uid() == 0
    });
    if is_root {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

impl Server {
    fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("there is no PostgreSQL here: nothing is tested");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let _ = chown(directory.path(), Some(NOBODY), Some(NOBODY));
        let made = command(&programs, "initdb", directory.path())
            .args(["-D", "data", "-U", "log", "--auth=trust", "-E", "UTF8", "--locale=C"])
            .status()
            .unwrap();
        assert!(made.success(), "initdb");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Self::run(&programs, directory.path(), port);
        let server = Self { process, port, directory, programs };
        server.wait();
        Some(server)
    }

    fn run(programs: &Path, directory: &Path, port: u16) -> Child {
        command(programs, "postgres", directory)
            .args(["-D", "data", "-h", "127.0.0.1", "-k", "", "-p", &port.to_string()])
            .args(["-c", "fsync=off"])
            .spawn()
            .unwrap()
    }

    fn wait(&self) {
        for _ in 0..300 {
            let ready = command(&self.programs, "pg_isready", self.directory.path())
                .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status()
                .unwrap();
            if ready.success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("PostgreSQL does not start");
    }

    fn address(&self) -> String {
        format!("postgres://log@127.0.0.1:{}/postgres", self.port)
    }

    fn log(&self) -> Postgres {
        Postgres::new(&self.address(), Vec::new()).unwrap()
    }

    async fn say(&self, statement: &str) {
        let (client, connection) =
            tokio_postgres::connect(&self.address(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(statement).await.unwrap();
    }

    /// Ends the server and those of its processes that a killed one would leave to answer on.
    fn stop(&mut self) {
        let ended = command(&self.programs, "pg_ctl", self.directory.path())
            .args(["stop", "-m", "immediate", "-w", "-D", "data"])
            .status();
        if !ended.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_on_postgresql_conforms() {
    let Some(server) = Server::start() else { return };
    conformance::run(&server.log()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_start_at_once_make_one_log() {
    let Some(server) = Server::start() else { return };
    let (north, south) = (server.log(), server.log());
    let heads = tokio::join!(north.head(), south.head());
    assert_eq!(heads, (Ok(Mark::START), Ok(Mark::START)));
    let groups = [group(Mark::START, 1, 2), group(Mark::START, 2, 2)];
    let answers = tokio::join!(
        north.commit(Mark::START, Arc::clone(&groups[0])),
        south.commit(Mark::START, Arc::clone(&groups[1])),
    );
    let taken = [&answers.0, &answers.1].into_iter().filter(|answer| **answer == Commit::Taken);
    assert_eq!(taken.count(), 1, "{answers:?}");
    assert_eq!(north.read(Position(0), 10).await, south.read(Position(0), 10).await);
}

/// What a restart of the server, or another one in its place, looks like from here.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_went_away_is_found_again() {
    let Some(mut server) = Server::start() else { return };
    let log = server.log();
    let first = group(Mark::START, 1, 3);
    assert_eq!(log.commit(Mark::START, Arc::clone(&first)).await, Commit::Taken);
    let head = log.head().await.unwrap();
    server.stop();
    let next = group(head, 2, 3);
    let away = log.commit(head, Arc::clone(&next)).await;
    assert!(matches!(away, Commit::NotTaken(_) | Commit::Unknown(_)), "{away:?}");
    assert!(matches!(log.head().await, Err(SharedLogError::Unavailable(_))));
    server.process = Server::run(&server.programs, server.directory.path(), server.port);
    server.wait();
    while log.head().await.is_err() {}
    assert_eq!(log.head().await, Ok(head), "nothing is lost, and nothing was added");
    let mut answer = log.commit(head, Arc::clone(&next)).await;
    while let Commit::Unknown(_) | Commit::NotTaken(_) = answer {
        answer = log.commit(head, Arc::clone(&next)).await;
    }
    assert_eq!(answer, Commit::Taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_not_taken() {
    let Some(server) = Server::start() else { return };
    assert_eq!(server.log().head().await, Ok(Mark::START));
    // As a server that was demoted answers.
    server.say("ALTER DATABASE postgres SET default_transaction_read_only = on").await;
    let demoted = server.log();
    let refused = demoted.commit(Mark::START, group(Mark::START, 1, 2)).await;
    assert!(matches!(refused, Commit::NotTaken(_)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_not_let_in_is_told_so() {
    let Some(server) = Server::start() else { return };
    server.say("CREATE ROLE guest LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC").await;
    let address = server.address();
    for wrong in [
        address.replace("log@", "nobody@"),
        address.replace("/postgres", "/elsewhere"),
        address.replace("log@", "guest@"),
    ] {
        let denied = Postgres::new(&wrong, Vec::new()).unwrap().head().await;
        assert!(matches!(denied, Err(SharedLogError::Denied(_))), "{wrong}: {denied:?}");
    }
    let guest = Postgres::new(&address.replace("log@", "guest@"), Vec::new()).unwrap();
    assert_eq!(guest.survey().await.unwrap().tables, Tables::Forbidden);
    assert_eq!(server.log().head().await, Ok(Mark::START));
    let lacking = guest.survey().await.unwrap().tables;
    assert!(
        matches!(&lacking, Tables::Lacking(rights) if rights.contains("UPDATE on log_head")),
        "{lacking:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_says_what_a_database_is_and_makes_nothing() {
    let Some(server) = Server::start() else { return };
    let log = server.log();
    let survey = log.survey().await.unwrap();
    assert_eq!((&*survey.database, &*survey.role), ("postgres", "log"));
    assert_eq!(survey.tables, Tables::Missing);
    assert!(!survey.is_durable, "fsync is off here");
    assert_eq!(log.survey().await.unwrap().tables, Tables::Missing, "it makes none");
    let records = group(Mark::START, 1, 3);
    assert_eq!(log.commit(Mark::START, Arc::clone(&records)).await, Commit::Taken);
    let whole = Tables::Whole { end: end_of(&records).unwrap(), last: Some(records[2].at) };
    assert_eq!(log.survey().await.unwrap().tables, whole);
    server.say("DELETE FROM log_records WHERE position = 3").await;
    let wrong = log.survey().await.unwrap().tables;
    assert!(matches!(&wrong, Tables::Wrong(told) if told.contains("position 3")), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_end_was_removed_is_named() {
    let Some(server) = Server::start() else { return };
    let log = server.log();
    assert_eq!(log.head().await, Ok(Mark::START));
    server.say("DELETE FROM log_head").await;
    for log in [log, server.log()] {
        let told = log.head().await.unwrap_err();
        assert!(in_words(&told).contains("log_head has no row"), "{told:?}");
        assert_eq!(log.survey().await.unwrap().tables, Tables::Wrong(in_words(&told)));
    }
    server.say("DROP TABLE log_head").await;
    let told = server.log().head().await;
    assert!(matches!(told, Err(SharedLogError::Unusable(_))), "{told:?}");
    let wrong = server.log().survey().await.unwrap().tables;
    assert!(matches!(&wrong, Tables::Wrong(told) if told.contains("only 2")), "{wrong:?}");
}

/// Without what the port says around it.
fn in_words(error: &SharedLogError) -> String {
    let (SharedLogError::Unavailable(text)
    | SharedLogError::Denied(text)
    | SharedLogError::Unusable(text)) = error;
    text.clone()
}

/// As an earlier version made them.
#[tokio::test(flavor = "multi_thread")]
async fn tables_without_the_time_of_the_last_sign_of_life_get_it() {
    let Some(server) = Server::start() else { return };
    assert_eq!(server.log().heard().await, Ok(None));
    server.say("ALTER TABLE log_leader DROP COLUMN heard").await;
    assert_eq!(server.log().heard().await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_not_as_they_were_made_are_not_used() {
    let Some(server) = Server::start() else { return };
    let log = server.log();
    let taken = log.commit(Mark::START, group(Mark::START, 1, 5)).await;
    assert_eq!(taken, Commit::Taken);
    server.say("DELETE FROM log_records WHERE position = 3").await;
    let gap = log.read(Position(0), 10).await;
    assert!(
        matches!(&gap, Err(SharedLogError::Unusable(detail)) if detail.contains("record 3")),
        "{gap:?}"
    );
    server.say("UPDATE log_head SET format = 2").await;
    let newer = server.log().head().await;
    assert!(
        matches!(&newer, Err(SharedLogError::Unusable(detail)) if detail.contains("format 2")),
        "{newer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_was_put_back_before_its_records_takes_nothing() {
    let Some(server) = Server::start() else { return };
    let log = server.log();
    let first = group(Mark::START, 1, 3);
    assert_eq!(log.commit(Mark::START, Arc::clone(&first)).await, Commit::Taken);
    let before = log.head().await.unwrap();
    assert_eq!(log.commit(before, group(before, 2, 2)).await, Commit::Taken);
    // Where the first group ended, as its record says it.
    let first = format!("SELECT chain FROM log_records WHERE position = {}", before.position.0);
    let back = format!("position = {}, chain = ({first})", before.position.0);
    server.say(&format!("UPDATE log_head SET {back}")).await;
    assert_eq!(log.head().await, Ok(before));
    let refused = log.commit(before, group(before, 3, 2)).await;
    assert!(matches!(refused, Commit::NotTaken(_)), "{refused:?}");
    assert_eq!(log.head().await, Ok(before));
}
