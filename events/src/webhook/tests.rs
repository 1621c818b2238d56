//! The rules of deliveries and targets as scenarios.

use std::net::IpAddr;
use std::time::Duration;

use super::target::{self, Allowed, TargetError};
use super::{Command, Event, Outcome, Progress, Refusal, Standing, State, delivery_id};
use crate::decider::{Decider, fold};
use crate::id::AccountId;
use crate::spec::given;
use crate::time::Timestamp;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000_000 + seconds * 1_000)
}

fn attempt(sequence: u64, outcome: Outcome, jitter_per_mille: i32, seconds: i64) -> Command {
    Command::RecordAttempt { sequence, outcome, millis: 12, jitter_per_mille, at: at(seconds) }
}

fn attempted(
    sequence: u64,
    attempt: u16,
    outcome: Outcome,
    next_at: Option<Timestamp>,
    seconds: i64,
) -> Event {
    Event::Attempted { sequence, attempt, outcome, millis: 12, next_at, at: at(seconds) }
}

#[test]
fn a_2xx_ends_the_delivery() {
    let state =
        given(State::default(), &[]).when(&attempt(1, Outcome::Answered(204), 0, 0)).then(&[
            attempted(1, 1, Outcome::Answered(204), None, 0),
            Event::Delivered { sequence: 1, at: at(0) },
        ]);
    assert_eq!(state.due(1), None);
    assert_eq!(state.due(2), Some(Progress::default()));
    given(state, &[])
        .when(&attempt(1, Outcome::Answered(200), 0, 1))
        .then_refused(&Refusal::AlreadyEnded);
}

#[test]
fn a_redirect_is_a_failure() {
    for status in [199, 300, 301, 302, 307, 308, 404, 500] {
        assert!(!Outcome::Answered(status).is_success(), "{status}");
    }
}

#[test]
fn six_attempts_follow_the_schedule_of_the_contract_and_then_it_is_exhausted() {
    let mut state = State::default();
    let mut now = 0;
    for (index, seconds) in [5, 30, 120, 600, 3_600].into_iter().enumerate() {
        let number = u16::try_from(index + 1).unwrap();
        let next = at(now).plus(Duration::from_secs(seconds));
        state = given(state, &[])
            .when(&attempt(1, Outcome::Answered(500), 0, now))
            .then(&[attempted(1, number, Outcome::Answered(500), Some(next), now)]);
        assert_eq!(state.due(1), Some(Progress { attempts: number, next_at: next }));
        now += i64::try_from(seconds).unwrap();
    }
    let state = given(state, &[]).when(&attempt(1, Outcome::TimedOut, 0, now)).then(&[
        attempted(1, 6, Outcome::TimedOut, None, now),
        Event::Exhausted { sequence: 1, at: at(now) },
    ]);
    assert_eq!(state.due(1), None);
}

#[test]
fn jitter_moves_the_next_attempt_by_a_tenth_at_most() {
    for (jitter, millis) in
        [(100, 5_500), (-100, 4_500), (5_000, 5_500), (-5_000, 4_500), (37, 5_185)]
    {
        let next = at(0).plus(Duration::from_millis(millis));
        given(State::default(), &[])
            .when(&attempt(1, Outcome::ConnectionFailed, jitter, 0))
            .then(&[attempted(1, 1, Outcome::ConnectionFailed, Some(next), 0)]);
    }
}

#[test]
fn without_a_webhook_nothing_is_tried_again() {
    given(State::default(), &[]).when(&attempt(1, Outcome::NoWebhook, 0, 0)).then(&[
        attempted(1, 1, Outcome::NoWebhook, None, 0),
        Event::Exhausted { sequence: 1, at: at(0) },
    ]);
}

#[test]
fn a_redelivery_starts_the_schedule_anew_and_once() {
    let ended = fold(State::default(), &[Event::Exhausted { sequence: 1, at: at(0) }]);
    let wanted = Command::Redeliver { sequence: 1, at: at(9) };
    let state = given(ended, &[])
        .when(&wanted)
        .then(&[Event::RedeliveryRequested { sequence: 1, at: at(9) }]);
    assert_eq!(state.due(1), Some(Progress::default()));
    let state = given(state, &[]).when(&wanted).then_nothing();
    let state = fold(state, &[attempted(1, 1, Outcome::TimedOut, Some(at(20)), 10)]);
    given(state, &[]).when(&wanted).then(&[Event::RedeliveryRequested { sequence: 1, at: at(9) }]);
}

#[test]
fn a_receiver_stands_as_its_last_attempt_went() {
    let after = |outcome, millis| {
        let attempted = Event::Attempted {
            sequence: 1,
            attempt: 1,
            outcome,
            millis,
            next_at: None,
            at: at(10),
        };
        fold(State::default(), &[attempted])
    };
    assert_eq!(State::default().receiver().standing(at(0)), Standing::Untried);
    for (outcome, millis, standing) in [
        (Outcome::Answered(204), 12, Standing::Answering),
        (Outcome::Answered(500), 5_000, Standing::Answering),
        (Outcome::Answered(204), 5_001, Standing::Silent),
        (Outcome::TimedOut, 15_000, Standing::Silent),
        (Outcome::ConnectionFailed, 1, Standing::Silent),
        (Outcome::NotResolved, 1, Standing::Silent),
        (Outcome::TargetRefused, 1, Standing::Silent),
        (Outcome::NoWebhook, 1, Standing::Untried),
    ] {
        assert_eq!(
            after(outcome, millis).receiver().standing(at(10)),
            standing,
            "{outcome:?} {millis}"
        );
        assert_eq!(
            after(outcome, millis).receiver().standing(at(11)),
            Standing::Untried,
            "it was set since"
        );
    }
}

#[test]
fn ends_out_of_order_are_remembered_without_growing() {
    let mut state = State::default();
    for sequence in [3, 2, 5, 1, 4] {
        state = state.evolve(&Event::Delivered { sequence, at: at(0) });
        assert_eq!(state.due(sequence), None);
    }
    assert_eq!(
        state,
        fold(
            State::default(),
            &(1..=5).map(|sequence| Event::Delivered { sequence, at: at(0) }).collect::<Vec<_>>()
        )
    );
    assert!(state.due(6).is_some());
}

#[test]
fn a_delivery_s_id_is_its_own() {
    assert_eq!(delivery_id(AccountId(1), 1), delivery_id(AccountId(1), 1));
    assert_ne!(delivery_id(AccountId(1), 1), delivery_id(AccountId(1), 2));
    assert_ne!(delivery_id(AccountId(1), 1), delivery_id(AccountId(2), 1));
}

const GUARDED: Allowed = Allowed { private: false, ports: &[443, 8_443] };
const LIFTED: Allowed = Allowed { private: true, ports: &[443] };

#[test]
fn only_the_operator_s_ports_are_targets() {
    for port in [1, 22, 25, 80, 444, 6_379, 8_080, 8_444, 65_535] {
        assert_eq!(
            target::parse(&format!("https://hooks.acme.dev:{port}/"), GUARDED),
            Err(TargetError::Port),
            "{port}"
        );
        assert!(
            target::parse(&format!("https://hooks.acme.dev:{port}/"), LIFTED).is_ok(),
            "{port}"
        );
    }
    assert!(target::parse("https://hooks.acme.dev:443/", GUARDED).is_ok());
    assert_eq!(
        target::parse("https://hooks.acme.dev/", Allowed { private: false, ports: &[8_443] }),
        Err(TargetError::Port)
    );
}

#[test]
fn a_tunnel_to_a_private_address_is_private_behind_any_prefix() {
    for (prefix, flags) in [
        ("2606:4700:4700:1111", "0"),
        ("2a00:1450:4001:80b", "200"),
        ("2001:4860:4860:1", "100"),
        ("2606:4700::", "300"),
    ] {
        for (v4, public) in [
            ("10.0.0.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("192.168.1.1", false),
            ("8.8.8.8", true),
        ] {
            let prefix = prefix.trim_end_matches("::");
            let segments = prefix.split(':').count();
            let address = format!("{prefix}{}:{flags}:5efe:{v4}", ":0".repeat(4 - segments));
            assert_eq!(target::is_public(address.parse::<IpAddr>().unwrap()), public, "{address}");
        }
    }
    for address in [
        "fe80::5efe:8.8.8.8",
        "2002:808:808::1",
        "2002:a00:1::1",
        "2001:0:808:808::1",
        "64:ff9b::a00:1",
        "64:ff9b:1:808:8:808::",
    ] {
        assert!(!target::is_public(address.parse::<IpAddr>().unwrap()), "{address}");
    }
}

/// Every line is refused. Addresses in every notation a URL parser, an old C library or a resolver
/// takes.
const HOSTILE: &str = include_str!("hostile.txt");

#[test]
fn hostile_targets_are_refused() {
    let lines: Vec<&str> =
        HOSTILE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(lines.len() >= 200, "{}", lines.len());
    let passed: Vec<&&str> =
        lines.iter().filter(|line| target::parse(line, GUARDED).is_ok()).collect();
    assert!(passed.is_empty(), "{passed:#?}");
}

#[test]
fn public_https_targets_pass() {
    for url in [
        "https://hooks.acme.dev/in",
        "https://hooks.acme.dev:8443/in?a=b#c",
        "https://8.8.8.8/x",
        "https://[2606:4700:4700::1111]/",
        "https://xn--bcher-kva.de/",
        "https://192.169.0.1/",
        "https://172.32.0.1/",
        "https://100.128.0.1/",
        "https://11.0.0.1/",
        "https://localhost.acme.dev/",
        "https://hooks.acme.dev./in",
        "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.acme.dev/",
    ] {
        assert!(target::parse(url, GUARDED).is_ok(), "{url}");
    }
}

#[test]
fn development_may_lift_the_guard_but_not_the_form() {
    assert!(target::parse("http://127.0.0.1:9999/hook", LIFTED).is_ok());
    assert_eq!(target::parse("http://127.0.0.1:9999/hook", GUARDED), Err(TargetError::NotHttps));
    assert_eq!(target::parse("https://127.0.0.1/hook", GUARDED), Err(TargetError::NotPublic));
    assert_eq!(
        target::parse("https://user:secret@hooks.acme.dev/", LIFTED),
        Err(TargetError::Credentials)
    );
    for malformed in
        ["", "hooks.acme.dev", "https://", "https://hooks.acme.dev/ x", "https://hooks.acme.dev/\n"]
    {
        assert_eq!(target::parse(malformed, LIFTED), Err(TargetError::Malformed), "{malformed:?}");
    }
    for scheme in [
        "ftp://hooks.acme.dev/",
        "file:///etc/passwd",
        "gopher://hooks.acme.dev/",
        "javascript:alert(1)",
    ] {
        assert_eq!(target::parse(scheme, LIFTED), Err(TargetError::NotHttps), "{scheme}");
    }
}

#[test]
fn addresses_out_of_a_resolver_are_judged_as_they_are() {
    for address in [
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "2002:7f00:1::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::",
        "::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "5f00::1",
    ] {
        assert!(!target::is_public(address.parse::<IpAddr>().unwrap()), "{address}");
    }
    for address in ["64:ff9b::808:808", "2001:4860:4860::8888", "1.1.1.1"] {
        assert!(target::is_public(address.parse::<IpAddr>().unwrap()), "{address}");
    }
}
