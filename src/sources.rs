//! Where numbers come from, put together: pools with what the configuration and the log list, sources that are asked, the simulator, and the router over them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::kernel::entropy::Entropy;
use actors::numbers::pool::{NumberPool, OwnNumber};
use actors::numbers::{Preference, Quarantine, Record, Router, SessionAvailability, Supplier};
use actors::{Accounts, Inventory};
use events::account::PoolShare;
use events::money::Money;
use events::number::Listing;
use events::phone::Phone;
use events::supplier::SupplierName;
use events::time::Timestamp;
use projections::Views;
use suppliers::android;
use suppliers::http::{self, HttpSource, Pull};
use suppliers::inbound::InboundFormat;
use suppliers::purchasing::{Account, NumberPurchasing, Telecom};
use suppliers::simulator::{self, Simulator};
use suppliers::telnyx::{self, Telnyx};
use suppliers::twilio::{self, Twilio};
use suppliers::vonage::{self, Vonage};

use crate::boot::{BootError, name};
use crate::config::{Buying, Config, Named};
use crate::http::own;

const DAY: Duration = Duration::from_hours(24);
/// How far back a source's record is looked at when the service starts.
const RECORD_WINDOW: Duration = Duration::from_hours(2);

/// A telecom, and the most that numbers bought there may cost a month, where they may be bought.
pub type AtTelecom = (SupplierName, Arc<dyn Telecom>, Option<Money>);

/// The sources, as the service uses them.
pub struct Sources {
    pub router: Arc<Router>,
    /// Whether SMPP reaches us.
    pub reach: Arc<SessionAvailability>,
    pub simulator: Option<Arc<Simulator>>,
    pub pulls: Vec<Pull>,
    pub inventory: Inventory,
    pub purchasing: NumberPurchasing,
}

/// The sources of the configuration; what was listed, served and leased before is in the views. `recent` are numbers that were on orders of late,
/// and when the last of these ended.
pub async fn sources(
    config: &Config,
    views: &Views,
    accounts: &Accounts,
    entropy: &Entropy,
    recent: &[(Phone, Option<Timestamp>)],
) -> Result<Sources, BootError> {
    let clock = accounts.journal().clock();
    let settings = &config.suppliers;
    let share = PoolShare::percent(settings.unproven_share_percent);
    let cool_down = DAY * settings.cooldown_days;
    let since = clock.now().minus(cool_down);
    let mut suppliers: Vec<Arc<dyn Supplier>> = Vec::new();
    let configured: BTreeMap<Phone, SupplierName> =
        settings.pools().flat_map(|(pool, numbers)| numbers.iter().map(move |number| (number.number.0.clone(), name(pool)))).collect();
    let reach = Arc::new(SessionAvailability::new(clock, settings.smpp.binds.len(), settings.rest("smpp")));
    let (mut pools, mut others) = (BTreeMap::new(), configured.keys().cloned().collect::<HashSet<_>>());
    for (pool, numbers) in settings.pools() {
        let numbers = numbers.iter().map(|number| OwnNumber {
            phone: number.number.0.clone(),
            country: number.country.0,
            platforms: number.platforms.as_ref().map(|platforms| platforms.iter().map(|platform| platform.0).collect()),
        });
        let listed = views.listed(pool.to_owned()).await?;
        others.extend(listed.iter().map(|(phone, _)| phone.clone()));
        // What the configuration lists goes before what the log does.
        let listed = listed.into_iter().filter(|(phone, _)| !configured.contains_key(phone)).map(own_number);
        let served = views.served(pool.to_owned(), since).await?;
        let rest = if pool == "smpp" { Quarantine::Over(Arc::clone(&reach)) } else { Quarantine::Plain(settings.rest(pool)) };
        let released = recent.iter().filter_map(|(phone, ended_at)| Some((phone.clone(), (*ended_at)?)));
        let own = Arc::new(NumberPool::new(name(pool), numbers.chain(listed).collect(), cool_down, served).resting(rest, released).sharing(share));
        pools.insert(name(pool), Arc::clone(&own));
        suppliers.push(own);
    }
    let pulls = pulls(config, views, accounts, cool_down).await?;
    suppliers.extend(pulls.iter().map(|pull| Arc::new(pull.clone()) as Arc<dyn Supplier>));
    let simulator = config.simulated_numbers()?.then(|| Arc::new(simulator(&settings.simulator, others, clock, entropy)));
    suppliers.extend(simulator.clone().map(|simulator| simulator as Arc<dyn Supplier>));
    let router = Arc::new(preferring(Router::new(suppliers, settings.max_attempts), config, views, clock).await?);
    let inventory = Inventory::new(accounts.journal().clone(), Arc::clone(&router), pools, configured);
    let purchasing = NumberPurchasing::open(accounts.journal().clone(), inventory.clone(), telecoms(config)?);
    Ok(Sources { router, reach, simulator, pulls, inventory, purchasing })
}

/// The telecoms whose APIs are configured, each with the most that its bought numbers may cost a month, where they may be bought.
pub fn telecoms(config: &Config) -> Result<Vec<AtTelecom>, BootError> {
    let settings = &config.suppliers;
    let account = |of: &str, url: &str, user: &str, secret: &str| {
        Account::new(url, user, secret).map_err(|what| BootError::Suppliers(format!("suppliers.{of}.api: {what}")))
    };
    let limit = |buying: &Buying| buying.allowed.then_some(buying.monthly_limit.0);
    let mut telecoms: Vec<AtTelecom> = Vec::new();
    if let (Some(api), Some(token)) = (&settings.twilio.api, &settings.twilio.auth_token) {
        let pricing = account("twilio", &api.pricing_url, &api.account_sid, token.expose())?;
        let inbound = config.http.public_url.as_ref().map(|url| format!("{}/inbound/v1/twilio", url.trim_end_matches('/')));
        let twilio = Twilio::new(account("twilio", &api.url, &api.account_sid, token.expose())?, pricing, inbound);
        telecoms.push((name("twilio"), Arc::new(twilio), limit(&api.buying)));
    }
    if let Some(api) = &settings.telnyx.api {
        let telnyx = Telnyx::new(account("telnyx", &api.url, "", api.key.expose())?, api.messaging_profile_id.clone());
        telecoms.push((name("telnyx"), Arc::new(telnyx), limit(&api.buying)));
    }
    if let Some(api) = &settings.vonage.api {
        let vonage = Vonage::new(account("vonage", &api.url, &api.key, api.secret.expose())?, api.dollars_per_euro.0);
        telecoms.push((name("vonage"), Arc::new(vonage), limit(&api.buying)));
    }
    Ok(telecoms)
}

/// How messages are read of each supplier that brings them to us.
pub fn inbound_formats(config: &Config) -> BTreeMap<SupplierName, Arc<dyn InboundFormat>> {
    let settings = &config.suppliers;
    let mut formats: BTreeMap<SupplierName, Arc<dyn InboundFormat>> = BTreeMap::new();
    if let Some(token) = &settings.twilio.auth_token {
        formats.insert(name("twilio"), Arc::new(twilio::Inbound { auth_token: token.expose().to_owned() }));
    }
    if let Some(key) = &settings.telnyx.public_key {
        formats.insert(name("telnyx"), Arc::new(telnyx::Inbound { key: key.0.clone() }));
    }
    if let Some(secret) = &settings.vonage.signature_secret {
        let (signature_secret, signature_method) = (secret.expose().to_owned(), settings.vonage.signature_method);
        formats.insert(name("vonage"), Arc::new(vonage::Inbound { signature_secret, signature_method }));
    }
    if let Some(key) = &settings.android.signing_key {
        let sims = settings.android.sims.iter().map(|(sim, phone)| (sim.clone(), phone.0.clone())).collect();
        let (signing_key, trust_received_at) = (key.expose().to_owned(), settings.android.trust_received_at);
        formats.insert(name("android"), Arc::new(android::Inbound { signing_key, sims, trust_received_at }));
    }
    let own = settings.own.inbound_secret.iter().map(|secret| (name("own"), secret));
    let asked = settings.http.iter().filter_map(|source| Some((source.name.0.clone(), source.inbound_secret.as_ref()?)));
    for (supplier, secret) in own.chain(asked) {
        formats.insert(supplier, Arc::new(own::Inbound { secret: secret.clone() }));
    }
    formats
}

async fn pulls(config: &Config, views: &Views, accounts: &Accounts, cool_down: Duration) -> Result<Vec<Pull>, BootError> {
    let mut pulls = Vec::new();
    for source in &config.suppliers.http {
        let Named(name) = source.name.clone();
        let asked =
            HttpSource::new(&source.url, source.token.expose()).map_err(|what| BootError::Suppliers(format!("suppliers.http: {name}: {what}")))?;
        let served = views.served(name.to_string(), accounts.journal().now().minus(cool_down)).await?;
        let poll = Duration::from_secs(source.poll_seconds.into());
        pulls.push(Pull::new(accounts.clone(), Arc::new(asked), http::Settings { name, poll, cool_down }, served));
    }
    Ok(pulls)
}

fn simulator(settings: &crate::config::Simulator, others: HashSet<Phone>, clock: Clock, entropy: &Entropy) -> Simulator {
    let behaviour = simulator::Settings {
        delivery_seconds: settings.delivery_seconds,
        failure_rate: settings.failure_rate,
        no_stock_rate: settings.no_stock_rate,
        dead_number_rate: settings.dead_number_rate,
        templates: settings.templates.iter().map(|(platform, text)| (platform.0, text.clone())).collect(),
        others,
    };
    Simulator::new(name("simulator"), behaviour, clock, entropy.clone())
}

/// The router with the operator's weights and costs, and each source's recent record.
async fn preferring(mut router: Router, config: &Config, views: &Views, clock: Clock) -> Result<Router, BootError> {
    let now = clock.now();
    let outcomes = views.supplier_outcomes(now.minus(RECORD_WINDOW)).await?;
    let names: Vec<String> = router.suppliers().map(|supplier| supplier.name().to_string()).collect();
    for name in names {
        let usual = Preference::default();
        let weight = config.suppliers.weights.get(&name).copied().unwrap_or(usual.weight);
        let cost = config.suppliers.costs.get(&name).map(|cost| cost.0);
        let outcome = outcomes.iter().find(|outcome| outcome.supplier.as_str() == name);
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let record = outcome.map_or_else(Record::default, |outcome| Record::new(small(outcome.ended), small(outcome.completed), now));
        router = router.preferring(&name, Preference { weight, cost }, record);
    }
    Ok(router)
}

fn own_number((phone, listing): (Phone, Listing)) -> OwnNumber {
    let platforms = listing.platforms.map(|platforms| platforms.into_iter().collect());
    OwnNumber { phone, country: listing.country, platforms }
}
