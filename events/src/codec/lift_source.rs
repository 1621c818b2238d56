//! Shapes on disk -> today's events: of listed numbers, leases and purchases.

use super::frozen::{
    LeaseDeclinedV1, LeaseObtainedV1, LeaseReleaseSoughtV1, LeaseReleasedV1, LeaseSoughtV1, NumberListedV1, NumberRetiredV1, PurchaseEndIntendedV1,
    PurchaseEndedV1, PurchaseFailedV1, PurchaseIntendedV1, PurchaseMadeV1,
};
use super::lift::{Lift, at, text};
use crate::event::Event;
use crate::id::{AccountId, OrderId};
use crate::lease::{self, LeaseId, Outcome, Request};
use crate::money::Money;
use crate::number::{self, Listing};
use crate::purchase;

impl Lift for NumberListedV1 {
    fn lift(self) -> Result<Event, String> {
        let platforms = self.platforms.map(|platforms| platforms.iter().map(|platform| text("platform", platform)).collect::<Result<_, _>>());
        let listing =
            Listing { supplier: text("supplier", &self.supplier)?, country: text("country", &self.country)?, platforms: platforms.transpose()? };
        Ok(number::Event::Listed { listing, at: at(self.at) }.into())
    }
}

impl Lift for NumberRetiredV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(number::Event::Retired { reason: self.reason, at: at(self.at) }.into())
    }
}

impl Lift for LeaseSoughtV1 {
    fn lift(self) -> Result<Event, String> {
        let request = Request {
            id: LeaseId { supplier: text("supplier", &self.supplier)?, order: OrderId(self.order), attempt: self.attempt },
            account: AccountId(self.account),
            platform: text("platform", &self.platform)?,
            country: text("country", &self.country)?,
        };
        Ok(lease::Event::Sought { request, at: at(self.at) }.into())
    }
}

impl Lift for LeaseObtainedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(lease::Event::Obtained { phone: text("phone", &self.phone)?, cost: Money::from_micros(self.cost), at: at(self.at) }.into())
    }
}

impl Lift for LeaseDeclinedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(lease::Event::Declined { at: at(self.at) }.into())
    }
}

impl Lift for LeaseReleaseSoughtV1 {
    fn lift(self) -> Result<Event, String> {
        let outcome = match self.outcome {
            0 => Outcome::Served,
            1 => Outcome::Unused,
            2 => Outcome::Dead,
            other => return Err(format!("outcome {other}")),
        };
        Ok(lease::Event::ReleaseSought { outcome, at: at(self.at) }.into())
    }
}

impl Lift for LeaseReleasedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(lease::Event::Released { charged: Money::from_micros(self.charged), at: at(self.at) }.into())
    }
}

impl Lift for PurchaseIntendedV1 {
    fn lift(self) -> Result<Event, String> {
        let (phone, country) = (text("phone", &self.phone)?, text("country", &self.country)?);
        Ok(purchase::Event::Intended { phone, country, monthly: Money::from_micros(self.monthly), at: at(self.at) }.into())
    }
}

impl Lift for PurchaseMadeV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(purchase::Event::Made { phone: text("phone", &self.phone)?, at: at(self.at) }.into())
    }
}

impl Lift for PurchaseFailedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(purchase::Event::Failed { phone: text("phone", &self.phone)?, why: self.why, at: at(self.at) }.into())
    }
}

impl Lift for PurchaseEndIntendedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(purchase::Event::EndIntended { phone: text("phone", &self.phone)?, at: at(self.at) }.into())
    }
}

impl Lift for PurchaseEndedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(purchase::Event::Ended { phone: text("phone", &self.phone)?, at: at(self.at) }.into())
    }
}
