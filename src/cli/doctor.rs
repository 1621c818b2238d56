//! `telenumerus doctor`: everything that a service needs from its machine, looked at without
//! changing it.

mod provenance;
mod shared;
mod vault;

use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::store::chain::{GENESIS, Hash};
use actors::store::sqlite::{chain_in, free_in, inspect, last_record, walk_chain};
use clap::Args;
use events::envelope::Position;
use projections::{Peek, Peeked, Views};
use serde_json::{Value, json};
use url::Url;

use super::Place;
use super::output::say;
use crate::config::Config;
use crate::config::mistakes::all as mistakes;
use crate::data;

/// How long another machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// A name that resolves wherever the Internet does.
const PUBLIC_NAME: &str = "example.com:443";

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus doctor --config /etc/telenumerus/telenumerus.toml --data-dir /var/lib/telenumerus\n  telenumerus doctor --json | jq '.checks[] | select(.status != \"ok\")'"
)]
pub struct Options {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ok,
    /// The service starts, and something will not work as expected.
    Warning,
    /// The service does not start, or cannot serve.
    Wrong,
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

struct Check {
    what: String,
    status: Status,
    says: String,
}

/// What was found, in the order in which it was looked for.
#[derive(Default)]
struct Findings(Vec<Check>);

impl Findings {
    fn note(&mut self, what: impl Into<String>, status: Status, says: impl Into<String>) {
        self.0.push(Check { what: what.into(), status, says: says.into() });
    }

    /// What went well says so; what did not has this status.
    fn result(
        &mut self,
        what: impl Into<String>,
        otherwise: Status,
        result: Result<String, String>,
    ) {
        match result {
            Ok(says) => self.note(what, Status::Ok, says),
            Err(says) => self.note(what, otherwise, says),
        }
    }
}

pub fn run(place: &Place, options: &Options) -> ExitCode {
    let mut findings = Findings::default();
    let wrong = mistakes(place.config.as_deref());
    for mistake in &wrong {
        findings.note("configuration", Status::Wrong, mistake.clone());
    }
    match place.load() {
        Ok((config, data_dir)) => {
            findings.note(
                "configuration",
                Status::Ok,
                place
                    .config
                    .as_ref()
                    .map_or("defaults".to_owned(), |file| file.display().to_string()),
            );
            look(&config, &data_dir, &mut findings);
        }
        Err(error) if wrong.is_empty() => {
            findings.note("configuration", Status::Wrong, error.to_string());
        }
        Err(_) => {}
    }
    tell(&findings, options.json)
}

fn look(config: &Config, data_dir: &Path, findings: &mut Findings) {
    for (what, result) in [
        ("simulated numbers", config.simulated_numbers()),
        ("simulated deposits", config.simulated_deposits()),
    ] {
        let told = result.map(|is_on| {
            if is_on { "on: made up, for trying out".to_owned() } else { "off".to_owned() }
        });
        findings.result(what, Status::Wrong, told.map_err(|error| error.to_string()));
    }
    findings.result("data directory", Status::Wrong, directory(data_dir));
    findings.result("disk", Status::Wrong, disk(config, data_dir));
    findings.result("log", Status::Wrong, log(data_dir));
    findings.result("vault", Status::Wrong, vault::told(config, data_dir));
    for exposure in config.vault.exposures(data_dir) {
        findings.note("vault key", Status::Warning, exposure);
    }
    findings.result("clock", Status::Wrong, clock(config, data_dir));
    shared::look(config, data_dir, findings);
    let running = data::announced(data_dir)
        .filter(|address| TcpStream::connect_timeout(address, PATIENCE).is_ok());
    findings.result("port", Status::Wrong, port(config.http.listen, running));
    for (name, target) in targets(config) {
        findings.result(name, Status::Warning, reached(&target));
    }
    for (name, told) in provenance::all(config, data_dir) {
        findings.result(format!("provenance {name}"), Status::Warning, told);
    }
    if !config.webhooks.allow_private_targets {
        let found = PUBLIC_NAME
            .to_socket_addrs()
            .map(|found| format!("names resolve ({} addresses of {PUBLIC_NAME})", found.count()));
        findings.result(
            "webhook DNS",
            Status::Warning,
            found.map_err(|error| format!("{PUBLIC_NAME} does not resolve: {error}")),
        );
    }
}

fn directory(data_dir: &Path) -> Result<String, String> {
    let shown = data_dir.display();
    let Ok(metadata) = std::fs::metadata(data_dir) else {
        return Ok(format!("{shown} is not there yet; the first start makes it"));
    };
    if !metadata.is_dir() {
        return Err(format!("{shown} is no directory"));
    }
    if rustix::fs::access(data_dir, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
        .is_err()
    {
        return Err(format!("{shown} cannot be written to by this user"));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o700 == mode {
        Ok(format!("{shown}, its owner's alone"))
    } else {
        Ok(format!("{shown} is open to others ({mode:o}); the next start closes it"))
    }
}

fn disk(config: &Config, data_dir: &Path) -> Result<String, String> {
    let existing =
        data_dir.ancestors().find(|directory| directory.is_dir()).unwrap_or(Path::new("/"));
    let existing = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
    let free = free_in(existing).map_err(|error| error.to_string())? / (1 << 20);
    let reserve = u64::from(config.store.reserve_mb);
    if free < reserve {
        Err(format!("{free} MB are free, and store.reserve_mb is {reserve}: no order is taken"))
    } else {
        Ok(format!("{free} MB free"))
    }
}

fn log(data_dir: &Path) -> Result<String, String> {
    if !data_dir.join("events.db").is_file() {
        return Ok("there is none yet".to_owned());
    }
    let damage = inspect(data_dir).map_err(|error| error.to_string())?;
    if let Some(first) = damage.first() {
        return Err(format!("{first}; `telenumerus audit verify` says everything"));
    }
    let last = last_record(data_dir).map_err(|error| error.to_string())?;
    // A start reads every record that the views do not have yet.
    let (viewed, chain) = viewed(data_dir);
    walk_chain(data_dir, (viewed, chain)).map_err(|error| {
        format!("the views lack what came after position {}: {error}; restore a backup", viewed.0)
    })?;
    Ok(last.map_or("empty".to_owned(), |(position, at)| {
        format!("{} events, the last of {at}; `telenumerus audit verify` proves them", position.0)
    }))
}

/// How far the views are that a start goes on with, and the log's chain there.
fn viewed(data_dir: &Path) -> (Position, Hash) {
    let kept = match Views::peek(data_dir) {
        Peek::Whole(Peeked { position, chain: Some(chain), .. }) => Some((position, chain)),
        Peek::Whole(_) | Peek::Absent | Peek::Broken(_) => None,
    };
    // Those of another past are thrown away.
    let is_of_log = |(position, chain): &(Position, Hash)| {
        chain_in(data_dir, *position).is_ok_and(|found| found == Some(*chain))
    };
    kept.filter(is_of_log).unwrap_or((Position(0), GENESIS))
}

fn clock(config: &Config, data_dir: &Path) -> Result<String, String> {
    let now = Clock::System.now();
    let last = last_record(data_dir).ok().flatten().map(|(_, at)| at);
    let behind = last.map_or(Duration::ZERO, |last| last.since(now));
    if behind > Duration::from_secs(config.store.max_clock_behind_seconds.into()) {
        return Err(format!(
            "it says {now}, {} seconds before the log's last record",
            behind.as_secs()
        ));
    }
    Ok(format!("it says {now}"))
}

fn port(
    listen: std::net::SocketAddr,
    running: Option<std::net::SocketAddr>,
) -> Result<String, String> {
    if let Some(running) = running {
        return Ok(format!("the service on this directory answers at {running}"));
    }
    TcpListener::bind(listen)
        .map(|_| format!("{listen} is free"))
        .map_err(|error| format!("cannot listen on {listen}: {error}"))
}

/// Every machine that the configuration names, as host and port.
fn targets(config: &Config) -> Vec<(String, String)> {
    let of_url = |name: String, url: &str| {
        let url = Url::parse(url).ok()?;
        Some((name, format!("{}:{}", url.host_str()?, url.port_or_known_default()?)))
    };
    let sources = config
        .suppliers
        .http
        .iter()
        .filter_map(|source| of_url(format!("supplier {}", source.name.0), &source.url));
    let binds = config
        .suppliers
        .smpp
        .binds
        .iter()
        .map(|bind| ("supplier smpp".to_owned(), bind.address.clone()));
    let chains = config.deposits.coins().flat_map(|(currency, coin)| {
        coin.endpoints
            .iter()
            .filter_map(move |endpoint| of_url(format!("chain {currency}"), endpoint.url.expose()))
    });
    sources.chain(binds).chain(chains).collect()
}

/// Whether anything listens there. What it would say is another command's: `supplier check`,
/// `addresses`.
fn reached(target: &str) -> Result<String, String> {
    let found: Vec<_> = target
        .to_socket_addrs()
        .map_err(|error| format!("{target} does not resolve: {error}"))?
        .collect();
    match found.iter().find(|address| TcpStream::connect_timeout(address, PATIENCE).is_ok()) {
        Some(_) => Ok(format!("{target} answers")),
        None => Err(format!("nothing answers at {target}")),
    }
}

fn tell(findings: &Findings, as_json: bool) -> ExitCode {
    let is_wrong = findings.0.iter().any(|check| check.status == Status::Wrong);
    if as_json {
        let shown: Vec<Value> = findings
            .0
            .iter()
            .map(|check| {
                json!({
                    "check": check.what, "status": check.status.name(), "detail": check.says,
                })
            })
            .collect();
        say!("{:#}", json!({ "ok": !is_wrong, "checks": shown }));
    } else {
        for check in &findings.0 {
            say!("{:<8} {:<19} {}", check.status.name(), check.what, check.says);
        }
        say!(
            "{}",
            if is_wrong {
                "the service would not serve as it is"
            } else {
                "nothing stands in the way of the service"
            }
        );
    }
    if is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
