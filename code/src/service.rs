//! The services whose codes are asked for: how their messages name them, and what their codes look
//! like.

/// What a service's codes are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// Digits only.
    Digits,
    /// Capital Latin letters and digits.
    CapitalsAndDigits,
}

/// A service that sends codes: the one that a message is expected from.
#[derive(Clone, Copy)]
pub struct Service(&'static Entry);

struct Entry {
    slug: &'static str,
    name: &'static str,
    alphabet: Alphabet,
    /// The usual length first.
    lengths: &'static [usize],
    words: &'static [&'static str],
}

impl Service {
    /// The service of that name in lower case (`google`), if it is a known one.
    pub fn named(slug: &str) -> Option<Self> {
        SERVICES.iter().find(|entry| entry.slug == slug).map(Self)
    }

    /// Every known service that codes can be asked of.
    pub fn all() -> impl Iterator<Item = Self> {
        SERVICES.iter().map(Self)
    }

    /// Its name in lower case.
    pub const fn slug(self) -> &'static str {
        self.0.slug
    }

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// What its codes are made of.
    pub const fn alphabet(self) -> Alphabet {
        self.0.alphabet
    }

    /// How long its codes are, the usual length first.
    pub const fn lengths(self) -> &'static [usize] {
        self.0.lengths
    }

    /// The words by which hosts on the web are its own: those of its messages, and others that it
    /// is reached by.
    pub(crate) fn hosts(self) -> Vec<&'static str> {
        let others = HOSTS
            .iter()
            .filter(|(slug, _)| *slug == self.0.slug)
            .flat_map(|(_, hosts)| hosts.iter().copied());
        self.0.words.iter().copied().chain(others).collect()
    }

    /// The words by which its messages name it, in lower case.
    pub(crate) const fn words(self) -> &'static [&'static str] {
        self.0.words
    }
}

impl PartialEq for Service {
    fn eq(&self, other: &Self) -> bool {
        self.0.slug == other.0.slug
    }
}

impl Eq for Service {}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.slug)
    }
}

/// Labels of hosts that a service has beside its name.
const HOSTS: [(&str, &[&str]); 6] = [
    ("facebook", &["fb"]),
    ("telegram", &["t"]),
    ("microsoft", &["live", "office", "azure"]),
    ("openai", &["chatgpt"]),
    ("uber", &["ubereats"]),
    ("google", &["youtu"]),
];

macro_rules! services {
    ($($slug:literal $name:literal $alphabet:ident $lengths:expr, $words:expr;)+) => {
        const SERVICES: &[Entry] = &[
            $(Entry { slug: $slug, name: $name, alphabet: Alphabet::$alphabet, lengths: &$lengths, words: &$words }),+
        ];
    };
}

services! {
    "google" "Google" Digits [6], ["google", "youtube", "gmail", "谷歌", "구글", "гугл", "グーグル"];
    "whatsapp" "WhatsApp" Digits [6], ["whatsapp", "whats app", "واتساب", "واتس اب", "व्हाट्सएप", "व्हाट्सऐप", "ватсап", "вотсап", "вацап"];
    "instagram" "Instagram" Digits [6], ["instagram", "инстаграм", "انستقرام", "انستغرام", "インスタグラム", "인스타그램"];
    "telegram" "Telegram" Digits [5, 6], ["telegram", "телеграм", "телеграмм", "تلگرام", "تيليجرام", "تلغرام", "टेलीग्राम", "텔레그램"];
    "facebook" "Facebook" Digits [5, 6, 8], ["facebook", "meta", "messenger", "فيسبوك", "فيس بوك", "फेसबुक", "фейсбук", "페이스북"];
    "twitter" "Twitter/X" Digits [6, 8], ["twitter", "x", "твиттер", "تويتر", "トゥイッター", "ツイッター", "트위터"];
    "discord" "Discord" Digits [6], ["discord", "дискорд", "디스코드"];
    "tiktok" "TikTok" Digits [6, 4], ["tiktok", "tik tok", "抖音", "تيك توك", "тикток", "틱톡"];
    "snapchat" "Snapchat" Digits [6], ["snapchat", "snap", "سناب شات", "снапчат"];
    "uber" "Uber" Digits [4, 6], ["uber", "ubereats", "أوبر", "اوبر", "убер", "優步", "优步"];
    "amazon" "Amazon" Digits [6], ["amazon", "アマゾン", "أمازون", "امازون", "亚马逊", "亞馬遜", "अमेज़न", "아마존"];
    "microsoft" "Microsoft" Digits [6, 4, 7], ["microsoft", "msft", "outlook", "hotmail", "xbox", "skype", "微软", "微軟", "майкрософт", "مايكروسوفت"];
    "yahoo" "Yahoo" Digits [6, 5, 7, 8], ["yahoo", "ヤフー", "雅虎"];
    "linkedin" "LinkedIn" Digits [6], ["linkedin", "linked in", "领英", "لينكد إن"];
    "paypal" "PayPal" Digits [6, 4], ["paypal", "贝宝", "باي بال"];
    "coinbase" "Coinbase" Digits [7, 6], ["coinbase"];
    "binance" "Binance" Digits [6], ["binance", "币安", "幣安", "бинанс"];
    "openai" "OpenAI" Digits [6], ["openai", "chatgpt"];
    "netflix" "Netflix" Digits [6, 4], ["netflix", "نتفليكس", "넷플릭스"];
    "spotify" "Spotify" Digits [6], ["spotify"];
    "tinder" "Tinder" Digits [6], ["tinder", "тиндер"];
    "steam" "Steam" CapitalsAndDigits [5, 6], ["steam", "стим"];
    "viber" "Viber" Digits [6, 4], ["viber", "вайбер", "فايبر"];
    "wechat" "WeChat" Digits [6, 4], ["wechat", "weixin", "微信"];
    "line" "Line" Digits [6, 4], ["line", "ライン", "라인"];
    "reddit" "Reddit" Digits [6], ["reddit"];
    "airbnb" "Airbnb" Digits [6, 4], ["airbnb", "爱彼迎", "에어비앤비"];
    "ebay" "eBay" Digits [6, 4], ["ebay"];
    "lyft" "Lyft" Digits [6, 4, 5], ["lyft"];
    "nike" "Nike" Digits [6], ["nike"];
    "protonmail" "ProtonMail" Digits [6], ["proton", "protonmail", "proton mail"];
    "revolut" "Revolut" Digits [6], ["revolut"];
    "wise" "Wise" Digits [6], ["wise", "transferwise"];
}
