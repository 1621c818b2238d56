//! Shapes on disk -> today's events: of deposits, their addresses and their chains.

use super::frozen::{
    AddressAssignedV1, ChainForkedV1, ChainScannedV1, DepositClaimedV1, DepositConfirmedV1, DepositConfirmedV2, DepositCreditedV1, DepositOrphanedV1,
    DepositReversedV1, DepositSeenV1, DepositSettledV1,
};
use super::lift::{Lift, at, text};
use crate::address::{self, Address, Assigned, Destination, KeyId};
use crate::chain::{self, Block};
use crate::deposit::{self, Sight};
use crate::event::Event;
use crate::id::AccountId;
use crate::money::Money;

impl Lift for DepositClaimedV1 {
    fn lift(self) -> Result<Event, String> {
        let claimed = deposit::Event::Claimed {
            account: AccountId(self.account),
            chain: self.chain,
            tx_hash: text("tx_hash", &self.tx_hash)?,
            output: self.output,
            at: at(self.at),
        };
        Ok(claimed.into())
    }
}

impl Lift for DepositConfirmedV1 {
    fn lift(self) -> Result<Event, String> {
        let Self { amount, paid, rate, rate_source, at: millis } = self;
        // The rate was asked when it was confirmed.
        Ok(deposit::Event::Confirmed { amount: Money::from_micros(amount), paid, rate, rate_source, rate_at: at(millis), at: at(millis) }.into())
    }
}

impl Lift for DepositConfirmedV2 {
    fn lift(self) -> Result<Event, String> {
        let Self { amount, paid, rate, rate_source, rate_at, at: millis } = self;
        Ok(deposit::Event::Confirmed { amount: Money::from_micros(amount), paid, rate, rate_source, rate_at: at(rate_at), at: at(millis) }.into())
    }
}

impl Lift for DepositSeenV1 {
    fn lift(self) -> Result<Event, String> {
        let sight = Sight {
            account: self.account.map(AccountId),
            chain: self.chain,
            tx_hash: text("tx_hash", &self.tx_hash)?,
            output: self.output,
            paid: self.paid,
            block: Block { height: self.block_height, hash: self.block_hash },
        };
        Ok(deposit::Event::Seen { sight, at: at(self.at) }.into())
    }
}

impl Lift for DepositOrphanedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(deposit::Event::Orphaned { at: at(self.at) }.into())
    }
}

impl Lift for DepositReversedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(deposit::Event::Reversed { at: at(self.at) }.into())
    }
}

impl Lift for DepositSettledV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(deposit::Event::Settled { at: at(self.at) }.into())
    }
}

impl Lift for AddressAssignedV1 {
    fn lift(self) -> Result<Event, String> {
        let destination = Destination::from_hex(&self.destination).ok_or_else(|| format!("destination {}", self.destination))?;
        let assigned = Assigned {
            account: AccountId(self.account),
            key: KeyId::from_text(&self.key),
            index: self.index,
            address: Address { text: self.address, destination },
            at: at(self.at),
        };
        Ok(address::Event::Assigned(assigned).into())
    }
}

impl Lift for ChainScannedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(chain::Event::Scanned { block: Block { height: self.height, hash: self.hash }, at: at(self.at) }.into())
    }
}

impl Lift for ChainForkedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(chain::Event::Forked { block: Block { height: self.height, hash: self.hash }, at: at(self.at) }.into())
    }
}

impl Lift for DepositCreditedV1 {
    fn lift(self) -> Result<Event, String> {
        Ok(deposit::Event::Credited { at: at(self.at) }.into())
    }
}
