//! What is found in a sentence.

use std::collections::BTreeSet;

use events::platform::Platform;

use super::dictionary::{Dictionary, Kind, Meaning};
use super::fold::{Text, is_han, is_unspaced};
use super::segment::{Span, is_english, spans};
use super::{glued, iso, number, pairs, place, platform, spelling};

/// What is found in a sentence.
#[derive(Debug)]
pub struct Reading {
    pub(super) text: Text,
    pub(super) spans: Vec<Span>,
    pub(super) platforms: BTreeSet<Platform>,
    pub(super) countries: BTreeSet<String>,
    pub(super) names_another_service: bool,
    pub(super) quantity: Option<u32>,
    /// Digits that are no quantity, no dial code and no measure.
    pub(super) has_other_digits: bool,
    /// Words that are not known.
    pub(super) unknown: Vec<usize>,
}

impl Reading {
    /// Reads a sentence.
    pub fn of(query: &str) -> Self {
        let text = Text::of(query);
        let first = spans(&text, &vec![false; text.words.len()]);
        let is_name = |place: usize| {
            first.iter().any(|span| {
                span.start <= place
                    && place < span.end
                    && span.meanings.iter().any(|meaning| matches!(meaning, Meaning::Platform(_)))
            })
        };
        let is_named = |place: usize| {
            place > 0
                && (is_name(place - 1)
                    || first.iter().any(|span| span.end == place && span.is(Kind::Thing)))
        };
        let brands: Vec<(usize, Platform)> = platform::common(&text, is_english(&first), is_name)
            .into_iter()
            .filter(|(place, _)| !is_name(*place))
            .collect();
        // `EE. UU.` is one name, and no Estonia.
        let is_within_a_place = |place: usize| {
            first.iter().any(|span| {
                span.is_place()
                    && span.end > span.start + 1
                    && span.start <= place
                    && place < span.end
            })
        };
        let codes: Vec<(usize, String)> = place::codes(&text, is_named)
            .into_iter()
            .chain(iso::codes(&text))
            .filter(|(place, _)| !is_name(*place) && !is_within_a_place(*place))
            .collect();
        let mut taken = vec![false; text.words.len()];
        for place in
            brands.iter().map(|(place, _)| *place).chain(codes.iter().map(|(place, _)| *place))
        {
            taken[place] = true;
        }
        let spans = spans(&text, &taken);
        let mut reading = Self {
            platforms: brands.into_iter().map(|(_, platform)| platform).collect(),
            countries: codes.into_iter().map(|(_, code)| code).collect(),
            names_another_service: false,
            quantity: None,
            has_other_digits: false,
            unknown: Vec::new(),
            text,
            spans,
        };
        reading.correct_guesses();
        reading.take_names();
        reading.take_numbers(&mut taken);
        reading.take_the_rest(&taken);
        reading
    }

    /// A word that only begins like a city, and is a slip away from a country or from a word of the
    /// sentence's language, is that: `phillipines` is not in Philadelphia, nor `numbar` in Mumbai.
    fn correct_guesses(&mut self) {
        let dictionary = Dictionary::get();
        for index in 0..self.spans.len() {
            let span = &self.spans[index];
            let word = &self.text.words[span.start];
            let is_guess = span.end == span.start + 1
                && span.meanings.iter().all(|meaning| matches!(meaning, Meaning::Place(_)))
                && word.folded.is_ascii()
                && dictionary.phrase(&word.lower, &word.folded).is_empty();
            if !is_guess {
                continue;
            }
            let position = |code: &String| {
                let place = dictionary.countries.iter().position(|known| known == code);
                place.and_then(|place| u16::try_from(place).ok()).map(Meaning::Place)
            };
            let countries: Vec<Meaning> =
                place::misspelt(&word.folded).iter().filter_map(position).collect();
            let is_named = self.is_named_like_a_place(span.start);
            let meant =
                if is_named { Vec::new() } else { spelling::meant(&word.folded, &self.spans) };
            if !countries.is_empty() {
                self.spans[index].meanings = countries;
            } else if !meant.is_empty() {
                self.spans[index].meanings = meant;
            }
        }
    }

    /// Platforms, services and places that spans name.
    fn take_names(&mut self) {
        let countries = &Dictionary::get().countries;
        for span in &self.spans {
            let places: Vec<&String> = span
                .meanings
                .iter()
                .filter_map(|meaning| {
                    if let Meaning::Place(place) = meaning {
                        Some(&countries[usize::from(*place)])
                    } else {
                        None
                    }
                })
                .collect();
            for meaning in &span.meanings {
                match meaning {
                    Meaning::Platform(platform) => drop(self.platforms.insert(*platform)),
                    Meaning::Brand => self.names_another_service = true,
                    Meaning::Place(_) | Meaning::Word(..) => {}
                }
            }
            self.countries.extend(places.into_iter().cloned());
        }
        self.take_glued_places();
        self.countries.extend(place::flags(&self.text.written));
        self.countries.extend(place::dial_codes(&self.text.written));
    }

    /// Places behind a platform in one word: `whatsappfrance` is no `WhatsApp` with an ending.
    fn take_glued_places(&mut self) {
        let names: Vec<usize> = self
            .spans
            .iter()
            .filter(|span| span.is_platform() && span.end == span.start + 1)
            .map(|span| span.start)
            .collect();
        for place in names {
            let word = &self.text.words[place];
            let is_name = !Dictionary::get().phrase(&word.lower, &word.folded).is_empty();
            if let Some(pieces) = glued::pieces(&word.folded).filter(|_| !is_name) {
                self.take_pieces(place, pieces);
            }
        }
    }

    fn take_numbers(&mut self, taken: &mut [bool]) {
        let mut covering: Vec<Option<&Span>> = vec![None; self.text.words.len()];
        for span in &self.spans {
            covering[span.start..span.end].fill(Some(span));
        }
        let at = |place: usize| covering.get(place).copied().flatten();
        let is_thing =
            |place: usize| at(place).is_some_and(|span| span.is(Kind::Thing) || span.is_platform());
        let is_spoken = |place: usize| at(place).is_some_and(|span| !span.is_place());
        let follows_name =
            |place: usize| place > 0 && (is_thing(place - 1) || !is_spoken(place - 1));
        let says_many = self.spans.iter().any(|span| span.is(Kind::Quantity));
        let has_thing = self.spans.iter().any(|span| span.is(Kind::Thing));
        for (place, taken) in taken.iter_mut().enumerate() {
            let before = place.checked_sub(1).map(|before| &self.text.words[before]);
            let follows_plus = before
                .map_or(self.text.written.trim_start().starts_with('+'), |before| {
                    before.gap.contains('+')
                });
            let is_before_thing = (place + 1..place + 4).any(is_thing);
            match number::of(&self.text.words, place, follows_plus) {
                number::Number::None => continue,
                // A figure in a phrase that is known says no number: `need 2 verify`.
                _ if at(place).is_some_and(|span| span.end > span.start + 1) => {}
                _ if follows_name(place) && number::is_preposition(&self.text.words, place) => {}
                number::Number::Said => {}
                number::Number::Place(code) => drop(self.countries.insert(code)),
                number::Number::Count(count)
                    if number::is_dial_code(count)
                        && !says_many
                        && (has_thing || !is_before_thing) =>
                {
                    self.countries.extend(place::country_of_digits(&count.to_string()));
                }
                number::Number::Count(count) => self.quantity = self.quantity.max(Some(count)),
                number::Number::Other => self.has_other_digits = true,
            }
            *taken = true;
        }
    }

    /// Words that no span covers: names with endings, slips of the pen, or unknown.
    fn take_the_rest(&mut self, taken: &[bool]) {
        let mut free: Vec<bool> = taken.iter().map(|taken| !taken).collect();
        for span in &self.spans {
            free[span.start..span.end].fill(false);
        }
        self.take_pairs(&mut free);
        let knows_platform = !self.platforms.is_empty();
        for place in (0..free.len()).filter(|place| free[*place]) {
            let word = self.text.words[place].folded.clone();
            if word.chars().count() == 1 && !word.chars().all(is_unspaced) {
                continue;
            }
            if let Some(platform) = platform::misspelt(&word)
                .filter(|platform| !knows_platform || self.platforms.contains(platform))
            {
                self.platforms.insert(platform);
            } else if let Some(country) = place::ending(&word) {
                self.countries.insert(country);
            } else if let Some(pieces) = glued::pieces(&word) {
                self.take_pieces(place, pieces);
            } else {
                let countries = place::misspelt(&word);
                let meant = if countries.is_empty() { self.meant(place) } else { Vec::new() };
                if meant.is_empty() && countries.is_empty() {
                    self.unknown.push(place);
                } else if countries.is_empty() {
                    self.spans.push(Span { start: place, end: place + 1, meanings: meant });
                }
                self.countries.extend(countries);
            }
        }
        self.without_lone_letters();
    }

    /// Countries' names of two words, of which at least one is not known as it is written.
    fn take_pairs(&mut self, free: &mut [bool]) {
        for place in 1..free.len() {
            let (first, second) = (&self.text.words[place - 1], &self.text.words[place]);
            let is_cut = !first.gap.trim_matches([' ', '-']).is_empty();
            if is_cut || !(free[place - 1] || free[place]) {
                continue;
            }
            let countries = pairs::misspelt(&first.folded, &second.folded);
            if !countries.is_empty() {
                free[place - 1..=place].fill(false);
                self.countries.extend(countries.into_iter().map(str::to_owned));
            }
        }
    }

    /// What a misspelt word is probably meant as. One that may be a place's name asks for nothing
    /// (Genève is not `genere`), and one that is written as a name is no word for a number or a
    /// code, either: all that it may be taken for is what speaks against an order.
    fn meant(&self, place: usize) -> Vec<Meaning> {
        let mut meant = spelling::meant(&self.text.words[place].folded, &self.spans);
        let is_named_so = self.is_named_like_a_place(place);
        let is_capital = self.text.has_capital_within(place);
        meant.retain(|meaning| match meaning {
            Meaning::Word(_, kind) if is_capital => kind.is_against(),
            Meaning::Word(_, kind) if is_named_so => {
                !matches!(kind, Kind::Want | Kind::Give | Kind::Filler | Kind::BeforePlace)
            }
            Meaning::Word(..) | Meaning::Platform(_) | Meaning::Place(_) | Meaning::Brand => true,
        });
        meant
    }

    /// A word that is several: each stands in its place.
    fn take_pieces(&mut self, place: usize, pieces: Vec<Vec<Meaning>>) {
        let countries = &Dictionary::get().countries;
        for meanings in pieces {
            for meaning in &meanings {
                match meaning {
                    Meaning::Platform(platform) => drop(self.platforms.insert(*platform)),
                    Meaning::Place(country) => {
                        self.countries.insert(countries[usize::from(*country)].clone());
                    }
                    Meaning::Brand => self.names_another_service = true,
                    Meaning::Word(..) => {}
                }
            }
            self.spans.push(Span { start: place, end: place + 1, meanings });
        }
    }

    /// A single letter of a script without spaces between known words is an ending; a Han character
    /// is a word.
    fn without_lone_letters(&mut self) {
        let unknown = std::mem::take(&mut self.unknown);
        let is_lone = |place: usize| {
            let is_letter = self.text.words[place]
                .folded
                .chars()
                .all(|letter| is_unspaced(letter) && !is_han(letter));
            is_letter
                && !unknown.contains(&(place + 1))
                && !(place > 0 && unknown.contains(&(place - 1)))
        };
        self.unknown = unknown.iter().copied().filter(|place| !is_lone(*place)).collect();
    }

    /// Whether a word stands behind one that stands before places, or has a capital letter where no
    /// sentence begins.
    pub(super) fn is_named_like_a_place(&self, place: usize) -> bool {
        let is_behind =
            self.spans.iter().any(|span| span.end == place && span.is(Kind::BeforePlace));
        is_behind || self.text.has_capital_within(place)
    }

    /// Its words and what they are taken for.
    pub fn explain(&self) -> String {
        let languages = &Dictionary::get().languages;
        let told = |meaning: &Meaning| match meaning {
            Meaning::Word(language, kind) => {
                format!("{}:{kind:?}", languages[usize::from(*language)])
            }
            other => format!("{other:?}"),
        };
        let written = |start: usize, end: usize| {
            self.text.words[start..end]
                .iter()
                .map(|word| word.written.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let spans = self.spans.iter().map(|span| {
            format!(
                "{} = {}",
                written(span.start, span.end),
                span.meanings.iter().map(told).collect::<Vec<_>>().join(" ")
            )
        });
        let unknown =
            self.unknown.iter().map(|place| format!("{} = ?", written(*place, place + 1)));
        spans
            .chain(unknown)
            .chain([format!("{:?} {:?} {:?}", self.platforms, self.countries, self.quantity)])
            .collect::<Vec<_>>()
            .join("; ")
    }
}
