//! Texts under every name that networks give them, right and wrong.

use proptest::prelude::*;

use super::super::decode;
use super::*;

const ONE_BYTE: [Declared; 5] =
    [Declared::Gsm(0, 0), Declared::Ascii, Declared::Latin1, Declared::Utf8, Declared::Bytes];
const TEXTS: [&str; 8] = [
    "Your code is 482913",
    "Код подтверждения: 482913",
    "您的验证码是482913，请勿泄露",
    "인증번호 482913 을 입력하세요",
    "コードは482913です",
    "رمز التحقق 482913",
    "Ваш код 482913 👍",
    "482913",
];

fn utf16(text: &str, order: Order) -> Vec<u8> {
    order.big_endian(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>())
}

fn read(declared: Declared, bytes: &[u8]) -> (String, Certainty) {
    let reading = reading(declared, bytes, false);
    (decode(reading.alphabet, &reading.bytes), reading.certainty)
}

#[test]
fn utf16_is_seen_under_every_other_name_with_and_without_a_mark() {
    for (text, declared) in
        TEXTS.into_iter().flat_map(|text| ONE_BYTE.map(|declared| (text, declared)))
    {
        for order in [Order::Big, Order::Little] {
            let bytes = utf16(text, order);
            assert_eq!(
                read(declared, &bytes),
                (text.to_owned(), Certainty::Detected),
                "{declared:?} {order:?}"
            );
            let marked = utf16(&format!("\u{feff}{text}"), order);
            assert_eq!(
                read(declared, &marked),
                (text.to_owned(), Certainty::Detected),
                "{declared:?} {order:?}"
            );
        }
    }
}

#[test]
fn utf16_under_its_own_name_may_have_a_mark_the_other_order_or_an_end() {
    for text in TEXTS {
        assert_eq!(
            read(Declared::Utf16, &utf16(text, Order::Big)),
            (text.to_owned(), Certainty::AsDeclared)
        );
        assert_eq!(
            read(Declared::Utf16, &utf16(&format!("\u{feff}{text}"), Order::Big)),
            (text.to_owned(), Certainty::AsDeclared)
        );
        for other in [
            utf16(text, Order::Little),
            utf16(&format!("\u{feff}{text}"), Order::Little),
            [utf16(text, Order::Big), vec![0]].concat(),
        ] {
            assert_eq!(read(Declared::Utf16, &other), (text.to_owned(), Certainty::Detected));
        }
    }
}

#[test]
fn utf8_is_seen_under_every_other_name() {
    let all = ONE_BYTE.into_iter().chain([
        Declared::Utf16,
        Declared::Old(encoding_rs::SHIFT_JIS),
        Declared::Old(encoding_rs::ISO_8859_5),
    ]);
    for (declared, text) in all.flat_map(|declared| TEXTS.map(|text| (declared, text))) {
        assert_eq!(read(declared, text.as_bytes()).0, text, "{declared:?}");
        let marked = format!("\u{feff}{text}");
        assert_eq!(read(declared, marked.as_bytes()).0, text, "{declared:?}");
    }
}

#[test]
fn what_is_what_it_is_said_to_be_stays_so() {
    assert_eq!(
        read(Declared::Gsm(0, 0), b"Code 1 @ \x00 \x1b\x65"),
        ("Code 1 ¡ @ €".to_owned(), Certainty::AsDeclared)
    );
    assert_eq!(
        read(Declared::Gsm(0, 0), b"\x13\x14\x16\x18 \x13A\x10"),
        ("ΓΛΠΣ ΓAΔ".to_owned(), Certainty::AsDeclared)
    );
    // Every letter of the alphabet in a row, with a few words before them.
    let all: Vec<u8> = b"Google 482913: "
        .iter()
        .copied()
        .chain((0..0x80).filter(|septet| *septet != 0x1b))
        .chain([0x1b, 0x65])
        .collect();
    for declared in [Declared::Gsm(0, 0), Declared::Ascii] {
        assert_eq!(reading(declared, &all, false).alphabet, Alphabet::Gsm(0, 0));
    }
    assert_eq!(
        read(Declared::Latin1, b"caf\xe9 \xe0 la carte"),
        ("café à la carte".to_owned(), Certainty::AsDeclared)
    );
    assert_eq!(
        read(Declared::Latin1, b"\xe9\xe8\xe0\xfc"),
        ("éèàü".to_owned(), Certainty::AsDeclared)
    );
    for short in ["一", "您的", "验证码", "안녕", "Ж", "中文12"] {
        assert_eq!(
            read(Declared::Utf16, &utf16(short, Order::Big)),
            (short.to_owned(), Certainty::AsDeclared),
            "{short}"
        );
    }
    assert_eq!(
        read(Declared::Old(encoding_rs::SHIFT_JIS), b"\x83\x52\x81\x5b\x83\x68 1"),
        ("コード 1".to_owned(), Certainty::AsDeclared)
    );
}

#[test]
fn what_stays_open_is_said_and_keeps_every_byte() {
    let bytes = b"\xe9 \xc3 482913";
    for declared in [Declared::Gsm(0, 0), Declared::Utf8, Declared::Bytes] {
        let (text, certainty) = read(declared, bytes);
        assert_eq!(certainty, Certainty::Undecided, "{declared:?}");
        assert_eq!(
            text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect::<Vec<_>>(),
            bytes
        );
    }
    assert_eq!(
        read(Declared::Latin1, b"5 \x80 482913"),
        ("5 € 482913".to_owned(), Certainty::Detected)
    );
    assert_eq!(read(Declared::Utf16, b"nN").1, Certainty::Undecided);
}

#[test]
fn parts_may_begin_and_end_within_a_letter() {
    let text = "Код 482913 для входа";
    for cut in 1..text.len() {
        let (first, second) = text.as_bytes().split_at(cut);
        let halves = [first, second].map(|half| reading(Declared::Utf16, half, true));
        // The shorter half may leave it open; what is read is read as one.
        if halves.iter().all(|half| half.certainty == Certainty::Detected) {
            assert!(halves.iter().all(|half| half.alphabet == Alphabet::Utf8), "{cut}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_and_ascii_is_never_lost(
        bytes in prop::collection::vec(any::<u8>(), 0..200), is_part in any::<bool>(),
    ) {
        let others = [Declared::Utf16, Declared::Gsm(1, 3), Declared::Old(encoding_rs::EUC_KR)];
        for declared in ONE_BYTE.into_iter().chain(others) {
            let reading = reading(declared, &bytes, is_part);
            decode(reading.alphabet, &reading.bytes);
        }
    }

    #[test]
    fn rare_letters_of_the_gsm_alphabet_are_left_alone(
        septets in prop::collection::vec(1u8..0x80, 0..160)
    ) {
        // Some networks call it ASCII.
        for declared in [Declared::Gsm(0, 0), Declared::Ascii] {
            let reading = reading(declared, &septets, false);
            prop_assert!(
                matches!(reading.alphabet, Alphabet::Gsm(0, 0) | Alphabet::Latin1), "{:?}",
                reading.alphabet
            );
            prop_assert_eq!(reading.certainty, Certainty::AsDeclared);
        }
    }

    #[test]
    fn texts_of_the_gsm_alphabet_are_left_alone(text in "[ -#%-?A-Za-z\n]{0,160}") {
        let reading = reading(Declared::Gsm(0, 0), text.as_bytes(), false);
        prop_assert_eq!(
            (reading.alphabet, reading.certainty), (Alphabet::Gsm(0, 0), Certainty::AsDeclared)
        );
    }
}
