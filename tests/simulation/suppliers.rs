//! Sources of numbers that fail, hang, and give what is not theirs, over the pools of the service.

use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::numbers::pool::NumberPool;
use actors::numbers::{AttemptRequest, Lease, NumberRequest, Numbers, Release, Stock, Supplier};
use actors::store::BoxFuture;
use events::money::Money;
use events::order::AttemptFailure;
use events::phone::Phone;
use events::supplier::SupplierName;
use events::time::Timestamp;

use crate::life::numbers_of;
use crate::marks::Mark;
use crate::network::Network;

/// A pool of the service with the world behind it.
#[derive(Debug)]
pub struct Source {
    pub pool: NumberPool,
    pub network: Network,
    /// True time.
    pub clock: Clock,
    /// Whether it must be asked, and what can go wrong then.
    pub is_remote: bool,
}

impl Source {
    async fn ask(&self, asked: AttemptRequest) -> Result<Phone, AttemptFailure> {
        let (dice, marks) = (&self.network.dice, &self.network.marks);
        let wait = dice.pick(&[0, 100, 1_000, 5_000]);
        match dice.below(20) {
            0..=2 => {
                marks.see(Mark::SourceError);
                return Err(AttemptFailure::SourceError);
            }
            3 => {
                marks.see(Mark::TimedOut);
                tokio::time::sleep(Duration::from_secs(30)).await;
                return Err(AttemptFailure::TimedOut);
            }
            4 => {
                marks.see(Mark::ForeignNumber);
                return Ok(dice.pick(numbers_of("own")).parse().unwrap());
            }
            _ => tokio::time::sleep(Duration::from_millis(wait)).await,
        }
        self.pool.acquire(asked).await
    }
}

impl Supplier for Source {
    fn name(&self) -> &SupplierName {
        self.pool.name()
    }

    fn is_simulated(&self) -> bool {
        false
    }

    fn owns(&self, phone: &Phone) -> bool {
        self.pool.owns(phone)
    }

    fn acquire_local(&self, wanted: NumberRequest) -> Option<Result<Phone, AttemptFailure>> {
        if self.is_remote { None } else { self.pool.acquire_local(wanted) }
    }

    fn acquire(&self, asked: AttemptRequest) -> BoxFuture<'_, Result<Phone, AttemptFailure>> {
        if self.is_remote { Box::pin(self.ask(asked)) } else { self.pool.acquire(asked) }
    }

    fn assigned(&self, lease: &Lease) {
        self.pool.assigned(lease);
        self.network.assigned(lease, self.clock.now());
    }

    fn served(&self, lease: &Lease, at: Timestamp) {
        self.pool.served(lease, at);
    }

    fn release(&self, lease: &Lease, release: Release, now: Timestamp) {
        self.pool.release(lease, release, now);
    }

    fn freed_at(&self, phone: &Phone) -> Option<Timestamp> {
        self.pool.freed_at(phone)
    }

    fn stock(&self, wanted: NumberRequest) -> Stock {
        self.pool.stock(wanted)
    }

    fn cost(&self, wanted: NumberRequest) -> Option<Money> {
        self.pool.cost(wanted)
    }

    fn numbers(&self, now: Timestamp) -> Option<Numbers> {
        self.pool.numbers(now)
    }
}
