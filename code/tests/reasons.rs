//! Every reason has a message that gives it: what a reason means is what its message says.

use sms_code::{Message, Reason, Service, extract};

/// The reason, the service asked for, the candidate that has it, and the message.
const SCENARIOS: &[(Reason, &str, &str, &str)] = &[
    (Reason::OriginBound, "-", "481207", "Your login code: 481207\n\n@orbita.example #481207"),
    (Reason::BoundOtherwise, "-", "662901", "Your login code: 481207\n\n@orbita.example #662901"),
    (Reason::SpeaksOfMoney, "google", "481207", "Your code to pay EUR 45.90 is 481207"),
    (
        Reason::Uncorroborated,
        "-",
        "481207",
        "The plumber left the tools in the basement. Code 481207 beside the boiler.",
    ),
    (Reason::SenderPrefix, "-", "481207", "G-481207 is your code"),
    (Reason::UsualLength, "-", "481207", "Your code is 481207"),
    (Reason::PlausibleLength, "-", "4812", "Your code is 4812"),
    (Reason::OddLength, "-", "481", "Your code is 481"),
    (Reason::PlatformShape, "google", "481207", "Your code is 481207"),
    (Reason::OtherShape, "google", "4812", "Your code is 4812"),
    (Reason::OtherAlphabet, "google", "K4P7QX", "Your code is K4P7QX"),
    (Reason::OtherLength, "google", "123456789", "Your code is 123456789"),
    (Reason::LettersAndDigits, "-", "K4P7QX", "Your code is K4P7QX"),
    (Reason::LettersOnly, "-", "QKHFDA", "Your code is QKHFDA"),
    (Reason::Grouped, "-", "481207", "Your code is 481-207"),
    (Reason::LooseGroups, "-", "481207", "Your code is 48 1207"),
    (Reason::SaidToBe, "-", "481207", "Your code is 481207"),
    (Reason::BesideKeyWord, "-", "481207", "Please take the code 481207 with you"),
    (
        Reason::NearKeyWord,
        "-",
        "481207",
        "Please take the code that we made for you, 481207, with you",
    ),
    (Reason::KeyWordNextSentence, "-", "481207", "This is your code! 481207"),
    (
        Reason::KeyWordInMessage,
        "-",
        "481207",
        "Here is a code. Take it along. Use there 481207 then",
    ),
    (Reason::VerifyWordInMessage, "-", "481207", "To sign in, 481207"),
    (Reason::BrandInMessage, "google", "481207", "Google code 481207"),
    (Reason::Repeated, "-", "481207", "Your code is 481207. Again: 481207"),
    (Reason::WholeMessage, "-", "481207", "481207"),
    (Reason::ShortMessage, "-", "481207", "Orbita 481207"),
    (Reason::OwnLine, "-", "481207", "Your code:\n481207\nBye"),
    (Reason::OnlyCandidate, "-", "481207", "Your code is 481207"),
    (Reason::AskedToEnter, "-", "481207", "Enter 481207 to go on"),
    (Reason::KeepSecret, "-", "481207", "Your code is 481207. Do not share it"),
    (Reason::Instruction, "-", "481207", "Register with 481207"),
    (Reason::OnlySecret, "-", "481207", "481207\nValid for 5 minutes. Do not share."),
    (Reason::Url, "-", "481207", "Your code is behind https://orbita.example/481207"),
    (Reason::ReplyTo, "-", "48120", "Reply STOP to 48120"),
    (Reason::Reference, "-", "481207", "Your order 481207 is on its way"),
    (Reason::LabelledReference, "-", "481207", "The code for your order: 481207"),
    (Reason::OtherKindOfCode, "-", "481207", "Promo code 481207"),
    (Reason::Year, "-", "2026", "See you in 2026, with your code"),
    (Reason::CardEnding, "-", "4812", "Code for the card ending in 4812"),
    (Reason::Duration, "-", "1800", "The code counts for 1800 seconds"),
    (Reason::Date, "-", "20261124", "A code was made, 20261124"),
    (Reason::OwnNumber, "-", "5550123", "Your code for 5550123 is coming"),
    (Reason::SendersTag, "-", "95555", "【95555】您的验证码481207"),
    (
        Reason::OldCode,
        "-",
        "118273",
        "Your code is 481207. Your previous code 118273 no longer works.",
    ),
    (Reason::BusinessMessage, "-", "481207", "Delivery today, 481207"),
    (Reason::Advertisement, "-", "481207", "You won a prize, code 481207"),
    (Reason::ToBeFetched, "-", "481207", "Your parcel is there, code 481207"),
    (Reason::OpensPlace, "-", "4812", "Front door, code 4812"),
    (Reason::NameLike, "-", "Shop24", "A code for Shop24"),
    (Reason::AppHash, "-", "qK1Rn", "<#> Your code is 481207\nqK1Rn+4A/sb"),
    (Reason::Amount, "-", "RM482", "Your code was used for RM482.91"),
];

/// Reasons of stretches that are no candidates of their own, and of words that are kept from the
/// list: their messages are in `messages.txt`.
const UNLISTED: [Reason; 4] =
    [Reason::TimeOfDay, Reason::PhoneNumber, Reason::PartOfLonger, Reason::PlainWord];

#[test]
fn every_reason_has_a_message_that_gives_it() {
    let mut missing = Vec::new();
    for (reason, service, code, text) in SCENARIOS {
        let extraction =
            extract(&Message::new(text).sent_to("+12025550123"), Service::named(service));
        let candidate = extraction
            .candidates
            .iter()
            .find(|candidate| candidate.code == *code && candidate.reasons.contains(reason));
        if candidate.is_none() {
            missing.push(format!(
                "{} of {code} in {text:?}: {:?}",
                reason.name(),
                extraction.candidates
            ));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn no_reason_is_left_without_a_message() {
    let left: Vec<&Reason> = Reason::ALL
        .iter()
        .filter(|reason| {
            !UNLISTED.contains(reason) && !SCENARIOS.iter().any(|(told, ..)| told == *reason)
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
