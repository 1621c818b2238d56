//! How much each reason weighs, in points: a sum of 50 is needed.

use super::reason::Reason;

impl Reason {
    /// The points that it gives, or takes.
    pub const fn points(self) -> i16 {
        weight(self)
    }
}

/// The points of `reason`.
#[expect(clippy::match_same_arms, reason = "a line a reason, to be changed alone")]
pub const fn weight(reason: Reason) -> i16 {
    match reason {
        Reason::OriginBound => 300,
        Reason::BoundOtherwise => 70,
        Reason::SenderPrefix => 45,
        Reason::UsualLength => 14,
        Reason::PlausibleLength => 8,
        Reason::OddLength => -18,
        Reason::LettersAndDigits => -4,
        Reason::LettersOnly => -8,
        Reason::PlainWord => -90,
        Reason::Grouped => 14,
        Reason::LooseGroups => -6,
        Reason::PlatformShape => 8,
        Reason::OtherShape => -4,
        Reason::OtherAlphabet => -24,
        Reason::OtherLength => -90,
        Reason::NameLike => -50,
        Reason::SaidToBe => 60,
        Reason::BesideKeyWord => 46,
        Reason::NearKeyWord => 38,
        Reason::KeyWordNextSentence => 30,
        Reason::KeyWordInMessage => 14,
        Reason::VerifyWordInMessage => 10,
        Reason::AskedToEnter => 24,
        Reason::KeepSecret => 14,
        Reason::Instruction => 34,
        Reason::OnlySecret => 14,
        Reason::BrandInMessage => 6,
        Reason::WholeMessage => 50,
        Reason::ShortMessage => 6,
        Reason::OwnLine => 10,
        Reason::OnlyCandidate => 8,
        Reason::Repeated => 10,
        Reason::Date
        | Reason::TimeOfDay
        | Reason::Amount
        | Reason::CardEnding
        | Reason::Duration => -90,
        Reason::PhoneNumber | Reason::PartOfLonger | Reason::SendersTag | Reason::OwnNumber => -100,
        Reason::Url => -60,
        Reason::AppHash => -120,
        Reason::Reference => -75,
        Reason::LabelledReference => -24,
        Reason::OtherKindOfCode => -100,
        Reason::ReplyTo => -90,
        Reason::SpeaksOfMoney => -90,
        Reason::Year => -24,
        Reason::OldCode => -80,
        Reason::BusinessMessage => -24,
        Reason::Advertisement => -60,
        Reason::ToBeFetched => -60,
        Reason::OpensPlace => -50,
        Reason::Uncorroborated => -45,
    }
}
