//! What nodes and services may answer, honest or not: read as it is meant, or refused with the
//! reason; never a panic, never a payment that is none.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::sync::Arc;
use std::time::Duration;

use chains::{BitcoinRpc, Endpoint, Esplora, Ethereum, RateKind, RateSource, Rates, Token};
use events::address::Destination;
use events::deposit::{Currency, TxHash};
use telenumerus_actors::deposit::chain::{Chain, ChainError, Rate, Watched};
use telenumerus_actors::kernel::clock::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SCRIPT: &str = "0014c0cebcd6c3d3ca8c75dc5ec62ebe55330ef910e2";
const GENESIS: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
const TOKEN: &str = "0xdac17f958d2ee523a2206206994597c13d831ec7";
const PAYEE: &str = "9858effd232b4033e47d90003d41ec34ecaeda94";
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

/// A server that answers each request with what `answer` makes of its first line and body.
async fn server(answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let mut request = Vec::new();
                let mut chunk = [0; 4_096];
                loop {
                    let read = stream.read(&mut chunk).await.unwrap_or(0);
                    request.extend_from_slice(&chunk[..read]);
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head.lines().find_map(|line| {
                        line.to_lowercase()
                            .strip_prefix("content-length: ")
                            .and_then(|length| length.parse().ok())
                    });
                    if body.len() < length.unwrap_or(0) {
                        continue;
                    }
                    let (status, reply) = answer(head.lines().next().unwrap_or_default(), body);
                    let length = reply.len();
                    let sent = format!(
                        "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{reply}"
                    );
                    let _ = stream.write_all(sent.as_bytes()).await;
                    return;
                }
            });
        }
    });
    url
}

fn client() -> reqwest::Client {
    telenumerus_actors::kernel::outbound::client(Duration::from_secs(5)).unwrap()
}

fn endpoint(url: &str) -> Endpoint {
    Endpoint::new(client(), url, Some(("user", "password"))).unwrap()
}

fn watched() -> Arc<Watched> {
    Arc::new(Watched { shared: Destination::from_hex(SCRIPT), ..Watched::default() })
}

fn watched_token() -> Arc<Watched> {
    Arc::new(Watched { shared: Destination::from_hex(PAYEE), ..Watched::default() })
}

fn tx() -> TxHash {
    "ab".repeat(32).parse().unwrap()
}

fn result(result: &str) -> (u16, String) {
    (200, format!(r#"{{"result": {result}, "error": null, "id": 1}}"#))
}

fn node(url: &str) -> BitcoinRpc {
    BitcoinRpc::new(endpoint(url), Currency::Btc, GENESIS.to_owned())
}

fn ethereum(url: &str) -> Ethereum {
    let token =
        Token { contract: Destination::from_hex(TOKEN).unwrap(), symbol: "USDT".to_owned() };
    Ethereum::new(endpoint(url), 1, token, 250)
}

/// A node whose blocks each have these outputs.
async fn node_with(outputs: &'static str) -> BitcoinRpc {
    let url = server(move |_, body| {
        let block = format!(
            r#"{{"hash": "h7", "height": 7, "previousblockhash": "h6", "tx": [{{"txid": "{}", "vout": {outputs}, "hex": "00"}}], "more": {{}}}}"#,
            "AB".repeat(32)
        );
        if body.contains("getblockhash") { result("\"h7\"") } else { result(&block) }
    });
    node(&url.await)
}

#[tokio::test]
async fn outputs_are_matched_by_their_script_and_their_amounts_are_exact() {
    let outputs = r#"[{"value": 0.29000001, "n": 1, "scriptPubKey": {"hex": "0014C0CEBCD6C3D3CA8C75DC5EC62EBE55330EF910E2", "address": "somebody else"}},
        {"value": 1e-8, "n": 2, "scriptPubKey": {"hex": "0014c0cebcd6c3d3ca8c75dc5ec62ebe55330ef910e2"}},
        {"value": 0.00000000, "n": 3, "scriptPubKey": {"hex": "0014c0cebcd6c3d3ca8c75dc5ec62ebe55330ef910e2"}},
        {"value": 5, "n": 4, "scriptPubKey": {"hex": "6a"}}, {"value": 5, "n": 5, "scriptPubKey": {}}]"#;
    let scan = node_with(outputs).await.scan(7..=7, watched()).await.unwrap();
    let paid: Vec<_> =
        scan.payments.iter().map(|payment| (payment.output, payment.paid.as_str())).collect();
    assert_eq!(paid, [(1, "0.29000001"), (2, "0.00000001")]);
    assert_eq!((scan.parent.as_deref(), scan.payments[0].tx_hash.clone()), (Some("h6"), tx()));
}

#[tokio::test]
async fn amounts_that_are_none_are_refused() {
    for value in ["-0.1", "\"1\"", "0.000000001", "1e400", "null", "NaN", "{}"] {
        let outputs =
            format!(r#"[{{"value": {value}, "n": 0, "scriptPubKey": {{"hex": "{SCRIPT}"}}}}]"#)
                .leak();
        let outcome = node_with(outputs).await.scan(7..=7, watched()).await;
        assert!(matches!(outcome, Err(ChainError::Nonsense { .. })), "{value}: {outcome:?}");
    }
}

#[tokio::test]
async fn hostile_answers_of_nodes_are_errors() {
    for (status, body) in [
        (200, String::new()),
        (200, "not json".to_owned()),
        (200, "[]".to_owned()),
        (200, r#"{"result": 5}"#.to_owned()),
        (200, r#"{"result": {"blocks": -1, "bestblockhash": 7}}"#.to_owned()),
        (200, format!("{{\"result\": {}1", "[".repeat(100_000))),
        (502, "<html>".to_owned()),
        (
            500,
            r#"{"result": null, "error": {"code": -28, "message": "Loading block index..."}}"#
                .to_owned(),
        ),
        (401, String::new()),
    ] {
        let shown = format!("{status} {body:.40}");
        let url = server(move |_, _| (status, body.clone())).await;
        let node = node(&url);
        assert!(node.tip().await.is_err(), "{shown}");
        assert!(node.scan(1..=2, watched()).await.is_err(), "{shown}");
        assert!(node.check().await.is_err(), "{shown}");
        let esplora = Esplora::new(endpoint(&url), Currency::Ltc, GENESIS.to_owned());
        assert!(esplora.tip().await.is_err(), "{shown}");
        assert!(esplora.scan(1..=2, watched()).await.is_err(), "{shown}");
        let ethereum = ethereum(&url);
        assert!(ethereum.tip().await.is_err(), "{shown}");
        assert!(ethereum.scan(1..=2, watched_token()).await.is_err(), "{shown}");
    }
}

#[tokio::test]
async fn what_a_node_does_not_know_is_not_an_error() {
    let url =
        server(|_, _| (500, r#"{"result": null, "error": {"code": -5, "message": "No such mempool or blockchain transaction"}}"#.to_owned())).await;
    assert_eq!(node(&url).find(tx(), watched()).await, Ok(None));
    assert_eq!(node(&url).block_hash(5).await, Ok(None));
    let url = server(|_, _| (404, "Transaction not found".to_owned())).await;
    let esplora = Esplora::new(endpoint(&url), Currency::Btc, GENESIS.to_owned());
    assert_eq!(esplora.find(tx(), watched()).await, Ok(None));
    let url = server(|_, _| result("null")).await;
    let ethereum = ethereum(&url);
    assert_eq!(ethereum.find(tx(), watched_token()).await, Ok(None));
}

#[tokio::test]
async fn another_network_is_noticed() {
    let url = server(|_, body| {
        if body.contains("eth_chainId") {
            result("\"0x5\"")
        } else {
            result(&format!("\"{}\"", "0f".repeat(32)))
        }
    })
    .await;
    assert!(matches!(node(&url).check().await, Err(ChainError::WrongNetwork { .. })));
    let ethereum = ethereum(&url);
    assert!(matches!(ethereum.check().await, Err(ChainError::WrongNetwork { .. })));
}

/// A text as contracts answer it.
fn abi(text: &str) -> String {
    let hex: String = text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("\"0x{:064x}{:064x}{hex:0<64}\"", 32, text.len())
}

async fn checked(decimals: String, symbol: String) -> Result<(), ChainError> {
    let url = server(move |_, body| match body {
        _ if body.contains("eth_chainId") => result("\"0x1\""),
        _ if body.contains("0x313ce567") => result(&decimals),
        _ if body.contains("0x95d89b41") => result(&symbol),
        _ => (400, String::new()),
    });
    ethereum(&url.await).check().await
}

#[tokio::test]
async fn a_contract_that_is_not_the_token_configured_is_refused() {
    let word = |number: u64| format!("\"0x{number:064x}\"");
    assert_eq!(checked(word(6), abi("USDT")).await, Ok(()));
    // As tokens of before there was a type for texts.
    assert_eq!(checked(word(6), format!("\"0x{:0<64}\"", "55534454")).await, Ok(()));
    for (decimals, symbol) in [
        (word(18), abi("USDT")),
        (word(0), abi("USDT")),
        (word(6), abi("USDC")),
        (word(6), "\"0x\"".to_owned()),
        ("\"0x\"".to_owned(), abi("USDT")),
        (format!("\"0x{}\"", "f".repeat(64)), abi("USDT")),
        ("\"0x6\"".to_owned(), abi("USDT")),
        (word(6), format!("\"0x{:064x}{}\"", 32, "f".repeat(64))),
    ] {
        let outcome = checked(decimals.clone(), symbol.clone()).await;
        assert!(
            matches!(outcome, Err(ChainError::WrongToken { .. })),
            "{decimals} {symbol}: {outcome:?}"
        );
    }
    let url = server(|_, body| {
        if body.contains("eth_chainId") {
            result("\"0x1\"")
        } else {
            (200, r#"{"error": {"code": 3, "message": "execution reverted"}}"#.to_owned())
        }
    });
    assert!(matches!(ethereum(&url.await).check().await, Err(ChainError::WrongToken { .. })));
}

#[tokio::test]
async fn a_node_that_takes_ten_blocks_at_a_time_is_asked_so_and_again_so() {
    let asked: Arc<std::sync::Mutex<Vec<u64>>> = Arc::default();
    let seen = Arc::clone(&asked);
    let url = server(move |_, body| {
        if !body.contains("eth_getLogs") {
            return result(r#"{"number": "0x7", "hash": "0xb7"}"#);
        }
        let request: serde_json::Value = serde_json::from_str(body).unwrap();
        let at = |name: &str| {
            u64::from_str_radix(&request["params"][0][name].as_str().unwrap()[2..], 16).unwrap()
        };
        let blocks = at("toBlock") - at("fromBlock") + 1;
        seen.lock().unwrap().push(blocks);
        let refusal = r#"{"error": {"code": -32600, "message": "you can make eth_getLogs requests with up to a 10 block range"}}"#;
        if blocks > 10 { (400, refusal.to_owned()) } else { result("[]") }
    });
    let ethereum = ethereum(&url.await);
    assert_eq!(ethereum.blocks_per_scan(), 250);
    assert_eq!(ethereum.scan(1..=20, watched_token()).await.unwrap().last.height, 7);
    assert_eq!(*asked.lock().unwrap(), [20, 10, 10]);
    assert_eq!(ethereum.blocks_per_scan(), 10);
    ethereum.scan(21..=30, watched_token()).await.unwrap();
    assert_eq!(asked.lock().unwrap().last(), Some(&10));
}

#[tokio::test]
async fn a_node_that_refuses_whatever_is_asked_is_said_to() {
    let url = server(|_, body| {
        if body.contains("eth_getLogs") {
            (200, r#"{"error": {"code": -32000, "message": "no logs here"}}"#.to_owned())
        } else {
            result(r#"{"number": "0x7", "hash": "0xb7"}"#)
        }
    });
    let outcome = ethereum(&url.await).scan(1..=7, watched_token()).await;
    assert!(matches!(outcome, Err(ChainError::Unreachable { .. })), "{outcome:?}");
}

#[tokio::test]
async fn hidden_outputs_are_passed_over() {
    let outputs = r#"[{"ismweb": true, "output_id": "ab"}, {"ismweb": true, "value": 5.0, "n": 0, "scriptPubKey": {"hex": "0014c0cebcd6c3d3ca8c75dc5ec62ebe55330ef910e2"}},
        {"ismweb": false, "value": 0.5, "n": 1, "scriptPubKey": {"hex": "0014c0cebcd6c3d3ca8c75dc5ec62ebe55330ef910e2"}}]"#;
    let scan = node_with(outputs).await.scan(7..=7, watched()).await.unwrap();
    let paid: Vec<_> =
        scan.payments.iter().map(|payment| (payment.output, payment.paid.as_str())).collect();
    assert_eq!(paid, [(1, "0.5")]);
}

#[tokio::test]
async fn the_transaction_that_makes_new_coins_is_the_first_of_its_block() {
    let block = events::chain::Block { height: 7, hash: "h7".to_owned() };
    let url = server(|_, _| {
        result(&format!(r#"{{"tx": ["{}", "{}"]}}"#, "AB".repeat(32), "cd".repeat(32)))
    });
    assert_eq!(node(&url.await).coinbase(block.clone()).await, Ok(Some(tx())));
    let page = |line: &str| {
        let txid = "ab".repeat(32);
        if line.contains("/block/h7/txs/0") {
            (200, format!(r#"[{{"txid": "{txid}", "vout": [], "status": {{"confirmed": true}}}}]"#))
        } else {
            (404, String::new())
        }
    };
    let url = server(move |line, _| page(line));
    assert_eq!(
        Esplora::new(endpoint(&url.await), Currency::Btc, GENESIS.to_owned())
            .coinbase(block.clone())
            .await,
        Ok(Some(tx()))
    );
    let url = server(|_, _| result(r#"{"tx": []}"#));
    assert!(matches!(node(&url.await).coinbase(block).await, Err(ChainError::Nonsense { .. })));
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let url = server(|_, _| (200, "x".repeat(65 * 1024 * 1024))).await;
    let outcome = node(&url).tip().await;
    assert!(matches!(outcome, Err(ChainError::Nonsense { .. })), "{outcome:?}");
}

#[tokio::test]
async fn errors_name_the_host_and_nothing_secret() {
    let url =
        server(|_, _| (503, String::new())).await.replace("http://", "http://operator:swordfish@")
            + "/v2/swordfish?key=swordfish";
    let endpoint = Endpoint::new(client(), &url, None).unwrap();
    let node = BitcoinRpc::new(endpoint, Currency::Btc, GENESIS.to_owned());
    let error = node.tip().await.unwrap_err();
    assert!(
        error.to_string().contains("127.0.0.1")
            && !error.to_string().contains("swordfish")
            && !format!("{node:?}").contains("swordfish"),
        "{error}"
    );
    let gone = Endpoint::new(client(), "http://127.0.0.1:9/swordfish", None).unwrap();
    let error = BitcoinRpc::new(gone, Currency::Btc, GENESIS.to_owned()).tip().await.unwrap_err();
    assert!(!error.to_string().contains("swordfish"), "{error}");
    for wrong in ["", "127.0.0.1:8332", "ftp://127.0.0.1", "http://"] {
        assert!(Endpoint::new(client(), wrong, None).is_err(), "{wrong}");
    }
}

/// A log of the token, as it would be honest; `change` makes it something else.
fn log(change: &[(&str, String)]) -> String {
    let mut log = serde_json::json!({
        "address": TOKEN, "topics": [TRANSFER, format!("0x{:0>64}", 1), format!("0x{PAYEE:0>64}")],
        "data": format!("0x{:064x}", 2_500_000),
        "blockNumber": "0x7", "blockHash": "0xB7",
        "transactionHash": format!("0x{}", tx().as_str()), "logIndex": "0x11", "removed": false,
    });
    for (member, value) in change {
        log[*member] = serde_json::from_str(value).unwrap();
    }
    log.to_string()
}

/// What a node with this log, and a receipt of this status with another, makes of blocks 7 to 7.
async fn scanned(
    told: String,
    receipt: String,
    status: &'static str,
) -> Result<Vec<(u32, String)>, ChainError> {
    let url = server(move |_, body| {
        if body.contains("eth_getLogs") {
            result(&format!("[{told}]"))
        } else if body.contains("Receipt") {
            result(&format!(
                r#"{{"status": "{status}", "blockNumber": "0x7", "blockHash": "0xb7", "logs": [{receipt}]}}"#
            ))
        } else {
            result(r#"{"number": "0x7", "hash": "0xb7"}"#)
        }
    });
    let ethereum = ethereum(&url.await);
    let scan = ethereum.scan(7..=7, watched_token()).await?;
    Ok(scan.payments.into_iter().map(|payment| (payment.output, payment.paid)).collect())
}

#[tokio::test]
async fn a_token_s_transfer_counts_once_its_receipt_vouches_for_it() {
    let honest = log(&[]);
    assert_eq!(
        scanned(honest.clone(), honest.clone(), "0x1").await,
        Ok(vec![(17, "2.5".to_owned())])
    );
    // A log that its receipt has not, has otherwise, or that failed.
    for (receipt, status) in [
        (log(&[("data", format!("\"0x{:064x}\"", 9))]), "0x1"),
        (log(&[("logIndex", "\"0x12\"".to_owned())]), "0x1"),
        (honest.clone(), "0x0"),
    ] {
        let outcome = scanned(honest.clone(), receipt, status).await;
        assert!(matches!(outcome, Err(ChainError::Nonsense { .. })), "{outcome:?}");
    }
}

#[tokio::test]
async fn logs_that_are_no_payment_to_us_pay_nothing() {
    let topics = |topics: &[&str]| ("topics", serde_json::to_string(topics).unwrap());
    let (from, ours) = (format!("0x{:0>64}", 1), format!("0x{PAYEE:0>64}"));
    for change in [
        ("address", format!("\"0x{:0>40}\"", "aa")),
        ("removed", "true".to_owned()),
        ("data", format!("\"0x{:064x}\"", 0)),
        ("blockNumber", "null".to_owned()),
        topics(&[]),
        topics(&[TRANSFER, &from]),
        topics(&[TRANSFER, &from, &ours, &ours]),
        topics(&[&from, &from, &ours]),
        topics(&[TRANSFER, &from, "0x12"]),
        topics(&[TRANSFER, &from, "é"]),
    ] {
        let log = log(std::slice::from_ref(&change));
        assert_eq!(scanned(log.clone(), log, "0x1").await, Ok(vec![]), "{change:?}");
    }
    for change in [
        ("data", "\"0x\"".to_owned()),
        ("data", format!("\"0x{}\"", "f".repeat(64))),
        ("logIndex", "\"0x1ffffffff\"".to_owned()),
        ("logIndex", "\"17\"".to_owned()),
    ] {
        let log = log(std::slice::from_ref(&change));
        let outcome = scanned(log.clone(), log, "0x1").await;
        assert!(matches!(outcome, Err(ChainError::Nonsense { .. })), "{change:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn rates_come_from_sources_that_agree_and_are_fresh() {
    let source = |url: String| RateSource {
        endpoint: endpoint(&url),
        pointer: "/usd".to_owned(),
        time_pointer: None,
    };
    let rates = |sources| {
        Rates::new(
            RateKind::Sources { sources, max_age: Duration::from_mins(5), max_spread_percent: 2 },
            Clock::System,
        )
    };
    let says = |rate: &'static str| server(move |_, _| (200, format!(r#"{{"usd": {rate}}}"#)));
    let (one, other, far, broken) =
        (says("100.5").await, says("\"101\"").await, says("200").await, says("\"soon\"").await);
    let agreed = rates(vec![source(one.clone()), source(broken.clone()), source(other.clone())])
        .now()
        .await
        .unwrap();
    assert_eq!(
        (agreed.rate.to_string().as_str(), agreed.source.matches("127.0.0.1").count()),
        ("100.5", 2)
    );
    assert!(
        rates(vec![source(one.clone()), source(far)])
            .now()
            .await
            .unwrap_err()
            .to_string()
            .contains("differ")
    );
    assert!(
        rates(vec![source(one), source(broken)])
            .now()
            .await
            .unwrap_err()
            .to_string()
            .contains("1 of 2")
    );
}
