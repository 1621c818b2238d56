//! Our leases beside a source's own list: what we released that it still charges, what it has
//! leased that no order knows, and the other way round.

use std::collections::BTreeMap;
use std::fmt;

use super::{LeaseId, Outcome, State, Status};
use crate::money::Money;
use crate::phone::Phone;
use crate::supplier::SupplierName;

/// A lease as its source lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theirs {
    /// What it knows the lease by.
    pub reference: String,
    /// The number, if it names one.
    pub phone: Option<Phone>,
    /// Whether it still stands.
    pub is_open: bool,
    /// What it charges, as things are.
    pub cost: Money,
}

/// Where the two disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discrepancy {
    /// The source has leased a number that no order knows.
    NoOrderKnows,
    /// We have released it, and the source has it leased still.
    StillLeased,
    /// The source charges something else than it said when it took the lease back.
    ChargedOtherwise {
        /// What it said.
        said: Money,
        /// What it charges.
        charges: Money,
    },
    /// No code came, and the source charges for it.
    NotRefunded(Money),
    /// An order has the number, and the source does not have it leased to us.
    NotLeasedThere,
    /// The source names another number.
    AnotherNumber,
}

/// For people.
impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOrderKnows => f.write_str("leased at the source, and no order knows it"),
            Self::StillLeased => f.write_str("released here, and still leased at the source"),
            Self::ChargedOtherwise { said, charges } => {
                write!(f, "the source said ${said} when it was released, and charges ${charges}")
            }
            Self::NotRefunded(charged) => {
                write!(f, "no code came, and the source charges ${charged}")
            }
            Self::NotLeasedThere => f.write_str("on an order here, and not leased at the source"),
            Self::AnotherNumber => f.write_str("the source has another number for it"),
        }
    }
}

/// What a source's leases came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Costs {
    /// Attempts that asked the source.
    pub attempts: u64,
    /// Those that got a number.
    pub leased: u64,
    /// Those whose code came.
    pub served: u64,
    /// What the numbers were to cost.
    pub cost: Money,
    /// What is charged for those that were released.
    pub charged: Money,
    /// Leases that are on their way, either way.
    pub under_way: u64,
}

/// The costs of `ours`.
pub fn costs<'a>(ours: impl IntoIterator<Item = &'a State>) -> Costs {
    ours.into_iter().fold(Costs::default(), |costs, lease| Costs {
        attempts: costs.attempts + 1,
        leased: costs.leased + u64::from(lease.phone.is_some()),
        served: costs.served + u64::from(lease.outcome == Some(Outcome::Served)),
        cost: costs.cost + lease.cost.unwrap_or_default(),
        charged: costs.charged + lease.charged.unwrap_or_default(),
        under_way: costs.under_way
            + u64::from(matches!(lease.status, Status::Sought | Status::Releasing(_))),
    })
}

/// Where our leases and a source's list disagree; a lease that is being sought or released is not
/// looked at, for the source may be either way.
pub fn reconcile(
    supplier: &SupplierName,
    ours: &BTreeMap<LeaseId, State>,
    theirs: &[Theirs],
) -> Vec<(String, Discrepancy)> {
    let mut found = Vec::new();
    let mut seen = BTreeMap::new();
    for lease in theirs {
        seen.insert(lease.reference.as_str(), lease);
        let known =
            LeaseId::of_reference(supplier.clone(), &lease.reference).and_then(|id| ours.get(&id));
        found.extend(
            compared(known, lease).map(|discrepancy| (lease.reference.clone(), discrepancy)),
        );
    }
    for (id, state) in ours.iter().filter(|(id, _)| id.supplier == *supplier) {
        let reference = id.reference();
        let there = seen.get(reference.as_str());
        if state.status == Status::Obtained && there.is_none_or(|lease| !lease.is_open) {
            found.push((reference, Discrepancy::NotLeasedThere));
        } else if there.is_none()
            && state.status == Status::Released
            && state.outcome != Some(Outcome::Served)
        {
            // It is not listed any more: what was said when it was released counts.
            found.extend(
                state
                    .charged
                    .filter(|charged| charged.is_positive())
                    .map(|charged| (reference, Discrepancy::NotRefunded(charged))),
            );
        }
    }
    found
}

fn compared(ours: Option<&State>, theirs: &Theirs) -> Option<Discrepancy> {
    let Some(ours) = ours else { return theirs.is_open.then_some(Discrepancy::NoOrderKnows) };
    match ours.status {
        Status::Unknown | Status::Declined => theirs.is_open.then_some(Discrepancy::NoOrderKnows),
        Status::Sought | Status::Releasing(_) => None,
        Status::Obtained => {
            (theirs.is_open && theirs.phone.is_some() && theirs.phone != ours.phone)
                .then_some(Discrepancy::AnotherNumber)
        }
        Status::Released if theirs.is_open => Some(Discrepancy::StillLeased),
        Status::Released => {
            let said = ours.charged.unwrap_or_default();
            if theirs.cost != said {
                return Some(Discrepancy::ChargedOtherwise { said, charges: theirs.cost });
            }
            (ours.outcome != Some(Outcome::Served) && said.is_positive())
                .then_some(Discrepancy::NotRefunded(said))
        }
    }
}
