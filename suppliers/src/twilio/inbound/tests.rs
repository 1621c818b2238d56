//! Messages as Twilio sends them, signed and not.

use super::*;

const ADDRESS: &str = "https://sms.example.com/inbound/v1/twilio";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const SID: &str = "SM0123456789abcdef0123456789abcdef";

fn sent(body: &str, signed: &str) -> Result<Vec<InboundMessage>, Rejected> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    let headers =
        [("x-twilio-signature".parse().unwrap(), signature.parse().unwrap())].into_iter().collect();
    read(&headers, body.as_bytes(), ADDRESS, TOKEN)
}

#[test]
fn the_address_and_every_field_are_signed_in_the_order_of_their_names() {
    let body = format!(
        "To=%2B12025550123&From=Google&Body=G-482913+caf%C3%A9&MessageSid={SID}&NumSegments=1&NumMedia=1&MediaUrl0=x"
    );
    let signed = format!(
        "{ADDRESS}BodyG-482913 \
         caféFromGoogleMediaUrl0xMessageSid{SID}NumMedia1NumSegments1To+12025550123"
    );
    let sms = &sent(&body, &signed).unwrap()[0];
    assert_eq!(
        (sms.id.as_str(), sms.to.as_str(), sms.text.as_str()),
        (SID, "+12025550123", "G-482913 café")
    );
    assert_eq!(sent(&format!("{body}&Extra=1"), &signed), Err(Rejected::NotSigned));
    assert_eq!(
        sent(&body, &signed.replace("example.com", "example.org")),
        Err(Rejected::NotSigned)
    );
}

/// The form of these parameters, and what Twilio signs of them.
fn form(fields: &[(&str, &str)]) -> (String, String) {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let signed =
        sorted.iter().fold(ADDRESS.to_owned(), |signed, (name, value)| signed + name + value);
    (form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish(), signed)
}

#[test]
fn the_same_signed_text_cut_otherwise_is_no_message() {
    let text = format!("G-111111FromBankMessageSid{SID}To+12025550199");
    let real = [
        ("Body", text.as_str()),
        ("From", "Google"),
        ("FromCity", "TOKYO"),
        ("MessageSid", SID),
        ("To", "+12025550123"),
    ];
    let (body, signed) = form(&real);
    assert_eq!(sent(&body, &signed).unwrap()[0].text, text);
    let rest = format!("+12025550199FromGoogleFromCityTOKYOMessageSid{SID}To+12025550123");
    let cuts: [&[(&str, &str)]; 5] = [
        &[("Body", "G-111111"), ("From", "Bank"), ("MessageSid", SID), ("To", &rest)],
        &[
            ("Body", "G-111111"),
            ("From", "Bank"),
            ("MessageSid", SID),
            ("To+1202555019", &rest[11..]),
        ],
        &[
            ("Body", "G-111111"),
            ("From", &format!("BankMessageSid{SID}To+12025550199FromGoogleFromCityTOKYO")),
            ("MessageSid", SID),
            ("To", "+12025550123"),
        ],
        &[("BodyG-111111FromBank", ""), ("MessageSid", SID), ("To", &rest)],
        &[
            ("Body", &text),
            ("FromGoogleFromCityTOKYO", ""),
            ("MessageSid", SID),
            ("To", "+12025550123"),
        ],
    ];
    for cut in cuts {
        let (body, resigned) = form(cut);
        assert_eq!(resigned, signed, "it is the same text");
        assert!(matches!(sent(&body, &signed), Err(Rejected::NotUnderstood(_))), "{cut:?}");
    }
}

#[test]
fn a_parameter_has_one_value_and_a_name_and_a_message_its_sid() {
    let real =
        [("Body", "G-482913"), ("From", "Google"), ("MessageSid", SID), ("To", "+12025550123")];
    let with = |more: &[(&str, &str)]| {
        let (body, signed) = form(&[&real[..], more].concat());
        sent(&body, &signed)
    };
    assert!(
        with(&[("FromCity", ""), ("AccountSid", &SID.replace("SM", "AC")), ("MediaUrl10", "x")])
            .is_ok()
    );
    for more in [
        ("Body", "G-111111"),
        ("To", "+12025550199"),
        ("Unheard", "x"),
        ("MediaUrl100", "x"),
        ("MediaUrl", "x"),
        ("AccountSid", "AC1"),
    ] {
        assert!(matches!(with(&[more]), Err(Rejected::NotUnderstood(_))), "{more:?}");
    }
    for sid in [
        "SM1",
        "sm0123456789abcdef0123456789abcdef",
        "AC0123456789abcdef0123456789abcdef",
        &SID.to_uppercase(),
        &SID[..33],
        &format!("{SID}0"),
        "",
    ] {
        let (body, signed) = form(&[real[0], real[1], ("MessageSid", sid), real[3]]);
        assert!(matches!(sent(&body, &signed), Err(Rejected::NotUnderstood(_))), "{sid}");
    }
}

#[test]
fn a_signature_for_another_address_of_ours_says_which() {
    let body = "To=%2B12025550123&From=Google&Body=x&MessageSid=SM1";
    for other in [
        "http://sms.example.com/inbound/v1/twilio",
        "https://sms.example.com:443/inbound/v1/twilio",
        "https://sms.example.com/inbound/v1/twilio/",
        "http://10.0.0.7:8080/inbound/v1/twilio",
    ] {
        let signed = format!("{other}BodyxFromGoogleMessageSidSM1To+12025550123");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
        let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        let names = [("x-twilio-signature", signature.as_str()), ("host", "10.0.0.7:8080")];
        let headers = names
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .into_iter()
            .collect();
        let outcome = read(&headers, body.as_bytes(), ADDRESS, TOKEN);
        assert_eq!(outcome, Err(Rejected::SignedFor(other.to_owned())));
    }
}

#[test]
fn what_is_signed_and_no_message_is_named() {
    assert_eq!(sent("", ADDRESS), Err(Rejected::NotUnderstood("MessageSid is missing".to_owned())));
    let missing = sent(
        &format!("MessageSid={SID}&To=32665&From=x&Body=x"),
        &format!("{ADDRESS}BodyxFromxMessageSid{SID}To32665"),
    );
    assert!(matches!(missing, Err(Rejected::NotUnderstood(what)) if what.starts_with("To is")));
}

#[test]
fn hostile_signatures_and_forms_are_refused() {
    for signature in ["", "=", "AAAA", "%%%", &"A".repeat(10_000)] {
        let headers = [("x-twilio-signature".parse().unwrap(), signature.parse().unwrap())]
            .into_iter()
            .collect();
        for body in [&b""[..], b"%", b"\xff\xfe", b"=&=&=", b"a=%ff&b"] {
            assert_eq!(
                read(&headers, body, ADDRESS, TOKEN),
                Err(Rejected::NotSigned),
                "{signature}"
            );
        }
    }
    assert_eq!(read(&HeaderMap::new(), b"", ADDRESS, TOKEN), Err(Rejected::NotSigned));
}
