//! A run: a script is played over as many processes as its crashes make, then nothing more is done
//! to the service until everything is over, and everything is judged.

use std::cell::{Cell, RefCell};
use std::sync::Once;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use actors::kernel::clock::Clock;
use actors::kernel::entropy::Entropy;
use events::time::Timestamp;

use crate::answers::{Answer, Answers};
use crate::callers::Callers;
use crate::disk::Disk;
use crate::judge;
use crate::life::{Life, Outside, START, orders, records};
use crate::marks::{Mark, Marks};
use crate::network::Network;
use crate::payments::Coins;
use crate::receivers::{Receivers, open_deliveries};
use crate::script::{Act, Script, What};

/// How long a run takes at most, in real time: a hundred times what it does.
const LONGEST_RUN: Duration = Duration::from_mins(1);
/// How long after the last act everything must be over, at most.
const QUIET: Duration = Duration::from_mins(20);
/// The same where a receiver may have to be asked six times.
const LONG_QUIET: Duration = Duration::from_mins(150);
/// How long blocks are found after the last act.
const FINAL: Duration = Duration::from_mins(2);

/// What a run came to.
pub struct Outcome {
    /// What must never be, and was: the rule first.
    pub findings: Vec<String>,
    pub marks: Marks,
    /// The hash chain over its whole log.
    pub chain: [u8; 32],
    /// The log, for those who look for why.
    pub story: String,
}

/// What is left of a run when its last process is gone.
pub struct Remains<'a> {
    pub script: &'a Script,
    pub disk: &'a Disk,
    pub network: &'a Network,
    pub receivers: &'a Receivers,
    pub coins: Option<&'a Coins>,
    pub answers: Vec<Answer>,
    pub marks: &'a Marks,
    /// When each process started, by true time.
    pub starts: Vec<Timestamp>,
}

thread_local! {
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A bug that ends an actor is replaced and goes on: here it is a finding.
fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.with_borrow_mut(|panics| panics.push(format!("panic: {panic}")));
            before(panic);
        }));
    });
}

/// One life of the service: a runtime of its own, dropped with everything in it, as a kill would.
pub fn live<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(life)
}

/// Ends the process with the seed's number where a run does not end: a paused clock that nobody
/// lets go on would go unnoticed.
fn watched<T>(seed: u64, run: impl FnOnce() -> T) -> T {
    let (done, waiting) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if waiting.recv_timeout(LONGEST_RUN) == Err(RecvTimeoutError::Timeout) {
            eprintln!("seed {seed} does not end");
            std::process::abort();
        }
    });
    let outcome = run();
    drop(done);
    watch.join().unwrap();
    outcome
}

/// Plays a script to its end.
pub fn run(script: &Script) -> Outcome {
    watched(script.seed, || run_here(script))
}

fn run_here(script: &Script) -> Outcome {
    note_panics();
    PANICS.with_borrow_mut(Vec::clear);
    let marks = Marks::default();
    let disk = Disk::new(marks.clone());
    let outside = Outside {
        network: Network::new(script.seed, marks.clone()),
        entropy: Entropy::seeded(Entropy::seeded(script.seed).bits()),
        ahead: Box::leak(Box::default()),
        coins: script.has_coins().then(|| Coins::new(script.seed, marks.clone())),
        receivers: Receivers::new(script.seed, disk.clone()),
        has_webhooks: script.has_webhooks(),
        disk,
    };
    let callers = Callers::new(Answers::new(outside.disk.log.clone(), marks.clone()));
    let (next, is_slow) = (Cell::new(0), Cell::new(false));
    let mut starts = vec![START];
    while let Some(start) = live(async {
        let now = starts[starts.len() - 1];
        let clock = Clock::simulated(now);
        outside.disk.power_on();
        let down = tokio::select! {
            biased;
            down = outside.disk.power_cut() => Some(down),
            down = play(script, &outside, &callers, now, (&next, &is_slow)) => down,
        };
        down.map(|down| clock.now().plus(Duration::from_millis(down)))
    }) {
        live(note_crash(&outside, &callers));
        starts.push(start);
    }
    let remains = Remains {
        script,
        disk: &outside.disk,
        network: &outside.network,
        receivers: &outside.receivers,
        coins: outside.coins.as_ref(),
        answers: callers.answers.all(),
        marks: &marks,
        starts,
    };
    let (mut findings, chain) = live(judge::judge(&remains));
    let story = if findings.is_empty() { String::new() } else { live(story(&remains)) };
    findings.extend(callers.answers.findings());
    PANICS.with_borrow_mut(|panics| findings.append(panics));
    Outcome { findings, marks, chain, story }
}

/// The log and the answers of a run, one a line.
async fn story(remains: &Remains<'_>) -> String {
    let records = records(&remains.disk.log).await;
    let records = records.iter().map(|record| {
        let since = record.at.since(START).as_secs_f32();
        format!("{:>4} {since:>8.3} {:?}\n", record.position.0, record.event)
    });
    let answers = remains
        .answers
        .iter()
        .filter(|answer| !matches!(answer.told, crate::answers::Told::Seen(_)))
        .map(|answer| format!("{answer:?}\n"));
    let starts: Vec<f32> =
        remains.starts.iter().map(|start| start.since(START).as_secs_f32()).collect();
    format!("starts: {starts:?}\n") + &records.chain(answers).collect::<String>()
}

/// A process, until it crashes: for how long it is gone then. `None` once the script is at its end
/// and everything is over.
async fn play(
    script: &Script,
    outside: &Outside,
    callers: &Callers,
    now: Timestamp,
    (next, is_slow): (&Cell<usize>, &Cell<bool>),
) -> Option<u64> {
    let life = Life::start(outside, now).await.unwrap();
    if callers.known.lock().accounts.is_empty() {
        callers.register(&life, outside, script.has_dead_receiver()).await;
    }
    while let Some(act) = script.acts.get(next.get()) {
        next.set(next.get() + 1);
        tokio::time::sleep(Duration::from_millis(act.wait_millis)).await;
        if let Some(down) = perform(act, outside, callers, &life, is_slow).await {
            return Some(down);
        }
    }
    outside.disk.heal();
    let (mut waited, mut quiet) = (Duration::ZERO, 0);
    let longest = if script.has_webhooks() { LONG_QUIET } else { QUIET };
    while quiet < 2 && waited < longest {
        tokio::time::sleep(Duration::from_secs(10)).await;
        waited += Duration::from_secs(10);
        // Blocks on blocks: what was paid is final in the end.
        if let Some(coins) = outside.coins.as_ref().filter(|_| waited < FINAL) {
            coins.heal();
            coins.mine(3);
        }
        let is_over = life.orders.running() + life.orders.listening() == 0
            && outside.network.is_idle()
            && (outside.coins.is_none() || waited > FINAL + FINAL)
            && open_deliveries(&outside.disk).await.is_empty();
        quiet = if is_over { quiet + 1 } else { 0 };
    }
    lost(&life, callers);
    None
}

/// Numbers that are on no order must be to be had again.
fn lost(life: &Life, callers: &Callers) {
    let router = life.orders.router();
    let now = life.accounts.journal().now();
    let kept = router.suppliers().filter_map(|source| source.numbers(now));
    let kept: usize = kept.map(|numbers| numbers.leased + numbers.listening).sum();
    if router.leased() + kept > 0 {
        callers.answers.find(format!("O6: {} leases, {kept} numbers are kept", router.leased()));
    }
}

async fn note_crash(outside: &Outside, callers: &Callers) {
    let marks = outside.disk.marks();
    marks.see(Mark::Crash);
    if callers.answers.cut_off() > 0 {
        marks.see(Mark::CrashWithoutAnswer);
    }
    for told in orders(&records(&outside.disk.log).await).into_values() {
        if told.state.is_listening() {
            marks.see(Mark::CrashWithListeningOrder);
        } else if !told.state.is_over() {
            marks.see(Mark::CrashWithOpenOrder);
        }
    }
}

async fn on_chain(what: &What, coins: &Coins, callers: &Callers) {
    match *what {
        What::Pay { account } => coins.pay(callers.known.lock().accounts[account]),
        What::Mine { blocks } => coins.mine(blocks),
        What::Reorganise { depth } => coins.reorganise(depth).await,
        What::FailChain => coins.fail(),
        _ => coins.heal(),
    }
}

async fn perform(
    act: &Act,
    outside: &Outside,
    callers: &Callers,
    life: &Life,
    is_slow: &Cell<bool>,
) -> Option<u64> {
    if is_slow.get() {
        let late = i64::try_from(act.wait_millis / 128).unwrap();
        outside.ahead.fetch_sub(late, Ordering::Relaxed);
    }
    let marks = outside.disk.marks();
    match act.what {
        What::FailAppend { after, how, reads } => outside.disk.fail_append(after, how, reads),
        What::Pay { .. }
        | What::Mine { .. }
        | What::Reorganise { .. }
        | What::FailChain
        | What::HealChain => {
            if let Some(coins) = &outside.coins {
                on_chain(&act.what, coins, callers).await;
            }
        }
        What::FailRead => outside.disk.fail_read(),
        What::SlowAppends { appends, before_millis, after_millis } => {
            outside.disk.slow_appends(appends, before_millis, after_millis);
        }
        What::SetClock { ahead_millis } => {
            marks.see(Mark::ClockSet);
            outside.ahead.fetch_add(ahead_millis, Ordering::Relaxed);
        }
        What::SlowClock { slow } => {
            marks.see(Mark::ClockSlow);
            is_slow.set(slow);
        }
        What::Crash { down_millis } => return Some(down_millis),
        What::CrashBehind { append, down_millis } => outside.disk.crash_behind(append, down_millis),
        _ => callers.call(life, &act.what),
    }
    None
}
