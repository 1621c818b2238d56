//! Whether it is stated where real suppliers' numbers come from.

use std::collections::BTreeMap;
use std::path::Path;

use actors::kernel::clock::Clock;
use actors::store::sqlite::verify_chain;
use events::Event;
use events::decider::Decider;
use events::provenance::State;
use events::supplier::SupplierName;
use suppliers::configuration::ProvenanceRule;

use crate::config::Config;

/// What is said of each supplier of real numbers.
pub fn all(config: &Config, data_dir: &Path) -> Vec<(String, Result<String, String>)> {
    let names: Vec<String> = config.suppliers.names().map(str::to_owned).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let follows = match config.suppliers.provenance {
        ProvenanceRule::Require => "no order has a number of it",
        ProvenanceRule::Warn => "orders have its numbers all the same (suppliers.provenance)",
    };
    match stated(data_dir) {
        Err(error) => vec![(names.join(", "), Err(error))],
        Ok(known) => names
            .into_iter()
            .map(|name| {
                let told = told(&name, &known).map_err(|what| format!("{what}: {follows}"));
                (name, told)
            })
            .collect(),
    }
}

fn told(name: &str, known: &BTreeMap<SupplierName, State>) -> Result<String, String> {
    let of_name = known.iter().find(|(supplier, _)| supplier.as_str() == name);
    let Some((state, (record, ..))) =
        of_name.and_then(|(_, state)| Some((state, state.stated.as_ref()?)))
    else {
        return Err("nobody has stated where its numbers come from".to_owned());
    };
    let until = record.valid_until;
    if state.holds(Clock::System.now()) {
        Ok(format!("stated until {until}"))
    } else {
        Err(format!("what was stated of its numbers is over since {until}"))
    }
}

fn stated(data_dir: &Path) -> Result<BTreeMap<SupplierName, State>, String> {
    let mut known: BTreeMap<SupplierName, State> = BTreeMap::new();
    if data_dir.join("events.db").is_file() {
        verify_chain(data_dir, |record| {
            if let Event::Provenance(event) = &record.recorded.event {
                let state = known.entry(event.supplier().clone()).or_default();
                *state = std::mem::take(state).evolve(event);
            }
        })
        .map_err(|error| error.to_string())?;
    }
    Ok(known)
}
