//! How many messages a second are read for their code? One core, texts of several languages and
//! lengths; how often a message allocates; and the time that a long text takes for each of its
//! characters, which must not grow with the text.
//!
//! `cargo bench -p sms-code --bench code`

#![expect(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a stopwatch of real time is what a benchmark is"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use sms_code::{Message, Service, extract};

const PHASE: Duration = Duration::from_secs(2);
const TEXTS: [&str; 6] = [
    "G-482913 is your Google verification code. Never share it.",
    "Your order 4829137 has shipped and will arrive on 24/11/2026 between 14:00 and 16:00. \
     Questions? Call +1 800 555 0199.",
    "【Acme】您的验证码是482913，5分钟内有效，请勿泄露给他人。",
    "Ваш код подтверждения: 482913. Никому его не сообщайте. Карта *4471, сумма 1 250,00 руб.",
    "รหัส OTP ของคุณคือ 482913 (Ref: KXTR) ห้ามบอกผู้อื่น",
    "Hey, are we still on for tonight? I can bring 2 bottles and be there around 19:30 or so, \
     just tell me which tram to take.",
];

fn main() {
    let service = Service::named("google");
    let (start, mut messages) = (Instant::now(), 0u64);
    while start.elapsed() < PHASE {
        for text in TEXTS {
            drop(black_box(extract(&Message::new(text), service)));
            messages += 1;
        }
    }
    let per_second = messages as f64 / start.elapsed().as_secs_f64();
    let counted = allocation_counter::measure(|| {
        for text in TEXTS {
            drop(black_box(extract(&Message::new(text), service)));
        }
    });
    let (allocations, bytes) = (
        counted.count_total as f64 / TEXTS.len() as f64,
        counted.bytes_total as f64 / TEXTS.len() as f64,
    );
    let nanos_a_character = |copies: usize| {
        let text = "Your code 4829 of 10 items, ref 77123456. ".repeat(copies);
        let start = Instant::now();
        drop(black_box(extract(&Message::new(&text), service)));
        start.elapsed().as_nanos() as f64 / text.len() as f64
    };
    let (short, long) = (nanos_a_character(20), nanos_a_character(900));
    println!(
        r#"{{"messages_per_second":{per_second:.0},"allocations_a_message":{allocations:.0},"bytes_a_message":{bytes:.0},"nanos_a_character":{short:.0},"nanos_a_character_of_a_long_text":{long:.0}}}"#
    );
}
