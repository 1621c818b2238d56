//! Frames of sentences in 50 languages, each with every platform and every country in the
//! language's own forms: what orders them, and what never does.

use events::country::Country;
use events::platform::Platform;
use proptest::prelude::*;
use telenumerus_natural_language::{Reason, understand};

/// `language<TAB>order or none<TAB>form<TAB>frame`: `{p}` is a platform, `{c}` a country in that
/// form of the language.
const FRAMES: &str = include_str!("frames.txt");
/// `language<TAB>form<TAB>names`, in the order of [`COUNTRIES`].
const PLACES: &str = include_str!("places.txt");
/// `language<TAB>wanted<TAB>sentence`, each set's heading says how it was read at first.
const FRESH: &str = include_str!("fresh.txt");
const COUNTRIES: [&str; 24] = [
    "US", "RU", "UA", "GB", "DE", "FR", "IN", "ID", "PH", "BR", "CA", "NL", "PL", "ES", "IT", "SE",
    "MX", "AU", "KR", "JP", "CN", "TH", "VN", "MY",
];
/// Services whose names are words of every day: they need company, which a frame of another
/// language may not give.
const EVERYDAY: [Platform; 3] = [Platform::Line, Platform::Wise, Platform::Steam];

struct Frame {
    language: &'static str,
    orders: bool,
    text: &'static str,
    places: Vec<&'static str>,
}

impl Frame {
    fn with(&self, platform: &str, country: usize) -> String {
        let place = self.places[country];
        let article =
            if place.starts_with(['A', 'I', 'U']) && place != "Ukrainian" { "an" } else { "a" };
        self.text
            .replace("{p}", platform)
            .replace("{a:c}", &format!("{article} {place}"))
            .replace("{c}", place)
    }
}

fn lines<const N: usize>(file: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        line.splitn(N, '\t').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{line}"))
    })
}

fn frames() -> Vec<Frame> {
    let places_of = |language: &str, form: &str| {
        let [.., names] = lines::<3>(PLACES)
            .find(|[of, named, _]| *of == language && *named == form)
            .expect(language);
        let names: Vec<&str> = names.split('|').collect();
        assert_eq!(names.len(), COUNTRIES.len(), "{language}");
        names
    };
    let frames = lines::<4>(FRAMES);
    frames
        .map(|[language, kind, form, frame]| Frame {
            language,
            orders: kind == "order",
            text: frame,
            places: places_of(language, form),
        })
        .collect()
}

fn told(sentence: &str) -> String {
    match understand(sentence) {
        Ok(order) => format!(
            "{} {}",
            order.platform,
            if order.country_named { order.country.code() } else { "-" }
        ),
        Err(refused) => format!("!{}", refused.reason.name()),
    }
}

#[test]
fn every_frame_of_an_order_orders_in_every_country_of_its_language() {
    let (mut all, mut wrong) = (0, Vec::new());
    for frame in frames().iter().filter(|frame| frame.orders) {
        for (place, country) in COUNTRIES.iter().enumerate() {
            let platform = Platform::ALL[(all * 7) % Platform::ALL.len()];
            let platform = if EVERYDAY.contains(&platform) { Platform::Telegram } else { platform };
            let (sentence, wanted) =
                (frame.with(platform.name(), place), format!("{platform} {country}"));
            all += 1;
            if told(&sentence) != wanted {
                wrong.push(format!(
                    "{} {sentence}: wanted {wanted}, got {}",
                    frame.language,
                    told(&sentence)
                ));
            }
        }
    }
    assert!(all > 1_500, "{all}");
    assert!(wrong.len() * 100 <= all, "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_frame_of_a_question_a_denial_a_price_or_a_cancellation_orders() {
    let mut all = 0;
    for frame in frames().iter().filter(|frame| !frame.orders) {
        for place in 0..COUNTRIES.len() {
            // Every platform stands in every frame, with a third of the countries.
            for platform in Platform::ALL.iter().skip(place % 3).step_by(3) {
                let sentence = frame.with(platform.name(), place);
                all += 1;
                assert!(understand(&sentence).is_err(), "{} {sentence}", frame.language);
            }
        }
    }
    assert!(all > 20_000, "{all}");
}

#[test]
fn a_named_country_is_never_another_one() {
    for frame in frames().iter().filter(|frame| frame.orders) {
        for (place, country) in COUNTRIES.iter().enumerate() {
            if let Ok(order) = understand(&frame.with("Telegram", place)) {
                assert_eq!(order.country.code(), *country, "{}", frame.with("Telegram", place));
                assert!(order.country_named || order.country == Country::DEFAULT);
            }
        }
    }
}

#[test]
fn fresh_sentences_are_read_right_and_none_orders_what_nobody_wants() {
    let (mut all, mut wrong) = (0, Vec::new());
    for [language, wanted, sentence] in lines::<3>(FRESH) {
        all += 1;
        let told = told(sentence);
        // Refused it may be, but never taken for another order; unnamed the country is the US.
        let is_default = told.replace(" -", " US") == wanted;
        let is_safe = told.starts_with('!') || told == wanted || is_default;
        assert!(is_safe, "{language} {sentence}: wanted {wanted}, got {told}");
        if !wanted.starts_with('!') && told != wanted {
            wrong.push(format!("{language} {sentence}: wanted {wanted}, got {told}"));
        }
    }
    assert!(all >= 700, "{all}");
    assert!(wrong.len() * 100 <= all, "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_place_that_nobody_knows_is_no_slip_of_the_pen() {
    // "Koduvir" is two letters from words for "code" in Azerbaijani and Lithuanian.
    for sentence in [
        "get me a telegram number from Koduvir",
        "telegram number, Koduvir",
        "numero Kodasir per Telegram",
        "Koderir number for telegram",
    ] {
        assert!(understand(sentence).is_err(), "{sentence}");
    }
}

/// Names of places that are none, in words that nobody knows.
fn gondor() -> impl Strategy<Value = String> {
    "[BDFGKLMNPRSTVZ][aeiou][bdfgklmnprstvz]{1,2}[aeiou][bdfgklmnprstvz][aeiou]r"
}

proptest! {
    #[test]
    fn a_question_mark_turns_no_refusal_into_an_order(
        frame in 0_usize..1_000, country in 0..COUNTRIES.len(), platform in 0..Platform::ALL.len(),
        mark in prop::sample::select(vec!["?", " ?", "？", "؟", "??", "?!"]),
    ) {
        let frames = frames();
        let sentence = frames[frame % frames.len()].with(Platform::ALL[platform].name(), country);
        if understand(&sentence).is_err() {
            let asked = format!("{sentence}{mark}");
            prop_assert!(understand(&asked).is_err(), "{asked}");
        }
    }

    #[test]
    fn a_question_mark_turns_no_refused_text_into_an_order(
        text in "\\PC{0,80}", name in prop::sample::select(vec!["", "telegram ", "google number "]),
    ) {
        let text = format!("{name}{text}");
        if understand(&text).is_err() {
            prop_assert!(understand(&format!("{text}?")).is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_that_nobody_knows_is_never_the_default_country(
        place in gondor(), frame in prop::sample::select(vec![
        "get me a telegram number from {c}", "I need a number in {c} for Telegram",
        "telegram number, {c}", "necesito un número de {c} para Telegram",
        "ich brauche eine Nummer aus {c} für Telegram", "je veux un numéro de {c} pour Telegram",
        "numero {c} per Telegram", "{c} number for telegram",
        "please get a {c} number for telegram", "poproszę numer z {c} na Telegram",
        "jag vill ha ett nummer från {c} till Telegram",
        "preciso de um número de {c} para o Telegram", "Telegram için {c} numarası lazım",
        "saya butuh nomor {c} untuk Telegram",
    ])
    ) {
        let sentence = frame.replace("{c}", &place);
        if let Ok(order) = understand(&sentence) {
            prop_assert!(order.country_named, "{sentence}");
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let read = understand(&String::from_utf8_lossy(&bytes));
        prop_assert!(read.is_err() || !bytes.is_empty());
        prop_assert!(
            !matches!(
                read, Err(refused) if Reason::ALL.iter().all(|reason| *reason != refused.reason)
            )
        );
    }
}
