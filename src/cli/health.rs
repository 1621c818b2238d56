//! `telenumerus health`: whether the running service serves, as an exit code: for containers and
//! load balancers that run a command.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::output::say;
use super::{Outcome, Place, in_words};
use crate::data;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  telenumerus health\n  telenumerus health --url http://127.0.0.1:8080\n  telenumerus health --or-standby\n  HEALTHCHECK CMD [\"/usr/bin/telenumerus\", \"health\"]"
)]
pub struct Options {
    /// The service's address; without it, where the service on the data directory says that it
    /// listens.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Be content with a node of several that stands by, as long as it sees the shared log.
    #[arg(long)]
    or_standby: bool,
    /// Seconds to wait for its answer.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout_seconds: u64,
}

pub fn run(place: &Place, options: &Options) -> Outcome {
    let url = match &options.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => announced(place)?,
    };
    let client = actors::kernel::outbound::client(Duration::from_secs(options.timeout_seconds))?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(in_words)?;
    let answer = runtime.block_on(async {
        let response = client.get(format!("{url}/readyz")).send().await?;
        Ok((response.status(), response.text().await?))
    });
    let (status, body) = answer.map_err(|error: reqwest::Error| {
        format!("no service answers at {url}: {}", error.without_url())
    })?;
    if status.is_success() {
        say!("ready at {url}");
        return Ok(ExitCode::SUCCESS);
    }
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let said = body["error"].as_str().unwrap_or_default();
    if options.or_standby && body["detail"]["follows"] == true {
        say!("standing by at {url}: {said}");
        return Ok(ExitCode::SUCCESS);
    }
    Err(format!("the service at {url} is not ready: {status}: {said}"))
}

/// Where the service on the data directory listens; one that listens on every address is asked on
/// this machine's own.
fn announced(place: &Place) -> Result<String, String> {
    let (_, data_dir) = place.load().map_err(in_words)?;
    let mut address = data::announced(&data_dir).ok_or_else(|| {
        format!(
            "no service has run on {}; name it with --data-dir, or its address with --url",
            data_dir.display()
        )
    })?;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    Ok(format!("http://{address}"))
}
