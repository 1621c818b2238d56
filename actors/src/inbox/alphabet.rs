//! The alphabets of messages: bytes as networks carry them, as text. What cannot be read becomes
//! U+FFFD, never an error: a code may stand beside it.

mod guess;
mod national;

use std::fmt::Write;

use events::number::{Alphabet, Set};

pub use guess::{Certainty, Declared, Reading, reading};

/// The GSM alphabet (3GPP TS 23.038).
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The national table of Turkish in place of it.
const TURKISH: &str = "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ŞşßÉ !\"#¤%&'()*+,-./0123456789:;<=>?İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§çabcdefghijklmnopqrstuvwxyzäöñüà";
/// The national table of Portuguese in place of it.
const PORTUGUESE: &str = "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\u{1b}ÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà";
const ESCAPE: u8 = 0x1b;

/// What an escape makes of the septet after it, in every language.
const EXTENSION: &[(u8, char)] = &[
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];
/// And in these: by the numbers that 3GPP gives to languages.
const TURKISH_EXTENSION: &[(u8, char)] =
    &[(0x47, 'Ğ'), (0x49, 'İ'), (0x53, 'Ş'), (0x63, 'ç'), (0x67, 'ğ'), (0x69, 'ı'), (0x73, 'ş')];
const SPANISH_EXTENSION: &[(u8, char)] = &[
    (0x09, 'ç'),
    (0x41, 'Á'),
    (0x49, 'Í'),
    (0x4f, 'Ó'),
    (0x55, 'Ú'),
    (0x61, 'á'),
    (0x69, 'í'),
    (0x6f, 'ó'),
    (0x75, 'ú'),
];
const PORTUGUESE_EXTENSION: &[(u8, char)] = &[
    (0x05, 'ê'),
    (0x09, 'ç'),
    (0x0b, 'Ô'),
    (0x0c, 'ô'),
    (0x0e, 'Á'),
    (0x0f, 'á'),
    (0x12, 'Φ'),
    (0x13, 'Γ'),
    (0x15, 'Ω'),
    (0x16, 'Π'),
    (0x17, 'Ψ'),
    (0x18, 'Σ'),
    (0x19, 'Θ'),
    (0x1f, 'Ê'),
    (0x41, 'À'),
    (0x49, 'Í'),
    (0x4f, 'Ó'),
    (0x55, 'Ú'),
    (0x5b, 'Ã'),
    (0x5c, 'Õ'),
    (0x61, 'Â'),
    (0x69, 'í'),
    (0x6f, 'ó'),
    (0x75, 'ú'),
    (0x7b, 'ã'),
    (0x7c, 'õ'),
    (0x7f, 'â'),
];

/// The text of bytes in an alphabet.
pub fn decode(alphabet: Alphabet, bytes: &[u8]) -> String {
    match alphabet {
        Alphabet::Gsm(locking, single) => gsm(bytes, locking, single),
        Alphabet::Latin1 => bytes.iter().copied().map(char::from).collect(),
        Alphabet::Utf16 => {
            let units = bytes
                .chunks(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
            char::decode_utf16(units)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        Alphabet::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn gsm(bytes: &[u8], locking: u8, single: u8) -> String {
    let table = match locking {
        1 => TURKISH,
        3 => PORTUGUESE,
        _ => GSM,
    };
    let national = match single {
        1 => TURKISH_EXTENSION,
        2 => SPANISH_EXTENSION,
        3 => PORTUGUESE_EXTENSION,
        _ => &[],
    };
    let letters: Vec<char> = table.chars().collect();
    let (locking, single) = (national::language(locking), national::language(single));
    let letter = |septet: u8| {
        let letter = match locking {
            Some(language) => language.letter(septet),
            None => letters.get(usize::from(septet)).copied(),
        };
        letter.unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    let mut text = String::with_capacity(bytes.len());
    let mut septets = bytes.iter().copied();
    while let Some(septet) = septets.next() {
        if septet != ESCAPE {
            text.push(letter(septet));
            continue;
        }
        let Some(escaped) = septets.next() else { break };
        let extended = || {
            national
                .iter()
                .chain(EXTENSION)
                .find(|(known, _)| *known == escaped)
                .map(|(_, letter)| *letter)
        };
        let extended = single.and_then(|language| language.escaped(escaped)).or_else(extended);
        // An escape before what has no extension stands for nothing.
        text.push(extended.unwrap_or_else(|| letter(escaped)));
    }
    text
}

/// The text of a message in parts; what is missing is shown as `[…]`.
///
/// Neighbours in one alphabet are read together: a letter may be cut in two between them.
pub fn joined(set: &Set) -> String {
    let mut text = String::new();
    let mut number = 1u8;
    while number <= set.id.total && number != 0 {
        let Some(part) = set.parts.get(&number) else {
            let _ = write!(text, "[…]");
            number = number.wrapping_add(1);
            continue;
        };
        let (alphabet, mut bytes) = (part.alphabet, part.bytes.clone());
        number = number.wrapping_add(1);
        while let Some(next) = set.parts.get(&number).filter(|next| next.alphabet == alphabet) {
            bytes.extend_from_slice(&next.bytes);
            number = number.wrapping_add(1);
        }
        text.push_str(&decode(alphabet, &bytes));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use events::number::{Part, SetId};
    use events::time::Timestamp;

    use super::*;

    #[test]
    fn every_table_has_128_letters() {
        for table in [GSM, TURKISH, PORTUGUESE] {
            assert_eq!(table.chars().count(), 128);
        }
    }

    #[test]
    fn gsm_letters_escapes_and_national_tables() {
        let gsm = |bytes: &[u8], locking, single| decode(Alphabet::Gsm(locking, single), bytes);
        assert_eq!(gsm(b"Code 1234\x00\x1b\x65\x1b\x28\x11", 0, 0), "Code 1234@€{_");
        assert_eq!(gsm(&[0x1b, 0x73, 0x0b, 0x40], 1, 1), "şĞİ");
        assert_eq!(gsm(&[0x1b, 0x09, 0x1b, 0x61], 0, 2), "çá");
        assert_eq!(gsm(&[0x1b, 0x7b, 0x7c, 0x04], 3, 3), "ãõê");
        // Hindi, Tamil and Urdu: letters by a locking table, digits and capitals by a single one.
        assert_eq!(
            gsm(&[0x11, 0x54, 0x21, b' ', b'4', b'8', 0x1b, 0x1d, 0x1b, b'G', 0x1b, 0x65], 6, 6),
            "\u{911}\u{942}! 48\u{967}G€"
        );
        assert_eq!(
            (gsm(&[0x03, 0x1b, 0x1d], 11, 11), gsm(&[0x00, 0x1b, 0x28], 13, 13)),
            ("\u{b85}\u{be7}".to_owned(), "\u{627}{".to_owned())
        );
        assert_eq!(gsm(&[0x00], 7, 0), "\u{fffd}");
        // An unknown language reads as none; an escape at the end, one before nothing special, a
        // byte that is no septet.
        assert_eq!(gsm(&[b'a', 0x1b, b'b', 0xff, 0x1b], 99, 99), "ab\u{fffd}");
    }

    #[test]
    fn utf16_has_surrogates_and_survives_halves() {
        assert_eq!(decode(Alphabet::Utf16, &[0xd8, 0x3d, 0xdc, 0x4d, 0x04, 0x1a]), "👍К");
        assert_eq!(decode(Alphabet::Utf16, &[0xd8, 0x3d, 0x00]), "\u{fffd}\0");
    }

    fn set(total: u8, parts: &[(u8, Alphabet, &[u8])]) -> Set {
        let (supplier, sender, at): (events::supplier::SupplierName, _, _) =
            ("smpp".parse().unwrap(), "x".to_owned(), Timestamp::default());
        let part = |&(number, alphabet, bytes): &(u8, Alphabet, &[u8])| {
            let (supplier, sender, bytes) = (supplier.clone(), sender.clone(), bytes.to_vec());
            (
                number,
                Part {
                    supplier,
                    sender,
                    reference: 1,
                    number,
                    total,
                    alphabet,
                    bytes,
                    received_at: at,
                    at,
                },
            )
        };
        let parts: BTreeMap<u8, Part> = parts.iter().map(part).collect();
        Set {
            id: SetId { opened_at: at, supplier: supplier.clone(), sender, reference: 1, total },
            parts,
        }
    }

    #[test]
    fn letters_cut_in_two_between_parts_are_whole_again() {
        let emoji = set(
            2,
            &[(1, Alphabet::Utf16, &[0x00, 0x41, 0xd8, 0x3d]), (2, Alphabet::Utf16, &[0xdc, 0x4d])],
        );
        assert_eq!(joined(&emoji), "A👍");
        let euro = set(
            2,
            &[(1, Alphabet::Gsm(0, 0), &[b'a', ESCAPE]), (2, Alphabet::Gsm(0, 0), &[0x65, b'b'])],
        );
        assert_eq!(joined(&euro), "a€b");
        let mixed = set(2, &[(1, Alphabet::Gsm(0, 0), b"a"), (2, Alphabet::Utf16, &[0x04, 0x1a])]);
        assert_eq!(joined(&mixed), "aК");
    }

    #[test]
    fn what_is_missing_is_shown() {
        assert_eq!(
            joined(&set(4, &[(2, Alphabet::Utf8, b"b"), (4, Alphabet::Utf8, b"d")])),
            "[…]b[…]d"
        );
        assert_eq!(joined(&set(255, &[(255, Alphabet::Utf8, b"z")])), "[…]".repeat(254) + "z");
    }
}
