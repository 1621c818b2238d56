//! How many sentences a second are read, how often a sentence allocates, and how long the word
//! lists take at first use.
//!
//! `cargo bench -p telenumerus-natural-language --bench sentence`

#![expect(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a stopwatch of real time is what a benchmark is"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use telenumerus_natural_language::{MAX_QUERY, understand};

const PHASE: Duration = Duration::from_secs(2);
const SENTENCES: [&str; 6] = [
    "I need a Google verification number for UK",
    "szukam niemieckiego numeru na Telegram",
    "ขอเบอร์ไทยสมัครวอทส์แอป",
    "グーグル用にアメリカの電話番号をお願いします",
    "how much is a WhatsApp number in Germany?",
    "телеграм с номером Германии, только не дорого",
];

fn main() {
    let start = Instant::now();
    drop(black_box(understand(SENTENCES[0])));
    let first = start.elapsed().as_secs_f64() * 1_000.0;
    let short = per_second(|times| drop(black_box(understand(SENTENCES[times % SENTENCES.len()]))));
    let counted = allocation_counter::measure(|| {
        for sentence in SENTENCES {
            drop(black_box(understand(sentence)));
        }
    });
    let (allocations, bytes) = (
        counted.count_total as f64 / SENTENCES.len() as f64,
        counted.bytes_total as f64 / SENTENCES.len() as f64,
    );
    let longest =
        "не понимаю этого предложения ".repeat(40).chars().take(MAX_QUERY).collect::<String>();
    let long = per_second(|_| drop(black_box(understand(&longest))));
    println!(
        r#"{{"first_milliseconds":{first:.0},"sentences_per_second":{short:.0},"allocations_a_sentence":{allocations:.0},"bytes_a_sentence":{bytes:.0},"longest_sentences_per_second":{long:.0}}}"#
    );
}

fn per_second(mut work: impl FnMut(usize)) -> f64 {
    let (start, mut times) = (Instant::now(), 0_usize);
    while start.elapsed() < PHASE {
        work(times);
        times += 1;
    }
    times as f64 / start.elapsed().as_secs_f64()
}
