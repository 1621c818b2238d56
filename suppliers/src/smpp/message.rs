//! What a body says as a message: its number, its text in whatever alphabet, and whether it is a
//! part of a longer one. Pure.

use encoding_rs::{EUC_KR, ISO_2022_JP, ISO_8859_5, ISO_8859_8, SHIFT_JIS};
use events::number::Alphabet;
use events::phone::Phone;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::body::Body;
use actors::inbox::alphabet::{Certainty, Declared, Reading, reading};

/// UDH elements: concatenation with an 8-bit and a 16-bit reference, single and locking shift to a
/// national table.
const CONCATENATED: u8 = 0x00;
const CONCATENATED_16: u8 = 0x08;
const SINGLE_SHIFT: u8 = 0x24;
const LOCKING_SHIFT: u8 = 0x25;

/// What `data_coding` 0 means at this SMSC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefaultAlphabet {
    /// The GSM alphabet, one septet a byte.
    #[default]
    Gsm,
    /// ISO 8859-1.
    Latin1,
    /// UTF-8.
    Utf8,
    /// UTF-16.
    Ucs2,
}

/// What a PDU with a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A receipt of a message sent, or a notice of the network: acknowledged, and that is all.
    Receipt,
    /// A message, or a part of one.
    Text(Text),
}

/// A message or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The number it was sent to.
    pub to: Phone,
    /// Who sent it.
    pub from: String,
    /// How its bytes are read.
    pub alphabet: Alphabet,
    /// The bytes, without their header.
    pub bytes: Vec<u8>,
    /// Whether that is what they are said to be.
    pub certainty: Certainty,
    /// Which part of which message it is, if it is one.
    pub part: Option<PartOf>,
    /// SMSCs give messages no id: what it says is what it is known by.
    pub id: String,
}

/// Which part a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartOf {
    /// What the parts of one message have in common.
    pub reference: u32,
    /// How many there are.
    pub total: u8,
    /// Its number, from 1.
    pub number: u8,
}

/// The message cannot be taken; the SMSC is told so and does not send it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Its destination is no number.
    #[error("its destination is no number")]
    Destination,
    /// It ends before its text.
    #[error("it ends before its text")]
    Text,
}

/// What a body says.
pub fn read(body: &Body, default: DefaultAlphabet) -> Result<Incoming, Unreadable> {
    // Bits 5 to 2 are the kind of message: 0 is one, 1 is a receipt, others are notices of the
    // network. Some SMSCs set them on messages of people.
    if body.esm_class & 0x3c != 0 && is_receipt(body) {
        return Ok(Incoming::Receipt);
    }
    let to = number(&body.destination)?;
    let from = body.sender.clone();
    let text = body.text.as_deref().ok_or(Unreadable::Text)?;
    let has_header = body.esm_class & 0x40 != 0;
    let (header, bytes) = if has_header { split_header(text) } else { (Header::default(), text) };
    // Apart from the references of headers.
    let segment = || {
        body.segment.and_then(|(reference, total, number)| {
            part(0x2_0000 | (reference & 0xffff), total, number)
        })
    };
    let part = header.part.or_else(segment);
    let reading = text_of(body.coding, bytes, &header, default, part.is_some());
    let id = fingerprint(&[
        to.as_str().as_bytes(),
        from.as_bytes(),
        &[body.coding],
        text,
        &body.reference,
    ]);
    let Reading { alphabet, bytes, certainty } = reading;
    Ok(Incoming::Text(Text { to, from, alphabet, bytes, certainty, part, id }))
}

/// Whether what is marked as a receipt is one: it says so in parameters, or in the words that
/// SMPP's appendix B gives it, or says nothing.
fn is_receipt(body: &Body) -> bool {
    let text = String::from_utf8_lossy(body.text.as_deref().unwrap_or_default())
        .replace('\0', "")
        .to_ascii_lowercase();
    let says = |word: &str| text.contains(word);
    let has_words = says("stat:")
        || (says("id:")
            && ["sub:", "dlvrd:", "submit date:", "done date:", "err:"].into_iter().any(says));
    body.has_receipt || text.trim().is_empty() || has_words
}

/// A destination as SMSCs write it: with `+`, with `00`, or with neither.
fn number(written: &[u8]) -> Result<Phone, Unreadable> {
    let written = std::str::from_utf8(written).map_err(|_| Unreadable::Destination)?;
    let digits = written.trim().trim_start_matches('+');
    let digits = if written.trim().starts_with('+') {
        digits
    } else {
        digits.strip_prefix("00").unwrap_or(digits)
    };
    format!("+{digits}").parse().map_err(|_| Unreadable::Destination)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Header {
    part: Option<PartOf>,
    locking: u8,
    single: u8,
}

/// Walks the header in front of a text. One that does not fit its message is none: the text is then
/// all of it.
fn split_header(body: &[u8]) -> (Header, &[u8]) {
    let whole = (Header::default(), body);
    let Some((length, rest)) = body.split_first() else { return whole };
    let Some((mut elements, text)) = rest.split_at_checked(usize::from(*length)) else {
        return whole;
    };
    let mut header = Header::default();
    while let [kind, length, tail @ ..] = elements {
        let Some((value, tail)) = tail.split_at_checked(usize::from(*length)) else { return whole };
        match (*kind, value) {
            (CONCATENATED, [reference, total, number]) => {
                header.part = part(u32::from(*reference), *total, *number);
            }
            (CONCATENATED_16, [high, low, total, number]) => {
                // Apart from the 8-bit ones of the same sender.
                header.part =
                    part(0x1_0000 | u32::from(u16::from_be_bytes([*high, *low])), *total, *number);
            }
            (SINGLE_SHIFT, [language]) => header.single = *language,
            (LOCKING_SHIFT, [language]) => header.locking = *language,
            _ => {}
        }
        elements = tail;
    }
    (header, text)
}

/// A part, if it is one of several.
fn part(reference: u32, total: u8, number: u8) -> Option<PartOf> {
    (total > 1 && (1..=total).contains(&number)).then_some(PartOf { reference, total, number })
}

/// How a text is read.
fn text_of(
    coding: u8,
    bytes: &[u8],
    header: &Header,
    default: DefaultAlphabet,
    is_part: bool,
) -> Reading {
    if (header.locking, header.single) != (0, 0) {
        return reading(Declared::Gsm(header.locking, header.single), bytes, is_part);
    }
    if let Some(declared) = declared(coding, default) {
        return reading(declared, bytes, is_part);
    }
    // The standard has no such coding: the bind's default alphabet is as good a guess as any.
    let guessed = reading(of_default(default), bytes, is_part);
    let certainty = if guessed.certainty == Certainty::AsDeclared {
        Certainty::Undecided
    } else {
        guessed.certainty
    };
    Reading { certainty, ..guessed }
}

/// What a `data_coding` says; `None` for those that are reserved.
fn declared(coding: u8, default: DefaultAlphabet) -> Option<Declared> {
    let gsm = Declared::Gsm(0, 0);
    Some(match coding {
        0 => of_default(default),
        1 => Declared::Ascii,
        2 | 4 => Declared::Bytes,
        3 => Declared::Latin1,
        5 | 9 => Declared::Old(SHIFT_JIS),
        6 => Declared::Old(ISO_8859_5),
        7 => Declared::Old(ISO_8859_8),
        10 | 13 => Declared::Old(ISO_2022_JP),
        14 => Declared::Old(EUC_KR),
        // GSM's own scheme. Bit 5 is a compressed text, which networks do not send; bits 3 and 2
        // are the alphabet.
        0x10..=0x7f if coding & 0x20 != 0 => Declared::Bytes,
        0x10..=0x7f => match coding & 0x0c {
            0x00 => gsm,
            0x04 => Declared::Bytes,
            0x08 => Declared::Utf16,
            _ => return None,
        },
        // Waiting messages.
        0xc0..=0xdf => gsm,
        8 | 0xe0..=0xef => Declared::Utf16,
        // Message classes: bit 2 alone is the alphabet.
        0xf0..=0xff => {
            if coding & 0x04 == 0 {
                gsm
            } else {
                Declared::Bytes
            }
        }
        11 | 12 | 15 | 0x80..=0xbf => return None,
    })
}

/// What an SMSC's own alphabet says.
fn of_default(default: DefaultAlphabet) -> Declared {
    match default {
        DefaultAlphabet::Gsm => Declared::Gsm(0, 0),
        DefaultAlphabet::Latin1 => Declared::Latin1,
        DefaultAlphabet::Utf8 => Declared::Utf8,
        DefaultAlphabet::Ucs2 => Declared::Utf16,
    }
}

fn fingerprint(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    digest
        .finalize()
        .iter()
        .take(12)
        .fold(String::from("sm-"), |id, byte| id + &format!("{byte:02x}"))
}
