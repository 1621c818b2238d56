//! Payments that appear, vanish and move between blocks, in any order, with every step torn from
//! the next: what an account has is what its chain has.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use proptest::prelude::*;
use telenumerus_events::account;
use telenumerus_events::audit::Auditor;
use telenumerus_events::chain::Block;
use telenumerus_events::decider::{Decider, fold};
use telenumerus_events::deposit::{self, MINIMUM, Sight, Status, Step, deposit_id};
use telenumerus_events::envelope::{Position, Recorded, Revision, StreamId};
use telenumerus_events::id::{AccountId, DepositId, EventId};
use telenumerus_events::money::Money;
use telenumerus_events::time::Timestamp;

const OUTPUTS: usize = 5;
const NOW: Timestamp = Timestamp::from_millis(1_000);
/// Two that are enough alone, and three that are enough together.
const WORTH: [i64; OUTPUTS] = [250, 100, 60, 30, 11];

#[derive(Debug, Clone)]
enum Try {
    Mine {
        output: usize,
        branch: u8,
    },
    Orphan {
        output: usize,
    },
    /// The next step of a deposit; `torn` leaves out its second append, as a crash does.
    Step {
        output: usize,
        torn: bool,
    },
    Settle {
        output: usize,
    },
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let output = || 0..OUTPUTS;
    let one = prop_oneof![
        4 => (output(), 0..3u8).prop_map(|(output, branch)| Try::Mine { output, branch }),
        2 => output().prop_map(|output| Try::Orphan { output }),
        9 => (output(), any::<bool>()).prop_map(|(output, torn)| Try::Step { output, torn }),
        1 => output().prop_map(|output| Try::Settle { output }),
    ];
    prop::collection::vec(one, 1..150)
}

struct World {
    account: account::State,
    deposits: Vec<deposit::State>,
    auditor: Auditor,
    recorded: u64,
}

fn id(output: usize) -> DepositId {
    deposit_id("btc", &"ab".repeat(32).parse().unwrap(), u32::try_from(output).unwrap())
}

impl World {
    fn new() -> Self {
        let deposits = vec![deposit::State::default(); OUTPUTS];
        let mut world = Self {
            account: account::State::default(),
            deposits,
            auditor: Auditor::default(),
            recorded: 0,
        };
        world.in_account(&account::Command::Register {
            id: AccountId(1),
            key_hash: [0; 32],
            webhook_secret: String::new(),
            at: NOW,
        });
        world
    }

    fn record(&mut self, stream: StreamId, event: telenumerus_events::Event) {
        self.recorded += 1;
        let (revision, position) = (Revision(self.recorded), Position(self.recorded));
        let record = Recorded {
            id: EventId(self.recorded.into()),
            stream,
            revision,
            position,
            at: NOW,
            correlation: None,
            event,
        };
        self.auditor.observe(&record);
    }

    fn in_account(&mut self, command: &account::Command) {
        let events = self.account.decide(command).unwrap();
        self.account = fold(std::mem::take(&mut self.account), &events);
        for event in events {
            self.record(StreamId::account(AccountId(1)), event.into());
        }
    }

    fn in_deposit(&mut self, output: usize, command: &deposit::Command) {
        let Ok(events) = self.deposits[output].decide(command) else { return };
        self.deposits[output] = fold(self.deposits[output].clone(), &events);
        for event in events {
            self.record(StreamId::deposit(id(output)), event.into());
        }
    }

    fn mine(&mut self, output: usize, branch: u8) {
        let block = Block { height: 7, hash: branch.to_string() };
        let (chain, tx_hash, output_number) =
            ("btc".to_owned(), "ab".repeat(32).parse().unwrap(), u32::try_from(output).unwrap());
        let sight = Sight {
            account: Some(AccountId(1)),
            chain,
            tx_hash,
            output: output_number,
            paid: "1".to_owned(),
            block,
        };
        self.in_deposit(output, &deposit::Command::See { sight, at: NOW });
    }

    /// What the deposit's process does, in the same order.
    fn step(&mut self, output: usize, torn: bool) {
        let (deposit, at) = (id(output), NOW);
        match self.deposits[output].next_step() {
            Step::AskChain if self.deposits[output].status == Status::Pending => {
                let (amount, paid, rate) =
                    (Money::from_cents(WORTH[output]), "1".to_owned(), "1".to_owned());
                self.in_deposit(
                    output,
                    &deposit::Command::Confirm {
                        amount,
                        paid,
                        rate,
                        rate_source: "fixed".to_owned(),
                        rate_at: at,
                        at,
                    },
                );
            }
            Step::Credit => {
                self.in_account(&account::Command::CreditDeposit {
                    deposit,
                    amount: self.deposits[output].amount,
                    at,
                });
                if !torn && self.account.deposits.contains_key(&deposit) {
                    self.in_deposit(output, &deposit::Command::MarkCredited { at });
                }
            }
            Step::Reverse => {
                self.in_account(&account::Command::ReverseDeposit { deposit, at });
                if !torn {
                    self.in_deposit(output, &deposit::Command::MarkReversed { at });
                }
            }
            Step::AskChain | Step::Wait | Step::Done => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn what_the_account_has_is_what_the_chain_has(tries in tries()) {
        let mut world = World::new();
        for attempt in tries {
            match attempt {
                Try::Mine { output, branch } => world.mine(output, branch),
                Try::Orphan { output } => {
                    world.in_deposit(output, &deposit::Command::Orphan { at: NOW });
                }
                Try::Step { output, torn } => world.step(output, torn),
                Try::Settle { output } => {
                    world.in_deposit(output, &deposit::Command::Settle { at: NOW });
                }
            }
            let credited: Money = world.account.deposits.values().copied().sum();
            prop_assert_eq!(world.account.balance, credited);
        }
        for _ in 0..5 {
            (0..OUTPUTS).for_each(|output| world.step(output, false));
        }
        let in_blocks: i64 = (0..OUTPUTS)
            .filter(|output| world.deposits[*output].block.is_some())
            .map(|output| WORTH[output])
            .sum();
        let dust = world.account.dust_total();
        prop_assert_eq!(world.account.balance + dust, Money::from_cents(in_blocks));
        prop_assert!(dust < MINIMUM);
        let findings = world.auditor.finish();
        prop_assert!(findings.is_empty(), "{findings:#?}");
    }
}
