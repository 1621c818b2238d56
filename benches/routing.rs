//! How long does it take to find a number among 100 000, when most of them are free, taken or
//! resting? Beside a look-up in a map of as many.
//!
//! `cargo bench --bench routing`. The last line is one JSON object.

#![expect(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a stopwatch of real time is what a benchmark is"
)]

use std::collections::HashMap;
use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actors::numbers::pool::{NumberPool, OwnNumber};
use actors::numbers::{Lease, NumberRequest, Release, Router, Stock, Supplier};
use events::country::Country;
use events::id::{AccountId, OrderId};
use events::phone::Phone;
use events::platform::Platform;
use events::supplier::SupplierName;
use events::time::Timestamp;

const NUMBERS: usize = 100_000;
const ROUNDS: usize = 200_000;
const NOW: Timestamp = Timestamp::from_millis(1_795_500_000_000);

fn phone(number: usize) -> Phone {
    format!("+1202{:07}", 2_000_000 + number).parse().expect("a number")
}

fn wanted(platform: Platform) -> NumberRequest {
    NumberRequest { platform, country: Country::Us, at: NOW, is_unproven: false, scenario: None }
}

/// Three sources that share the numbers, of which `taken` of each hundred are on orders and
/// `resting` have just served Google.
fn router(taken: usize, resting: usize) -> Router {
    let sources = ["own", "twilio", "telnyx"].into_iter().enumerate().map(|(source, name)| {
        let mine = || (0..NUMBERS).filter(move |number| number % 3 == source);
        let numbers = mine()
            .map(|number| OwnNumber { phone: phone(number), country: Country::Us, platforms: None })
            .collect();
        let served = mine()
            .filter(|number| number / 3 % 100 >= 100 - resting)
            .map(|number| (phone(number), Platform::Google, NOW));
        let name: SupplierName = name.parse().expect("a name");
        let pool = NumberPool::new(
            name.clone(),
            numbers,
            Duration::from_hours(24),
            served.collect::<Vec<_>>(),
        );
        for number in mine().filter(|number| number / 3 % 100 < taken) {
            let (account, order) = (AccountId(1), OrderId(number as u128 + 1));
            pool.assigned(&Lease {
                account,
                order,
                attempt: 1,
                supplier: name.clone(),
                phone: phone(number),
                platform: Platform::Steam,
                country: Country::Us,
                assigned_at: NOW,
                scenario: None,
            });
        }
        Arc::new(pool) as Arc<dyn Supplier>
    });
    Router::new(sources.collect(), 2)
}

/// Microseconds for a number and back, in the mean; and the longest.
fn measure(taken: usize, resting: usize) -> (f64, f64) {
    let router = router(taken, resting);
    // The first order of a platform makes its queue.
    assert_ne!(router.stock(wanted(Platform::Google)), Stock::None);
    let (mut all, mut longest) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let answer =
            router.acquire_local(wanted(Platform::Google)).expect("a source that need not ask");
        let took = begun.elapsed();
        (all, longest) = (all + took, longest.max(took));
        let phone = answer.answer.expect("there are free ones");
        let lease = Lease {
            account: AccountId(1),
            order: OrderId(1),
            attempt: 1,
            supplier: answer.supplier,
            phone,
            platform: Platform::Google,
            country: Country::Us,
            assigned_at: NOW,
            scenario: None,
        };
        router.release(&lease, Release::Unused, NOW);
    }
    (all.as_secs_f64() * 1e6 / ROUNDS as f64, longest.as_secs_f64() * 1e6)
}

fn main() {
    let map: HashMap<Phone, usize> = (0..NUMBERS).map(|number| (phone(number), number)).collect();
    let phones: Vec<Phone> = (0..NUMBERS).map(phone).collect();
    let begun = Instant::now();
    for round in 0..ROUNDS {
        black_box(map.get(&phones[round * 7_919 % NUMBERS]));
    }
    let look_up = begun.elapsed().as_secs_f64() * 1e6 / ROUNDS as f64;
    println!("a look-up among {NUMBERS}: {look_up:.3} us");
    let mut members = format!("\"look_up_us\":{look_up:.3}");
    for (name, taken, resting) in
        [("free", 0, 0), ("taken", 90, 0), ("resting", 0, 90), ("both", 50, 49)]
    {
        let (mean, longest) = measure(taken, resting);
        println!(
            "{taken} % taken, {resting} % resting: {mean:.3} us in the mean, {longest:.0} us at \
             most ({:.1} look-ups)",
            mean / look_up
        );
        let _ = write!(members, ",\"{name}_us\":{mean:.3}");
    }
    println!("{{{members}}}");
}
