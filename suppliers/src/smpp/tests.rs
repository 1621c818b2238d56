//! Messages as SMSCs write them: every coding, both ways of cutting, and what breaks the rules.

use events::number::Alphabet;
use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::MessageDeliveryRequestTlvValue as Tlv;
use rusmpp::types::{AnyOctetString, COctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessagePayload};

use rusmpp::{CommandStatus, Pdu};

use super::body::{Body, Oddity};
use super::frame::encode;
use super::message::{DefaultAlphabet, Incoming, PartOf, Text, Unreadable, read};
use actors::inbox::alphabet::{Certainty, decode};

fn sm(esm_class: u8, coding: u8, text: &[u8], tlvs: Vec<Tlv>) -> DeliverSm {
    let address = |text: &[u8]| COctetString::from_vec([text, &[0]].concat()).unwrap();
    let mut sm = DeliverSm::builder()
        .source_addr(address(b"Google"))
        .destination_addr(address(b"12025550123"))
        .esm_class(EsmClass::from(esm_class))
        .data_coding(DataCoding::from(coding))
        .short_message(OctetString::from_vec(text.to_vec()).unwrap())
        .build();
    sm.set_tlvs(tlvs);
    sm
}

/// As it goes over the wire, written by the library.
fn body(sm: &DeliverSm) -> Body {
    let bytes = encode(CommandStatus::EsmeRok, 1, Pdu::DeliverSm(sm.clone()));
    let body = Body::of_deliver_sm(&bytes[16..]);
    assert!(body.oddities.is_empty(), "{body:?}");
    body
}

fn incoming(sm: &DeliverSm, default: DefaultAlphabet) -> Result<Incoming, Unreadable> {
    read(&body(sm), default)
}

fn text(sm: &DeliverSm) -> Text {
    match incoming(sm, DefaultAlphabet::Gsm) {
        Ok(Incoming::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn said(coding: u8, bytes: &[u8]) -> String {
    let text = text(&sm(0, coding, bytes, vec![]));
    decode(text.alphabet, &text.bytes)
}

#[test]
fn every_coding_is_read() {
    assert_eq!(said(0, b"Code 1\x1b\x65\x00"), "Code 1€@");
    assert_eq!(said(1, b"Code 123456 [ok] a@b"), "Code 123456 [ok] a@b");
    // What cannot be IA5 is the GSM alphabet, as some SMSCs send it under this number.
    assert_eq!(said(1, b"\x1b\x65 1"), "€ 1");
    assert_eq!(said(3, b"caf\xe9 123"), "café 123");
    assert_eq!(said(4, "код 1".as_bytes()), "код 1");
    assert_eq!(said(5, b"\x83\x52\x81\x5b\x83\x68 1"), "コード 1");
    assert_eq!(said(6, b"\xba\xde\xd4 1"), "Код 1");
    assert_eq!(said(7, b"\xf7\xe5\xe3 1"), "קוד 1");
    assert_eq!(said(8, b"\x04\x1a\xd8\x3d\xdc\x4d"), "К👍");
    assert_eq!(said(10, b"\x1b$B%3!<%I\x1b(B 1"), "コード 1");
    assert_eq!(said(14, b"\xc4\xda\xb5\xe5 1"), "코드 1");
    assert_eq!(said(0xf0, b"\x1b\x65"), "€");
    assert_eq!(said(0x18, b"\x04\x1a"), "К");
    assert_eq!(said(0x10, b"\x1b\x65"), "€");
    for coding in 0..=255 {
        said(coding, b"\xff\x1b\x00\x80 123456");
    }
}

#[test]
fn gsm_s_own_scheme_is_read_in_all_its_groups() {
    for group in [0x10, 0x40, 0x50] {
        assert_eq!(
            (
                said(group, b"\x1b\x65 1"),
                said(group | 0x08, b"\x04\x1a\x00\x31"),
                said(group | 0x04, b"code 1")
            ),
            ("€ 1".to_owned(), "К1".to_owned(), "code 1".to_owned())
        );
        assert_eq!(said(group | 0x09, b"\x04\x1a\x00\x31"), "К1");
    }
}

#[test]
fn what_a_text_is_said_to_be_is_not_believed_against_its_bytes() {
    let said_so = |coding: u8, bytes: &[u8], default| match incoming(
        &sm(0, coding, bytes, vec![]),
        default,
    ) {
        Ok(Incoming::Text(text)) => (decode(text.alphabet, &text.bytes), text.certainty),
        other => panic!("{other:?}"),
    };
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let detected = |text: &str| (text.to_owned(), Certainty::Detected);
    for default in [DefaultAlphabet::Gsm, DefaultAlphabet::Latin1, DefaultAlphabet::Utf8] {
        assert_eq!(said_so(0, &wide("Код 482913"), default), detected("Код 482913"));
        assert_eq!(said_so(0, &wide("\u{feff}482913"), default), detected("482913"));
    }
    assert_eq!(said_so(0, "Код 482913".as_bytes(), DefaultAlphabet::Gsm), detected("Код 482913"));
    assert_eq!(said_so(8, "Код 482913".as_bytes(), DefaultAlphabet::Gsm), detected("Код 482913"));
    assert_eq!(said_so(8, b"482913", DefaultAlphabet::Gsm), detected("482913"));
    let ucs2 = said_so(0, &wide("您的验证码"), DefaultAlphabet::Ucs2);
    assert_eq!(ucs2, ("您的验证码".to_owned(), Certainty::AsDeclared));
    assert_eq!(
        said_so(0, b"Your code is 482913", DefaultAlphabet::Ucs2),
        detected("Your code is 482913")
    );
    assert_eq!(
        said_so(0, b"\xe9 482913", DefaultAlphabet::Gsm),
        ("é 482913".to_owned(), Certainty::Undecided)
    );
    assert_eq!(
        said_so(0x8f, b"482913", DefaultAlphabet::Gsm),
        ("482913".to_owned(), Certainty::Undecided)
    );
}

#[test]
fn what_coding_0_means_is_the_operator_s_to_say() {
    let sm = sm(0, 0, b"\xe9 1", vec![]);
    let Ok(Incoming::Text(text)) = incoming(&sm, DefaultAlphabet::Latin1) else {
        panic!("no text")
    };
    assert_eq!(decode(text.alphabet, &text.bytes), "é 1");
}

#[test]
fn parts_are_known_by_their_header_or_their_parameters() {
    let part = |reference, total, number| Some(PartOf { reference, total, number });
    let short = text(&sm(0x40, 0, b"\x05\x00\x03\x07\x02\x01hello", vec![]));
    assert_eq!((short.part, short.bytes.as_slice()), (part(7, 2, 1), b"hello".as_slice()));
    let wide = text(&sm(0x40, 8, b"\x06\x08\x04\x00\x07\x03\x03\x04\x1a", vec![]));
    assert_eq!((wide.part, wide.bytes.as_slice()), (part(0x1_0007, 3, 3), b"\x04\x1a".as_slice()));
    let sar = vec![Tlv::SarMsgRefNum(7), Tlv::SarTotalSegments(2), Tlv::SarSegmentSeqnum(2)];
    assert_eq!(text(&sm(0, 0, b"hello", sar)).part, part(0x2_0007, 2, 2));
    let shifted = text(&sm(0x40, 0, b"\x08\x24\x01\x01\x00\x03\x07\x02\x01\x1b\x73", vec![]));
    assert_eq!((shifted.part, shifted.alphabet), (part(7, 2, 1), Alphabet::Gsm(0, 1)));
    assert_eq!(decode(shifted.alphabet, &shifted.bytes), "ş");
}

#[test]
fn headers_that_make_no_sense_make_no_parts_and_lose_no_text() {
    for header in [
        &b"\xff\x00\x03\x07\x02\x01"[..],
        b"\x05\x00\x09\x07\x02\x01",
        b"\x05\x00\x03\x07\x02\x00",
        b"\x05\x00\x03\x07\x02\x03",
        b"\x05\x00\x03\x07\x01\x01",
        b"\x05\x00\x03\x07\x00\x00",
        b"\x01\x00",
        b"",
    ] {
        let text = text(&sm(0x40, 3, &[header, b"123456"].concat(), vec![]));
        assert_eq!(text.part, None, "{header:?}");
        assert!(text.bytes.ends_with(b"123456"), "{header:?}");
    }
    let half = vec![Tlv::SarMsgRefNum(7), Tlv::SarTotalSegments(2)];
    assert_eq!(text(&sm(0, 0, b"hello", half)).part, None);
}

#[test]
fn a_payload_stands_in_place_of_the_short_message() {
    let payload = |bytes: &[u8]| {
        vec![Tlv::MessagePayload(MessagePayload::new(AnyOctetString::from_vec(bytes.to_vec())))]
    };
    assert_eq!(text(&sm(0, 3, b"", payload(&b"x".repeat(1_000)))).bytes.len(), 1_000);
    assert_eq!(text(&sm(0, 3, b"short", payload(b""))).bytes, b"short");
}

#[test]
fn no_part_of_a_text_is_lost_to_a_wrong_length_or_a_second_text() {
    let payload = |bytes: &[u8]| {
        vec![Tlv::MessagePayload(MessagePayload::new(AnyOctetString::from_vec(bytes.to_vec())))]
    };
    let raw = |length: u8, behind: &[u8]| {
        let mut bytes = encode(CommandStatus::EsmeRok, 1, Pdu::DeliverSm(sm(0, 3, b"", vec![])));
        *bytes.last_mut().unwrap() = length;
        Body::of_deliver_sm(&[&bytes[16..], behind].concat())
    };
    let reference = [0x02, 0x04, 0, 2, 0, 7];
    for (length, behind) in [
        (10, b"code 123456".to_vec()),
        (5, b"code 123456".to_vec()),
        (8, [&b"code 123456"[..], &reference].concat()),
    ] {
        let body = raw(length, &behind);
        assert_eq!(body.text.as_deref(), Some(&b"code 123456"[..]), "{length}");
        assert!(body.oddities.contains(&Oddity::TextLength), "{body:?}");
    }
    let both = |text: &[u8], more: &[u8]| {
        Body::of_deliver_sm(
            &encode(CommandStatus::EsmeRok, 1, Pdu::DeliverSm(sm(0, 3, text, payload(more))))[16..],
        )
    };
    let apart = both(b"code 123456", b"from Google");
    assert_eq!(
        (apart.text.as_deref(), apart.oddities.contains(&Oddity::TwoTexts)),
        (Some(&b"code 123456 from Google"[..]), true)
    );
    assert_eq!(both(b"code 12", b"code 123456").text.as_deref(), Some(&b"code 123456"[..]));
    assert_eq!(both(b"code 123456", b"123").text.as_deref(), Some(&b"code 123456"[..]));
}

#[test]
fn a_message_of_people_that_is_marked_as_a_receipt_is_a_message() {
    for esm_class in [0x04, 0x08, 0x20] {
        let marked = sm(esm_class, 0, b"Your code is 123456, id: 7", vec![]);
        assert!(
            matches!(
                incoming(&marked, DefaultAlphabet::Gsm),
                Ok(Incoming::Text(text)) if text.bytes.ends_with(b"id: 7")
            ),
            "{esm_class:#x}"
        );
        assert_eq!(
            incoming(&sm(esm_class, 0, b"", vec![]), DefaultAlphabet::Gsm),
            Ok(Incoming::Receipt)
        );
    }
}

#[test]
fn receipts_are_none_of_ours() {
    for esm_class in [0x04, 0x44, 0x08, 0x10, 0x20] {
        assert_eq!(
            incoming(&sm(esm_class, 0, b"id:1 stat:DELIVRD", vec![]), DefaultAlphabet::Gsm),
            Ok(Incoming::Receipt),
            "{esm_class:#x}"
        );
    }
    assert!(matches!(
        incoming(&sm(0x03, 0, b"x", vec![]), DefaultAlphabet::Gsm),
        Ok(Incoming::Text(_))
    ));
}

#[test]
fn destinations_are_numbers_however_they_are_written() {
    let to = |written: &[u8]| {
        let mut sm = sm(0, 0, b"x", vec![]);
        sm.destination_addr = COctetString::from_vec([written, &[0]].concat()).unwrap();
        incoming(&sm, DefaultAlphabet::Gsm).map(|incoming| {
            if let Incoming::Text(text) = incoming {
                text.to.as_str().to_owned()
            } else {
                String::new()
            }
        })
    };
    for written in [&b"12025550123"[..], b"+12025550123", b"0012025550123"] {
        assert_eq!(to(written).as_deref(), Ok("+12025550123"));
    }
    for written in [&b""[..], b"Google", b"+", b"1202555012312025550"] {
        assert_eq!(to(written), Err(Unreadable::Destination), "{written:?}");
    }
}

#[test]
fn a_message_is_known_by_what_it_says() {
    let id = |sm: &DeliverSm| text(sm).id;
    let one = sm(0, 0, b"code 1", vec![]);
    assert_eq!(id(&one), id(&one.clone()));
    assert_ne!(id(&one), id(&sm(0, 0, b"code 2", vec![])));
    assert_ne!(id(&one), id(&sm(0, 3, b"code 1", vec![])));
}
