//! Shapes on disk -> today's events: of orders as they are placed, completed, and go on after their code.

use super::frozen::{
    CaptureRefundedV1, OrderCodeReplacedV1, OrderCompletedV1, OrderCompletedV2, OrderFinishedV1, OrderPlacedV1, OrderPlacedV2, OrderRefundedV1,
    OrderReportedV1, OrderSmsRepeatedV1,
};
use super::lift::{Lift, at, of_order, text};
use crate::event::Event;
use crate::id::OrderId;
use crate::money::Money;
use crate::order::{Complaint, Placed};
use crate::{account, order};

impl Lift for OrderPlacedV1 {
    fn lift(self) -> Result<Event, String> {
        let Self { order, platform, country, list_price, price, lifetime_seconds, seek_seconds, max_attempts, at } = self;
        // Orders gave their numbers back with the code then.
        let listen_seconds = 0;
        OrderPlacedV2 { order, platform, country, list_price, price, lifetime_seconds, seek_seconds, max_attempts, listen_seconds, at }.lift()
    }
}

impl Lift for OrderPlacedV2 {
    fn lift(self) -> Result<Event, String> {
        let placed = Placed {
            platform: text("platform", &self.platform)?,
            country: text("country", &self.country)?,
            list_price: Money::from_micros(self.list_price),
            price: Money::from_micros(self.price),
            lifetime_seconds: self.lifetime_seconds,
            seek_seconds: self.seek_seconds,
            max_attempts: self.max_attempts,
            listen_seconds: self.listen_seconds,
            at: at(self.at),
        };
        Ok(of_order(self.order, order::Event::Placed(placed)))
    }
}

impl Lift for OrderCompletedV1 {
    fn lift(self) -> Result<Event, String> {
        let Self { order, code, message_id, at } = self;
        OrderCompletedV2 { order, code, message_id, listens_until: at, at }.lift()
    }
}

impl Lift for OrderCompletedV2 {
    fn lift(self) -> Result<Event, String> {
        let Self { order, code, message_id, listens_until, at: moment } = self;
        Ok(of_order(order, order::Event::Completed { code, message_id, listens_until: at(listens_until), at: at(moment) }))
    }
}

impl Lift for OrderCodeReplacedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(of_order(self.order, order::Event::CodeReplaced { code: self.code, message_id: self.message_id, at: at(self.at) }))
    }
}

impl Lift for OrderSmsRepeatedV1 {
    fn lift(self) -> Result<Event, String> {
        let supplier = text("supplier", &self.supplier)?;
        let Self { order, message_id, repeats, received_at, at: moment, .. } = self;
        Ok(of_order(order, order::Event::SmsRepeated { message_id, supplier, repeats, received_at: at(received_at), at: at(moment) }))
    }
}

impl Lift for OrderReportedV1 {
    fn lift(self) -> Result<Event, String> {
        let complaint = match self.complaint {
            0 => Complaint::WrongCode,
            1 => Complaint::NoCode,
            2 => Complaint::NumberUsed,
            other => return Err(format!("complaint {other}")),
        };
        Ok(of_order(self.order, order::Event::Reported { complaint, at: at(self.at) }))
    }
}

impl Lift for OrderRefundedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(of_order(self.order, order::Event::Refunded { at: at(self.at) }))
    }
}

impl Lift for OrderFinishedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(of_order(self.order, order::Event::Finished { at: at(self.at) }))
    }
}

impl Lift for CaptureRefundedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(account::Event::CaptureRefunded { order: OrderId(self.order), amount: Money::from_micros(self.amount), at: at(self.at) }.into())
    }
}
