//! A `deliver_sm` as a message: its number, its text in whatever alphabet, and whether it is a part of a longer one. Pure.

use encoding_rs::{EUC_KR, Encoding, ISO_2022_JP, ISO_8859_5, ISO_8859_8, SHIFT_JIS};
use events::number::Alphabet;
use events::phone::Phone;
use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::TlvValue;
use sha2::{Digest, Sha256};

/// UDH elements: concatenation with an 8-bit and a 16-bit reference, single and locking shift to a national table.
const CONCATENATED: u8 = 0x00;
const CONCATENATED_16: u8 = 0x08;
const SINGLE_SHIFT: u8 = 0x24;
const LOCKING_SHIFT: u8 = 0x25;

/// What `data_coding` 0 means at this SMSC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DefaultAlphabet {
    /// The GSM alphabet, one septet a byte.
    #[default]
    Gsm,
    /// ISO 8859-1.
    Latin1,
    /// UTF-8.
    Utf8,
}

/// What a `deliver_sm` is.
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
}

/// Reads a `deliver_sm`.
pub fn read(sm: &DeliverSm, default: DefaultAlphabet) -> Result<Incoming, Unreadable> {
    let esm_class = u8::from(sm.esm_class);
    // Bits 5 to 2 are the kind of message: 0 is one, 1 is a receipt, others are notices of the network.
    if esm_class & 0x3c != 0 {
        return Ok(Incoming::Receipt);
    }
    let to = number(&sm.destination_addr.to_string())?;
    let from = sm.source_addr.to_string();
    let short = sm.short_message().as_ref().to_vec();
    let payload = sm.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::MessagePayload(payload)) => Some(payload.value.as_ref().to_vec()),
        _ => None,
    });
    // The payload stands in place of the short message where there is one.
    let body = payload.filter(|payload| !payload.is_empty()).unwrap_or(short);
    let has_header = esm_class & 0x40 != 0;
    let (header, bytes) = if has_header { split_header(&body) } else { (Header::default(), body.as_slice()) };
    let part = header.part.or_else(|| segment(sm));
    let coding = u8::from(sm.data_coding);
    let (alphabet, bytes) = alphabet(coding, bytes, header.locking, header.single, default);
    let id = fingerprint(&[to.as_str().as_bytes(), from.as_bytes(), &[coding], &body, reference(sm).as_bytes()]);
    Ok(Incoming::Text(Text { to, from, alphabet, bytes, part, id }))
}

/// A destination as SMSCs write it: with `+`, with `00`, or with neither.
fn number(written: &str) -> Result<Phone, Unreadable> {
    let digits = written.trim().trim_start_matches('+');
    let digits = if written.trim().starts_with('+') { digits } else { digits.strip_prefix("00").unwrap_or(digits) };
    format!("+{digits}").parse().map_err(|_| Unreadable::Destination)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Header {
    part: Option<PartOf>,
    locking: u8,
    single: u8,
}

/// Walks the header in front of a text. One that does not fit its message is none: the text is then all of it.
fn split_header(body: &[u8]) -> (Header, &[u8]) {
    let whole = (Header::default(), body);
    let Some((length, rest)) = body.split_first() else { return whole };
    let Some((mut elements, text)) = rest.split_at_checked(usize::from(*length)) else { return whole };
    let mut header = Header::default();
    while let [kind, length, tail @ ..] = elements {
        let Some((value, tail)) = tail.split_at_checked(usize::from(*length)) else { return whole };
        match (*kind, value) {
            (CONCATENATED, [reference, total, number]) => header.part = part(u32::from(*reference), *total, *number),
            (CONCATENATED_16, [high, low, total, number]) => {
                // Apart from the 8-bit ones of the same sender.
                header.part = part(0x1_0000 | u32::from(u16::from_be_bytes([*high, *low])), *total, *number);
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

/// The part that a message's own parameters make it.
fn segment(sm: &DeliverSm) -> Option<PartOf> {
    let (mut reference, mut total, mut number) = (None, None, None);
    for tlv in sm.tlvs() {
        match tlv.value() {
            Some(TlvValue::SarMsgRefNum(value)) => reference = Some(*value),
            Some(TlvValue::SarTotalSegments(value)) => total = Some(*value),
            Some(TlvValue::SarSegmentSeqnum(value)) => number = Some(*value),
            _ => {}
        }
    }
    part(0x2_0000 | u32::from(reference?), total?, number?)
}

fn reference(sm: &DeliverSm) -> String {
    let found = sm.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::UserMessageReference(reference)) => Some(format!("{reference:?}")),
        _ => None,
    });
    found.unwrap_or_default()
}

/// How a text is read. Alphabets that no part can be cut within are read at once.
fn alphabet(coding: u8, bytes: &[u8], locking: u8, single: u8, default: DefaultAlphabet) -> (Alphabet, Vec<u8>) {
    let gsm = (Alphabet::Gsm(locking, single), bytes.to_vec());
    let as_is = |alphabet| (alphabet, bytes.to_vec());
    let read = |encoding: &'static Encoding| {
        let (text, _) = encoding.decode_without_bom_handling(bytes);
        (Alphabet::Utf8, text.into_owned().into_bytes())
    };
    match coding {
        _ if locking != 0 || single != 0 => gsm,
        0 => match default {
            DefaultAlphabet::Gsm => gsm,
            DefaultAlphabet::Latin1 => as_is(Alphabet::Latin1),
            DefaultAlphabet::Utf8 => as_is(Alphabet::Utf8),
        },
        // IA5 has no letters there: whoever sends them means the GSM alphabet.
        1 if bytes.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t')) => gsm,
        2 | 4 if std::str::from_utf8(bytes).is_ok() => as_is(Alphabet::Utf8),
        5 | 9 => read(SHIFT_JIS),
        6 => read(ISO_8859_5),
        7 => read(ISO_8859_8),
        8 | 0xe0..=0xef => as_is(Alphabet::Utf16),
        10 | 13 => read(ISO_2022_JP),
        14 => read(EUC_KR),
        // GSM's own scheme: bits 3 and 2 are the alphabet, or bit 2 alone in the message class group.
        0xf0..=0xff if coding & 0x04 == 0 => gsm,
        0x10..=0x3f if coding & 0x0c == 0x08 => as_is(Alphabet::Utf16),
        0x10..=0x3f if coding & 0x0c == 0 => gsm,
        0xc0..=0xdf => gsm,
        // 1 to 4 among them.
        _ => as_is(Alphabet::Latin1),
    }
}

fn fingerprint(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().iter().take(12).fold(String::from("sm-"), |id, byte| id + &format!("{byte:02x}"))
}
