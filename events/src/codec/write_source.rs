//! Events of listed numbers, leases and purchases -> their name, version and bytes.

use super::frozen::{
    LeaseDeclinedV1, LeaseObtainedV1, LeaseReleaseSoughtV1, LeaseReleasedV1, LeaseSoughtV1, NumberListedV1, NumberRetiredV1, PurchaseEndIntendedV1,
    PurchaseEndedV1, PurchaseFailedV1, PurchaseIntendedV1, PurchaseMadeV1,
};
use super::write::{Encoded, bytes, shape};
use crate::lease::{self, Outcome};
use crate::number::Listing;
use crate::purchase;
use crate::time::Timestamp;

pub fn listed(listing: &Listing, at: Timestamp) -> Encoded {
    let platforms = listing.platforms.as_ref().map(|platforms| platforms.iter().map(|platform| platform.slug().to_owned()).collect());
    shape!(NumberListedV1 {
        supplier: listing.supplier.to_string(),
        country: listing.country.code().to_owned(),
        platforms: platforms,
        at: at.millis()
    })
}

pub fn retired(reason: &str, at: Timestamp) -> Encoded {
    shape!(NumberRetiredV1 { reason: reason.to_owned(), at: at.millis() })
}

pub fn lease(event: &lease::Event) -> Encoded {
    match event {
        lease::Event::Sought { request, at } => shape!(LeaseSoughtV1 {
            supplier: request.id.supplier.to_string(),
            order: request.id.order.0,
            attempt: request.id.attempt,
            account: request.account.0,
            platform: request.platform.slug().to_owned(),
            country: request.country.code().to_owned(),
            at: at.millis(),
        }),
        lease::Event::Obtained { phone, cost, at } => {
            shape!(LeaseObtainedV1 { phone: phone.as_str().to_owned(), cost: cost.micros(), at: at.millis() })
        }
        lease::Event::Declined { at } => shape!(LeaseDeclinedV1 { at: at.millis() }),
        lease::Event::ReleaseSought { outcome, at } => shape!(LeaseReleaseSoughtV1 {
            outcome: match outcome {
                Outcome::Served => 0,
                Outcome::Unused => 1,
                Outcome::Dead => 2,
            },
            at: at.millis(),
        }),
        lease::Event::Released { charged, at } => shape!(LeaseReleasedV1 { charged: charged.micros(), at: at.millis() }),
    }
}

pub fn purchase(event: &purchase::Event) -> Encoded {
    let phone = event.phone().as_str().to_owned();
    match event {
        purchase::Event::Intended { country, monthly, at, .. } => {
            shape!(PurchaseIntendedV1 { phone: phone, country: country.code().to_owned(), monthly: monthly.micros(), at: at.millis() })
        }
        purchase::Event::Made { at, .. } => shape!(PurchaseMadeV1 { phone: phone, at: at.millis() }),
        purchase::Event::Failed { why, at, .. } => shape!(PurchaseFailedV1 { phone: phone, why: why.clone(), at: at.millis() }),
        purchase::Event::EndIntended { at, .. } => shape!(PurchaseEndIntendedV1 { phone: phone, at: at.millis() }),
        purchase::Event::Ended { at, .. } => shape!(PurchaseEndedV1 { phone: phone, at: at.millis() }),
    }
}
