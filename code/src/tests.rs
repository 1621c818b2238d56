//! What the crate promises about whole messages; the many languages are in `tests/messages.txt`.

use crate::{Message, Reason, Service, Verdict, extract};

#[test]
fn a_message_is_read_for_the_service_it_is_expected_from() {
    let text = "482913 is your Discord verification code";
    let read = |service: &str| extract(&Message::new(text), Service::named(service)).verdict;
    assert_eq!(read("discord"), Verdict::Code("482913".to_owned()));
    assert_eq!(read("google"), Verdict::OtherBrand("discord".to_owned()));
}

#[test]
fn every_code_of_capitals_and_digits_is_found_whatever_its_letters_spell() {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut state = 7u64;
    let mut letter = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(alphabet[usize::try_from((state >> 33) % 36).unwrap()])
    };
    let mut lost = Vec::new();
    for _ in 0..20_000 {
        let code: String = (0..5).map(|_| letter()).collect();
        let text = format!("Your Steam verification code is {code}");
        if extract(&Message::new(&text), Service::named("steam")).verdict != Verdict::Code(code) {
            lost.push(text);
        }
    }
    assert!(lost.is_empty(), "{} lost: {lost:?}", lost.len());
}

#[test]
fn a_name_in_the_text_the_tag_or_the_sender_is_another_service_s() {
    let read = |text: &str, sender: &str| {
        extract(&Message::new(text).sent_by(sender), Service::named("google")).verdict
    };
    for (text, sender, name) in [
        ("Your Slack code is 482913", "+12025550123", "slack"),
        ("【美团】验证码482913，请勿泄露", "1069", "美团"),
        ("【某某网】验证码482913，请勿泄露", "1069", "某某网"),
        ("[Frobnix] Your code is 482913", "INFO", "frobnix"),
        ("Your Frobnix code is 482913", "INFO", "frobnix"),
        ("Your code is 482913", "Slack", "slack"),
    ] {
        assert_eq!(read(text, sender), Verdict::OtherBrand(name.to_owned()), "{text}");
    }
    for text in [
        "Your code is 482913",
        "Your Google code is 482913 (powered by Twilio)",
        "Your verification code is 482913. Sent via Twilio",
    ] {
        assert_eq!(read(text, "Google"), Verdict::Code("482913".to_owned()), "{text}");
    }
}

#[test]
fn the_number_that_it_was_sent_to_is_no_code() {
    let text = "Your code for 2025550123 is on its way";
    let verdict = extract(&Message::new(text).sent_to("+12025550123"), None).verdict;
    assert!(!matches!(verdict, Verdict::Code(_)), "{verdict:?}");
}

#[test]
fn a_registered_sender_of_india_is_another_brand_unless_it_is_the_service_or_names_nobody() {
    let text = "482913 is your OTP. Do not share it with anyone.";
    let verdict = |sender: &str, text: &str, service: &str| {
        extract(&Message { sender: Some(sender), ..Message::new(text) }, Service::named(service))
            .verdict
    };
    for sender in [
        "VM-HDFCBK",
        "AX-PAYTMB",
        "TM-ICICI",
        "TM-ICICIT-S",
        "JD-SBIOTP",
        "vm-hdfcbk",
        "HDFCBK",
        "KOTAKB-T",
    ] {
        for service in ["google", "whatsapp", "steam"] {
            assert!(
                matches!(verdict(sender, text, service), Verdict::OtherBrand(_)),
                "{sender} {service}: {:?}",
                verdict(sender, text, service)
            );
        }
    }
    let code = Verdict::Code("482913".to_owned());
    for (sender, service) in [
        ("VM-GOOGLE", "google"),
        ("JD-GOOGLE-S", "google"),
        ("AX-WHTSAP", "whatsapp"),
        ("VK-FACEBK", "facebook"),
        ("AD-AMAZON", "amazon"),
        ("VM-NETFLX", "netflix"),
        ("JM-VERIFY", "google"),
        ("AD-650025", "google"),
        ("CP-SMSOTP", "google"),
        ("Verify", "google"),
    ] {
        assert_eq!(verdict(sender, text, service), code, "{sender} {service}");
    }
    assert_eq!(verdict("VM-HDFCBK", "482913 is your Google verification code", "google"), code);
    assert_eq!(verdict("VM-HDFCBK", text, "-"), code);
}

#[test]
fn a_last_line_that_binds_another_code_than_the_text_says_completes_nothing() {
    let read = |text: &str| extract(&Message::new(text), Service::named("google"));
    let spoilt = read("Your verification code is 482913.\n\n@google.example #771204");
    assert_eq!(spoilt.verdict, Verdict::Unsure);
    assert!(
        spoilt
            .candidates
            .iter()
            .any(|candidate| candidate.reasons.contains(&Reason::BoundOtherwise)),
        "{spoilt:?}"
    );
    for text in [
        "Your verification code is 482-913.\n\n@google.example #482913",
        "To log in, use the line below\n@google.example #482913",
    ] {
        assert_eq!(read(text).verdict, Verdict::Code("482913".to_owned()), "{text}");
    }
    // Whose page the code is for says whose it is.
    let foreign = read("Your verification code is 482913.\n\n@acme.example #482913");
    assert_eq!(foreign.verdict, Verdict::OtherBrand("acme.example".to_owned()));
}

#[test]
fn a_name_anywhere_is_another_service_s_where_nothing_names_the_expected_one() {
    let read = |text: &str| extract(&Message::new(text), Service::named("lyft")).verdict;
    for (text, name) in [
        ("Welcome to Zalora! Enter 482913 to log in.", "zalora"),
        ("Usa 482913 para entrar en Zalora.", "zalora"),
        ("Nutze den Code 482913, um dich bei Zalora anzumelden", "zalora"),
        ("Ваш код 482913 для входа в zalora.example", "zalora.example"),
        ("Use code 482913 for BlueKoala", "bluekoala"),
        ("আপনার telezal কোড 482913", "telezal"),
    ] {
        assert_eq!(read(text), Verdict::OtherBrand(name.to_owned()), "{text}");
    }
    for text in [
        "Hi Anna, your code is 482913. Do not share it.",
        "Your code is 482913. It expires on Monday, 12 November.",
        "Dein Code lautet 482913. Gib ihn nie an andere Personen weiter.",
        "Your code is 482913. If you use an Android device, open the app. See \
         https://zalora.example/help",
        "Lyft: your code for Zalora drivers is 482913",
    ] {
        assert_eq!(read(text), Verdict::Code("482913".to_owned()), "{text}");
    }
}

#[test]
fn a_name_that_no_list_has_is_another_service_s_in_a_label_or_a_signature() {
    let read = |text: &str| extract(&Message::new(text), Service::named("lyft")).verdict;
    for (text, name) in [
        ("Zalora Bank: kodingiz 482913", "zalora bank"),
        ("e-Zalora: your code is 482913", "e-zalora"),
        ("Нова крамниця: ваш код 482913", "нова крамниця"),
        ("ظلورة: رمز التحقق الخاص بك هو 482913", "ظلورة"),
        ("Zure kodea 482913 da. Zalora", "zalora"),
        ("El teu codi és 482913\nZalora Club", "zalora club"),
        ("તમારો OTP 482913 છે. ZLRSHP", "zlrshp"),
    ] {
        assert_eq!(read(text), Verdict::OtherBrand(name.to_owned()), "{text}");
    }
    for text in [
        "Your code is 482913. Thanks",
        "Attention: your code is 482913",
        "Security Alert: your code is 482913",
        "تنبيه: رمز التحقق 482913",
    ] {
        assert_eq!(read(text), Verdict::Code("482913".to_owned()), "{text}");
    }
}

#[test]
fn who_pays_a_sum_with_a_code_that_names_nobody_has_it_from_a_bank() {
    let read =
        |text: &str, service: &str| extract(&Message::new(text), Service::named(service)).verdict;
    let (paid, code) =
        ("Your one-time password to pay EUR 45.90 is 482913", Verdict::Code("482913".to_owned()));
    assert!(!matches!(read(paid, "lyft"), Verdict::Code(_)));
    assert_eq!(read(paid, "-"), code);
    assert_eq!(read("PayPal: your code to pay EUR 45.90 is 482913", "paypal"), code);
    assert_eq!(read("RM0 Lyft: your code is 482913", "lyft"), code);
}

#[test]
fn hours_names_offers_and_sums_in_groups_are_no_codes() {
    let read = |text: &str| extract(&Message::new(text), None).verdict;
    for text in [
        "Your password was changed on 12/03/25 at 2:25PM. Not you? Call 1-800-555-0199",
        "ACME Bank: Your PIN was changed on Mar 14. If this wasn't you, call now.",
        "Verify your number and get $5 off! Use code SAVE100 at checkout. Never share your OTP \
         with anyone.",
        "Package ready for pickup at Amazon Hub. Use code 442519 within 3 days.",
        "优惠码：SPRING20 满100减20",
    ] {
        assert!(!matches!(read(text), Verdict::Code(_)), "{text}: {:?}", read(text));
    }
    for text in [
        "Kod 48213. Summa 150 000 so'm",
        "Acme4u: TAC 48213 for RM250.00 to 5678",
        "O kodikos sou einai 48213",
        "Usa el código 48213 para entrar",
    ] {
        assert_eq!(read(text), Verdict::Code("48213".to_owned()), "{text}");
    }
}
