//! What is done to a service in a run: commands of its callers, faults of its disk, its clock and
//! its power. A script is written from a seed, and any part of one is a script too.

use actors::store::memory::Failure;

use crate::dice::Dice;

/// Orders that an account may have under way at once.
pub const SLOTS: usize = 3;
/// Accounts of a run.
pub const ACCOUNTS: usize = 4;

/// One thing that is done, and how long after the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    pub wait_millis: u64,
    pub what: What,
}

/// What is done. Accounts and orders are named by numbers, taken modulo how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Place {
        account: usize,
        platform: usize,
        slots: u32,
        key: Option<u8>,
    },
    /// An order with a key that was used for another body.
    PlaceOther {
        account: usize,
        key: u8,
    },
    Batch {
        account: usize,
        orders: usize,
        key: Option<u8>,
    },
    Cancel {
        account: usize,
        order: usize,
        key: Option<u8>,
    },
    Finish {
        account: usize,
        order: usize,
    },
    Report {
        account: usize,
        order: usize,
        complaint: usize,
    },
    /// An order of somebody else, cancelled and finished.
    Trespass {
        account: usize,
        order: usize,
    },
    Credit {
        account: usize,
    },
    Suspend {
        account: usize,
    },
    /// The policy denies a platform from here on, or nothing.
    Policy {
        denies: bool,
    },
    /// A payment on the chain to the account.
    Pay {
        account: usize,
    },
    Mine {
        blocks: usize,
    },
    Reorganise {
        depth: usize,
    },
    FailChain,
    HealChain,
    Reinstate {
        account: usize,
    },
    /// The append after so many others fails, and so many reads with it.
    FailAppend {
        after: u8,
        how: Failure,
        reads: u32,
    },
    /// A read of a stream fails.
    FailRead,
    /// The next appends take so long, before they are written and after.
    SlowAppends {
        appends: u8,
        before_millis: u64,
        after_millis: u64,
    },
    /// The wall clock is set ahead.
    SetClock {
        ahead_millis: i64,
    },
    /// The wall clock is slow from here on, or no more.
    SlowClock {
        slow: bool,
    },
    /// The process is gone, for so long.
    Crash {
        down_millis: u64,
    },
    /// The same, behind the append after so many others: it is in the log, and nobody was told.
    CrashBehind {
        append: u8,
        down_millis: u64,
    },
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub seed: u64,
    pub acts: Vec<Act>,
}

impl Script {
    /// The script of a seed.
    pub fn of(seed: u64) -> Self {
        let dice = Dice::of(seed, 1);
        // Half of the runs have a clock that can be trusted: then times are judged too.
        let clocks = dice.chance(50);
        // And many a disk that never fails, for what can be asked of the service only then.
        let disk = dice.chance(60);
        let coins = Self { seed, acts: Vec::new() }.has_coins();
        let acts = (0..25 + dice.index(35)).map(|_| act(&dice, (clocks, disk, coins))).collect();
        Self { seed, acts }
    }

    /// Whether its accounts have webhooks.
    pub fn has_webhooks(&self) -> bool {
        self.seed % 4 == 1
    }

    /// Whether one of its receivers takes nothing: that takes an hour to find out.
    pub fn has_dead_receiver(&self) -> bool {
        self.seed % 32 == 1
    }

    /// Whether its accounts are paid on a chain.
    pub fn has_coins(&self) -> bool {
        self.seed % 4 == 2
    }

    /// Whether its disk never fails and is never slow.
    pub fn has_true_disk(&self) -> bool {
        !self.acts.iter().any(|act| {
            matches!(act.what, What::FailAppend { .. } | What::FailRead | What::SlowAppends { .. })
        })
    }

    /// Whether its wall clock tells true time.
    pub fn has_true_clock(&self) -> bool {
        !self
            .acts
            .iter()
            .any(|act| matches!(act.what, What::SetClock { .. } | What::SlowClock { .. }))
    }
}

fn act(dice: &Dice, (clocks, disk, coins): (bool, bool, bool)) -> Act {
    // Often at once, so that things meet; often a round number of seconds, so that they meet what
    // was due.
    let wait_millis = match dice.below(10) {
        0..=3 => 0,
        4..=5 => dice.below(900),
        6..=8 => dice.pick(&[1_000, 2_000, 5_000, 10_000]),
        _ => dice.pick(&[20_000, 30_000, 60_000]),
    };
    let of_chain = coins && dice.chance(40);
    Act { wait_millis, what: if of_chain { chain_act(dice) } else { what(dice, clocks, disk) } }
}

fn chain_act(dice: &Dice) -> What {
    match dice.below(20) {
        0..=7 => What::Pay { account: dice.index(ACCOUNTS) },
        8..=12 => What::Mine { blocks: 1 + dice.index(3) },
        13..=16 => What::Reorganise { depth: 1 + dice.index(4) },
        17..=18 => What::FailChain,
        _ => What::HealChain,
    }
}

fn what(dice: &Dice, clocks: bool, disk: bool) -> What {
    let account = dice.index(ACCOUNTS);
    let order = dice.index(4);
    let key = dice.chance(25).then(|| u8::try_from(dice.below(3)).unwrap());
    match dice.below(100) {
        0..=1 => What::Policy { denies: dice.chance(50) },
        2..=33 => {
            let slots = if dice.chance(20) { 1 } else { 3 };
            What::Place { account, platform: dice.index(4), slots, key }
        }
        34..=35 => What::PlaceOther { account, key: 0 },
        36..=43 => {
            let key = dice.chance(50).then_some(0);
            let orders = if key.is_some() { 3 } else { 1 + dice.index(5) };
            What::Batch { account, orders, key }
        }
        44..=57 => What::Cancel { account, order, key: dice.chance(40).then_some(10) },
        58..=63 => What::Finish { account, order },
        64..=68 => What::Report { account, order, complaint: dice.index(3) },
        69 => What::Trespass { account, order },
        70..=71 => What::Credit { account },
        72 => What::Suspend { account },
        73..=74 => What::Reinstate { account },
        75..=82 if disk => What::FailAppend {
            after: u8::try_from(dice.below(4)).unwrap(),
            how: dice.pick(&[Failure::BeforeWriting, Failure::Lost, Failure::AfterWriting]),
            reads: dice.pick(&[0, 0, 1, 2, 3]),
        },
        83..=84 if disk => What::FailRead,
        85..=88 if disk => What::SlowAppends {
            appends: u8::try_from(1 + dice.below(5)).unwrap(),
            before_millis: dice.pick(&[0, 10, 1_000]),
            after_millis: dice.pick(&[0, 10, 1_000, 3_000]),
        },
        89..=92 if clocks => match dice.below(4) {
            0 => What::SetClock { ahead_millis: dice.pick(&[1_000, 60_000, 3_600_000]) },
            1 => What::SlowClock { slow: false },
            _ => What::SlowClock { slow: true },
        },
        75..=88 => What::Place { account, platform: dice.index(4), slots: 3, key },
        93..=94 => What::Crash { down_millis: down(dice) },
        _ => What::CrashBehind {
            append: u8::try_from(dice.below(6)).unwrap(),
            down_millis: down(dice),
        },
    }
}

fn down(dice: &Dice) -> u64 {
    dice.pick(&[100, 1_000, 10_000, 120_000])
}
