//! `telenumerus order`: a caller's command line: a number from a service anywhere, and its code.

use std::collections::BTreeSet;
use std::process::ExitCode;

use actors::kernel::entropy::Entropy;
use axum::http::Method;
use clap::Args;
use events::id::to_base62;
use serde_json::{Value, json};

use super::output::{cell, say};
use super::{Outcome, in_words};
use crate::mcp::{Api, Call, Caller};
use suppliers::configuration::Secret;

/// Seconds that one question waits for a change.
const WAIT_SECONDS: u32 = 50;
/// How often an answer that says it may be asked for again is.
const TRIES: u32 = 5;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  export TELENUMERUS_URL=http://127.0.0.1:8080 TELENUMERUS_API_KEY=tn_…\n  telenumerus order google --wait\n  CODE=$(telenumerus order whatsapp --country GB --wait --quiet)\n  telenumerus order google --scenario no_code --wait      # with a test key"
)]
pub struct Options {
    /// For which platform, such as google.
    platform: String,
    /// In which country, such as US or GB.
    #[arg(long)]
    country: Option<String>,
    /// The most you will pay, in dollars.
    #[arg(long, value_name = "DOLLARS")]
    max_price: Option<f64>,
    /// With a test key: what the order does.
    #[arg(long)]
    scenario: Option<String>,
    /// Wait for the code; exit 1 if none comes.
    #[arg(long)]
    wait: bool,
    /// Only the code, or without --wait only the number.
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
    /// The last answer as JSON.
    #[arg(long)]
    json: bool,
    /// The same key places one order, however often the command is repeated.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// The service to talk to.
    #[arg(
        long,
        env = "TELENUMERUS_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    url: String,
    /// The API key.
    #[arg(long, env = "TELENUMERUS_API_KEY", hide_env_values = true, value_name = "KEY")]
    api_key: String,
}

pub fn run(options: &Options) -> Outcome {
    let caller = Caller::with_key(Some(&Secret::new(options.api_key.clone())));
    let api = Api::there(&options.url)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(in_words)?;
    let ordered = runtime.block_on(place(&api, &caller, options))?;
    if !options.wait {
        show(options, &ordered, "phone");
        return Ok(ExitCode::SUCCESS);
    }
    if !options.quiet && !options.json {
        show(options, &ordered, "phone");
    }
    let ended = runtime.block_on(ended(&api, &caller, &cell(&ordered["order_id"])))?;
    let has_code = ended["code"].is_string();
    if has_code || options.json {
        show(options, &ended, "code");
    } else {
        eprintln!("telenumerus: {}", without_code(&ended));
    }
    Ok(if has_code { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Why there is no code to show.
fn without_code(ended: &Value) -> String {
    if ended["messages_erased"] == true {
        return "the order had its code, which was erased since".to_owned();
    }
    let kinds: BTreeSet<&str> = ended["held"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|message| message["kinds"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let held = if kinds.is_empty() {
        String::new()
    } else {
        let kinds = kinds.into_iter().collect::<Vec<_>>().join(", ");
        format!("; a message came that this service holds back ({kinds})")
    };
    format!("no code came: the order is {}{held}", cell(&ended["status"]))
}

fn show(options: &Options, reply: &Value, what: &str) {
    if options.json {
        say!("{reply:#}");
    } else if options.quiet {
        say!("{}", cell(&reply[what]));
    } else {
        say!("{:<9}{}", "order", cell(&reply["order_id"]));
        say!("{:<9}{}", "status", cell(&reply["status"]));
        say!("{:<9}{}", "phone", cell(&reply["phone"]));
        if what == "code" {
            say!("{:<9}{}", "code", cell(&reply["code"]));
        }
        say!("{:<9}{}", "price", cell(&reply["price"]));
    }
}

/// The order, under a key: an answer that is lost costs nothing.
async fn place(api: &Api, caller: &Caller, options: &Options) -> Result<Value, String> {
    let key = options
        .idempotency_key
        .clone()
        .unwrap_or_else(|| to_base62(u128::from_be_bytes(Entropy::System.bytes())));
    let Options { platform, country, max_price, scenario, .. } = options;
    let body = json!({
        "platform": platform, "country": country, "max_price": max_price, "scenario": scenario,
        "idempotency_key": key,
    });
    ask(
        api,
        caller,
        Call { method: Method::POST, path: "/api/v1/order".to_owned(), body: Some(body) },
    )
    .await
}

/// The order once it has ended, or has its code.
async fn ended(api: &Api, caller: &Caller, order: &str) -> Result<Value, String> {
    loop {
        let path = format!("/api/v1/order/{order}?wait={WAIT_SECONDS}");
        let reply = ask(api, caller, Call { method: Method::GET, path, body: None }).await?;
        if !["queued", "pending", "active"].contains(&reply["status"].as_str().unwrap_or_default())
        {
            return Ok(reply);
        }
    }
}

/// The answer; one that may be asked for again soon is.
async fn ask(api: &Api, caller: &Caller, call: Call) -> Result<Value, String> {
    for last in (1..=TRIES).map(|tries| tries == TRIES) {
        let answer = api.call(caller, call.clone()).await;
        if answer.success {
            return Ok(answer.body);
        }
        let pause = answer.body["retry_after_seconds"].as_u64();
        let is_worth_it =
            answer.body["retryable"] == true && pause.is_some_and(|seconds| seconds <= 5);
        if last || !is_worth_it {
            return Err(format!(
                "{} ({})",
                cell(&answer.body["error"]),
                cell(&answer.body["error_code"])
            ));
        }
        tokio::time::sleep(std::time::Duration::from_secs(pause.unwrap_or(1))).await;
    }
    Err("the service does not answer".to_owned())
}
