//! Deposits on a chain that grows, forks, lags and lies: what is credited is what the chain has,
//! once, whatever crashes between.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[expect(dead_code, reason = "the world has more than this file needs")]
mod world;

use std::sync::Arc;
use std::time::Duration;

use chains::{Agreed, RateKind, Rates};
use events::address::{AccountKey, Address, Destination, Network};
use events::deposit::{Currency, Policy};
use events::envelope::Actor;
use events::id::AccountId;
use events::money::Money;
use events::time::Timestamp;
use events::{Event, account, chain as followed, deposit};
use telenumerus_actors::Journal;
use telenumerus_actors::account::Settings;
use telenumerus_actors::deposit::chain::Chain;
use telenumerus_actors::deposit::{CoinSettings, Looked};
use telenumerus_actors::kernel::clock::Clock;
use telenumerus_actors::kernel::entropy::Entropy;
use telenumerus_actors::store::EventStore;
use telenumerus_actors::store::memory::{Failure, MemoryStore};
use telenumerus_actors::{Accounts, Deposits};
use world::chain::{Fault, NEW_COINS, Paid, Script, hash};
use world::{START, audit, log};

const XPUB: &str = "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V";
const SHARED: &str = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0";

/// One life of the service, with BTC at $1 000.
struct Life {
    store: MemoryStore,
    accounts: Accounts,
    deposits: Deposits,
    entropy: Entropy,
}

fn coin(chain: Arc<dyn Chain>, clock: Clock) -> CoinSettings {
    let currency = Currency::Btc;
    CoinSettings {
        currency,
        chain,
        rates: Arc::new(Rates::new(RateKind::Fixed("1000".parse().unwrap()), clock)),
        policy: Policy::usual(currency),
        settle_confirmations: 30,
        poll: Duration::from_secs(10),
        key: Some(AccountKey::parse(currency, Network::Mainnet, XPUB).unwrap()),
        shared: Some(Address::parse(currency, Network::Mainnet, SHARED).unwrap()),
        start_height: None,
    }
}

impl Life {
    async fn of(
        store: MemoryStore,
        chain: Arc<dyn Chain>,
        now: Timestamp,
        change: impl FnOnce(&mut CoinSettings),
    ) -> Self {
        let (clock, entropy) =
            (Clock::simulated(now), Entropy::seeded(u64::try_from(now.millis()).unwrap()));
        let port: Arc<dyn EventStore> = Arc::new(store.clone());
        let accounts =
            Accounts::new(Journal::new(port, clock, entropy.clone()), Settings::default());
        let mut settings = coin(chain, clock);
        change(&mut settings);
        let deposits = Deposits::watching(accounts.clone(), vec![settings]).await.unwrap();
        let mut known = std::collections::BTreeSet::new();
        for record in log(&store).await {
            known.extend(record.stream.deposit_id());
        }
        for deposit in known {
            deposits.follow(deposit).await.unwrap();
        }
        let life = Self { store, accounts, deposits, entropy };
        life.looked().await;
        life
    }

    async fn start(chain: &Script) -> Self {
        Self::of(MemoryStore::default(), Arc::new(chain.clone()), START, |_| {}).await
    }

    /// Long enough for a round of the watcher, and for what follows from it.
    async fn looked(&self) {
        tokio::time::sleep(Duration::from_secs(25)).await;
    }

    async fn account(&self) -> AccountId {
        let id = self.entropy.account_id(self.accounts.journal().now());
        self.accounts.register(id, [7; 32], "whsec_".to_owned()).await.unwrap();
        id
    }

    async fn address(&self, account: AccountId) -> Destination {
        self.deposits
            .coin(Currency::Btc)
            .unwrap()
            .book()
            .address(account)
            .await
            .unwrap()
            .unwrap()
            .destination
    }

    async fn payer(&self) -> (AccountId, Destination) {
        let account = self.account().await;
        (account, self.address(account).await)
    }

    async fn cents(&self, account: AccountId) -> i64 {
        self.accounts.read(account).await.unwrap().state.balance.micros() / 10_000
    }

    async fn look(&self, account: AccountId, tx: u8) -> Looked {
        loop {
            // A failure of the store is answered as one, and the caller asks again.
            if let Ok(looked) = self.deposits.look(account, hash(tx), None, None).await {
                return looked;
            }
        }
    }

    async fn assert_lawful(&self) {
        assert_eq!(audit(&self.store).await, (0, vec![]));
    }
}

fn paid(tx: u8, to: &Destination, coins: &'static str) -> Paid {
    Paid { tx, output: 0, to: to.clone(), coins }
}

fn shared() -> Destination {
    Address::parse(Currency::Btc, Network::Mainnet, SHARED).unwrap().destination
}

#[tokio::test(start_paused = true)]
async fn payments_are_found_without_being_told_and_credited_with_their_confirmations() {
    for (coins, cents, needed) in
        [("0.05", 5_000, 1), ("0.5", 50_000, 2), ("5", 500_000, 3), ("6", 600_000, 6)]
    {
        let chain = Script::new(None);
        let life = Life::start(&chain).await;
        let (account, address) = life.payer().await;
        chain.mine(&[paid(1, &address, coins)]);
        for confirmations in 1..needed {
            life.looked().await;
            assert_eq!(life.cents(account).await, 0, "{coins} with {confirmations}");
            chain.mine_empty(1);
        }
        life.looked().await;
        assert_eq!(life.cents(account).await, cents, "{coins} with {needed}");
        chain.mine_empty(40);
        life.looked().await;
        let settled = log(&life.store)
            .await
            .iter()
            .filter(|record| matches!(record.event, Event::Deposit(deposit::Event::Settled { .. })))
            .count();
        assert_eq!((life.cents(account).await, settled), (cents, 1));
        life.assert_lawful().await;
    }
}

#[tokio::test(start_paused = true)]
async fn new_coins_are_credited_once_they_are_mature_and_others_of_the_same_block_as_ever() {
    let chain = Script::new(None);
    let life = Life::start(&chain).await;
    let (miner, fresh) = life.payer().await;
    let (other, address) = life.payer().await;
    chain.mine(&[paid(NEW_COINS, &fresh, "0.05"), paid(2, &address, "0.05")]);
    life.looked().await;
    assert_eq!((life.cents(miner).await, life.cents(other).await), (0, 5_000));
    chain.mine_empty(98);
    life.looked().await;
    assert_eq!(life.cents(miner).await, 0);
    chain.mine_empty(1);
    life.looked().await;
    assert_eq!(life.cents(miner).await, 5_000);
    life.assert_lawful().await;
}

#[tokio::test(start_paused = true)]
async fn a_transaction_pays_each_account_what_its_outputs_say() {
    let chain = Script::new(None);
    let life = Life::start(&chain).await;
    let (one, first) = life.payer().await;
    let (other, second) = life.payer().await;
    let stranger = Destination::from_hex("0014ffffffffffffffffffffffffffffffffffffffff").unwrap();
    let outputs: Vec<Paid> =
        [(&first, "0.01"), (&stranger, "3"), (&second, "0.02"), (&first, "0.004")]
            .into_iter()
            .zip(0..)
            .map(|((to, coins), output)| Paid { output, ..paid(1, to, coins) })
            .collect();
    chain.mine(&outputs);
    life.looked().await;
    assert_eq!((life.cents(one).await, life.cents(other).await), (1_400, 2_000));
    life.assert_lawful().await;
}

#[tokio::test(start_paused = true)]
async fn a_reorganisation_of_any_depth_takes_back_what_the_chain_no_longer_has() {
    for depth in 1..=13 {
        for comes_back in [false, true] {
            let chain = Script::new(None);
            let life = Life::start(&chain).await;
            let (account, address) = life.payer().await;
            let payment = paid(1, &address, "0.05");
            chain.mine(std::slice::from_ref(&payment));
            chain.mine_empty(depth - 1);
            life.looked().await;
            assert_eq!(life.cents(account).await, 5_000);
            chain.reorganise(depth, if comes_back { std::slice::from_ref(&payment) } else { &[] });
            life.looked().await;
            let expected = if comes_back { 5_000 } else { 0 };
            assert_eq!(
                life.cents(account).await,
                expected,
                "depth {depth}, comes back: {comes_back}"
            );
            let reversals = log(&life.store)
                .await
                .iter()
                .filter(|record| {
                    matches!(record.event, Event::Account(account::Event::DepositReversed { .. }))
                })
                .count();
            assert_eq!(reversals, 1);
            // And later, in a block of its own.
            chain.mine(if comes_back { &[] } else { std::slice::from_ref(&payment) });
            life.looked().await;
            assert_eq!(life.cents(account).await, 5_000);
            life.assert_lawful().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_replaced_transaction_is_never_credited() {
    let chain = Script::new(None);
    let life = Life::start(&chain).await;
    let (account, address) = life.payer().await;
    chain.broadcast(&[paid(1, &address, "0.5")]);
    assert_eq!(life.look(account, 1).await.payments.len(), 1);
    chain.mine(&[paid(2, &address, "0.04")]);
    life.looked().await;
    assert_eq!(life.cents(account).await, 4_000);
    life.assert_lawful().await;
}

#[tokio::test(start_paused = true)]
async fn fifty_accounts_claim_a_payment_to_the_shared_address_and_one_has_it() {
    let chain = Script::new(None);
    let life = Arc::new(Life::start(&chain).await);
    chain.mine(&[paid(0xab, &shared(), "0.05")]);
    life.looked().await;
    let mut claims = Vec::new();
    for number in 0..50 {
        let account = life.account().await;
        let life = Arc::clone(&life);
        claims.push(tokio::spawn(async move {
            let text =
                if number % 2 == 0 { format!("0x{}", "aB".repeat(32)) } else { "AB".repeat(32) };
            let looked = life
                .deposits
                .look(account, text.parse().unwrap(), Some(Currency::Btc), None)
                .await
                .unwrap();
            (account, looked.payments.len())
        }));
    }
    let mut winners = Vec::new();
    for claim in claims {
        let (account, payments) = claim.await.unwrap();
        winners.extend((payments == 1).then_some(account));
    }
    assert_eq!(winners.len(), 1);
    life.looked().await;
    assert_eq!(life.cents(winners[0]).await, 5_000);
    let credits = log(&life.store)
        .await
        .iter()
        .filter(|record| {
            matches!(record.event, Event::Account(account::Event::DepositCredited { .. }))
        })
        .count();
    assert_eq!(credits, 1);
    life.assert_lawful().await;
}

#[tokio::test(start_paused = true)]
async fn a_payment_to_a_personal_address_is_unknown_to_everybody_else() {
    let chain = Script::new(None);
    let life = Life::start(&chain).await;
    let (owner, address) = life.payer().await;
    let (other, _) = life.payer().await;
    chain.mine(&[paid(1, &address, "0.05")]);
    assert_eq!(life.look(other, 1).await.payments, []);
    assert_eq!(life.look(other, 9).await.payments, []);
    assert_eq!(life.look(owner, 1).await.payments.len(), 1);
    life.looked().await;
    assert_eq!((life.cents(owner).await, life.cents(other).await), (5_000, 0));
}

#[tokio::test(start_paused = true)]
async fn a_payment_to_a_removed_account_opens_it_again_and_is_credited() {
    let chain = Script::new(None);
    let first = Life::start(&chain).await;
    let (account, address) = first.payer().await;
    let store = first.store.clone();
    drop(first);
    let later = START.plus(Duration::from_hours(31 * 24));
    let life = Life::of(store, Arc::new(chain.clone()), later, |_| {}).await;
    let at = life.accounts.journal().now();
    let remove = account::Command::RemoveUnused { unused_days: 30, is_awaited: false, at };
    life.accounts.transact(account, remove, Actor::Service, at).await.unwrap();
    let standing = async || life.accounts.read(account).await.unwrap().state.standing.clone();
    assert_eq!(standing().await, account::Standing::Removed);
    chain.mine(&[paid(1, &address, "0.05")]);
    life.looked().await;
    assert_eq!((life.cents(account).await, standing().await), (5_000, account::Standing::Good));
    life.assert_lawful().await;
}

#[tokio::test(start_paused = true)]
async fn small_payments_are_credited_together_and_those_that_vanish_do_not_count() {
    let chain = Script::new(None);
    let life = Life::start(&chain).await;
    let (account, address) = life.payer().await;
    chain.mine(&[paid(1, &address, "0.0004")]);
    life.looked().await;
    chain.mine(&[paid(2, &address, "0.0005")]);
    life.looked().await;
    assert_eq!(life.cents(account).await, 0);
    assert_eq!(
        life.accounts.read(account).await.unwrap().state.dust_total(),
        Money::from_cents(90)
    );
    // The second is gone, so a third of its size does not make a dollar; a fourth does.
    chain.reorganise(1, &[]);
    life.looked().await;
    chain.mine(&[paid(3, &address, "0.0005")]);
    life.looked().await;
    assert_eq!(life.cents(account).await, 0);
    chain.mine(&[paid(4, &address, "0.0001")]);
    life.looked().await;
    assert_eq!(life.cents(account).await, 100);
    life.assert_lawful().await;
}

#[tokio::test(start_paused = true)]
async fn deposits_wait_while_the_node_is_away_or_behind() {
    let chain = Script::new(None);
    let life = Life::start(&chain).await;
    let (account, address) = life.payer().await;
    let before = chain.height();
    for fault in [Fault::Down, Fault::LagsAt(before)] {
        let balance = life.cents(account).await;
        chain.fail(fault);
        chain.mine(&[paid(u8::try_from(chain.height()).unwrap(), &address, "0.05")]);
        life.looked().await;
        assert_eq!(life.cents(account).await, balance, "{fault:?}");
        chain.fail(Fault::None);
        life.looked().await;
        assert_eq!(life.cents(account).await, balance + 5_000, "{fault:?}");
    }
    // Behind what was looked through already: what it does not have is not gone.
    chain.fail(Fault::LagsAt(before));
    life.looked().await;
    assert_eq!(life.cents(account).await, 10_000);
    life.assert_lawful().await;
}

#[tokio::test(start_paused = true)]
async fn a_bug_that_ends_a_watcher_or_a_follower_delays_a_deposit_and_no_more() {
    for bug in ["tip", "block_hash"] {
        let chain = Script::new(None);
        let life = Life::start(&chain).await;
        let (account, address) = life.payer().await;
        chain.mine(&[paid(1, &address, "0.5")]);
        life.looked().await;
        chain.fail(Fault::Bug(bug));
        chain.mine_empty(1);
        life.looked().await;
        assert_eq!((chain.fault(), life.cents(account).await), (Fault::None, 50_000), "{bug}");
        life.assert_lawful().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_never_stands_still_is_said_to_and_asked_no_more_often() {
    let chain = Script::new(None);
    let life = Life::start(&chain).await;
    let (account, address) = life.payer().await;
    chain.fail(Fault::Torn);
    chain.mine(&[paid(1, &address, "0.05")]);
    life.looked().await;
    let error = life.deposits.coin(Currency::Btc).unwrap().status().error;
    assert!(error.unwrap().contains("has changed while"));
    assert_eq!(life.cents(account).await, 0);
    chain.fail(Fault::None);
    life.looked().await;
    assert_eq!(
        (life.cents(account).await, life.deposits.coin(Currency::Btc).unwrap().status().error),
        (5_000, None)
    );
}

#[tokio::test(start_paused = true)]
async fn what_one_of_two_endpoints_says_alone_does_not_count() {
    let honest = Script::new(None);
    let liar = honest.other_endpoint();
    let chain = Agreed::of(vec![Arc::new(honest.clone()), Arc::new(liar.clone())]).unwrap();
    let life = Life::of(MemoryStore::default(), chain, START, |_| {}).await;
    let (account, address) = life.payer().await;
    liar.fail(Fault::Hides);
    honest.mine(&[paid(1, &address, "0.05")]);
    life.looked().await;
    assert_eq!(life.cents(account).await, 0);
    let status = life.deposits.coin(Currency::Btc).unwrap().status();
    assert!(status.error.unwrap().contains("disagree"));
    liar.fail(Fault::LagsAt(0));
    life.looked().await;
    assert_eq!(life.cents(account).await, 0);
    liar.fail(Fault::Down);
    life.looked().await;
    assert_eq!(life.cents(account).await, 0);
    liar.fail(Fault::None);
    life.looked().await;
    assert_eq!(life.cents(account).await, 5_000);
    // A third that is away takes nothing from two that agree.
    let (two, away) = (honest.other_endpoint(), honest.other_endpoint());
    away.fail(Fault::Down);
    let chain = Agreed::of(vec![Arc::new(away), Arc::new(honest.clone()), Arc::new(two)]).unwrap();
    let life = Life::of(MemoryStore::default(), chain, START, |_| {}).await;
    let (account, address) = life.payer().await;
    honest.mine(&[paid(2, &address, "0.05")]);
    life.looked().await;
    assert_eq!(life.cents(account).await, 5_000);
}

#[tokio::test(start_paused = true)]
async fn a_chain_that_says_what_is_final_is_believed_and_not_before() {
    let chain = Script::new(Some(2));
    let life = Life::of(MemoryStore::default(), Arc::new(chain.clone()), START, |settings| {
        settings.policy = Policy::ByChain;
    })
    .await;
    let (account, address) = life.payer().await;
    chain.mine(&[paid(1, &address, "9")]);
    chain.mine_empty(1);
    life.looked().await;
    assert_eq!(life.cents(account).await, 0);
    chain.mine_empty(1);
    life.looked().await;
    assert_eq!(life.cents(account).await, 900_000);
    let settled = log(&life.store)
        .await
        .iter()
        .any(|record| matches!(record.event, Event::Deposit(deposit::Event::Settled { .. })));
    assert!(settled, "what the chain calls final is not looked at again");
    life.assert_lawful().await;
}

#[tokio::test(start_paused = true)]
async fn many_accounts_that_ask_at_once_each_get_an_address_of_their_own_and_keep_it() {
    let chain = Script::new(None);
    let life = Arc::new(Life::start(&chain).await);
    let mut asking = Vec::new();
    for number in 0..64 {
        let (life, account) = (Arc::clone(&life), AccountId(number / 2 + 1));
        asking.push(tokio::spawn(async move { (account, life.address(account).await) }));
    }
    let mut addresses = std::collections::BTreeMap::new();
    for asked in asking {
        let (account, address) = asked.await.unwrap();
        assert_eq!(*addresses.entry(account).or_insert(address.clone()), address);
    }
    let distinct: std::collections::BTreeSet<_> = addresses.values().collect();
    assert_eq!((addresses.len(), distinct.len()), (32, 32));
    let again =
        Life::of(life.store.clone(), Arc::new(chain), START.plus(Duration::from_hours(1)), |_| {})
            .await;
    for (account, address) in addresses {
        assert_eq!(again.address(account).await, address);
    }
    assert_eq!(again.deposits.coin(Currency::Btc).unwrap().book().next_index(), Some(32));
}

fn live<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(life)
}

/// Payments, forks and small change: what crashes are cut into. `beforehand` happens once both
/// accounts have their addresses.
async fn story(life: &Life, chain: &Script, beforehand: impl FnOnce()) -> [AccountId; 2] {
    let (one, first) = life.payer().await;
    let (other, second) = life.payer().await;
    beforehand();
    chain.mine(&[paid(1, &first, "0.05"), Paid { output: 1, ..paid(1, &second, "0.0006") }]);
    life.looked().await;
    chain.mine(&[paid(2, &second, "0.3")]);
    chain.mine(&[paid(3, &first, "0.0007")]);
    life.looked().await;
    chain.reorganise(2, &[paid(3, &first, "0.0007")]);
    life.looked().await;
    chain.mine(&[paid(4, &shared(), "0.02"), paid(5, &second, "0.01")]);
    life.look(one, 4).await;
    life.looked().await;
    chain.reorganise(5, &[paid(1, &first, "0.05"), paid(5, &second, "0.01")]);
    life.looked().await;
    chain.mine_empty(3);
    life.looked().await;
    [one, other]
}

#[test]
fn a_service_stopped_behind_any_append_ends_with_what_the_chain_has() {
    let (whole, chain) = (MemoryStore::default(), Script::new(None));
    let accounts = live(async {
        let life = Life::of(whole.clone(), Arc::new(chain.clone()), START, |_| {}).await;
        story(&life, &chain, || {}).await
    });
    let facts = live(log(&whole));
    let happened =
        |what: fn(&Event) -> bool| facts.iter().filter(|record| what(&record.event)).count();
    assert!(
        happened(|event| matches!(event, Event::Account(account::Event::DepositReversed { .. })))
            >= 2,
        "a story with reversals"
    );
    assert!(
        happened(|event| matches!(event, Event::Account(account::Event::DustKept { .. }))) >= 2,
        "a story with small change"
    );
    assert!(
        happened(|event| matches!(event, Event::Chain(followed::Event::Forked { .. }))) >= 2,
        "a story with forks"
    );
    let expected: Vec<i64> = live(async {
        let life = Life::of(
            whole.cut(whole.len()),
            Arc::new(chain.clone()),
            START.plus(Duration::from_hours(1)),
            |_| {},
        )
        .await;
        let mut cents = Vec::new();
        for account in accounts {
            cents.push(life.cents(account).await);
        }
        cents
    });
    assert_eq!(expected, [5_000, 1_000]);
    for cut in whole.stops() {
        let store = whole.cut(cut);
        live(async {
            let registered = log(&store)
                .await
                .iter()
                .filter(|record| {
                    matches!(record.event, Event::Account(account::Event::Registered { .. }))
                })
                .count();
            let addressed = log(&store)
                .await
                .iter()
                .filter(|record| matches!(record.event, Event::Address(_)))
                .count();
            let life = Life::of(
                store,
                Arc::new(chain.clone()),
                START.plus(Duration::from_hours(1)),
                |_| {},
            )
            .await;
            life.looked().await;
            for (place, account) in accounts.into_iter().enumerate().take(registered.min(addressed))
            {
                assert_eq!(
                    life.cents(account).await,
                    expected[place],
                    "account {place}, cut behind event {cut}"
                );
            }
            life.assert_lawful().await;
        });
    }
}

#[test]
fn every_append_may_fail_before_or_after_it_was_written() {
    for failure in [Failure::BeforeWriting, Failure::AfterWriting] {
        let mut failing = 0;
        loop {
            let (store, chain) = (MemoryStore::default(), Script::new(None));
            let appends = live(async {
                let life = Life::of(store.clone(), Arc::new(chain.clone()), START, |_| {}).await;
                // The append and its retry both: what has become of it is unknown then.
                let failures =
                    std::iter::repeat_n(None, failing).chain([Some(failure), Some(failure)]);
                let [one, other] = story(&life, &chain, || store.fail_next(failures)).await;
                tokio::time::sleep(Duration::from_mins(2)).await;
                assert_eq!(
                    (life.cents(one).await, life.cents(other).await),
                    (5_000, 1_000),
                    "append {failing}, {failure:?}"
                );
                life.assert_lawful().await;
                store.stops().len()
            });
            failing += 1;
            if failing > appends {
                break;
            }
        }
        assert!(failing > 40, "a story with something in it: {failing} appends");
    }
}
