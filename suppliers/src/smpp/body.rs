//! The body of a `deliver_sm` or `data_sm`, as far as a message needs it: what is malformed and not
//! needed is passed over, and named. Pure.

use std::collections::BTreeSet;

/// Parameters that a message needs; the value of any other is passed over.
const USER_MESSAGE_REFERENCE: u16 = 0x0204;
const SAR_REFERENCE: u16 = 0x020c;
const SAR_TOTAL: u16 = 0x020e;
const SAR_NUMBER: u16 = 0x020f;
const PAYLOAD: u16 = 0x0424;
const RECEIPTED_MESSAGE_ID: u16 = 0x001e;
const MESSAGE_STATE: u16 = 0x0427;
const NEEDED: [u16; 7] = [
    USER_MESSAGE_REFERENCE,
    SAR_REFERENCE,
    SAR_TOTAL,
    SAR_NUMBER,
    PAYLOAD,
    RECEIPTED_MESSAGE_ID,
    MESSAGE_STATE,
];

/// What SMPP 3.4 allows a field to have, its end included.
const SERVICE_TYPE: usize = 6;
const ADDRESS: usize = 21;
/// The same of `data_sm`.
const LONG_ADDRESS: usize = 65;
const TIME: usize = 17;
/// Of a sender, what is worth keeping.
const MAX_SENDER: usize = 100;

/// What is wrong with a body and does not cost the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    /// A service type, an address or a time that is longer than SMPP allows, or a time that is
    /// shorter.
    Field,
    /// A sender with letters that no address has.
    Sender,
    /// `sm_length` says another length than the text has.
    TextLength,
    /// A text, and a payload that says something else.
    TwoTexts,
    /// A parameter whose value does not fit what it is, or ends beyond the PDU.
    Parameter,
    /// Bytes after the last parameter.
    Leftover,
}

impl Oddity {
    /// Its name in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Field => "field_length",
            Self::Sender => "sender_letters",
            Self::TextLength => "text_length",
            Self::TwoTexts => "two_texts",
            Self::Parameter => "parameter",
            Self::Leftover => "leftover",
        }
    }
}

/// What a message needs of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// Who sent it.
    pub sender: String,
    /// The number it was sent to, as it is written there.
    pub destination: Vec<u8>,
    /// What kind of message it is, and whether its text begins with a header.
    pub esm_class: u8,
    /// The alphabet.
    pub coding: u8,
    /// The text, and the header in front of it if it has one. `None` if it ends before it begins.
    pub text: Option<Vec<u8>>,
    /// `sar_msg_ref_num`, `sar_total_segments` and `sar_segment_seqnum`, if all are there.
    pub segment: Option<(u32, u8, u8)>,
    /// Whether it names a message that it is the receipt of, or that one's state.
    pub has_receipt: bool,
    /// `user_message_reference`.
    pub reference: Vec<u8>,
    /// What was passed over or mended.
    pub oddities: BTreeSet<Oddity>,
}

impl Body {
    /// Reads a `deliver_sm`.
    pub fn of_deliver_sm(bytes: &[u8]) -> Self {
        let mut body = Self::default();
        let mut fields = Fields(bytes);
        if body.addresses(&mut fields, ADDRESS).is_none() {
            return body;
        }
        let Some([esm_class, _, _]) = fields.bytes() else { return body };
        body.esm_class = esm_class;
        for _ in ["schedule_delivery_time", "validity_period"] {
            let Some(time) = fields.text() else { return body };
            body.note(Oddity::Field, !time.is_empty() && time.len() + 1 != TIME);
        }
        let Some([_, _, coding, _, length]) = fields.bytes() else { return body };
        body.coding = coding;
        body.short_message(usize::from(length), fields.0);
        body
    }

    /// Reads a `data_sm`, whose text is a parameter.
    pub fn of_data_sm(bytes: &[u8]) -> Self {
        let mut body = Self::default();
        let mut fields = Fields(bytes);
        if body.addresses(&mut fields, LONG_ADDRESS).is_none() {
            return body;
        }
        let Some([esm_class, _, coding]) = fields.bytes() else { return body };
        (body.esm_class, body.coding) = (esm_class, coding);
        body.parameters(fields.0);
        body
    }

    fn note(&mut self, oddity: Oddity, is_so: bool) {
        if is_so {
            self.oddities.insert(oddity);
        }
    }

    /// What both kinds begin with: service type, sender, destination.
    fn addresses(&mut self, fields: &mut Fields<'_>, longest: usize) -> Option<()> {
        let service_type = fields.text()?;
        self.note(Oddity::Field, service_type.len() >= SERVICE_TYPE);
        let [_, _] = fields.bytes()?;
        let sender = fields.text()?;
        self.note(Oddity::Field, sender.len() >= longest);
        self.note(Oddity::Sender, sender.iter().any(|byte| !matches!(byte, 0x20..=0x7e)));
        self.sender = readable(sender);
        let [_, _] = fields.bytes()?;
        let destination = fields.text()?;
        self.note(Oddity::Field, destination.len() >= longest);
        self.destination = destination.to_vec();
        Some(())
    }

    /// The text of `length` bytes at the beginning of `rest`, and the parameters behind it; a
    /// payload among them stands in place of the text.
    fn short_message(&mut self, length: usize, rest: &[u8]) {
        if length > rest.len() {
            self.oddities.insert(Oddity::TextLength);
            self.text = (!rest.is_empty()).then(|| rest.to_vec());
            return;
        }
        let (text, behind) = rest.split_at(length);
        let is_wide = matches!(self.coding, 8 | 0x18..=0x1b);
        let parameters = Parameters::of(behind);
        let is_text = behind.len() > 3
            && parameters.known.is_empty()
            && !parameters.is_whole
            && swallowed(behind, PAYLOAD).is_none();
        if is_text && (length == 0 || (is_wide && behind.len() == length)) {
            // `sm_length` counts letters of two bytes, or nothing: octets that are no TLV are text.
            self.oddities.insert(Oddity::TextLength);
            self.text = Some(rest.to_vec());
            return;
        }
        // No parameter begins with a letter: what does, and has parameters or nothing behind it, is
        // the end of a text that was counted too short.
        let letters =
            behind.iter().take_while(|byte| matches!(byte, b'\n' | b'\r' | b' '..=b'~')).count();
        let is_cut = !is_wide
            && letters > 0
            && !parameters.is_whole
            && Parameters::of(&behind[letters..]).is_whole;
        let (text, behind) = if is_cut { rest.split_at(length + letters) } else { (text, behind) };
        self.note(Oddity::TextLength, is_cut);
        self.text = Some(text.to_vec());
        self.parameters(behind);
    }

    /// The text beside a payload: SMPP has one of them, and neither may be lost where both are
    /// there and differ.
    fn with_payload(&self, payload: &[u8]) -> Option<Vec<u8>> {
        let text = self.text.as_deref().unwrap_or_default();
        let holds = |whole: &[u8], part: &[u8]| {
            part.is_empty() || whole.windows(part.len()).any(|window| window == part)
        };
        if holds(payload, text) {
            return None;
        }
        if holds(text, payload) {
            return Some(text.to_vec());
        }
        let space: &[u8] = if matches!(self.coding, 8 | 0x18..=0x1b) { b"\0 " } else { b" " };
        Some([text, space, payload].concat())
    }

    fn parameters(&mut self, bytes: &[u8]) {
        let parameters = Parameters::of(bytes);
        self.note(Oddity::Parameter, parameters.has_bad);
        self.note(Oddity::Leftover, parameters.has_leftover);
        let is_odd = parameters.has_bad || parameters.has_leftover;
        if is_odd
            && self.text.as_ref().is_none_or(Vec::is_empty)
            && parameters.find(PAYLOAD).is_none()
        {
            // A length before it is wrong, and has swallowed it.
            self.text = swallowed(bytes, PAYLOAD).map(<[u8]>::to_vec).or_else(|| self.text.take());
        }
        let value = |tag| parameters.find(tag);
        self.has_receipt = parameters
            .known
            .iter()
            .any(|(tag, _)| matches!(*tag, RECEIPTED_MESSAGE_ID | MESSAGE_STATE));
        if let Some(payload) = value(PAYLOAD) {
            let both = self.with_payload(payload);
            self.note(Oddity::TwoTexts, both.is_some());
            self.text = Some(both.unwrap_or_else(|| payload.to_vec()));
        } else if self.text.is_none() && parameters.known.iter().any(|(tag, _)| *tag == PAYLOAD) {
            // `message_payload` is there and empty: a text of no letters.
            self.text = Some(Vec::new());
        }
        self.reference = value(USER_MESSAGE_REFERENCE).unwrap_or_default().to_vec();
        let [reference, total, number] =
            [SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER].map(|tag| value(tag).map(whole_number));
        self.note(Oddity::Parameter, [reference, total, number].contains(&Some(None)));
        let byte =
            |value: Option<Option<u32>>| value.flatten().and_then(|value| u8::try_from(value).ok());
        self.segment = reference
            .flatten()
            .zip(byte(total))
            .zip(byte(number))
            .map(|((reference, total), number)| (reference, total, number));
    }
}

/// The fields before the text, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// A text up to its end, however long it is.
    fn text(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let (text, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        Some(text)
    }

    fn bytes<const COUNT: usize>(&mut self) -> Option<[u8; COUNT]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }
}

/// The parameters behind a text.
#[derive(Debug, Default)]
struct Parameters<'a> {
    /// The needed ones, as they come.
    known: Vec<(u16, &'a [u8])>,
    /// Whether they fill their place to its end.
    is_whole: bool,
    has_bad: bool,
    has_leftover: bool,
}

impl<'a> Parameters<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let mut parameters = Self::default();
        let mut rest = parameters.walk(bytes);
        while let [first, second, _, _, value @ ..] = rest {
            // The TLV ends beyond the PDU.
            parameters.has_bad = true;
            if u16::from_be_bytes([*first, *second]) == PAYLOAD && !value.is_empty() {
                parameters.known.push((PAYLOAD, value));
                return parameters;
            }
            let Some(next) = next_needed(value) else { return parameters };
            rest = parameters.walk(next);
        }
        parameters.has_leftover = !rest.is_empty();
        parameters.is_whole = rest.is_empty() && !parameters.has_bad;
        parameters
    }

    fn find(&self, tag: u16) -> Option<&'a [u8]> {
        self.known
            .iter()
            .find(|(known, value)| *known == tag && !value.is_empty())
            .map(|(_, value)| *value)
    }

    /// Walks as far as it goes; what it does not get past is left.
    fn walk(&mut self, mut bytes: &'a [u8]) -> &'a [u8] {
        while let Some((tag, value, rest)) = parameter(bytes) {
            if NEEDED.contains(&tag) {
                self.known.push((tag, value));
            }
            bytes = rest;
        }
        bytes
    }
}

fn parameter(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let [first, second, high, low, rest @ ..] = bytes else { return None };
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
    Some((u16::from_be_bytes([*first, *second]), value, rest))
}

/// Where a needed parameter begins that ends within `bytes`, behind one whose length is wrong.
fn next_needed(bytes: &[u8]) -> Option<&[u8]> {
    (0..bytes.len()).map(|at| &bytes[at..]).find(|rest| {
        parameter(rest).is_some_and(|(tag, value, _)| NEEDED.contains(&tag) && !value.is_empty())
    })
}

/// The value of a parameter that is somewhere in `bytes`.
fn swallowed(bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    let value = |at: usize| {
        parameter(&bytes[at..]).filter(|(tag, value, _)| *tag == wanted && !value.is_empty())
    };
    (0..bytes.len()).find_map(value).map(|(_, value, _)| value)
}

/// A number of one to four bytes, whatever SMPP says how many it should have.
fn whole_number(value: &[u8]) -> Option<u32> {
    (1..=4)
        .contains(&value.len())
        .then(|| value.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
}

/// A sender in whatever letters, without what no line may hold.
fn readable(sender: &[u8]) -> String {
    let text = std::str::from_utf8(sender)
        .map_or_else(|_| sender.iter().copied().map(char::from).collect(), str::to_owned);
    let mut kept: String =
        text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect();
    while kept.len() > MAX_SENDER {
        kept.pop();
    }
    kept
}

#[cfg(test)]
mod tests;
