//! Messages made from templates, code shapes and other numbers; the same ones in every run.

const POSITIVE: &str = include_str!("../corpus/positive.txt");
const NEGATIVE: &str = include_str!("../corpus/negative.txt");
const SERVICES: [&str; 4] = ["Acme", "Zeta", "Orbita", "Foodly"];

/// The same numbers in every run: a linear congruence is chance enough for digits.
pub struct Chance(pub u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    pub fn digits(&mut self, length: usize) -> String {
        let first = char::from(
            b'1' + u8::try_from(self.below(9)).expect("it is small, or written so in the corpus"),
        );
        std::iter::once(first)
            .chain((1..length).map(|_| {
                char::from(
                    b'0' + u8::try_from(self.below(10))
                        .expect("it is small, or written so in the corpus"),
                )
            }))
            .collect()
    }

    /// A sum as one country or another writes it.
    pub fn amount(&mut self) -> String {
        let length = 1 + usize::try_from(self.below(5)).expect("below five");
        let (whole, cents) = (self.digits(length), self.digits(2));
        let grouped = |mark: char| {
            let (head, tail) = whole.split_at(whole.len().saturating_sub(3));
            if head.is_empty() { whole.clone() } else { format!("{head}{mark}{tail}") }
        };
        match self.below(5) {
            0 => format!("{}.{cents}", grouped(',')),
            1 => format!("{},{cents}", grouped('.')),
            2 => grouped(' '),
            3 => whole,
            _ => format!("{whole}.{cents}"),
        }
    }

    pub fn reference(&mut self) -> String {
        let letters = b"BCDFGHJKMNPQRTVWXY";
        (0..8)
            .map(|place| {
                if place % 2 == 0 {
                    char::from(
                        letters[usize::try_from(self.below(18))
                            .expect("it is small, or written so in the corpus")],
                    )
                } else {
                    char::from(
                        b'2' + u8::try_from(self.below(8))
                            .expect("it is small, or written so in the corpus"),
                    )
                }
            })
            .collect()
    }
}

fn templates(corpus: &str) -> impl Iterator<Item = (&str, String)> {
    corpus.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let (language, text) =
            line.split_once(" | ").expect("it is small, or written so in the corpus");
        (language, text.replace("\\n", "\n"))
    })
}

fn is_held_out(template: &str) -> bool {
    template.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }) % 4
        == 0
}

/// A code as it is written and as it is typed.
fn codes(chance: &mut Chance) -> Vec<(String, String)> {
    let mut codes: Vec<(String, String)> = [4, 5, 6, 7, 8]
        .into_iter()
        .map(|length| chance.digits(length))
        .map(|code| (code.clone(), code))
        .collect();
    let six = chance.digits(6);
    codes.push((format!("{}-{}", &six[..3], &six[3..]), six.clone()));
    codes.push((format!("{} {}", &six[..3], &six[3..]), six));
    codes
}

/// A message, and the code in it.
pub struct Made {
    /// Its template's language.
    pub language: String,
    /// The text.
    pub text: String,
    /// The code as it is typed; none, if there is none.
    pub code: Option<String>,
}

/// Every template of one half with every shape of code, or with numbers that are none.
pub fn messages(held_out: bool) -> Vec<Made> {
    let mut chance = Chance(7);
    let mut made = Vec::new();
    for (language, template) in
        templates(POSITIVE).filter(|(_, template)| is_held_out(template) == held_out)
    {
        for (index, (written, code)) in codes(&mut chance).into_iter().enumerate() {
            let text =
                template.replace("{c}", &written).replace("{s}", SERVICES[index % SERVICES.len()]);
            let text = filled(&text, &mut chance);
            made.push(Made { language: language.to_owned(), text, code: Some(code) });
        }
    }
    for (language, template) in
        templates(NEGATIVE).filter(|(_, template)| is_held_out(template) == held_out)
    {
        for _ in 0..4 {
            made.push(Made {
                language: language.to_owned(),
                text: filled(&template, &mut chance),
                code: None,
            });
        }
    }
    made
}

/// A template with a number of its own in each place: `{n4}` of four digits, `{m}` an amount, `{r}`
/// a reference.
fn filled(template: &str, chance: &mut Chance) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, (place, behind))) =
        rest.split_once('{').and_then(|(before, from)| Some((before, from.split_once('}')?)))
    {
        text.push_str(before);
        let made = match place {
            "m" => chance.amount(),
            "r" => chance.reference(),
            digits => chance.digits(
                digits[1..].parse().expect("a place of the corpus is {m}, {r} or {n} with a count"),
            ),
        };
        text.push_str(&made);
        rest = behind;
    }
    text.push_str(rest);
    text
}
