//! Sentences of people, in many languages: what each asks for, or why it is no order.

use events::country::Country;
use events::platform::Platform;

use super::{MAX_QUERY, NotUnderstood, understand};

/// `platform<TAB>country<TAB>sentence`, `-` for a country that is not named; `!<TAB>why<TAB>sentence` for what is no order.
const UTTERANCES: &str = include_str!("utterances.txt");

fn lines() -> Vec<(&'static str, &'static str, &'static str)> {
    let lines = UTTERANCES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.splitn(3, '\t');
            (parts.next().unwrap(), parts.next().unwrap_or_else(|| panic!("{line}")), parts.next().unwrap_or_else(|| panic!("{line}")))
        })
        .collect()
}

fn why(reason: &NotUnderstood) -> &'static str {
    match reason {
        NotUnderstood::NotAnOrder => "not_an_order",
        NotUnderstood::NoPlatform => "no_platform",
        NotUnderstood::SeveralPlatforms(_) => "several_platforms",
        NotUnderstood::UnsupportedCountry(_) => "unsupported_country",
        NotUnderstood::SeveralCountries(_) => "several_countries",
    }
}

#[test]
fn every_sentence_is_understood_exactly_or_refused_for_its_reason() {
    let mut wrong = Vec::new();
    for (first, second, sentence) in lines() {
        let understood = understand(sentence);
        let told = match &understood {
            Ok(order) => (order.platform.slug().to_owned(), if order.country_named { order.country.code() } else { "-" }),
            Err(reason) => ("!".to_owned(), why(reason)),
        };
        if (told.0.as_str(), told.1) != (first, second) {
            wrong.push(format!("{sentence}\n    wanted {first} {second}, got {} {} ({understood:?})", told.0, told.1));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), lines().len(), wrong.join("\n"));
}

#[test]
fn there_are_enough_sentences_and_enough_of_them_are_no_orders() {
    let negative = lines().iter().filter(|(first, ..)| *first == "!").count();
    assert!(lines().len() >= 300, "{}", lines().len());
    assert!(negative * 5 >= lines().len(), "{negative} of {}", lines().len());
}

#[test]
fn every_platform_is_understood_by_its_own_name_in_every_country_by_its_own() {
    for platform in Platform::ALL {
        for country in Country::ALL {
            for sentence in [
                format!("I need a {} number in {}", platform.name(), country.name()),
                format!("{} verification code for {}", platform.name(), country.code()),
                format!("get me a {} number, {}", platform.slug(), country.name().to_uppercase()),
            ] {
                let understood = understand(&sentence);
                assert_eq!(understood.as_ref().map(|order| (order.platform, order.country)), Ok((platform, country)), "{sentence}");
            }
        }
    }
}

#[test]
fn every_name_of_every_country_is_that_country_or_refused_and_never_another() {
    let mut refused = 0;
    for line in include_str!("countries.txt").lines().filter(|line| !line.starts_with('#')) {
        let (code, names) = line.split_once('\t').unwrap();
        for name in names.split('|') {
            match understand(&format!("google: {name}")) {
                Ok(order) => assert_eq!(order.country.code(), code, "{name}"),
                Err(NotUnderstood::SeveralCountries(_)) => refused += 1,
                Err(other) => panic!("{name}: {other:?}"),
            }
        }
    }
    assert!(refused < 10, "{refused}");
}

#[test]
fn no_name_of_another_country_becomes_a_supported_one() {
    for line in include_str!("others.txt").lines().filter(|line| !line.starts_with('#')) {
        let (code, names) = line.split_once('\t').unwrap();
        for name in names.split('|').filter(|name| !name.is_empty()) {
            let understood = understand(&format!("google: {name}"));
            assert!(understood.is_err(), "{code} {name}: {understood:?}");
        }
    }
}

#[test]
fn hostile_sentences_are_read_in_time_and_without_a_panic() {
    let long = "google ".repeat(200);
    let zalgo = "g\u{301}\u{302}".repeat(300);
    let flags = "\u{1f1e9}".repeat(333);
    for sentence in ["", " ", "\0", "+", "++++", "🇩", "🏴", "İİİİİ", "ﷺﷺ", &long, &zalgo, &flags, &"+4".repeat(400), &"ы".repeat(MAX_QUERY)]
    {
        let _ = understand(sentence);
    }
}
