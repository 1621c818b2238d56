//! Where numbers come from, put together: pools with what the configuration and the log list,
//! sources that are asked, the simulator, and the router over them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::kernel::entropy::Entropy;
use actors::numbers::pool::{NumberPool, OwnNumber};
use actors::numbers::{
    Preference, Provenances, Quarantine, Record, Router, SessionAvailability, Supplier,
};
use actors::vault::Vault;
use actors::{Accounts, Inventory};
use events::account::PoolShare;
use events::money::Money;
use events::number::Listing;
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;
use projections::Views;
use suppliers::configuration::{ConfiguredTelecom, ListedNumber, Named, ProvenanceRule, Suppliers};
use suppliers::http::{self, HttpSource, Pull};
use suppliers::inbound::InboundFormat;
use suppliers::purchasing::{NumberPurchasing, Telecom};
use suppliers::simulator::Simulator;

use crate::boot::{BootError, name};
use crate::config::Config;
use crate::http::own;

const DAY: Duration = Duration::from_hours(24);
/// How far back a source's record is looked at when the service starts.
const RECORD_WINDOW: Duration = Duration::from_hours(2);

/// A telecom, and the most that numbers bought there may cost a month, where they may be bought.
pub type AtTelecom = (SupplierName, Arc<dyn Telecom>, Option<Money>);

/// The sources, as the service uses them.
pub struct Sources {
    pub router: Arc<Router>,
    /// Where the suppliers' numbers come from, as the operator has stated it.
    pub provenances: Arc<Provenances>,
    /// Whether SMPP reaches us.
    pub reach: Arc<SessionAvailability>,
    /// Makes numbers up: for test orders, and for all where the configuration says so.
    pub simulator: Arc<Simulator>,
    pub pulls: Vec<Pull>,
    pub inventory: Inventory,
    pub purchasing: NumberPurchasing,
}

/// The numbers that the configuration lists, and whose each is.
fn configured_numbers(settings: &Suppliers) -> impl Iterator<Item = (Phone, SupplierName)> + '_ {
    settings.pools().flat_map(|pool| {
        pool.numbers().iter().map(move |number| (number.number.0.clone(), name(pool.name())))
    })
}

/// The sources of the configuration; what was listed, served and leased before is in the views.
/// `recent` are numbers that were on orders of late, and when the last of these ended.
pub async fn sources(
    config: &Config,
    views: &Views,
    accounts: &Accounts,
    entropy: &Entropy,
    recent: &[(Phone, Option<Timestamp>)],
    vault: Option<&Arc<Vault>>,
) -> Result<Sources, BootError> {
    let clock = accounts.journal().clock();
    let settings = &config.suppliers;
    let share = PoolShare::percent(settings.unproven_share_percent);
    let cool_down = DAY * settings.cooldown_days;
    let since = clock.now().minus(cool_down);
    let mut suppliers: Vec<Arc<dyn Supplier>> = Vec::new();
    let configured: BTreeMap<Phone, SupplierName> = configured_numbers(settings).collect();
    let reach = Arc::new(SessionAvailability::new(
        clock,
        settings.smpp.binds.len(),
        settings.rest(&settings.smpp),
    ));
    let (mut pools, mut others) =
        (BTreeMap::new(), configured.keys().cloned().collect::<HashSet<_>>());
    for configuration in settings.pools() {
        let pool = configuration.name();
        let numbers = configuration.numbers().iter().map(configured_number);
        let listed = views.listed(pool.to_owned()).await?;
        others.extend(listed.iter().map(|(phone, _)| phone.clone()));
        // What the configuration lists goes before what the log does.
        let listed =
            listed.into_iter().filter(|(phone, _)| !configured.contains_key(phone)).map(own_number);
        let numbers: Vec<OwnNumber> = numbers.chain(listed).collect();
        let mut served = views.served(pool.to_owned(), since).await?;
        if let Some(vault) = vault {
            name_again(&mut served, numbers.iter().map(|number| &number.phone), vault);
        }
        let rest = if pool == "smpp" {
            Quarantine::Over(Arc::clone(&reach))
        } else {
            Quarantine::Plain(settings.rest(configuration))
        };
        let released =
            recent.iter().filter_map(|(phone, ended_at)| Some((phone.clone(), (*ended_at)?)));
        let own = Arc::new(
            NumberPool::new(name(pool), numbers, cool_down, served)
                .resting(rest, released)
                .sharing(share),
        );
        pools.insert(name(pool), Arc::clone(&own));
        suppliers.push(own);
    }
    let pulls = pulls(config, views, accounts, cool_down, vault).await?;
    suppliers.extend(pulls.iter().map(|pull| Arc::new(pull.clone()) as Arc<dyn Supplier>));
    let simulator = Arc::new(Simulator::new(
        name("simulator"),
        settings.simulator.settings(others),
        clock,
        entropy.clone(),
    ));
    if config.simulated_numbers()? {
        suppliers.push(Arc::clone(&simulator) as Arc<dyn Supplier>);
    }
    let names = suppliers.iter().map(|supplier| supplier.name().clone()).collect::<Vec<_>>();
    let is_required = settings.provenance == ProvenanceRule::Require;
    let journal = accounts.journal().clone();
    let provenances = Arc::new(Provenances::open(journal, names, is_required).await?);
    let router = Router::new(suppliers, settings.max_attempts)
        .with_tests(Arc::clone(&simulator) as Arc<dyn Supplier>)
        .with_provenances(Arc::clone(&provenances));
    let router = Arc::new(preferring(router, config, views, clock).await?);
    let inventory =
        Inventory::new(accounts.journal().clone(), Arc::clone(&router), pools, configured);
    let purchasing =
        NumberPurchasing::open(accounts.journal().clone(), inventory.clone(), telecoms(config)?);
    Ok(Sources { router, provenances, reach, simulator, pulls, inventory, purchasing })
}

/// Puts numbers of ours in the place of their pseudonyms: one that has served a platform rests,
/// also where the order's number was erased.
fn name_again<'a>(
    served: &mut [(Phone, Platform, Timestamp)],
    numbers: impl Iterator<Item = &'a Phone>,
    vault: &Vault,
) {
    if !served.iter().any(|(phone, ..)| phone.is_erased()) {
        return;
    }
    let known: BTreeMap<Phone, &Phone> =
        numbers.map(|number| (vault.pseudonym(number), number)).collect();
    for (phone, ..) in served {
        if let Some(number) = known.get(phone) {
            *phone = (*number).clone();
        }
    }
}

/// The telecoms whose APIs are configured, each with the most that its bought numbers may cost a
/// month, where they may be bought.
pub fn telecoms(config: &Config) -> Result<Vec<AtTelecom>, BootError> {
    let public_url = config.http.public_url.as_deref().map(|url| url.trim_end_matches('/'));
    let mut telecoms = Vec::new();
    for pool in config.suppliers.pools() {
        let inbound = public_url.map(|url| format!("{url}/inbound/v1/{}", pool.name()));
        let configured = pool.telecom(inbound).map_err(BootError::Suppliers)?;
        telecoms.extend(configured.map(|ConfiguredTelecom { telecom, monthly_limit }| {
            (name(pool.name()), telecom, monthly_limit)
        }));
    }
    Ok(telecoms)
}

/// How messages are read of each supplier that brings them to us.
pub fn inbound_formats(config: &Config) -> BTreeMap<SupplierName, Arc<dyn InboundFormat>> {
    let settings = &config.suppliers;
    let mut formats: BTreeMap<SupplierName, Arc<dyn InboundFormat>> =
        settings.pools().filter_map(|pool| Some((name(pool.name()), pool.inbound()?))).collect();
    let own = settings.own.inbound_secret.iter().map(|secret| (name("own"), secret));
    let asked = settings
        .http
        .iter()
        .filter_map(|source| Some((source.name.0.clone(), source.inbound_secret.as_ref()?)));
    for (supplier, secret) in own.chain(asked) {
        formats.insert(supplier, Arc::new(own::Inbound { secret: secret.clone() }));
    }
    formats
}

async fn pulls(
    config: &Config,
    views: &Views,
    accounts: &Accounts,
    cool_down: Duration,
    vault: Option<&Arc<Vault>>,
) -> Result<Vec<Pull>, BootError> {
    let mut pulls = Vec::new();
    for source in &config.suppliers.http {
        let Named(name) = source.name.clone();
        let asked = HttpSource::new(&source.url, source.token.expose())
            .map_err(|what| BootError::Suppliers(format!("suppliers.http: {name}: {what}")))?;
        let served =
            views.served(name.to_string(), accounts.journal().now().minus(cool_down)).await?;
        let poll = Duration::from_secs(source.poll_seconds.into());
        let asking = Pull::new(
            accounts.clone(),
            Arc::new(asked),
            http::Settings { name, poll, cool_down },
            served,
        );
        if let Some(vault) = vault.cloned() {
            asking.know_by(Arc::new(move |phone: &Phone| vault.pseudonym(phone)));
        }
        pulls.push(asking);
    }
    Ok(pulls)
}

/// The router with the operator's weights and costs, and each source's recent record.
async fn preferring(
    mut router: Router,
    config: &Config,
    views: &Views,
    clock: Clock,
) -> Result<Router, BootError> {
    let now = clock.now();
    let outcomes = views.supplier_outcomes(now.minus(RECORD_WINDOW)).await?;
    let names: Vec<String> =
        router.suppliers().map(|supplier| supplier.name().to_string()).collect();
    for name in names {
        let usual = Preference::default();
        let weight = config.suppliers.weights.get(&name).copied().unwrap_or(usual.weight);
        let cost = config.suppliers.costs.get(&name).map(|cost| cost.0);
        let outcome = outcomes.iter().find(|outcome| outcome.supplier.as_str() == name);
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let record = outcome.map_or_else(Record::default, |outcome| {
            Record::new(small(outcome.ended), small(outcome.completed), now)
        });
        router = router.preferring(&name, Preference { weight, cost }, record);
    }
    Ok(router)
}

fn configured_number(listed: &ListedNumber) -> OwnNumber {
    let platforms = listed.platforms.as_ref();
    OwnNumber {
        phone: listed.number.0.clone(),
        country: listed.country.0,
        platforms: platforms.map(|all| all.iter().map(|platform| platform.0).collect()),
    }
}

fn own_number((phone, listing): (Phone, Listing)) -> OwnNumber {
    let platforms = listing.platforms.map(|platforms| platforms.into_iter().collect());
    OwnNumber { phone, country: listing.country, platforms }
}

#[cfg(test)]
mod tests {
    use actors::vault::MasterKey;

    use super::*;

    #[test]
    fn a_number_that_was_erased_is_known_again_where_it_has_served() {
        let directory = tempfile::tempdir().unwrap();
        let master = MasterKey::parse(&"ab".repeat(32)).unwrap();
        let vault = Vault::open(directory.path(), &master).unwrap();
        let [own, other]: [Phone; 2] =
            ["+12025550001", "+12025550002"].map(|text| text.parse().unwrap());
        let at = Timestamp::from_millis(7);
        let mut served = vec![
            (vault.pseudonym(&own), Platform::Google, at),
            (other.clone(), Platform::Google, at),
            (vault.pseudonym(&"+12025550003".parse().unwrap()), Platform::Google, at),
        ];
        name_again(&mut served, [&own, &other].into_iter(), &vault);
        assert_eq!((&served[0].0, &served[1].0), (&own, &other));
        assert!(served[2].0.is_erased(), "whose it is nobody knows");
    }
}
