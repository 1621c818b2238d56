//! What must never break between us and the sources of numbers: whose a number is, what was leased,
//! what was bought.

use std::collections::BTreeMap;

use crate::decider::Decider;
use crate::lease::{self, LeaseId};
use crate::phone::Phone;
use crate::supplier::SupplierName;
use crate::{number, purchase};

/// Listings, leases that have not ended, and purchases, as the auditor knows them.
#[derive(Debug, Default)]
pub struct Sources {
    listed: BTreeMap<Phone, SupplierName>,
    leases: BTreeMap<LeaseId, lease::State>,
    purchases: BTreeMap<SupplierName, purchase::State>,
}

impl Sources {
    /// Looks at a number's fact; what is wrong with it, if anything.
    pub fn number(&mut self, phone: Phone, event: &number::Event) -> Option<String> {
        match event {
            number::Event::Listed { listing, .. } => {
                let before = self.listed.insert(phone, listing.supplier.clone())?;
                (before != listing.supplier).then(|| {
                    format!("the number is listed by {} while it is {before}'s", listing.supplier)
                })
            }
            number::Event::Retired { .. } => match self.listed.remove(&phone) {
                Some(_) => None,
                None => Some("a number is retired that no pool has".to_owned()),
            },
            number::Event::SmsKept(_)
            | number::Event::PartKept { .. }
            | number::Event::PartsJoined { .. } => None,
        }
    }

    /// Looks at a lease's fact; what is wrong with it, if anything.
    pub fn lease(&mut self, id: &LeaseId, event: &lease::Event) -> Option<String> {
        let state = self.leases.remove(id).unwrap_or_default();
        let is_legal = match (event, state.status) {
            (lease::Event::Sought { request, .. }, lease::Status::Unknown) => request.id == *id,
            (
                lease::Event::Obtained { .. } | lease::Event::Declined { .. },
                lease::Status::Sought,
            )
            | (
                lease::Event::ReleaseSought { .. },
                lease::Status::Sought | lease::Status::Obtained,
            )
            | (lease::Event::Released { .. }, lease::Status::Releasing(_)) => true,
            (
                lease::Event::Sought { .. }
                | lease::Event::Obtained { .. }
                | lease::Event::Declined { .. }
                | lease::Event::ReleaseSought { .. }
                | lease::Event::Released { .. },
                _,
            ) => false,
        };
        let before = state.status.name();
        let state = state.evolve(event);
        if !state.is_over() {
            self.leases.insert(id.clone(), state);
        }
        (!is_legal)
            .then(|| format!("the lease {id:?} goes from {before} on in a way that is not legal"))
    }

    /// Looks at a number that an order is given; what is wrong with it, if it is a leased one.
    pub fn assigned(&self, id: &LeaseId, phone: &Phone) -> Option<String> {
        let lease = self.leases.get(id)?;
        (lease.phone.as_ref() != Some(phone))
            .then(|| format!("the order is given another number than the lease {id:?} has"))
    }

    /// Looks at a purchase's fact; what is wrong with it, if anything.
    pub fn purchase(&mut self, supplier: SupplierName, event: &purchase::Event) -> Option<String> {
        let state = self.purchases.remove(&supplier).unwrap_or_default();
        let before = state.purchases.get(event.phone()).map(|purchase| purchase.status);
        let is_legal = match event {
            purchase::Event::Intended { monthly, .. } => {
                before.is_none_or(|status| status == purchase::Status::Ended)
                    && !monthly.is_negative()
            }
            purchase::Event::Made { .. } | purchase::Event::Failed { .. } => {
                before == Some(purchase::Status::Intended)
            }
            purchase::Event::EndIntended { .. } => before == Some(purchase::Status::Made),
            purchase::Event::Ended { .. } => before == Some(purchase::Status::Ending),
        };
        self.purchases.insert(supplier, state.evolve(event));
        (!is_legal).then(|| {
            format!("the purchase of {} goes on in a way that is not legal", event.phone().masked())
        })
    }
}
