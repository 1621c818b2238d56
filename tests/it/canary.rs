//! What suppliers send wrong: nothing of it is ever in the log or in the answer, at whichever
//! address it comes in.

use fakes::formats::{
    self, ANDROID_KEY, Letter, Message, OWN_SECRET, PUBLIC_URL, TWILIO_TOKEN, VONAGE_SECRET,
};
use serde_json::{Value, json};

use crate::server::Server;

/// A word and a number that stand nowhere else.
const WORD: &str = "CANARYQXZV";
const NUMBER: u64 = 482_913_774_059;

fn config() -> String {
    let telnyx = formats::telnyx_public_key();
    format!(
        "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[suppliers.simulator]\nenabled = false\n[http]\npublic_url = \"{PUBLIC_URL}\"\n\
        [deposits]\nsimulated = false\n[suppliers.own]\ninbound_secret = \"{OWN_SECRET}\"\n[suppliers.twilio]\nauth_token = \"{TWILIO_TOKEN}\"\n\
        [suppliers.telnyx]\npublic_key = \"{telnyx}\"\n\
        [suppliers.vonage]\nsignature_secret = \"{VONAGE_SECRET}\"\nsignature_method = \"sha256\"\n\
        [suppliers.android]\nsigning_key = \"{ANDROID_KEY}\"\n"
    )
}

fn now() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}

/// The body with each of its values in turn replaced by what does not belong there, and bodies that
/// break off.
fn spoiled(body: &str) -> Vec<String> {
    let whole: Value = serde_json::from_str(body).unwrap();
    let mut bodies = vec![
        body.replace('}', ""),
        format!("{body}{WORD}"),
        format!("\"{WORD}\""),
        NUMBER.to_string(),
        format!("[{body}]"),
    ];
    for pointer in pointers(&whole, "") {
        let with_word: Vec<Value> = vec![
            json!(WORD),
            json!(NUMBER),
            json!([WORD]),
            json!({ WORD: WORD }),
            json!(-1.5e300),
            Value::Null,
        ];
        for wrong in with_word {
            let mut changed = whole.clone();
            *changed.pointer_mut(&pointer).unwrap() = wrong;
            bodies.push(changed.to_string());
        }
    }
    bodies
}

fn pointers(value: &Value, here: &str) -> Vec<String> {
    let inner: Vec<String> = match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| pointers(value, &format!("{here}/{name}")))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, value)| pointers(value, &format!("{here}/{index}")))
            .collect(),
        _ => Vec::new(),
    };
    inner.into_iter().chain((!here.is_empty()).then(|| here.to_owned())).collect()
}

/// Bodies of each supplier with something wrong in them, and secrets in every place.
fn spoiled_letters() -> Vec<Letter> {
    let (text, number) = (format!("{WORD} code {NUMBER}"), NUMBER.to_string());
    let message = Message {
        id: WORD,
        to: &format!("+1{}", &number[..10]),
        text: &text,
        now: now(),
        received_at: Some(WORD),
    };
    let mut letters: Vec<Letter> = Vec::new();
    letters.extend(spoiled(&formats::own(&message).body).into_iter().map(formats::own_body));
    letters.extend(
        spoiled(&formats::telnyx(&message).body)
            .into_iter()
            .map(|body| formats::telnyx_body(body, message.now)),
    );
    letters.extend(
        spoiled(&formats::android(&message, WORD, 2).body)
            .into_iter()
            .map(|body| formats::android_body(body, message.now)),
    );
    letters.extend(spoiled_vonage(&text, &number, message.now));
    letters.extend(spoiled_twilio(&text));
    letters
}

fn spoiled_vonage(text: &str, number: &str, now: i64) -> Vec<Letter> {
    let mut letters = Vec::new();
    let at = (now / 1_000).to_string();
    for (name, value) in [
        ("text", WORD),
        ("concat-part", WORD),
        ("concat-total", number),
        ("to", WORD),
        ("messageId", WORD),
        (WORD, WORD),
    ] {
        let mut fields = vec![
            ("concat", "true"),
            ("concat-total", "2"),
            ("messageId", WORD),
            ("msisdn", WORD),
            ("text", text),
            ("timestamp", &at),
        ];
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        fields.sort_unstable();
        letters.push(formats::vonage_fields(&fields));
    }
    letters
}

fn spoiled_twilio(text: &str) -> Vec<Letter> {
    let mut letters = Vec::new();
    for (name, value) in
        [("MessageSid", WORD), ("To", WORD), ("From", text), (WORD, WORD), ("AccountSid", WORD)]
    {
        let mut fields =
            vec![("Body", text), ("From", "Google"), ("MessageSid", WORD), ("To", "+12025550123")];
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        fields.sort_unstable();
        letters.push(formats::twilio_form(&fields));
    }
    letters
}

#[test]
fn nothing_of_a_message_that_is_not_understood_is_told() {
    let server = Server::start(&config());
    let number = NUMBER.to_string();
    let mut refused = 0;
    for letter in spoiled_letters() {
        let (path, sent) = (letter.path, letter.body.clone());
        let post = letter
            .headers
            .into_iter()
            .fold(server.post(letter.path), |post, (name, value)| post.header(name, value));
        let answer = post.body(letter.body).send().unwrap();
        refused += usize::from(answer.status() == 400);
        let said = answer.text().unwrap();
        assert!(!said.contains(WORD) && !said.contains(&number), "{path} {sent}: {said}");
    }
    assert!(refused >= 60, "{refused} were refused: most are wrong");
    // The log is written off the requests' way: the end of the service is the end of the log.
    let mut server = server;
    server.signal("-TERM");
    server.exit_code();
    let log = server.log_when(|log| log.contains("was refused"));
    assert!(!log.contains(WORD) && !log.contains(&number) && !log.contains("482913"), "{log}");
}

#[test]
fn a_secret_that_cannot_be_read_is_not_told() {
    for setting in [
        "[suppliers.own]\ninbound_secret = 482913774059\n",
        "[admin]\ntoken = [\"CANARYQXZV\"]\n",
        "[suppliers.android]\nsigning_key = { CANARYQXZV = 1 }\n",
    ] {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("config.toml"), setting).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_telenumerus"));
        let output = command
            .args(["serve", "--data-dir"])
            .arg(data.path())
            .arg("--config")
            .arg(data.path().join("config.toml"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("a secret is a text in quotes"),
            "{setting}: {said}"
        );
        assert!(!said.contains(WORD) && !said.contains(&NUMBER.to_string()), "{setting}: {said}");
    }
}
