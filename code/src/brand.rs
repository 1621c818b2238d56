//! Whose message it is, by the brands it names.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::normal::{Text, folded_word};
use super::service::Service;
use super::words::is_inside_word;

/// Senders that are none of the 33 platforms: their codes complete no order either.
const OTHER_SENDERS: &[&str] = &[
    "alibaba",
    "aliexpress",
    "alipay",
    "allegro",
    "apple",
    "bolt",
    "bumble",
    "bunq",
    "cash app",
    "careem",
    "craigslist",
    "deliveroo",
    "didi",
    "doordash",
    "dropbox",
    "dzen",
    "epic games",
    "flipkart",
    "foodpanda",
    "glovo",
    "gojek",
    "go-jek",
    "grab",
    "grindr",
    "grubhub",
    "hinge",
    "huawei",
    "icloud",
    "imo",
    "instacart",
    "kakaotalk",
    "klarna",
    "kraken",
    "lazada",
    "mercado libre",
    "monzo",
    "n26",
    "naver",
    "netease",
    "nextdoor",
    "okcupid",
    "olacabs",
    "olx",
    "paytm",
    "phonepe",
    "pinterest",
    "postmates",
    "quora",
    "roblox",
    "samsung",
    "shopee",
    "shopify",
    "skype",
    "sony",
    "stripe",
    "swiggy",
    "taobao",
    "tencent",
    "tokopedia",
    "twilio",
    "twitch",
    "venmo",
    "vinted",
    "vkontakte",
    "weibo",
    "wolt",
    "yandex",
    "zalando",
    "zalo",
    "zelle",
    "zomato",
    "яндекс",
    "авито",
    "вконтакте",
    "сбербанк",
    "微博",
    "支付宝",
    "淘宝",
    "카카오톡",
    "네이버",
];

/// Brands that are everyday words too: they name a sender only as the brand writes itself.
const EVERYDAY: &[(&str, &str)] = &[
    ("line", "LINE"),
    ("wise", "Wise"),
    ("steam", "Steam"),
    ("bolt", "Bolt"),
    ("grab", "Grab"),
    ("apple", "Apple"),
    ("hinge", "Hinge"),
    ("imo", "imo"),
    ("stripe", "Stripe"),
    ("nike", "Nike"),
];

struct Brands {
    automaton: AhoCorasick,
    /// For each pattern, its word and the service it names; `None` for the other senders.
    named: Vec<(String, Option<Service>)>,
}

static BRANDS: LazyLock<Brands> = LazyLock::new(|| {
    let ours = Service::all().flat_map(|service| service.words().iter().map(move |word| (folded_word(word), Some(service))));
    let others = OTHER_SENDERS.iter().map(|word| (folded_word(word), None));
    let named: Vec<_> = ours.chain(others).collect();
    let automaton = AhoCorasick::new(named.iter().map(|(word, _)| word)).expect("a few hundred short words make an automaton");
    Brands { automaton, named }
});

/// Whether the message names `service`.
pub fn names(text: &Text, service: Service) -> bool {
    named(text).any(|(_, named)| named == Some(service))
}

/// The other sender that the message names, unless it names `service` too.
pub fn other_sender(text: &Text, service: Service) -> Option<String> {
    let mut other = None;
    for (word, named) in named(text) {
        if named == Some(service) {
            return None;
        }
        other.get_or_insert_with(|| word.to_owned());
    }
    other
}

fn named(text: &Text) -> impl Iterator<Item = (&'static str, Option<Service>)> {
    let brands: &'static Brands = &BRANDS;
    brands.automaton.find_overlapping_iter(&text.folded).filter_map(|found| {
        let (word, service) = &brands.named[found.pattern().as_usize()];
        let (start, end) = (text.index_of_byte[found.start()], text.index_of_byte[found.end()]);
        (!is_inside_word(text, start) && !is_inside_word(text, end) && is_written_as_brand(text, start, end, word))
            .then_some((word.as_str(), *service))
    })
}

fn is_written_as_brand(text: &Text, start: usize, end: usize, word: &str) -> bool {
    let Some((_, brand)) = EVERYDAY.iter().find(|(everyday, _)| *everyday == word) else { return true };
    let written: String = text.chars[start..end].iter().collect();
    // A message in capitals, or a brand in capitals, is no everyday word either.
    written == *brand || written == brand.to_uppercase()
}
