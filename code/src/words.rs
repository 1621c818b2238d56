//! The words that tell what a number beside them is, in the languages platforms write in.
//!
//! A word is matched folded (lower case, no accents). Scripts without spaces have no word edges, so there every match counts.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::normal::{Text, folded_word};

/// What a word says about a number near it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// "code", "password", "PIN".
    Key,
    /// "verify", "confirm", "log in".
    Verify,
    /// "order", "invoice", "card": a number right after it is no code.
    Reference,
    /// "ending in": a number right after it ends a card number.
    Ending,
    /// "promo code", "postcode": a code of another kind follows.
    OtherKind,
    /// A message about orders, payments or offers.
    Business,
    /// An offer: its codes are worth a discount, unless the message also speaks of logging in.
    Offer,
    /// "minutes": a number right before it is a duration.
    Unit,
    /// "reply … to": a number after it is to be written to.
    ReplyTo,
    /// "am", "uhr": a number right before it is a time of day.
    HourMark,
}

/// How much of a word must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edges {
    /// Anywhere, within a longer word too.
    Anywhere,
    /// At the end of a word: compounds count.
    WordEnd,
    /// At the start of a word: stems count.
    WordStart,
    /// The whole word.
    Whole,
}

/// A word found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Index of its first character.
    pub start: usize,
    /// Index behind its last character.
    pub end: usize,
    /// What it says.
    pub class: Class,
}

#[rustfmt::skip]
const LISTS: &[(Class, Edges, &[&str])] = &[
    (Class::Key, Edges::WordEnd, &[
        "code", "kode", "kood", "kod", "koden", "koodi", "koodisi", "koodin", "kodi", "passcode", "verifycode", "otp", "codul", "kodea", "kóði", "kóðinn", "kóðann", "khodi", "khowudi", "kodningen", "koodiksi", "kodi yako", "kody", "kodum",
    ]),
    (Class::Key, Edges::Whole, &[
        "coce", "pin", "tan", "mtan", "otc", "password", "passwort", "kennwort", "wachtwoord", "haslo", "hasło", "heslo", "jelszo", "jelszava", "parola",
        "parolă", "sifre", "şifre", "sifreniz", "šifra", "lozinka", "geslo", "salasana", "lösenord", "passord", "adgangskode", "slaptažodis", "parole",
        "mot de passe", "clave", "contraseña", "contrasenya", "contrasinal", "senha", "chave", "kata sandi", "sandi", "kata laluan", "mật khẩu",
        "mã xác", "mã otp", "mã của", "là mã", "mã số", "mã đăng nhập", "mã bảo mật", "mã kích hoạt", "mã pin", "mã code", "mã truy cập", "mã thông báo", "mã đặt lại", "mã",
        "codigo", "código", "chód", "codice", "codi", "cod", "còd", "cód", "côd", "kódja", "kódod", "kódot", "kódját", "koda", "kodu", "kodo", "kodem", "kodom", "kodas", "kodą", "kods", "kodus",
        "kodunuz", "kodunuzu", "kodun", "kodunu", "kodini", "kodingiz", "kodini", "kóði", "kóðinn", "kodet", "koodh", "koodhka", "kòd", "kowd", "koodiga", "kodim", "kodini", "kodiga",
        "msimbo", "nambari ya", "ikhodi", "ikhowudi", "khoutu", "lambar", "lambobin", "kodhi", "koodu", "kood on", "karakia", "waehere", "token", "kodon", "kodeks", "nenosiri",
        "nambari yako", "namba yako", "numri", "to verify", "to log in", "to login", "to sign in", "to authenticate", "to activate", "para verificar", "pour vérifier", "zum bestätigen", "per verificare",
        "access key", "security number", "verification number", "authentication number", "one-time number", "zugangscode", "freischaltcode",
    ]),
    (Class::Key, Edges::Anywhere, &[
        "код", "кôд", "пароль", "пароля", "паролю", "парола", "лозинка", "шифра", "рамзи", "пин", "құпия", "сырсөз", "нууц үг",
        "κωδικ", "קוד", "סיסמה", "סיסמא", "סיסמת", "رمز", "كود", "کد ", "کد:", "کد‌", "کدِ", "کوڈ", "کۆد", "کوډ", "ڪوڊ", "كلمة المرور", "كلمة السر", "گذرواژه", "پاس ورڈ", "رمزك",
        "कोड", "पासवर्ड", "ओटीपी", "पिन", "गोप्य", "संकेतशब्द", "কোড", "পাসওয়ার্ড", "ওটিপি", "ক'ড", "ক’ড", "পিন", "કોડ", "ઓટીપી", "પાસવર્ડ", "ਕੋਡ", "ਪਾਸਵਰਡ", "କୋଡ", "କୋଡ଼",
        "குறியீ", "கோட்", "கடவுச்சொல்", "గోడ్", "కోడ్", "కోడు", "పాస్‌వర్డ్", "ಕೋಡ್", "ಗುಪ್ತಪದ", "കോഡ്", "കോഡാണ്", "പാസ്‌വേഡ്", "කේත", "මුරපද",
        "รหัส", "โค้ด", "ລະຫັດ", "កូដ", "លេខសម្ងាត់", "ကုဒ်", "ကုတ်", "စကားဝှက်", "კოდ", "პაროლ", "կոդ", "ծածկագ", "գաղտնաբառ", "ኮድ", "የይለፍ ቃል",
        "验证码", "驗證碼", "校验码", "动态码", "确认码", "確認碼", "密码", "密碼", "代码", "代碼", "识别码", "安全码", "口令", "认证码", "授权码", "激活码", "码", "碼",
        "コード", "認証番号", "確認番号", "パスワード", "暗証", "코드", "인증번호", "인증 번호", "비밀번호", "확인번호", "승인번호", "認證碼", "ནང་རྟགས",
    ]),
    (Class::Verify, Edges::WordStart, &[
        "verif", "confirm", "authent", "autent", "authoriz", "activat", "activ", "aktiv", "log in", "login", "log-in", "logging", "signing", "sign in", "sign-in", "signin", "secur", "segur", "2fa", "two-factor",
        "2-step", "one-time", "onetime", "one time", "einmal", "engångs", "engangs", "bestatig", "anmeld", "sicherheit", "zugang", "connexion", "accesso", "acceso", "acesso", "bevestig", "aanmeld",
        "bekraft", "bekreft", "bekræft", "inlogg", "logg", "vahvist", "todenn", "kirjaut", "weryfik", "potwierdz", "uwierzyt", "logowan", "over", "ověř", "potvrd", "prihla", "ellenorz", "megerosit",
        "hitelesit", "igazol", "belep", "provjer", "potrd", "preverj", "dogrula", "onay", "giris", "tesdiq", "təsdiq", "konfirm", "pengesahan", "sahkan", "masuk", "xac minh", "xac nhan", "xac thuc",
        "kich hoat", "dang nhap", "dang ky", "kinnit", "apstiprin", "patvirtin", "egiazta", "stadfest", "staðfest", "tasdiq", "thibitish", "uthibitish", "isiqinisek", "ukuqinisek", "beripika", "kumpirma", "deimhni", "gwirio", "tanter",
        "bevestig", "jelszo", "sikkerhe", "säkerhet", "turvallis", "bezpecn", "bezpiecz", "biztons", "sigurnos", "varnost", "guvenlik", "keselamatan", "keamanan", "bao mat",
    ]),
    (Class::Verify, Edges::Whole, &[
        "enter", "enter it", "type", "input", "ingrese", "ingresa", "introduce", "introduzca", "saisissez", "saisir", "entrez", "geben sie", "gib", "eingeben", "inserisci", "inserire", "digite", "insira", "informe",
        "введите", "введіть", "въведете", "унесите", "wpisz", "wprowadź", "zadejte", "zadajte", "girin", "giriniz", "masukkan", "nhập", "vnesite", "unesite", "introduceți", "voer", "ange", "indtast", "skriv inn", "syötä", "įveskite", "ievadiet", "sisestage", "írja be",
    ]),
    (Class::Verify, Edges::Anywhere, &[
        "输入", "輸入", "入力", "입력", "أدخل", "ادخل", "وارد کنید", "दर्ज करें", "הזן", "กรอก", "nhập mã",
        "подтвержд", "провер", "вход", "войти", "авториз", "активац", "підтвердж", "перевір", "вхід", "потвърж", "потврд", "проверк", "растау", "ырасто", "баталгаа", "тасдиқ", "бекіту", "пацвярдж",
        "επαληθ", "επιβεβ", "συνδεσ", "ασφαλει", "אימות", "אישור", "כניסה", "תחקק", "تحقق", "تأكيد", "تاكيد", "تفعيل", "تسجيل", "تأیید", "تایید", "ورود", "فعال", "تصدیق", "پشتڕاست",
        "सत्याप", "पुष्टि", "लॉगिन", "लॉग", "पडताळ", "प्रमाणी", "যাচাই", "নিশ্চিত", "ચકાસ", "ખાતરી", "ਤਸਦੀਕ", "ਪੁਸ਼ਟੀ", "ଯାଞ୍ଚ", "சரிபார்", "உறுதி", "ధృవీక", "నిర్ధార", "ಪರಿಶೀಲ", "ದೃಢೀ", "പരിശോധ", "സ്ഥിരീ", "සත්‍යාප", "තහවුරු",
        "ยืนยัน", "ຢືນຢັນ", "ផ្ទៀងផ្ទាត់", "បញ្ជាក់", "အတည်ပြု", "დადასტურ", "ვერიფ", "დამოწმებ", "հաստատ", "վավեր", "ማረጋገ", "验证", "驗證", "确认", "確認", "登录", "登錄", "登入", "激活", "注册", "註冊", "认证", "認證",
        "認証", "ログイン", "인증", "확인", "로그인", "본인",
    ]),
    (Class::Reference, Edges::Whole, &[
        "order", "orders", "order no", "order number", "order id", "ref", "ref no", "reference", "reference number", "invoice", "ticket", "case", "tracking", "tracking number", "tracking id", "booking", "reservation",
        "account", "account number", "account no", "a/c", "acct", "acc", "card", "card number", "flight", "room", "pnr", "txn", "txn id", "transaction", "transaction id", "policy", "parcel", "package", "shipment", "receipt", "customer id",
        "bill", "gate", "seat", "table", "locker", "job", "request", "claim", "member", "membership", "employee", "student", "balance", "amount", "total", "of rs", "meter", "loan",
        "rechnung", "bestellung", "auftrag", "kundennummer", "bestellnummer", "sendung", "sendungsnummer", "pedido", "factura", "fatura", "tarjeta", "cuenta", "commande", "facture", "colis", "carte", "compte", "ordine", "fattura", "conto", "carta",
        "zamowienie", "zamowienia", "faktura", "siparis", "objednavka", "objednavky", "bestelling", "ordrenummer", "ordernummer", "pesanan", "đơn hàng", "hoa don", "zakaz",
        "заказ", "заказа", "заказу", "счет", "счёт", "счета", "карта", "карты", "картой", "договор", "трек", "замовлення", "рахунок", "поръчка",
    ]),
    (Class::Reference, Edges::Anywhere, &[
        "订单", "订单号", "訂單", "单号", "單號", "卡号", "账号", "帳號", "账户", "编号", "注文", "注文番号", "予約番号", "お問い合わせ番号", "주문", "주문번호", "계좌", "운송장", "송장번호", "예약번호", "طلب رقم", "رقم الطلب", "الفاتورة", "سفارش", "ऑर्डर", "หมายเลขพัสดุ", "คำสั่งซื้อ", "הזמנה",
    ]),
    (Class::Ending, Edges::Whole, &["ending", "ending in", "ending with", "ends with", "ends in", "endend auf", "endet auf", "terminada en", "terminado em", "finissant par", "se terminant par", "che termina con", "last 4", "last four", "last digits", "оканчив"]),
    (Class::Ending, Edges::Anywhere, &["尾号", "末四位", "尾號", "下4桁", "끝자리"]),
    (Class::OtherKind, Edges::Whole, &[
        "promo code", "promo-code", "promocode", "promotion code", "promotional code", "coupon code", "coupon", "discount code", "voucher code", "voucher", "gift code", "gift card", "referral code", "refer code", "invite code", "invitation code",
        "purchase code", "booking code", "tracking code", "zip code", "zipcode", "postal code", "postcode", "area code", "country code", "error code", "bar code", "barcode", "dress code", "source code", "sort code", "swift code", "ifsc code", "ifsc",
        "product code", "offer code", "rabattcode", "gutscheincode", "gutschein", "code promo", "code de reduction", "code postal", "codigo promocional", "codigo de descuento", "cupon", "cupom", "codigo postal", "codice sconto", "codice promo", "kod rabatowy", "kortingscode", "indirim kodu", "kode promo", "kode pos", "ma giam gia", "ma khuyen mai", "ma don hang", "ma van don",
    ]),
    (Class::OtherKind, Edges::Anywhere, &["промокод", "优惠码", "優惠碼", "兑换码", "折扣码", "邀请码", "取件码", "提货码", "条形码", "邮政编码", "クーポンコード", "プロモーションコード", "쿠폰", "할인 코드", "할인코드", "รหัสส่วนลด", "รหัสโปรโมชั่น", "प्रोमो", "कूपन", "كود الخصم", "کد تخفیف", "קוד הנחה", "קופון"]),
    (Class::Business, Edges::Whole, &[
        "order", "orders", "delivery", "delivered", "deliver", "shipped", "shipment", "dispatched", "invoice", "payment", "paid", "balance", "appointment", "tracking", "parcel", "package", "sale", "off", "offer", "offers", "discount", "refund", "bill", "due", "win", "won", "winner", "prize", "save", "free", "deal", "deals",
        "reservation", "booking", "credited", "debited", "spent", "withdrawn", "withdrawal", "transferred", "received", "statement", "subscribe", "unsubscribe", "vote", "points", "reward", "rewards", "meeting", "flight", "gate", "arrives", "arriving", "pickup", "pick up", "collect", "recharge", "loan",
        "lieferung", "rechnung", "bestellung", "zahlung", "termin", "paket", "rabatt", "pedido", "entrega", "factura", "pago", "cita", "oferta", "descuento", "livraison", "commande", "paiement", "rendez-vous", "colis", "soldes", "ordine", "consegna", "pagamento", "sconto", "appuntamento", "entregue", "encomenda", "bestelling", "levering", "pakket",
        "заказ", "заказа", "доставка", "доставлен", "оплата", "баланс", "скидка", "скидки", "посылка", "списание", "перевод", "зачисление", "zamowienie", "przesylka", "platnosc", "siparis", "siparisiniz", "kargo", "odeme", "pesanan", "paket", "pembayaran", "promo",
    ]),
    (Class::Business, Edges::Anywhere, &["订单", "快递", "包裹", "余额", "支付成功", "消费", "优惠", "配送", "お届け", "注文", "予約", "お支払", "주문", "배송", "결제", "택배", "الطلب", "شحن", "رصيد", "سفارش", "พัสดุ", "ยอดเงิน", "หักบัญชี", "ऑर्डर", "भुगतान", "הזמנה", "משלוח"]),
    (Class::Offer, Edges::Whole, &[
        "off", "discount", "promo", "sale", "checkout", "coupon", "voucher", "deal", "deals", "rabatt", "descuento", "oferta", "sconto", "remise", "soldes", "korting", "zniżka", "indirim", "diskon", "giảm giá", "скидка", "скидки", "скидку", "знижка",
    ]),
    (Class::Offer, Edges::Anywhere, &["优惠", "折扣", "割引", "クーポン", "할인", "쿠폰", "خصم", "تخفیف", "छूट", "ส่วนลด", "הנחה"]),
    (Class::Unit, Edges::WordStart, &[
        "min", "mins", "minut", "minuut", "minuten", "minuto", "minuta", "mnt", "menit", "dakika", "perc", "phut", "phút", "sec", "second", "segund", "sekund", "saniye", "detik", "saat", "giay", "hour", "hrs", "hr", "stund", "hora", "heure", "ore", "ora", "uur", "tim", "timer", "godzin", "hodin", "jam", "gio",
        "day", "days", "tag", "dias", "dia", "jours", "giorni", "dagen", "dagar", "dni", "gun", "hari", "ngay", "week", "month", "year", "sekunti", "minuuttia", "sunti", "minit", "dakik", "deqiq", "dəqiq", "daqiq", "saat", "мин", "минут", "сек", "час", "хвилин", "дней", "дня", "секунд", "годин", "минути", "λεπτ", "δευτερ", "ωρ", "times", "tries", "attempts", "characters", "digits", "km", "kg", "mb", "gb", "lb", "miles", "people", "points", "items",
    ]),
    (Class::Unit, Edges::Anywhere, &["分", "秒", "小时", "小時", "時間", "天", "日", "月", "年", "个", "次", "元", "位", "분", "초", "시간", "일 ", "년", "월", "회", "원", "דקות", "דקה", "שניות", "دقيقة", "دقائق", "دقیقه", "ثانية", "ثوان", "ثانیه", "ساعة", "ساعت", "منٹ", "मिनट", "मिनिट", "मिनेट", "सेकंड", "घंट", "মিনিট", "સેકન્ડ", "મિનિટ", "ਮਿੰਟ", "நிமிட", "நொடி", "నిమిష", "ನಿಮಿಷ", "മിനിറ്റ", "විනාඩි", "นาที", "วินาที", "ชั่วโมง", "ນາທີ", "នាទី", "မိနစ်", "წუთ", "րոպե", "ደቂቃ", "ମିନିଟ"]),
    (Class::ReplyTo, Edges::Whole, &["reply stop to", "text stop to", "send stop to", "reply help to", "text help to", "sms stop to", "stop to", "help to", "text to", "sms to", "send to", "reply to", "reply", "dial", "call", "call us at", "call us on", "contact", "helpline", "tel", "tel.", "phone", "hotline", "anrufen unter", "llame al", "appelez le", "ligue", "звоните", "тел", "antworte an", "stop al", "stop au", "stop a", "sms a", "sms an"]),
    (Class::ReplyTo, Edges::Anywhere, &["回复", "回td退订", "拨打", "致电", "客服", "热线", "電話", "문의", "무료수신거부", "اتصل", "تماس", "โทร"]),
    (Class::HourMark, Edges::Whole, &["am", "pm", "a.m", "p.m", "uhr", "h", "hrs", "o'clock"]),
];

struct Words {
    automaton: AhoCorasick,
    classes: Vec<(Class, Edges)>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let all = LISTS.iter().flat_map(|(class, edges, words)| words.iter().map(move |word| (folded_word(word), (*class, *edges))));
    let (patterns, classes): (Vec<_>, Vec<_>) = all.unzip();
    let automaton = AhoCorasick::new(&patterns).expect("a thousand short words make an automaton");
    Words { automaton, classes }
});

/// Every word found, in the order of their ends.
pub fn find(text: &Text) -> Vec<Hit> {
    let hits = WORDS.automaton.find_overlapping_iter(&text.folded).filter_map(|found| {
        let (class, edges) = WORDS.classes[found.pattern().as_usize()];
        let (start, end) = (text.index_of_byte[found.start()], text.index_of_byte[found.end()]);
        let fits = match edges {
            Edges::Anywhere => true,
            Edges::Whole => !is_inside_word(text, start) && !is_inside_word(text, end),
            Edges::WordEnd => !is_inside_word(text, end),
            Edges::WordStart => !is_inside_word(text, start),
        };
        fits.then_some(Hit { start, end, class })
    });
    hits.collect()
}

/// Whether the edge at `index` cuts a word in two. Scripts without spaces between words have no such edges.
pub fn is_inside_word(text: &Text, index: usize) -> bool {
    let spaced = |character: Option<char>| character.is_some_and(|character| character.is_alphabetic() && u32::from(character) < 0x590);
    spaced(text.before(index)) && spaced(text.at(index))
}
