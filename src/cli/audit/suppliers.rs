//! `telenumerus audit suppliers`: our log beside the sources' own lists, both ways, and what the
//! attempts cost.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::store::sqlite::verify_chain;
use events::decider::Decider;
use events::lease::{self, LeaseId, costs, reconcile};
use events::money::Money;
use events::phone::Phone;
use events::supplier::SupplierName;
use events::{Event, number, provenance, purchase};
use suppliers::http::{HttpSource, Source};

use super::super::output::say;
use super::super::{Outcome, in_words};
use suppliers::configuration::PoolConfiguration;

use crate::config::Config;
use crate::sources::telecoms;

/// What the log says of the sources.
#[derive(Default)]
struct Ours {
    leases: BTreeMap<LeaseId, lease::State>,
    listed: BTreeMap<Phone, SupplierName>,
    purchases: BTreeMap<SupplierName, purchase::State>,
    provenances: BTreeMap<SupplierName, provenance::State>,
}

/// How much is said.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Leases of so many days.
    pub days: u32,
    /// Every attempt with its cost.
    pub attempts: bool,
}

pub fn run(config: &Config, data_dir: &Path, extent: Extent) -> Outcome {
    let since = Clock::System.now().minus(Duration::from_hours(24) * extent.days);
    let mut ours = read(data_dir)?;
    // What has not ended is looked at however old it is.
    ours.leases.retain(|_, lease| !lease.is_over() || lease.sought_at >= since);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(in_words)?;
    let mut found = 0;
    for source in &config.suppliers.http {
        let name = &source.name.0;
        tell(name, &ours, extent);
        let asked = HttpSource::new(&source.url, source.token.expose())?;
        match runtime.block_on(asked.leases(since)) {
            Ok(theirs) => {
                let discrepancies = reconcile(name, &ours.leases, &theirs);
                for (reference, discrepancy) in &discrepancies {
                    say!("  {reference}: {discrepancy}");
                }
                found += discrepancies.len();
            }
            Err(error) => {
                say!("  NOT COMPARED: {error}");
                found += 1;
            }
        }
    }
    let is_configured =
        |name: &SupplierName| config.suppliers.http.iter().any(|source| source.name.0 == *name);
    let forgotten: BTreeSet<&SupplierName> = ours
        .leases
        .iter()
        .filter(|(id, lease)| !lease.is_over() && !is_configured(&id.supplier))
        .map(|(id, _)| &id.supplier)
        .collect();
    for name in forgotten {
        say!(
            "{name}: NOT COMPARED: it has leases that have not ended, and is not configured any more"
        );
        found += 1;
    }
    for (name, telecom, _) in telecoms(config).map_err(in_words)? {
        match runtime.block_on(telecom.owned()) {
            Ok(owned) => found += compare_owned(config, &name, &ours, &owned.into_iter().collect()),
            Err(error) => {
                say!("{name}: NOT COMPARED: {error}");
                found += 1;
            }
        }
    }
    for name in config.suppliers.names() {
        let known = ours.provenances.iter().find(|(supplier, _)| supplier.as_str() == name);
        match known.and_then(|(_, state)| state.stated.as_ref()) {
            Some((record, by, at)) => say!(
                "{name}: numbers of {} ({}), by {}, until {}; stated by {by} at {at}",
                record.legal_name,
                record.source,
                record.consent,
                record.valid_until
            ),
            None => say!("{name}: NOT STATED where its numbers come from"),
        }
    }
    if found == 0 {
        say!("the sources and the log agree");
        return Ok(ExitCode::SUCCESS);
    }
    say!("{found} findings");
    Ok(ExitCode::FAILURE)
}

fn read(data_dir: &Path) -> Result<Ours, String> {
    let mut ours = Ours::default();
    let broken = verify_chain(data_dir, |record| {
        let record = &record.recorded;
        match &record.event {
            Event::Lease(event) => {
                if let Some(id) = record.stream.lease_id() {
                    let lease = ours.leases.entry(id).or_default();
                    *lease = std::mem::take(lease).evolve(event);
                }
            }
            Event::Purchase(event) => {
                if let Some(supplier) = record.stream.purchases_supplier() {
                    let purchases = ours.purchases.entry(supplier).or_default();
                    *purchases = std::mem::take(purchases).evolve(event);
                }
            }
            Event::Number(number::Event::Listed { listing, .. }) => {
                ours.listed
                    .extend(record.stream.phone().map(|phone| (phone, listing.supplier.clone())));
            }
            Event::Number(number::Event::Retired { .. }) => {
                if let Some(phone) = record.stream.phone() {
                    ours.listed.remove(&phone);
                }
            }
            Event::Number(_)
            | Event::Account(_)
            | Event::Deposit(_)
            | Event::Address(_)
            | Event::Chain(_)
            | Event::Webhook(_)
            | Event::Reveal(_)
            | Event::Policy(_)
            | Event::Invite(_)
            | Event::Export(_)
            | Event::Leadership(_)
            | Event::Erasure(_) => {}
            Event::Provenance(event) => {
                let known = ours.provenances.entry(event.supplier().clone()).or_default();
                *known = std::mem::take(known).evolve(event);
            }
        }
    });
    let broken = broken.map_err(in_words)?;
    if broken.is_empty() {
        Ok(ours)
    } else {
        Err(format!(
            "the log is broken in {} places; `telenumerus audit verify` names them",
            broken.len()
        ))
    }
}

/// Says what a source's attempts came to.
fn tell(name: &SupplierName, ours: &Ours, extent: Extent) {
    let leases = || ours.leases.iter().filter(|(id, _)| id.supplier == *name);
    let lease::Costs { attempts, leased, served, cost, charged, under_way } =
        costs(leases().map(|(_, lease)| lease));
    say!(
        "{name}: {attempts} attempts in {} days, {leased} numbers leased for ${cost}, {served} \
         served, ${charged} charged, {under_way} under way",
        extent.days
    );
    if !extent.attempts {
        return;
    }
    for (id, lease) in leases() {
        let money = |amount: Option<Money>| {
            amount.map_or_else(|| "-".to_owned(), |amount| format!("${amount}"))
        };
        let refund = match (lease.status, lease.charged) {
            (lease::Status::Released, Some(charged)) if charged.is_positive() => "charged",
            (lease::Status::Released, _) => "refunded",
            (lease::Status::Declined, _) => "nothing leased",
            (
                lease::Status::Sought
                | lease::Status::Obtained
                | lease::Status::Releasing(_)
                | lease::Status::Unknown,
                _,
            ) => "open",
        };
        let outcome = lease.outcome.map_or("-", lease::Outcome::name);
        say!(
            "  {} attempt {}: {outcome}, cost {}, charged {}, {refund}",
            id.order,
            id.attempt,
            money(lease.cost),
            money(lease.charged)
        );
    }
}

/// Says where what we own at a telecom differs from its pool and from what was bought; how often.
fn compare_owned(
    config: &Config,
    name: &SupplierName,
    ours: &Ours,
    owned: &BTreeSet<Phone>,
) -> usize {
    let configured = config
        .suppliers
        .pools()
        .filter(|pool| pool.name() == name.as_str())
        .flat_map(PoolConfiguration::numbers)
        .map(|number| &number.number.0);
    let pool: BTreeSet<&Phone> = configured
        .chain(ours.listed.iter().filter(|(_, supplier)| *supplier == name).map(|(phone, _)| phone))
        .collect();
    let empty = purchase::State::default();
    let bought = ours.purchases.get(name).unwrap_or(&empty);
    let (there, here, spent) = (owned.len(), pool.len(), bought.spent(Clock::System.now()));
    say!(
        "{name}: {there} numbers owned there, {here} in the pool, ${spent} spent on bought ones \
         this month"
    );
    let mut found = 0;
    let mut say = |phone: &Phone, what: &str| {
        say!("  {}: {what}", phone.as_str());
        found += 1;
    };
    for phone in owned {
        match bought.purchases.get(phone).map(|purchase| purchase.status) {
            Some(purchase::Status::Ended) => say(phone, "given back here, and still charged there"),
            Some(purchase::Status::Made) | None if !pool.contains(phone) => {
                say(phone, "owned there, and in no pool: it costs and serves nobody");
            }
            // A lease that is just being obtained or released may be open at either side.
            Some(
                purchase::Status::Made | purchase::Status::Intended | purchase::Status::Ending,
            )
            | None => {}
        }
    }
    for phone in pool.into_iter().filter(|phone| !owned.contains(*phone)) {
        say(phone, "in the pool, and not owned there: its messages will not come");
    }
    found
}
