//! Bodies as SMSCs write them against the rules: what is needed is read, the rest is passed over
//! and named.

use proptest::prelude::*;

use super::*;

const TEXT: &[u8] = b"G-482913 is your Google code";

/// A `deliver_sm` by its fields.
#[derive(Debug, Clone)]
struct Sm {
    service_type: Vec<u8>,
    sender: Vec<u8>,
    destination: Vec<u8>,
    times: [Vec<u8>; 2],
    coding: u8,
    length: Option<u8>,
    text: Vec<u8>,
    behind: Vec<u8>,
}

fn sm(text: &[u8], behind: &[u8]) -> Sm {
    let (sender, destination) = (b"Google".to_vec(), b"12025550123".to_vec());
    Sm {
        service_type: vec![],
        sender,
        destination,
        times: [vec![], vec![]],
        coding: 0,
        length: None,
        text: text.to_vec(),
        behind: behind.to_vec(),
    }
}

impl Sm {
    fn bytes(&self) -> Vec<u8> {
        let Self {
            service_type,
            sender,
            destination,
            times: [schedule, validity],
            coding,
            length,
            text,
            behind,
        } = self;
        let length = length.unwrap_or_else(|| u8::try_from(text.len()).unwrap());
        let head = [
            service_type,
            &[0, 5, 0][..],
            sender,
            &[0, 1, 1],
            destination,
            &[0, 0, 0, 0],
            schedule,
            &[0],
            validity,
            &[0],
        ]
        .concat();
        [&head[..], &[0, 0, *coding, 0, length], text, behind].concat()
    }

    fn read(&self) -> Body {
        Body::of_deliver_sm(&self.bytes())
    }
}

fn tlv(tag: u16, value: &[u8]) -> Vec<u8> {
    [&tag.to_be_bytes()[..], &u16::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
}

fn oddities(body: &Body) -> Vec<Oddity> {
    body.oddities.iter().copied().collect()
}

#[test]
fn fields_of_any_length_cost_nothing() {
    let usual = sm(TEXT, &[]);
    assert_eq!(oddities(&usual.read()), []);
    let odd = [
        Sm { service_type: b"a long service type".to_vec(), ..usual.clone() },
        Sm { sender: b"a sender of more than twenty letters".to_vec(), ..usual.clone() },
        Sm { destination: b"000000000000012025550123".to_vec(), ..usual.clone() },
        Sm { times: [b"2611".to_vec(), vec![]], ..usual.clone() },
        Sm { times: [vec![], b"000000000100000R and more".to_vec()], ..usual.clone() },
    ];
    for sm in odd {
        let body = sm.read();
        assert_eq!(
            (body.text.as_deref(), oddities(&body)),
            (Some(TEXT), vec![Oddity::Field]),
            "{sm:?}"
        );
        assert_eq!(
            (&body.destination, body.sender.as_bytes()),
            (&sm.destination, sm.sender.as_slice())
        );
    }
    let timed = Sm { times: [b"261126120000000+".to_vec(), b"000001000000000R".to_vec()], ..usual };
    assert_eq!(oddities(&timed.read()), []);
}

#[test]
fn senders_keep_their_letters() {
    for (sent, read) in [
        (&b"Banqu\xe9"[..], "Banqué"),
        ("Банк".as_bytes(), "Банк"),
        (b"a\nb", "a?b"),
        (&b"x".repeat(5_000), &"x".repeat(100)),
    ] {
        assert_eq!(Sm { sender: sent.to_vec(), ..sm(TEXT, &[]) }.read().sender, read);
    }
    assert_eq!(Sm { sender: vec![], ..sm(TEXT, &[]) }.read().text.as_deref(), Some(TEXT));
}

#[test]
fn parameters_that_are_malformed_unknown_or_cut_cost_nothing() {
    let bad = [
        tlv(0x1500, b"nobody knows"),
        tlv(0x0424, b""),
        tlv(0x0204, &[1, 2, 3, 4, 5, 6]),
        tlv(0x020c, &[]),
        tlv(0x020e, &[0; 9]),
        tlv(0x0005, &[]),
        tlv(0x0427, &[0; 40]),
        vec![0x14, 0x03, 0xff, 0xff, 1, 2],
        vec![0x02, 0x0c, 0x00],
        vec![0],
        vec![0, 0, 0],
        vec![0xff; 7],
    ];
    for behind in bad {
        let body = sm(TEXT, &behind).read();
        assert_eq!((body.text.as_deref(), body.segment), (Some(TEXT), None), "{behind:?}");
        let as_payload = [behind.clone(), tlv(PAYLOAD, TEXT)].concat();
        if behind.len() > 3 {
            assert_eq!(sm(b"", &as_payload).read().text.as_deref(), Some(TEXT), "{behind:?}");
        }
        let before = [tlv(PAYLOAD, TEXT), behind.clone()].concat();
        assert_eq!(sm(b"", &before).read().text.as_deref(), Some(TEXT), "{behind:?}");
    }
    assert_eq!(oddities(&sm(TEXT, &[0]).read()), [Oddity::Leftover]);
    assert_eq!(oddities(&sm(TEXT, &[0x14, 0x03, 0xff, 0xff, 1]).read()), [Oddity::Parameter]);
    // Its length is wrong, and within the PDU.
    let swallowing = [&[0x14, 0x03, 0, 20, 1, 2][..], &tlv(PAYLOAD, TEXT)].concat();
    assert_eq!(sm(b"", &swallowing).read().text.as_deref(), Some(TEXT));
    let too_long = [&PAYLOAD.to_be_bytes()[..], &[0xff, 0xff], TEXT].concat();
    assert_eq!(sm(b"", &too_long).read().text.as_deref(), Some(TEXT));
}

#[test]
fn numbers_of_parts_may_have_any_width() {
    for (reference, total, number) in [
        (&[7][..], &[2][..], &[1][..]),
        (&[0, 7], &[0, 2], &[0, 0, 0, 1]),
        (&[0, 0, 0, 7], &[2], &[1]),
    ] {
        let behind =
            [tlv(SAR_REFERENCE, reference), tlv(SAR_TOTAL, total), tlv(SAR_NUMBER, number)]
                .concat();
        assert_eq!(sm(TEXT, &behind).read().segment, Some((7, 2, 1)));
    }
}

#[test]
fn a_wrong_text_length_costs_nothing_where_the_text_is_there() {
    let longer = Sm { length: Some(200), ..sm(TEXT, &[]) }.read();
    assert_eq!((longer.text.as_deref(), oddities(&longer)), (Some(TEXT), vec![Oddity::TextLength]));
    assert_eq!(Sm { length: Some(0), ..sm(TEXT, &[]) }.read().text.as_deref(), Some(TEXT));
    let wide: Vec<u8> = "Код 482913".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(Sm { coding: 8, length: Some(10), ..sm(&wide, &[]) }.read().text, Some(wide));
    assert_eq!(sm(b"", &[]).read().text.as_deref(), Some(&b""[..]));
}

#[test]
fn what_ends_before_its_text_has_none() {
    let whole = sm(TEXT, &[]).bytes();
    for end in 0..=whole.len() - TEXT.len() {
        assert_eq!(Body::of_deliver_sm(&whole[..end]).text, None, "{end}");
    }
    assert_eq!(Body::of_data_sm(b"\0\x05\0Google\0\x01\x0112025550123\0\0\0\0").text, None);
}

#[test]
fn data_sm_has_its_text_as_a_parameter() {
    let head = b"\0\x05\0Google\0\x01\x0112025550123\0\x40\0\x08".as_slice();
    let body = Body::of_data_sm(&[head, &tlv(0x0005, &[1]), &tlv(PAYLOAD, TEXT), &[9]].concat());
    assert_eq!(
        (body.text.as_deref(), body.esm_class, body.coding, body.sender.as_str()),
        (Some(TEXT), 0x40, 8, "Google")
    );
    assert_eq!(
        (body.destination.as_slice(), oddities(&body)),
        (&b"12025550123"[..], vec![Oddity::Leftover])
    );
}

/// A parameter that nothing can be made of: its tag is no needed one (and, where it is cut off, no
/// letters that a text may end with), its length may be wrong.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    (0x1400u16..0x2000, prop::collection::vec(0x80u8..=0xff, 0..20), prop::option::of(0x4000u16..))
        .prop_map(|(tag, value, length)| {
            let length = length.unwrap_or_else(|| u16::try_from(value.len()).unwrap());
            [&tag.to_be_bytes()[..], &length.to_be_bytes(), &value].concat()
        })
}

proptest! {
    #[test]
    fn a_readable_message_survives_what_is_done_to_the_rest(
        service_type in prop::collection::vec(1u8.., 0..40),
        sender in prop::collection::vec(1u8.., 0..60),
        times in [prop::collection::vec(1u8.., 0..30), prop::collection::vec(1u8.., 0..30)],
        text in prop::collection::vec(0x20u8..0x7f, 1..200),
        (before, after) in (
            prop::collection::vec(junk(), 0..4), prop::collection::vec(junk(), 0..4),
        ),
        cut in 0usize..80,
        as_payload in any::<bool>(),
    ) {
        let (before, after) = (before.concat(), after.concat());
        let after = &after[..after.len().min(cut)];
        let sm = Sm { service_type, sender, times, ..sm(b"", &[]) };
        let sm = if as_payload {
            Sm { behind: [&before, &tlv(PAYLOAD, &text)[..], after].concat(), ..sm }
        } else {
            Sm { text: text.clone(), behind: [&before[..], after].concat(), ..sm }
        };
        let body = sm.read();
        prop_assert_eq!((body.text, body.destination), (Some(text), b"12025550123".to_vec()));
    }

    #[test]
    fn any_bytes_are_a_body(
        bytes in prop::collection::vec(any::<u8>(), 0..400), at in 0usize..200, with in any::<u8>(),
    ) {
        Body::of_deliver_sm(&bytes);
        Body::of_data_sm(&bytes);
        let mut changed = sm(TEXT, &tlv(SAR_REFERENCE, &[0, 7])).bytes();
        let at = at % changed.len();
        changed[at] = with;
        Body::of_deliver_sm(&changed);
        Body::of_deliver_sm(&changed[..at]);
    }
}
