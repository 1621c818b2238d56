//! Sentences of people, in many languages: what each asks for, or why it is no order.

use events::country::Country;
use events::platform::Platform;
use proptest::prelude::*;
use telenumerus_natural_language::{MAX_QUERY, Reason, understand};

/// `platform<TAB>country<TAB>sentence`, `-` for a country that is not named;
/// `!<TAB>reason<TAB>sentence` for what is no order, with `?` where several reasons are right.
const UTTERANCES: &str = include_str!("utterances.txt");
/// `language<TAB>wanted<TAB>sentence`: written before the word lists were, and not looked at while
/// they were made.
const HELD_OUT: &str = include_str!("held_out.txt");

fn lines(file: &'static str) -> Vec<[&'static str; 3]> {
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            line.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{line}"))
        })
        .collect()
}

fn told(sentence: &str) -> (String, &'static str) {
    match understand(sentence) {
        Ok(order) => (
            order.platform.slug().to_owned(),
            if order.country_named { order.country.code() } else { "-" },
        ),
        Err(refused) => ("!".to_owned(), refused.reason.name()),
    }
}

#[test]
fn every_sentence_is_understood_exactly_or_refused_for_its_reason() {
    let mut wrong = Vec::new();
    for [first, second, sentence] in lines(UTTERANCES) {
        let told = told(sentence);
        if (told.0.as_str(), told.1) != (first, second) && (told.0.as_str(), "?") != (first, second)
        {
            wrong.push(format!(
                "{sentence}\n    wanted {first} {second}, got {} {}",
                told.0, told.1
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        lines(UTTERANCES).len(),
        wrong.join("\n")
    );
}

#[test]
fn there_are_enough_sentences_and_many_of_them_are_no_orders() {
    let all: Vec<&str> = lines(UTTERANCES)
        .iter()
        .map(|[first, ..]| *first)
        .chain(lines(HELD_OUT).iter().map(|[_, wanted, _]| *wanted))
        .collect();
    let negative = all.iter().filter(|wanted| wanted.starts_with('!')).count();
    assert!(all.len() >= 600, "{}", all.len());
    assert!(negative * 5 >= all.len() * 2, "{negative} of {}", all.len());
    for reason in Reason::ALL {
        assert!(
            lines(UTTERANCES).iter().any(|[_, second, _]| *second == reason.name()),
            "{} has no sentence",
            reason.name()
        );
    }
}

#[test]
fn sentences_that_were_held_out_are_nearly_all_right_and_none_orders_what_nobody_wants() {
    let (mut wrong, mut unwanted) = (Vec::new(), Vec::new());
    for [_, wanted, sentence] in lines(HELD_OUT) {
        let told = told(sentence);
        let is_right = if wanted.starts_with('!') {
            told.0 == "!"
        } else {
            format!("{} {}", told.0, told.1) == wanted
        };
        if !is_right {
            let line = format!("{sentence}: wanted {wanted}, got {} {}", told.0, told.1);
            if told.0 != "!" {
                unwanted.push(line.clone());
            }
            wrong.push(line);
        }
    }
    assert!(unwanted.is_empty(), "{}", unwanted.join("\n"));
    assert!(
        wrong.len() * 100 <= lines(HELD_OUT).len() * 5,
        "{} of {}:\n{}",
        wrong.len(),
        lines(HELD_OUT).len(),
        wrong.join("\n")
    );
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
                assert_eq!(
                    understood.as_ref().map(|order| (order.platform, order.country)),
                    Ok((platform, country)),
                    "{sentence}"
                );
            }
        }
    }
}

#[test]
fn every_name_of_every_platform_is_that_platform_or_refused_and_never_another() {
    let mut refused = Vec::new();
    for line in include_str!("../data/platforms.txt").lines().filter(|line| !line.starts_with('#'))
    {
        let (slug, names) = line.split_once('\t').unwrap();
        for name in names.split('|') {
            match understand(&format!("{name} number")) {
                Ok(order) => assert_eq!(order.platform.slug(), slug, "{name}"),
                Err(_) => refused.push(name),
            }
        }
    }
    assert!(refused.len() < 20, "{refused:?}");
}

#[test]
fn every_name_of_every_country_is_that_country_or_refused_and_never_another() {
    let mut refused = Vec::new();
    for line in include_str!("../data/countries.txt").lines().filter(|line| !line.starts_with('#'))
    {
        let (code, names) = line.split_once('\t').unwrap();
        for name in names.split('|') {
            match understand(&format!("google number: {name}")) {
                Ok(order) => assert_eq!(order.country.code(), code, "{name}"),
                Err(_) => refused.push(name),
            }
        }
    }
    assert!(refused.len() < 40, "{}: {refused:?}", refused.len());
}

#[test]
fn no_name_of_another_country_becomes_a_supported_one() {
    for line in include_str!("../data/others.txt").lines().filter(|line| !line.starts_with('#')) {
        let (code, names) = line.split_once('\t').unwrap();
        for name in names.split('|').filter(|name| !name.is_empty()) {
            let understood = understand(&format!("google number: {name}"));
            assert!(understood.is_err(), "{code} {name}: {understood:?}");
        }
    }
}

#[test]
fn cities_are_their_countries_or_refused_and_hardly_ever_the_default() {
    let (mut all, mut defaulted, mut strange) = (0, Vec::new(), Vec::new());
    for line in include_str!("../data/cities.txt").lines().filter(|line| !line.starts_with('#')) {
        let (code, names) = line.split_once('\t').unwrap();
        for name in names.split('|').filter(|name| !name.ends_with('*')).step_by(7) {
            all += 1;
            match understand(&format!("get a google number from {name}")) {
                Ok(order) if !order.country_named => defaulted.push(name),
                Ok(order) if order.country.code() != code => {
                    strange.push((name, code, order.country));
                }
                _ => {}
            }
        }
    }
    // A few are words of other languages, too, or other countries' by their commoner name.
    assert!(defaulted.len() * 1_000 <= all, "{} of {all}: {defaulted:?}", defaulted.len());
    assert!(strange.len() * 200 <= all, "{} of {all}: {strange:?}", strange.len());
}

#[test]
fn hostile_sentences_are_read_in_time_and_without_a_panic() {
    let long = "google ".repeat(200);
    let zalgo = "g\u{301}\u{302}".repeat(300);
    let flags = "\u{1f1e9}".repeat(333);
    for sentence in [
        "",
        " ",
        "\0",
        "+",
        "++++",
        "00",
        "🇩",
        "🏴",
        "İİİİİ",
        "ﷺﷺ",
        &long,
        &zalgo,
        &flags,
        &"+4".repeat(400),
        &"ы".repeat(MAX_QUERY),
    ] {
        assert!(understand(sentence).is_err() || sentence.starts_with("google"), "{sentence}");
    }
}

/// What makes an order of a sentence none, in front of it or behind it.
const SPOILERS: &[(&str, &str)] = &[
    ("", "?"),
    ("how much is ", ""),
    ("cancel: ", ""),
    ("where is ", ""),
    ("don't ", ""),
    ("5 x ", ""),
    ("", ", but not from India"),
    ("", " is how much"),
    ("отмени ", ""),
    ("сколько стоит ", ""),
    ("wie viel kostet ", ""),
    ("no quiero ", ""),
    ("annule ", ""),
    ("", "はいくらですか"),
    ("取消", ""),
    ("", " 취소"),
    ("الغاء ", ""),
    ("", " iptal"),
    ("batalkan ", ""),
    ("huỷ ", ""),
];

/// What is asked for politely, and may end in a question mark.
const POLITE: [&str; 7] = ["can ", "could ", "kannst", "puedes", "would ", "ขอ", "me arruma"];

#[test]
fn an_order_that_is_spoilt_is_none() {
    let orders: Vec<[&str; 3]> =
        lines(UTTERANCES).into_iter().filter(|[first, ..]| *first != "!").collect();
    let mut taken = Vec::new();
    for ([.., sentence], (before, after)) in
        orders.iter().flat_map(|order| SPOILERS.iter().map(move |spoiler| (order, spoiler)))
    {
        if *after == "?" && POLITE.iter().any(|word| sentence.to_lowercase().contains(word)) {
            continue;
        }
        let spoilt = format!("{before}{}{after}", sentence.trim_end_matches(['.', '!', '?']));
        if let Ok(order) = understand(&spoilt) {
            taken.push(format!("{spoilt}: {order:?}"));
        }
    }
    assert!(taken.is_empty(), "{} of these ordered:\n{}", taken.len(), taken.join("\n"));
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}") {
        let _ = understand(&text);
    }

    #[test]
    fn letter_case_and_blanks_change_no_order(place in 0_usize..10_000) {
        let orders: Vec<[&str; 3]> =
            lines(UTTERANCES).into_iter().filter(|[first, ..]| *first != "!").collect();
        let [platform, _, sentence] = orders[place % orders.len()];
        if let Ok(order) = understand(&format!("  {}  ", sentence.to_lowercase())) {
            prop_assert_eq!(order.platform.slug(), platform, "{}", sentence);
        }
    }
}
