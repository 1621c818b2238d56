//! Kinds of messages, each made from frames and words: what tells a code for a login from one of
//! something else, in whatever language.

use sms_code::{Message, Service, Verdict, extract};

const SERVICES: [Option<&str>; 3] = [None, Some("google"), Some("steam")];

fn found(text: &str, service: Option<&str>) -> Option<String> {
    match extract(&Message::new(text), service.and_then(Service::named)).verdict {
        Verdict::Code(code) => Some(code),
        _ => None,
    }
}

/// Every text that gives another code than `code`, asked for as nobody's in particular.
fn lost(texts: impl IntoIterator<Item = String>, code: &str) -> Vec<String> {
    texts.into_iter().filter(|text| found(text, None).as_deref() != Some(code)).collect()
}

/// Every text that gives a code for any of the services.
fn claimed(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let gives = |text: &String| SERVICES.iter().any(|service| found(text, *service).is_some());
    texts.into_iter().filter(gives).collect()
}

/// Each frame with each word at `{w}`.
fn filled(frames: &[&str], words: &[&str]) -> Vec<String> {
    frames.iter().flat_map(|frame| words.iter().map(|word| frame.replace("{w}", word))).collect()
}

#[test]
fn a_word_that_no_list_has_beside_the_word_for_code_is_what_it_opens() {
    // Words of no language: whatever they mean, the message says something beside its code.
    let words = ["bralof", "tumekari", "oskvento", "pilduran"];
    let frames = [
        "code {w} 4812",
        "kod {w} 481207",
        "kode {w} 4812",
        "codice {w} 481207",
        "código {w} 4812",
        "koodi {w} 4812",
        "mã {w} 481207",
        "kodi {w} 4812",
    ];
    assert_eq!(claimed(filled(&frames, &words)), Vec::<String>::new());
    let own = ["code: 4812", "your code 481207", "twój kod 481207", "kode anda 4812"];
    for (text, code) in own.map(|text| (text, text.rsplit(' ').next().unwrap_or_default())) {
        assert_eq!(found(text, None).as_deref(), Some(code), "{text}");
    }
}

#[test]
fn two_letters_of_chinese_japanese_or_korean_are_a_word() {
    let frames = ["{w}代码481207", "{w}密码4812", "{w}コード481207", "{w}の暗証番号は4812です"];
    let words = ["浴室", "书柜", "球场", "庭園", "茶室"];
    assert_eq!(claimed(filled(&frames, &words)), Vec::<String>::new());
    let korean = filled(&["{w}코드 481207", "{w} 비밀번호 4812"], &["서재", "화단", "창고"]);
    assert_eq!(claimed(korean), Vec::<String>::new());
    assert_eq!(
        lost(["验证码481207", "您的密码481207", "コードは481207です"].map(str::to_owned), "481207"),
        Vec::<String>::new()
    );
}

#[test]
fn a_latin_word_in_another_script_is_a_name() {
    let frames = [
        "Ο κωδικός σας για το {w} είναι 481207",
        "Ваш код для {w}: 481207",
        "您的{w}代码是481207",
        "481207があなたの{w}コードです",
        "רמז: הקוד שלך ל-{w} הוא 481207",
        "كود {w} الخاص بك 481207",
    ];
    let names = ["acme", "zetapay", "orbita"];
    assert_eq!(lost(filled(&frames, &names), "481207"), Vec::<String>::new());
}

#[test]
fn a_name_and_a_word_for_logging_in_are_enough_and_one_for_booking_is_not() {
    let names = ["Acme", "Zeta Pay", "Orbita"];
    let frames =
        ["{w} login: 481207", "{w} verify: 481207", "481207 - {w} sign-in", "{w} 2FA: 481207"];
    assert_eq!(lost(filled(&frames, &names), "481207"), Vec::<String>::new());
    let others = [
        "{w} confirmation: 481207",
        "{w} registration: 481207",
        "{w} booking: 481207",
        "{w} ticket login desk: 481207",
    ];
    assert_eq!(claimed(filled(&others, &names)), Vec::<String>::new());
}

#[test]
fn a_label_before_the_colon_names_somebody_without_capitals_too() {
    let frames = ["{w}: كودك هو 481207", "{w}: کد شما 481207", "{w}: הקוד שלך 481207"];
    let labels = ["كريم", "ديوان", "ליאון", "آرمان"];
    assert_eq!(lost(filled(&frames, &labels), "481207"), Vec::<String>::new());
    // What the lists know is no name.
    assert_eq!(
        claimed(["الباب: كود 4812", "דלת: קוד 4812"].map(str::to_owned)),
        Vec::<String>::new()
    );
}

#[test]
fn a_sum_that_is_paid_with_the_code_speaks_for_it() {
    let frames = [
        "Acme: code 481207 to pay {w}",
        "Acme: saisissez le code 481207 pour payer {w}",
        "Acme: gebruik code 481207 om te betalen {w}",
        "Acme: codice 481207 per pagare {w}",
        "Acme: kod 481207, zapłać {w}",
        "Acme: код 481207, оплата {w}",
        "بنك النور: الرقم السري 481207 لعملية بمبلغ {w}",
    ];
    let sums = ["42,00 EUR", "EUR 42.00", "350.00 EGP", "350 جنيه", "1 250 CZK"];
    assert_eq!(lost(filled(&frames, &sums), "481207"), Vec::<String>::new());
}

#[test]
fn a_survey_gives_access_and_so_does_a_network() {
    let texts = [
        "Access code 481207 for our survey",
        "Zugangscode 481207 zur Umfrage",
        "Пароль от вайфая 48120733",
        "كلمة سر الواي فاي 48120733",
        "와이파이 비밀번호 48120733",
        "รหัสไวไฟ 48120733",
        "Ваш PUK-код 48120733",
        "PUK code: 48120733",
    ];
    let given: Vec<&str> = texts.into_iter().filter(|text| found(text, None).is_some()).collect();
    assert_eq!(given, Vec::<&str>::new());
}

#[test]
fn a_capital_before_a_bare_word_for_code_may_be_what_it_opens() {
    // The first word of a message has a capital whatever it is.
    let frames =
        ["{w} code 4812", "{w} kodu 4812", "{w} koodi 4812", "{w} kodea 4812", "{w} kods 4812"];
    let words = ["Bralof", "Tumekari", "Oskvento", "Pilduran"];
    assert_eq!(claimed(filled(&frames, &words)), Vec::<String>::new());
    let own =
        ["{w} code: 4812", "{w}: your code is 4812", "{w} OTP 4812", "{w} verification code 4812"];
    assert_eq!(lost(filled(&own, &words), "4812"), Vec::<String>::new());
}
