//! What a text's bytes are, where what is said of them may be wrong: seen by the bytes themselves,
//! and admitted where they leave it open. Pure.

use encoding_rs::{Encoding, WINDOWS_1252};
use events::number::Alphabet;

/// What is said of a text's bytes.
#[derive(Debug, Clone, Copy)]
pub enum Declared {
    /// The GSM alphabet with these national tables (0 is none), one septet a byte.
    Gsm(u8, u8),
    /// ASCII; some networks mean the GSM alphabet.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// UTF-8.
    Utf8,
    /// UTF-16, high bytes first.
    Utf16,
    /// An alphabet of old networks.
    Old(&'static Encoding),
    /// No text, or one that nothing is said of.
    Bytes,
}

/// How sure a reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// It is what it is said to be.
    AsDeclared,
    /// It is something else than what it is said to be, and the bytes show what.
    Detected,
    /// It cannot be what it is said to be, and the bytes leave open what it is. Read so that every
    /// byte can be had back where that is possible.
    Undecided,
}

/// A text's bytes and how they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// How they are read.
    pub alphabet: Alphabet,
    /// The bytes, without a byte order mark.
    pub bytes: Vec<u8>,
    /// How sure that is.
    pub certainty: Certainty,
}

/// Units without a sign of their own that are enough to tell one alphabet from another.
const ENOUGH_UNITS: usize = 8;

/// Reads `bytes`, of which `declared` is said; a part of a longer message may begin and end within
/// a letter.
pub fn reading(declared: Declared, bytes: &[u8], is_part: bool) -> Reading {
    let found =
        |alphabet, bytes: &[u8], certainty| Reading { alphabet, bytes: bytes.to_vec(), certainty };
    let as_declared = |alphabet| found(alphabet, bytes, Certainty::AsDeclared);
    if let Declared::Gsm(locking, single) = declared
        && (locking, single) != (0, 0)
    {
        return as_declared(Alphabet::Gsm(locking, single));
    }
    if let Some(marked) = marked(declared, bytes) {
        return marked;
    }
    if matches!(declared, Declared::Utf16) {
        return wide(bytes, is_part);
    }
    if let Some(order) =
        Order::of_narrow(bytes, matches!(declared, Declared::Gsm(..) | Declared::Ascii), is_part)
    {
        return found(Alphabet::Utf16, &order.big_endian(bytes), Certainty::Detected);
    }
    let utf8 = utf8(bytes, is_part);
    match (declared, utf8) {
        (Declared::Utf8, Some(_)) => return as_declared(Alphabet::Utf8),
        (_, Some(Utf8 { has_foreign: true })) | (Declared::Bytes, Some(_)) => {
            return found(Alphabet::Utf8, bytes, Certainty::Detected);
        }
        (_, Some(_) | None) => {}
    }
    match declared {
        Declared::Gsm(..) if bytes.is_ascii() => as_declared(Alphabet::Gsm(0, 0)),
        Declared::Ascii if bytes.is_ascii() && bytes.iter().copied().any(is_control) => {
            as_declared(Alphabet::Gsm(0, 0))
        }
        Declared::Old(encoding) => match encoding.decode_without_bom_handling(bytes) {
            (text, false) => found(Alphabet::Utf8, text.as_bytes(), Certainty::AsDeclared),
            // A letter may be cut in two.
            (text, true) if is_part => found(Alphabet::Utf8, text.as_bytes(), Certainty::Undecided),
            _ => western(bytes, Certainty::Undecided),
        },
        Declared::Ascii | Declared::Latin1 => western(bytes, Certainty::AsDeclared),
        Declared::Gsm(..) | Declared::Utf8 | Declared::Utf16 | Declared::Bytes => {
            western(bytes, Certainty::Undecided)
        }
    }
}

/// A text that begins with a byte order mark.
fn marked(declared: Declared, bytes: &[u8]) -> Option<Reading> {
    let (alphabet, bytes, usual) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] if std::str::from_utf8(rest).is_ok() => {
            (Alphabet::Utf8, rest.to_vec(), matches!(declared, Declared::Utf8))
        }
        [0xfe, 0xff, rest @ ..] => {
            (Alphabet::Utf16, rest.to_vec(), matches!(declared, Declared::Utf16))
        }
        [0xff, 0xfe, rest @ ..] => (Alphabet::Utf16, Order::Little.big_endian(rest), false),
        _ => return None,
    };
    Some(Reading {
        alphabet,
        bytes,
        certainty: if usual { Certainty::AsDeclared } else { Certainty::Detected },
    })
}

/// A text that should be UTF-16.
fn wide(bytes: &[u8], is_part: bool) -> Reading {
    let found = |alphabet, bytes: Vec<u8>, certainty| Reading { alphabet, bytes, certainty };
    let has_narrow_signs = units(bytes).any(is_rare)
        || bytes.len() >= 2 * ENOUGH_UNITS
        || !bytes.len().is_multiple_of(2);
    if utf8(bytes, is_part).is_some() && !bytes.is_empty() {
        // A few letters of Chinese can look like Latin ones.
        return if has_narrow_signs {
            found(Alphabet::Utf8, bytes.to_vec(), Certainty::Detected)
        } else {
            found(Alphabet::Utf16, bytes.to_vec(), Certainty::Undecided)
        };
    }
    if let [whole @ .., 0] = bytes
        && !bytes.len().is_multiple_of(2)
        && !is_part
    {
        return Reading { certainty: Certainty::Detected, ..wide(whole, false) };
    }
    let swapped = Order::Little.big_endian(bytes);
    let (here, there) = (ascii_units(bytes), ascii_units(&swapped));
    if here == 0 && there >= 2 && there * 3 >= bytes.len() / 2 && is_sound(&swapped, is_part) {
        return found(Alphabet::Utf16, swapped, Certainty::Detected);
    }
    let is_whole = is_part || bytes.len().is_multiple_of(2);
    if is_whole && is_sound(bytes, is_part) {
        return found(Alphabet::Utf16, bytes.to_vec(), Certainty::AsDeclared);
    }
    if here == 0 && is_mostly_latin(bytes) {
        western(bytes, Certainty::Undecided)
    } else {
        found(Alphabet::Utf16, bytes.to_vec(), Certainty::Undecided)
    }
}

/// One letter a byte, as the west of Europe has them; every byte can be had back.
fn western(bytes: &[u8], certainty: Certainty) -> Reading {
    if bytes.iter().any(|byte| (0x80..0xa0).contains(byte)) {
        // ISO 8859-1 has no letters there; what is sent under its name has these.
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
        let certainty =
            if certainty == Certainty::AsDeclared { Certainty::Detected } else { certainty };
        return Reading {
            alphabet: Alphabet::Utf8,
            bytes: text.into_owned().into_bytes(),
            certainty,
        };
    }
    Reading { alphabet: Alphabet::Latin1, bytes: bytes.to_vec(), certainty }
}

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Big,
    Little,
}

impl Order {
    /// The order of a text's units, if it is UTF-16 although one byte a letter is said.
    fn of_narrow(bytes: &[u8], is_gsm: bool, is_part: bool) -> Option<Self> {
        if bytes.len() < 4 || !(is_part || bytes.len().is_multiple_of(2)) {
            return None;
        }
        [Self::Big, Self::Little].into_iter().find(|order| {
            let wide = order.big_endian(bytes);
            is_sound(&wide, is_part)
                && if is_gsm && bytes.is_ascii() {
                    beats_septets(&wide)
                } else {
                    beats_bytes(&wide)
                }
        })
    }

    /// The bytes with the high one of each unit first.
    fn big_endian(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Big => bytes.to_vec(),
            Self::Little => bytes.chunks(2).flat_map(|pair| pair.iter().rev()).copied().collect(),
        }
    }
}

/// In the GSM alphabet every byte below 0x80 is a letter, and 0 is `@`: nobody writes one before
/// each third letter, or the same Greek capital or accent at nearly every second place, which is
/// what the letters of one script make. Different ones in a row are a text of such letters.
fn beats_septets(wide: &[u8]) -> bool {
    let count = wide.len() / 2;
    let ascii = ascii_units(wide);
    let mut scripts = [0; 0x20];
    for unit in units(wide).filter(|unit| (0x100..0x2000).contains(unit)) {
        scripts[usize::from(unit >> 8)] += 1;
    }
    let of_one_script = ascii + scripts.into_iter().max().unwrap_or(0);
    (ascii >= 2 && ascii * 3 >= count) || (count >= ENOUGH_UNITS && of_one_script * 10 >= count * 9)
}

/// Texts of one byte a letter have no 0 but at their end; without any, only letters of the far east
/// make such bytes. Neither looks like a Latin text.
fn beats_bytes(wide: &[u8]) -> bool {
    let far_eastern = |unit: u16| {
        matches!(
            unit,
            0x2010..=0x2027 | 0x3000..=0x30ff | 0x4e00..=0x9fff | 0xac00..=0xd7a3 | 0xff00..=0xffef
        )
    };
    let is_far_eastern =
        || wide.len() >= 6 && units(wide).all(far_eastern) && utf8(wide, false).is_none();
    !is_mostly_latin(wide) && (ascii_units(wide) >= 1 || is_far_eastern())
}

fn units(wide: &[u8]) -> impl Iterator<Item = u16> {
    wide.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}

fn ascii_units(wide: &[u8]) -> usize {
    units(wide).filter(|unit| matches!(unit, 0x20..=0x7e | 0x0a | 0x0d)).count()
}

/// Units that two Latin letters or digits make, and few texts have: symbols, and the rare Chinese
/// letters.
fn is_rare(unit: u16) -> bool {
    matches!(unit, 0x2030..=0x2fff | 0x3031..=0x3039 | 0x3130..=0x4dff)
}

/// Whether all surrogates have their other half, and nothing is there that no text has.
fn is_sound(wide: &[u8], is_part: bool) -> bool {
    let count = wide.len() / 2;
    let mut place = 0;
    char::decode_utf16(units(wide)).all(|unit| {
        let is_edge = place == 0 || place + 1 == count;
        place += unit.as_ref().map_or(1, |letter| letter.len_utf16());
        match unit {
            Ok(letter) => {
                !matches!(letter, '\u{fffe}' | '\u{ffff}' | '\u{e000}'..='\u{f8ff}')
                    && (!letter.is_control() || matches!(letter, '\n' | '\r' | '\t'))
            }
            Err(_) => is_part && is_edge,
        }
    })
}

fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t')
}

/// Whether two thirds of the bytes are printable ASCII.
fn is_mostly_latin(bytes: &[u8]) -> bool {
    bytes.iter().filter(|byte| matches!(byte, 0x20..=0x7e | b'\n' | b'\r')).count() * 3
        >= bytes.len() * 2
}

/// A text in UTF-8.
struct Utf8 {
    /// Whether it has letters of more than one byte, which hardly make sense as anything else.
    has_foreign: bool,
}

/// The text, if it is one in UTF-8.
fn utf8(bytes: &[u8], is_part: bool) -> Option<Utf8> {
    let cut = if is_part {
        bytes.iter().take(3).take_while(|byte| (0x80..0xc0).contains(*byte)).count()
    } else {
        0
    };
    let whole = &bytes[cut..];
    let text = match std::str::from_utf8(whole) {
        Ok(text) => text,
        Err(error) if is_part && error.error_len().is_none() => {
            std::str::from_utf8(&whole[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return None,
    };
    let is_text =
        text.chars().all(|letter| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t'));
    is_text.then(|| Utf8 { has_foreign: !text.is_ascii() })
}

#[cfg(test)]
mod tests;
