//! Coins as the configuration wants them: chains, rates and keys put together.

use std::sync::Arc;
use std::time::Duration;

use actors::deposit::CoinSettings;
use actors::deposit::chain::Chain;
use actors::kernel::clock::Clock;
use chains::{Agreed, BitcoinRpc, Endpoint, Esplora, Ethereum, RateKind, RateSource, Rates, Token};
use events::address::{Address, Destination, Network};
use events::deposit::{Currency, Rate};

use crate::config::deposits::{Coin, Deposits, EndpointKind, NetworkName};
use actors::kernel::outbound;

/// USDT on Ethereum.
const USDT_CONTRACT: &str = "0xdac17f958d2ee523a2206206994597c13d831ec7";
const USDT_SYMBOL: &str = "USDT";
const ETHEREUM: u64 = 1;
/// Blocks in one question for logs, where nothing else is written: what most nodes take.
const BLOCKS_PER_QUESTION: u64 = 250;

/// The coins that are configured; in words, why one cannot be.
pub fn configured(deposits: &Deposits, clock: Clock) -> Result<Vec<CoinSettings>, String> {
    deposits
        .coins()
        .map(|(currency, coin)| {
            settings(currency, coin, clock).map_err(|why| format!("deposits.{currency}: {why}"))
        })
        .collect()
}

fn settings(currency: Currency, coin: &Coin, clock: Clock) -> Result<CoinSettings, String> {
    let client = outbound::client(Duration::from_secs(coin.timeout_seconds))?;
    let endpoints = coin.endpoints.iter().map(|endpoint| {
        let credentials = endpoint
            .user
            .as_deref()
            .zip(endpoint.password.as_ref().map(suppliers::configuration::Secret::expose));
        let kind = endpoint.kind;
        let endpoint = Endpoint::new(client.clone(), endpoint.url.expose(), credentials)?;
        Ok::<Arc<dyn Chain>, String>(match (currency, kind) {
            (Currency::UsdtErc20, _) => {
                let token = Token {
                    contract: contract(coin)?,
                    symbol: coin.symbol.clone().unwrap_or_else(|| USDT_SYMBOL.to_owned()),
                };
                Arc::new(Ethereum::new(
                    endpoint,
                    coin.chain_id.unwrap_or(ETHEREUM),
                    token,
                    coin.blocks_per_question.unwrap_or(BLOCKS_PER_QUESTION),
                ))
            }
            (_, EndpointKind::Rpc) => {
                Arc::new(BitcoinRpc::new(endpoint, currency, genesis(currency, coin)))
            }
            (_, EndpointKind::Esplora) => {
                Arc::new(Esplora::new(endpoint, currency, genesis(currency, coin)))
            }
        })
    });
    let chain = Agreed::of(endpoints.collect::<Result<_, _>>()?).ok_or("it has no endpoint")?;
    let usual_poll = match currency {
        Currency::Btc => 15,
        Currency::Ltc => 10,
        Currency::UsdtErc20 => 12,
    };
    Ok(CoinSettings {
        currency,
        chain,
        rates: Arc::new(Rates::new(rates(currency, coin, &client)?, clock)),
        policy: coin.policy(currency),
        settle_confirmations: coin.settle_confirmations.into(),
        poll: Duration::from_secs(coin.poll_seconds.unwrap_or(usual_poll)),
        key: coin.key(currency).map_err(|error| error.to_string())?,
        shared: coin.shared(currency).map_err(|error| error.to_string())?,
        start_height: coin.start_height,
    })
}

fn rates(currency: Currency, coin: &Coin, client: &reqwest::Client) -> Result<RateKind, String> {
    if let Some(rate) = coin.rate {
        return Ok(RateKind::Fixed(rate.0));
    }
    if coin.rate_sources.is_empty() && currency == Currency::UsdtErc20 {
        let one: Rate = "1".parse().map_err(|_| "one dollar is a rate".to_owned())?;
        return Ok(RateKind::Fixed(one));
    }
    let source = |source: &crate::config::deposits::RateSource| {
        let endpoint = Endpoint::new(client.clone(), source.url.expose(), None)?;
        Ok::<_, String>(RateSource {
            endpoint,
            pointer: source.pointer.clone(),
            time_pointer: source.time_pointer.clone(),
        })
    };
    Ok(RateKind::Sources {
        sources: coin.rate_sources.iter().map(source).collect::<Result<_, _>>()?,
        max_age: Duration::from_secs(coin.rate_max_age_seconds),
        max_spread_percent: coin.rate_max_spread_percent,
    })
}

fn contract(coin: &Coin) -> Result<Destination, String> {
    let text = coin.contract.as_deref().unwrap_or(USDT_CONTRACT);
    Address::parse(Currency::UsdtErc20, Network::Mainnet, text)
        .map(|address| address.destination)
        .map_err(|error| error.to_string())
}

/// The first block of a network: what tells BTC from LTC and the main network from others.
fn genesis(currency: Currency, coin: &Coin) -> String {
    if let Some(genesis) = &coin.genesis {
        return genesis.to_ascii_lowercase();
    }
    let known = match (currency, coin.network) {
        (Currency::Ltc, NetworkName::Mainnet) => {
            "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2"
        }
        (Currency::Ltc, NetworkName::Testnet) => {
            "4966625a4b2851d9fdee139e56211a0d88575f59ed816ff5e6a63deb4e3e29a0"
        }
        (Currency::Ltc, NetworkName::Regtest) => {
            "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9"
        }
        (Currency::Btc | Currency::UsdtErc20, NetworkName::Mainnet) => {
            "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
        }
        (Currency::Btc | Currency::UsdtErc20, NetworkName::Testnet) => {
            "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"
        }
        (Currency::Btc | Currency::UsdtErc20, NetworkName::Regtest) => {
            "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
        }
    };
    known.to_owned()
}
