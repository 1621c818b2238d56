//! The service in one thread under tokio's paused clock, with all chance from one seed: a disk that
//! fails and is slow, sources that lie, a power that goes, callers who do anything at any moment.
//! Then quiet, and everything that must never break is held against the log, the views and every
//! answer that was given.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

// The scripted chain is the one of the tests of `actors`, where they are called so.
extern crate actors as telenumerus_actors;

mod answers;
mod callers;
#[path = "../../actors/tests/world/chain.rs"]
#[expect(dead_code, reason = "the chain can do more than is asked of it here")]
mod chain;
mod dice;
mod disk;
mod found;
mod judge;
mod life;
mod marks;
mod network;
mod payments;
mod receivers;
mod run;
mod script;
mod shrink;
mod suppliers;

use marks::Marks;
use run::run;
use script::Script;

/// Seeds of an ordinary run of the tests.
const SEEDS: u64 = 256;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs a seed; where something is found, says what, what little of its script is enough for it,
/// and how to repeat it.
fn hold(seed: u64, marks: &Marks) {
    let script = Script::of(seed);
    let outcome = run(&script);
    marks.add(&outcome.marks);
    let Some(first) = outcome.findings.first() else { return };
    let rule = |finding: &str| finding.split(':').next().unwrap_or_default().to_owned();
    println!("{}\nseed {seed}: {:#?}", outcome.story, outcome.findings);
    let least = shrink::shrink(&script, |fewer| {
        run(fewer).findings.iter().any(|finding| rule(finding) == rule(first))
    });
    panic!(
        "seed {seed}: {:#?}\n\nThis is enough: {:#?}\n\nTo repeat it: SIMULATION_SEED={seed} cargo \
         test --locked -p telenumerus-simulation -- one_seed",
        outcome.findings, least.acts
    );
}

#[test]
fn every_seed_ends_lawfully_and_everything_is_seen() {
    let marks = Marks::default();
    (0..number("SIMULATION_SEEDS").unwrap_or(SEEDS)).for_each(|seed| hold(seed, &marks));
    println!("{marks:?}");
    assert_eq!(marks.missing(), [], "a run in which nothing met proves nothing: {marks:?}");
}

#[test]
fn a_seed_is_one_run() {
    // An attempt of a delivery records how long it took, in real time.
    for script in (0..12).map(Script::of).filter(|script| !script.has_webhooks()) {
        let seed = script.seed;
        assert_eq!(run(&script).chain, run(&script).chain, "seed {seed}");
    }
}

/// The seed that `SIMULATION_SEED` names.
#[test]
fn one_seed() {
    if let Some(seed) = number("SIMULATION_SEED") {
        println!("{:#?}", Script::of(seed));
        hold(seed, &Marks::default());
    }
}

/// What `cargo xtask soak` runs: seeds that no other run has, for `SIMULATION_MINUTES`.
#[test]
fn a_soak() {
    let Some(minutes) = number("SIMULATION_MINUTES") else { return };
    let clock = actors::kernel::clock::Clock::System;
    let first = u64::try_from(clock.now().millis()).unwrap();
    let (until, marks) =
        (clock.now().plus(std::time::Duration::from_mins(minutes)), Marks::default());
    let mut seeds = 0;
    while clock.now() < until {
        hold(first + seeds, &marks);
        seeds += 1;
    }
    println!("{seeds} seeds from {first} on in {minutes} minutes: {marks:?}");
}

#[test]
fn a_script_that_fails_is_cut_to_what_fails() {
    let script = Script::of(1);
    let (one, other) = (script.acts[7].what.clone(), script.acts[20].what.clone());
    let has =
        |script: &Script, what: &script::What| script.acts.iter().any(|act| act.what == *what);
    let least = shrink::shrink(&script, |script| has(script, &one) && has(script, &other));
    assert!(least.acts.len() <= 2, "{least:#?}");
    let time = |script: &Script, until: &script::What| -> u64 {
        let place = script.acts.iter().position(|act| act.what == *until).unwrap();
        script.acts[..=place].iter().map(|act| act.wait_millis).sum()
    };
    assert_eq!(time(&least, &other), time(&script, &other), "acts come when they came");
}
