//! Why a candidate is the code or is not.

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $number:literal $name:literal;)+) => {
        /// Something that speaks for or against a candidate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reason {
            $($(#[$doc])* $variant),+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The number it is recorded under, for ever.
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number),+ }
            }

            /// The word for people.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

reasons! {
    /// On the last line as `@host #code`.
    OriginBound 1 "origin_bound";
    /// After a sender's prefix such as `G-`.
    SenderPrefix 2 "sender_prefix";
    /// As long as codes usually are.
    UsualLength 3 "usual_length";
    /// As long, and of the same characters, as the platform's codes are.
    PlatformShape 4 "platform_shape";
    /// Not as the platform's codes are.
    OtherShape 5 "other_shape";
    /// Right beside a word for "code".
    BesideKeyWord 6 "beside_key_word";
    /// In the same sentence as a word for "code".
    NearKeyWord 7 "near_key_word";
    /// A word for "code" stands somewhere.
    KeyWordInMessage 8 "key_word_in_message";
    /// A word for "verify" stands somewhere.
    VerifyWordInMessage 9 "verify_word_in_message";
    /// The platform's brand stands somewhere.
    BrandInMessage 10 "brand_in_message";
    /// It stands in the message twice.
    Repeated 11 "repeated";
    /// It is the whole message.
    WholeMessage 12 "whole_message";
    /// It opens or closes a very short message.
    ShortMessage 13 "short_message";
    /// It has a line of its own.
    OwnLine 14 "own_line";
    /// Nothing else in the message could be a code.
    OnlyCandidate 15 "only_candidate";
    /// Letters without a digit.
    LettersOnly 16 "letters_only";
    /// Letters and digits.
    LettersAndDigits 17 "letters_and_digits";
    /// Part of a date.
    Date 18 "date";
    /// Part of a time of day.
    TimeOfDay 19 "time_of_day";
    /// A recent or coming year.
    Year 20 "year";
    /// An amount of money, a decimal or a percentage.
    Amount 21 "amount";
    /// Part of a phone number.
    PhoneNumber 22 "phone_number";
    /// The end of a card or account number.
    CardEnding 23 "card_ending";
    /// A duration, such as the minutes of validity.
    Duration 24 "duration";
    /// Part of an address on the web.
    Url 25 "url";
    /// A number to reply to.
    ReplyTo 26 "reply_to";
    /// The app hash of a `<#>` message.
    AppHash 27 "app_hash";
    /// An order, invoice, tracking or account number.
    Reference 28 "reference";
    /// A promotion's, postal or error code.
    OtherKindOfCode 29 "other_kind_of_code";
    /// The message is about orders, payments or offers and has no word for "code".
    BusinessMessage 30 "business_message";
    /// The message says that the code is this one.
    SaidToBe 31 "said_to_be";
    /// The sentence before or behind it has a word for "code".
    KeyWordNextSentence 32 "key_word_next_sentence";
    /// The message asks to enter it, or not to share it.
    AskedToEnter 33 "asked_to_enter";
    /// The message asks to keep it secret, or says how long it is valid.
    KeepSecret 34 "keep_secret";
    /// Of a length that codes seldom have.
    OddLength 35 "odd_length";
    /// Of a length that codes often have.
    PlausibleLength 36 "plausible_length";
    /// Written in groups as codes are.
    Grouped 37 "grouped";
    /// The number that the message was sent to.
    OwnNumber 38 "own_number";
    /// Written in groups that may be two numbers, or an amount.
    LooseGroups 39 "loose_groups";
    /// In the tag that names the sender.
    SendersTag 40 "senders_tag";
    /// An earlier code, or one that is no longer valid.
    OldCode 41 "old_code";
    /// The message offers something, or says that something was won.
    Advertisement 42 "advertisement";
    /// Part of something longer.
    PartOfLonger 43 "part_of_longer";
    /// The message is about something to be fetched.
    ToBeFetched 44 "to_be_fetched";
    /// Written as a name with a number.
    NameLike 45 "name_like";
    /// Letters that are a word of the sentence.
    PlainWord 46 "plain_word";
    /// A reference by its label, but said to be the code.
    LabelledReference 47 "labelled_reference";
    /// The message is about a door, a meeting or a network that a code opens.
    OpensPlace 49 "opens_place";
    /// Letters, where the service's codes are digits.
    OtherAlphabet 48 "other_alphabet";
    /// A message that says nothing but what to do with it: "Register with 481-207".
    Instruction 50 "instruction";
    /// The only number in a message that asks to keep something secret, or says how long it is
    /// valid.
    OnlySecret 51 "only_secret";
    /// Far from every length that the platform's codes have.
    OtherLength 52 "other_length";
    /// On the last line as `@host #code`, where the text says another code.
    BoundOtherwise 53 "bound_otherwise";
    /// The message speaks of a sum, as a bank's does, and does not name the service that it is
    /// expected from.
    SpeaksOfMoney 54 "speaks_of_money";
    /// Beside a word for "code" in a message that says other things, and nothing of verifying,
    /// of keeping secret, or of the service.
    Uncorroborated 55 "uncorroborated";
}
