//! What follows from what was found in a sentence: an order, or why it is none.

use events::country::Country;

use super::dictionary::{Kind, Meaning};
use super::fold::Word;
use super::reading::Reading;
use super::segment::{Span, is_english};
use super::{NotUnderstood, Reason, Understood, request};

/// Thanks and greetings: beside a platform's name alone they ask for nothing.
const SOCIAL: &str = "thanks thank thx ty cheers hello hi hey yo bye sorry ok okay yes good \
    gracias hola merci bonjour salut danke hallo obrigado \
    obrigada valeu ola oi grazie ciao спасибо привет дякую привіт dzieki dziekuje czesc hej tack \
    tak takk kiitos moi bedankt hoi diky \
    dekuji ahoj koszonom koszi szia multumesc mersi buna благодаря здравеи ευχαριστω γεια \
    tesekkurler sagol merhaba selam شكرا مرحبا \
    תודה שלום ممنون مرسي سلام धन्यवाद शुक्रिया नमस्ते ধন্যবাদ شكريه makasih terima halo hai \
    salamat kumusta hvala zdravo rahmat";
/// Verbs of a sentence that tells something of a platform and a country: `google is american`.
const COPULAS: &str = "is are be was were has es son esta est sont ist sind sont sono sao esta \
    jest sa ar er on oli olen je jsou su este sunt e ειναι это є \
    है हैं ہے ہیں هو هي است هست là adalah ay ni dir mu var edir";
/// Words beside the names of a number that nobody asks for in so many words: more of them tell
/// something.
const WORDS_BESIDE: usize = 4;
/// Words of forms, which say nothing.
const LABELS: &[&str] =
    &["service", "platform", "country", "region", "query", "app", "lang", "action", "location"];
/// What only programs and attackers write.
const MARKUP: &[&str] = &[
    "://", "www.", "</", "/>", "<script", "--", "tn_", "acc_", "ord_", "api_key", "apikey",
    "bearer ", "{{", "${", "$(", "; drop", "\\u00", "&&", "||", "=>", "/*",
];

impl Reading {
    /// What follows.
    pub fn decide(&self) -> Result<Understood, NotUnderstood> {
        if let Some(reason) = self.is_no_order() {
            return Err(self.refused(reason));
        }
        if self.platforms.is_empty() {
            let asks =
                request::asks(&self.spans) || self.has(Kind::Thing) || self.names_another_service;
            return Err(self.refused(if asks {
                Reason::UnsupportedPlatform
            } else {
                Reason::Ambiguous
            }));
        }
        if self.platforms.len() > 1 || self.names_another_service || self.countries.len() > 1 {
            return Err(self.refused(Reason::Ambiguous));
        }
        let country = match self.countries.first().map(|code| code.parse::<Country>()) {
            Some(Err(_)) => return Err(self.refused(Reason::UnsupportedCountry)),
            Some(Ok(country)) => Some(country),
            None => None,
        };
        if let Some(reason) = self.is_unclear() {
            return Err(self.refused(reason));
        }
        let platform = self.platforms.first().copied().expect("one platform is named");
        if request::is_errand(&self.text, &self.spans, platform, country.is_some()) {
            return Err(self.refused(Reason::Ambiguous));
        }
        Ok(Understood {
            platform,
            country: country.unwrap_or(Country::DEFAULT),
            country_named: country.is_some(),
        })
    }

    fn has(&self, kind: Kind) -> bool {
        self.spans.iter().any(|span| span.is(kind))
    }

    /// Signs that something else is wanted than a number. Money first: a sentence that ends an
    /// order may ask a question, too.
    fn is_no_order(&self) -> Option<Reason> {
        let lower = self.text.written.to_lowercase();
        if MARKUP.iter().any(|mark| lower.contains(mark)) {
            return Some(Reason::Ambiguous);
        }
        let is_asked = request::is_asked(&self.text, &self.spans)
            || self.text.written.contains(['?', '？', '؟', '՞', '\u{37e}']);
        let asks_for_money = self
            .text
            .written
            .contains(['$', '€', '£', '¥', '₽', '₹', '₺', '₩', '฿', '₴', '₫', '₱']);
        if self.has(Kind::Cancel) {
            Some(Reason::Cancel)
        } else if self.has(Kind::Price) || asks_for_money {
            Some(Reason::Price)
        } else if self.has(Kind::Status)
            || (self.has(Kind::Negated) && self.has(Kind::Past) && !request::asks(&self.spans))
        {
            // `I never got the code` asks where it is.
            Some(Reason::Status)
        } else if self.has(Kind::Negated) || request::is_excepted(&self.text, &self.spans) {
            Some(Reason::Negated)
        } else if self.has(Kind::Question) || (is_asked && !request::is_polite(&self.spans)) {
            Some(Reason::Question)
        } else if self.has(Kind::Past) {
            Some(Reason::Status)
        } else if self.has(Kind::Other)
            || self.has_other_digits
            || request::is_quoted(&self.text, &self.spans)
            || request::speaks_of_ones_own(&self.text, &self.spans)
            || request::logs_in(&self.text, &self.spans)
        {
            Some(Reason::Ambiguous)
        } else if self.has(Kind::Quantity) || self.quantity.is_some() {
            Some(Reason::Quantity)
        } else {
            None
        }
    }

    /// Whether too much of it is not understood.
    fn is_unclear(&self) -> Option<Reason> {
        let asks = request::asks(&self.spans);
        let has_thing = self.has(Kind::Thing);
        if self.unknown.is_empty() {
            let things = self.spans.iter().filter(|span| span.is(Kind::Thing)).count();
            let is_named = has_thing
                && self.fillers() <= WORDS_BESIDE + things
                && !request::speaks_of_one(&self.text, &self.spans);
            let is_enough = asks
                || is_named
                || (self.fillers() <= 2 && !self.is_social() && !self.says(COPULAS));
            return if is_enough { None } else { Some(Reason::Ambiguous) };
        }
        if self.countries.is_empty()
            && self.unknown.iter().any(|place| self.is_like_a_place(*place))
        {
            return Some(Reason::UnknownPlace);
        }
        let is_sure = asks
            && has_thing
            && !request::is_beside_unknown(&self.text, &self.spans, &self.unknown);
        if is_sure { None } else { Some(Reason::Ambiguous) }
    }

    fn fillers(&self) -> usize {
        let is_filler = |span: &&Span| {
            !span.meanings.iter().any(|meaning| !matches!(meaning, Meaning::Word(..)))
        };
        let is_label = |span: &&Span| LABELS.contains(&&*self.text.words[span.start].folded);
        let is_courtesy = |span: &&Span| {
            span.is(Kind::Please) || (span.is(Kind::BeforePlace) && !self.countries.is_empty())
        };
        self.spans
            .iter()
            .filter(is_filler)
            .filter(|span| !is_label(span) && !is_courtesy(span))
            .count()
    }

    /// Whether one of its words, names aside, is one of these.
    fn says(&self, words: &str) -> bool {
        let is_name = |place: usize| {
            self.spans.iter().any(|span| {
                (span.is_platform() || span.is_place()) && span.start <= place && place < span.end
            })
        };
        let is_said = |(place, word): (usize, &Word)| {
            !is_name(place) && words.split(' ').any(|known| known == word.folded)
        };
        self.text.words.iter().enumerate().any(is_said)
    }

    /// Whether it thanks or greets and asks for nothing: behind a place a thank-you is a courtesy.
    fn is_social(&self) -> bool {
        let ends_so = self
            .text
            .words
            .last()
            .is_some_and(|last| SOCIAL.split(' ').any(|known| known == last.folded));
        self.says(SOCIAL) && (self.countries.is_empty() || !ends_so)
    }

    /// Whether an unknown word may be a place's name: behind a word that stands before places,
    /// beside the number, or with a capital letter. Scripts without capitals show nothing.
    fn is_like_a_place(&self, place: usize) -> bool {
        let word = &self.text.words[place];
        let is_before_thing =
            self.spans.iter().any(|span| span.start == place + 1 && span.is(Kind::Thing));
        let has_case = word.lower != word.written.to_uppercase();
        // In English no adjective stands behind its noun.
        let is_behind_thing = !is_english(&self.spans)
            && self.spans.iter().any(|span| span.end == place && span.is(Kind::Thing));
        self.is_named_like_a_place(place) || is_before_thing || is_behind_thing || !has_case
    }

    fn refused(&self, reason: Reason) -> NotUnderstood {
        NotUnderstood {
            reason,
            platforms: self.platforms.iter().copied().collect(),
            countries: self.countries.iter().cloned().collect(),
            quantity: self.quantity,
        }
    }
}
