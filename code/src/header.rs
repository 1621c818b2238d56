//! Registered senders of India: `VM-HDFCBK` is an operator, a region, and who sends.

use super::role::Role;
use super::service::Service;

/// Parts of headers that carry messages for anybody.
const CARRIED: [&str; 22] = [
    "otp", "sms", "msg", "verif", "vrfy", "verfy", "auth", "alert", "info", "notif", "notice",
    "code", "txt", "text", "twil", "sinch", "vonage", "nexmo", "gupshp", "karix", "infob", "login",
];
/// Parts by which a header is a bank's even without its operator.
const BANKS: [&str; 4] = ["bk", "bank", "bnk", "bnkg"];
/// Letters of a header.
const LETTERS: std::ops::RangeInclusive<usize> = 4..=6;
/// Letters of a service's name by which it is known.
const HEAD: usize = 4;

/// What the header says of its sender: its part, its name in lower case, and whether it is
/// `service`. None for a number, or for nobody in particular.
pub fn claim(sender: Option<&str>, service: Service) -> Option<(Role, String, bool)> {
    let sender = sender?.trim().to_ascii_lowercase();
    let (is_registered, rest) = without_operator(&sender);
    let (name, kind) = rest.split_once('-').unwrap_or((rest, ""));
    let is_header = LETTERS.contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase())
        && matches!(kind, "" | "s" | "t" | "p" | "g");
    let is_bank = BANKS.iter().any(|bank| name.ends_with(bank)) || name.starts_with("bank");
    if !is_header || !(is_registered || !kind.is_empty() || is_bank) {
        return None;
    }
    let own = service.words().iter().any(|word| is_short_for(name, word));
    let carried = CARRIED.iter().any(|part| name.contains(part)) && !is_bank_s_otp(name);
    (own || !carried).then(|| (Role::Sender, name.to_owned(), own))
}

/// The header behind `VM-`, and whether there was one.
fn without_operator(sender: &str) -> (bool, &str) {
    match sender.split_once('-') {
        Some((operator, rest))
            if operator.len() == 2 && operator.bytes().all(|byte| byte.is_ascii_lowercase()) =>
        {
            (true, rest)
        }
        _ => (false, sender),
    }
}

/// `SBIOTP`: three letters of somebody's name before the word.
fn is_bank_s_otp(name: &str) -> bool {
    name.strip_suffix("otp").is_some_and(|who| {
        who.len() == 3
            && !matches!(who, "sms" | "msg" | "txt" | "get" | "app" | "the" | "web" | "net")
    })
}

/// `whtsap` for `whatsapp`, `amznin` for `amazon`: letters of the name in their order from the
/// first on, or its beginning and more.
fn is_short_for(name: &str, word: &str) -> bool {
    let short = name.strip_suffix("in").filter(|short| short.len() >= HEAD).unwrap_or(name);
    let mut letters = word.chars();
    let in_order = short.chars().all(|letter| letters.any(|of_word| of_word == letter));
    let begins = word.get(..HEAD).is_some_and(|head| name.starts_with(head));
    begins || (in_order && short.chars().next() == word.chars().next())
}
