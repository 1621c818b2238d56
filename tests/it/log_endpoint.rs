//! The log for other programs: who may read what, a copy on another machine, and what is refused.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use esdb::client::{Client, ClientError, News};
use serde_json::Value;
use tempfile::TempDir;

use crate::server::{QUICK, Server};

const READERS: &str = r#"
[esdb]
listen = "127.0.0.1:0"
patience_seconds = 1
max_subscriptions = 4
[[esdb.readers]]
name = "auditor"
token = "token-of-an-auditor-long"
rights = ["reveal", "bytes"]
[[esdb.readers]]
name = "finance"
token = "token-of-finance-long-enough"
"#;

fn with_readers() -> Server {
    Server::start(&format!("{QUICK}{READERS}"))
}

fn address(data: &Path, reader: &str) -> String {
    let address = std::fs::read_to_string(data.join("esdb.addr")).unwrap();
    let reader = if reader.is_empty() { String::new() } else { format!("{reader}@") };
    format!("esdb://{reader}{address}?tls=false")
}

const AUDITOR: &str = "auditor:token-of-an-auditor-long";

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Everything a reader is told until it has caught up.
async fn read_all(address: &str) -> Result<Vec<esdb::Event>, ClientError> {
    let mut client = Client::connect(&address.parse().unwrap()).await?;
    let mut subscription = client.subscribe(0).await?;
    let mut events = Vec::new();
    while let News::Event(event) = subscription.next().await? {
        events.push(*event);
    }
    Ok(events)
}

fn an_order(server: &Server) -> String {
    let caller = server.funded("5");
    let order = caller.google()["order_id"].as_str().unwrap().to_owned();
    assert_eq!(caller.ended(&order)["status"], "completed");
    order
}

fn follow(copy: &Arc<TempDir>, address: &str) -> Output {
    let directory = copy.path().to_str().unwrap().to_owned();
    std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"))
        .args(["follow", address, &directory, "--once"])
        .output()
        .unwrap()
}

fn audit(data: &Path, words: &[&str]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"));
    command.args(["audit"]).args(words).arg("--data-dir").arg(data).output().unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_copy_is_verified_goes_on_where_it_was_and_is_the_same_log() {
    let server = with_readers();
    an_order(&server);
    let copy = Arc::new(tempfile::tempdir().unwrap());
    let first = follow(&copy, &address(&server.data(), AUDITOR));
    assert!(first.status.success() && said(&first).contains("from position 0"), "{}", said(&first));
    an_order(&server);
    let second = follow(&copy, &address(&server.data(), AUDITOR));
    assert!(
        second.status.success() && !said(&second).contains("from position 0"),
        "{}",
        said(&second)
    );
    let verified = audit(copy.path(), &["verify"]);
    assert!(verified.status.success(), "{}", said(&verified));
    let (status, data) = server.terminate();
    assert!(status.success());
    // What came after the order ended is in the log alone.
    let events = |directory: &Path| {
        said(&audit(directory, &["events", "--json", "--reveal"]))
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (origin, copied) = (events(data.path()), events(copy.path()));
    assert!(copied.len() >= 16 && origin[..copied.len()] == copied[..]);
}

#[test]
fn a_copy_of_another_log_and_a_log_that_lost_its_end_are_refused() {
    let (server, other) = (with_readers(), with_readers());
    an_order(&server);
    let copy = Arc::new(tempfile::tempdir().unwrap());
    assert!(follow(&copy, &address(&server.data(), AUDITOR)).status.success());
    let empty = follow(&copy, &address(&other.data(), AUDITOR));
    assert!(
        !empty.status.success() && said(&empty).contains("ends at position 0"),
        "{}",
        said(&empty)
    );
    an_order(&other);
    an_order(&other);
    let foreign = follow(&copy, &address(&other.data(), AUDITOR));
    assert!(
        !foreign.status.success() && said(&foreign).contains("another record stands at position"),
        "{}",
        said(&foreign)
    );
    assert!(audit(copy.path(), &["verify"]).status.success(), "nothing of it was taken");
}

#[test]
fn a_reader_sees_what_its_rights_are_and_no_digest_from_which_a_code_could_be_guessed() {
    let server = with_readers();
    let order = an_order(&server);
    let told = |reader: &str| run(read_all(&address(&server.data(), reader))).unwrap();
    for reader in ["", "finance:token-of-finance-long-enough"] {
        let events = told(reader);
        assert!(!events.is_empty());
        for event in events {
            let (data, metadata) = (
                String::from_utf8(event.data).unwrap(),
                String::from_utf8(event.metadata).unwrap(),
            );
            assert!(
                !data.contains("is your")
                    && !metadata.contains("chain")
                    && !metadata.contains("digest")
                    && !metadata.contains("payload"),
                "{data}"
            );
        }
    }
    let revealed = told(AUDITOR);
    let message = revealed.iter().find(|event| event.name == "OrderSmsReceived").unwrap();
    let data: Value = serde_json::from_slice(&message.data).unwrap();
    assert!(data["text"].as_str().unwrap().contains("is your"), "{data}");
    let metadata: Value = serde_json::from_slice(&message.metadata).unwrap();
    assert_eq!(
        (metadata["correlation"].as_str(), metadata["chain"].as_str().map(str::len)),
        (Some(&*order), Some(64))
    );
    let refused = run(read_all(&address(&server.data(), "auditor:token-of-finance-long-enough")))
        .unwrap_err();
    assert!(
        matches!(&refused, ClientError::Refused(text) if text.contains("token is not known")),
        "{refused}"
    );
    let copy = Arc::new(tempfile::tempdir().unwrap());
    let masked = follow(&copy, &address(&server.data(), ""));
    assert!(!masked.status.success() && said(&masked).contains("\"bytes\""), "{}", said(&masked));
}

#[test]
fn a_reader_that_takes_nothing_is_dropped_and_others_read_on() {
    let data = Server::prepare(&format!("{QUICK}{READERS}"));
    run(fakes::past::write(data.path(), 20));
    let server = Server::restart(data);
    let address = address(&server.data(), AUDITOR);
    run(async {
        let mut slow = Client::connect(&address.parse().unwrap()).await.unwrap();
        let mut slow = slow.subscribe(0).await.unwrap();
        assert!(matches!(slow.next().await.unwrap(), News::Event(_)));
        assert!(
            read_all(&address).await.unwrap().len() > 7_000,
            "somebody else reads it whole meanwhile"
        );
        server.log_when(|said| said.contains("taken nothing for too long"));
        let mut events = 0;
        let error = loop {
            match slow.next().await {
                Ok(_) => events += 1,
                Err(error) => break error,
            }
        };
        assert!(
            matches!(error, ClientError::Unavailable(_)) && events < 7_000,
            "{error}, after {events}"
        );
    });
}

#[test]
fn there_are_so_many_reads_at_a_time_and_one_that_ends_makes_room() {
    let server = with_readers();
    an_order(&server);
    let address = address(&server.data(), AUDITOR);
    run(async {
        let mut client = Client::connect(&address.parse().unwrap()).await.unwrap();
        let mut open = Vec::new();
        for _ in 0..4 {
            let mut subscription = client.subscribe(0).await.unwrap();
            subscription.next().await.unwrap();
            open.push(subscription);
        }
        let refused = client.subscribe(0).await.map(drop).unwrap_err();
        assert!(refused.to_string().contains('4'), "{refused}");
        open.pop();
        // The server learns of it a moment later.
        while client.subscribe(0).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

#[test]
fn an_endpoint_that_others_could_read_unasked_is_refused() {
    let refused = |config: &str, flags: &[&str]| {
        let data = Server::prepare(config);
        let output =
            Server::cli_on(&data, &[&["serve", "--listen", "127.0.0.1:0"], flags].concat());
        assert!(!output.status.success());
        said(&output)
    };
    assert!(refused("[esdb]\nlisten = \"0.0.0.0:0\"\n", &[]).contains("TLS alone"));
    assert!(refused("", &["--esdb-listen", "0.0.0.0:0"]).contains("TLS alone"));
    assert!(
        refused("[esdb]\nlisten = \"127.0.0.1:0\"\nanonymous = false\n", &[])
            .contains("nobody could read")
    );
    assert!(
        refused("[esdb]\nlisten = \"127.0.0.1:0\"\ncertificate_file = \"x\"\n", &[])
            .contains("go together")
    );
    let reader = "[[esdb.readers]]\nname = \"a\"\ntoken = \"";
    assert!(refused(&format!("{reader}short\"\n"), &[]).contains("24 characters"));
    let twice =
        format!("{reader}token-of-a-reader-long-enough\"\n{reader}token-of-another-one-long\"\n");
    assert!(refused(&twice, &[]).contains("two named"));
}
