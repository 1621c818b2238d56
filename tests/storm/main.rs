//! All sources at once, three answers in ten wrong in some way: 10 000 orders end without an
//! orphaned lease, a wrong code or a lost hold.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod gateway;
#[expect(dead_code, reason = "the harness has more than this test needs")]
#[path = "../it/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use actors::kernel::clock::Stopwatch;
use actors::kernel::entropy::Entropy;
use fakes::pull::{self, Source};
use fakes::{Faults, formats, serve};
use gateway::{Gateway, POOLS, PULLS, phone, pool_of, pulled_from, rests};
use parking_lot::Mutex;
use serde_json::{Value, json};
use server::Server;

const ORDERS: usize = 10_000;
const ACCOUNTS: usize = 125;
/// Orders an account has at once.
const AT_ONCE: usize = 8;
/// Numbers of each pool.
const NUMBERS: u32 = 150;
/// Seconds that numbers rest from which late messages may come without a time: more than any takes
/// here.
const REST: u32 = 20;
const CREDIT_CENTS: i64 = 100_000;
/// A connection nobody used for so long is not used again: the service closes it at thirty seconds.
const LET_GO: Duration = Duration::from_secs(10);
/// Platforms whose codes are of six digits, so that a code is as good for one as for another if it
/// goes astray.
const PLATFORMS: [&str; 5] = ["google", "discord", "amazon", "microsoft", "netflix"];
/// Those that the pools serve: Google's orders must ask the sources that are asked, however fast
/// the pools are.
const POOLED: [&str; 4] = ["discord", "amazon", "microsoft", "netflix"];

/// What came of the orders, by status and by source.
#[derive(Default)]
struct Tally {
    statuses: BTreeMap<String, usize>,
    suppliers: BTreeMap<&'static str, usize>,
    /// Orders that were shown what was not sent to them.
    wrong: Vec<String>,
    /// What was sent, and to whom.
    brought: Vec<String>,
    /// Orders that listen, to be looked at when they are over: their callers' keys, and the codes
    /// that were sent to each.
    listening: Vec<(String, String, Vec<String>)>,
    /// What was paid, in ten thousandths of a dollar, by account.
    paid: BTreeMap<String, i64>,
}

struct Storm {
    http: reqwest::Client,
    base: String,
    gateway: Gateway,
    dice: Entropy,
    tally: Mutex<Tally>,
}

fn config(pulls: &[(&str, std::net::SocketAddr)], smsc: u16) -> String {
    let mut text = format!(
        "[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[http]\npublic_url = \"{}\"\n[deposits]\nsimulated = false
[orders]\nlifetime_seconds = 8\nmax_concurrent_per_account = {AT_ONCE}\n[suppliers]\ncooldown_days = 0\n[suppliers.rest_seconds]\nsmpp = {REST}\ntwilio = {REST}\nvonage = {REST}\nandroid = {REST}\n[suppliers.weights]\nsmpp = 200\ntwilio = 200\nvonage = 200\n
[suppliers.simulator]\nenabled = true\ndelivery_seconds = [0.1, 2.0]\nfailure_rate = 0.1\nno_stock_rate = 0.1\ndead_number_rate = 0.1
[suppliers.own]\nsends_times = true\ninbound_secret = \"{}\"\n[suppliers.twilio]\nauth_token = \"{}\"\n[suppliers.telnyx]\npublic_key = \"{}\"
[suppliers.vonage]\nsignature_secret = \"{}\"\n[suppliers.android]\nsigning_key = \"{}\"
[[suppliers.smpp.binds]]\naddress = \"127.0.0.1:{smsc}\"\nsystem_id = \"telenum\"\npassword = \"secret\"\n",
        formats::PUBLIC_URL,
        formats::OWN_SECRET,
        formats::TWILIO_TOKEN,
        formats::telnyx_public_key(),
        formats::VONAGE_SECRET,
        formats::ANDROID_KEY
    );
    for (place, pool) in POOLS.iter().enumerate() {
        for number in 0..NUMBERS {
            let phone = phone(place, number);
            let _ = writeln!(
                text,
                "[[suppliers.{pool}.numbers]]\nnumber = \"{phone}\"\ncountry = \"US\"\nplatforms = {POOLED:?}"
            );
        }
    }
    text += "[suppliers.android.sims]\n";
    for number in 0..NUMBERS {
        let _ = writeln!(text, "\"phone-{number}/1\" = \"{}\"", phone(5, number));
    }
    for (name, address) in pulls {
        let _ = write!(
            text,
            "[[suppliers.http]]\nname = \"{name}\"\nurl = \"http://{address}\"\ntoken = \"{}\"\npoll_seconds = 1\n",
            pull::TOKEN
        );
    }
    text
}

#[test]
fn ten_thousand_orders_over_all_sources_end_lawfully() {
    let sources = PULLS
        .iter()
        .zip(1..)
        .map(|((_, area), seed)| Source::new(Faults::THIRTY_PERCENT, seed).in_area(area))
        .collect::<Vec<_>>();
    let pulls: Vec<_> = PULLS
        .iter()
        .zip(&sources)
        .map(|((name, _), source)| (*name, serve(source.router())))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (smsc, bound) = runtime.block_on(gateway::smsc());
    let server = Server::start(&config(&pulls, smsc));
    let begun = Stopwatch::start();
    let storm = runtime.block_on(async {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(server::tls())
            .timeout(Duration::from_mins(1))
            .pool_idle_timeout(LET_GO)
            .build()
            .unwrap();
        let base = format!("http://{}", server.address);
        let gateway = Gateway::new(http.clone(), base.clone(), bound).await;
        let storm = Arc::new(Storm {
            http,
            base,
            gateway,
            dice: Entropy::seeded(7),
            tally: Mutex::default(),
        });
        let mut work = tokio::task::JoinSet::new();
        for _ in 0..ACCOUNTS {
            let (account, key) = storm.account(&server).await;
            for _ in 0..AT_ONCE {
                work.spawn(Arc::clone(&storm).orders(
                    account.clone(),
                    key.clone(),
                    ORDERS / ACCOUNTS / AT_ONCE,
                ));
            }
        }
        while let Some(done) = work.join_next().await {
            done.unwrap();
        }
        storm
    });
    runtime.block_on(storm.look_again());
    let tally = storm.tally.lock();
    println!(
        "{ORDERS} orders in {} s: {:?} {:?}",
        begun.elapsed().as_secs(),
        tally.statuses,
        tally.suppliers
    );
    println!("at the inbound webhooks: {:?}", storm.gateway.seen());
    assert_eq!(tally.statuses.values().sum::<usize>(), ORDERS, "every order has ended");
    assert_eq!(tally.wrong, Vec::<String>::new(), "no order has another's code");
    settle(&server, &sources);
    for (account, paid) in &tally.paid {
        let shown = runtime.block_on(storm.shown(&server, account));
        let balance = ten_thousandths(shown["balance"].as_str().unwrap());
        assert_eq!((balance, &shown["held"]), (CREDIT_CENTS * 100 - paid, &json!("0")), "{shown}");
    }
    assert_eventful(&tally, &storm);
}

/// A run in which nothing went wrong proves nothing.
fn assert_eventful(tally: &Tally, storm: &Storm) {
    for status in ["completed", "cancelled", "expired", "failed"] {
        assert!(
            tally.statuses.get(status).is_some_and(|count| *count >= 100),
            "{status}: {:?}",
            tally.statuses
        );
    }
    let pulled: usize = PULLS.iter().filter_map(|(name, _)| tally.suppliers.get(name)).sum();
    assert!(pulled >= 40, "{:?}", tally.suppliers);
    for supplier in POOLS.iter().chain(&["simulator"]) {
        assert!(
            tally.suppliers.get(supplier).is_some_and(|count| *count >= 10),
            "{supplier}: {:?}",
            tally.suppliers
        );
    }
    // The rarest of them is drawn some 25 times: that it was drawn is what counts.
    for outcome in ["taken", "repeated", "order_ended", "unknown_number", "malformed", "too_large"]
    {
        assert!(
            storm.gateway.seen().get(outcome).is_some_and(|count| *count >= 3),
            "{outcome}: {:?}",
            storm.gateway.seen()
        );
    }
}

/// Waits until nothing is leased anywhere, then has the auditors look.
fn settle(server: &Server, sources: &[Source]) {
    sources.iter().for_each(Source::heal);
    let begun = Stopwatch::start();
    loop {
        let open: Vec<String> = sources.iter().flat_map(Source::open).collect();
        let audit = server.cli(&["audit", "suppliers"]);
        let said = String::from_utf8(audit.stdout).unwrap();
        let numbers = String::from_utf8(server.cli(&["numbers", "list"]).stdout).unwrap();
        if open.is_empty()
            && !numbers.contains("listening")
            && audit.status.success()
            && said.matches("charged, 0 under way").count() == sources.len()
        {
            println!("{said}");
            break;
        }
        assert!(begun.elapsed() < Duration::from_mins(7), "{open:?} are leased still: {said}");
        std::thread::sleep(Duration::from_secs(1));
    }
    let numbers = String::from_utf8(server.cli(&["numbers", "list"]).stdout).unwrap();
    assert!(!numbers.contains("leased") && !numbers.contains("listening"), "{numbers}");
    let audit = server.cli(&["audit", "verify"]);
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

impl Storm {
    async fn account(&self, server: &Server) -> (String, String) {
        let registered = self
            .http
            .post(format!("{}/api/v1/register", self.base))
            .json(&json!({}))
            .send()
            .await
            .unwrap();
        let registered: Value = registered.json().await.unwrap();
        let (account, key) = (
            registered["account_id"].as_str().unwrap().to_owned(),
            registered["api_key"].as_str().unwrap().to_owned(),
        );
        let credit = json!({
            "amount": (CREDIT_CENTS / 100).to_string(), "reason": "storm", "operator": "tester",
        });
        let url = format!("{}/accounts/{account}/credit", admin(server));
        assert_eq!(
            self.http
                .post(url)
                .bearer_auth(server::ADMIN_TOKEN)
                .json(&credit)
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
        (account, key)
    }

    async fn shown(&self, server: &Server, account: &str) -> Value {
        let url = format!("{}/accounts/{account}", admin(server));
        self.get(&url, server::ADMIN_TOKEN).await
    }

    async fn orders(self: Arc<Self>, account: String, key: String, count: usize) {
        for _ in 0..count {
            self.order(&account, &key).await;
        }
    }

    async fn order(&self, account: &str, key: &str) {
        let platform = PLATFORMS[usize::try_from(self.dice.below(5)).unwrap()];
        let id = loop {
            let order = self
                .http
                .post(format!("{}/api/v1/order", self.base))
                .bearer_auth(key)
                .json(&json!({ "platform": platform }));
            let reply = order.send().await.unwrap();
            let status = reply.status().as_u16();
            let reply: Value = reply.json().await.unwrap();
            match status {
                200 => break reply["order_id"].as_str().unwrap().to_owned(),
                // No source had a number; the order is over, its hold released.
                503 => {
                    *self.tally.lock().statuses.entry("failed".to_owned()).or_default() += 1;
                    return;
                }
                // Another of the account's loops has just ended its order: its slot is free in a
                // moment.
                409 => tokio::time::sleep(Duration::from_millis(20)).await,
                other => panic!("{other}: {reply}"),
            }
        };
        self.follow(account, key, platform, &id).await;
    }

    async fn follow(&self, account: &str, key: &str, platform: &str, id: &str) {
        let mut sent: BTreeMap<String, String> = BTreeMap::new();
        let is_cancelled = self.dice.chance(0.08);
        let url = format!("{}/api/v1/order/{id}", self.base);
        let (mut wait, mut received_at) = (0, None);
        let ended = loop {
            let query = if wait > 0 { format!("?wait={wait}") } else { String::new() };
            let shown: Value = self.get(&format!("{url}{query}"), key).await;
            let status = shown["status"].as_str().unwrap_or_else(|| panic!("{shown}"));
            if !["pending", "active"].contains(&status) {
                break shown;
            }
            if let Some(number) = shown["phone"].as_str().filter(|_| status == "active") {
                if let Some(place) = pool_of(number).filter(|_| !sent.contains_key(number)) {
                    received_at =
                        if rests(place) { None } else { Some(self.assigned_at(&url, key).await) };
                    // What comes from here on comes late, every other time.
                    if is_cancelled && self.dice.chance(0.5) {
                        self.cancel(&url, key).await;
                    }
                    let code = (100_000 + self.dice.below(900_000)).to_string();
                    sent.insert(number.to_owned(), code.clone());
                    self.tally
                        .lock()
                        .brought
                        .push(format!("{id} on {number} at {received_at:?}: {code}"));
                    self.gateway
                        .bring(place, number, platform, &code, received_at.as_deref(), &self.dice)
                        .await;
                }
                if is_cancelled {
                    // Against the code, which may be faster.
                    self.cancel(&url, key).await;
                }
            }
            wait = 10;
        };
        self.note(account, id, &ended, &sent);
        // What comes now is the order's where it has its code and listens, and nobody's where it
        // was given up.
        if let (Some((number, code)), true) = (sent.first_key_value(), self.dice.chance(0.1)) {
            let late =
                self.gateway.bring_late(number, platform, received_at.as_deref(), &self.dice).await;
            if ended["listening"] == true && ended["attempts"] == 1 {
                let codes = late.into_iter().chain([code.clone()]).collect();
                self.tally.lock().listening.push((key.to_owned(), id.to_owned(), codes));
            }
        }
    }

    /// Orders that have listened show what was sent to them, and nothing else, for the price of one
    /// code.
    async fn look_again(&self) {
        let listening = std::mem::take(&mut self.tally.lock().listening);
        assert!(
            listening.len() >= 50,
            "{} orders had something come after their code",
            listening.len()
        );
        let mut healed = 0;
        for (key, id, codes) in &listening {
            let url = format!("{}/api/v1/order/{id}?wait=30&until=expiry", self.base);
            let shown = loop {
                let shown: Value = self.get(&url, key).await;
                if shown["listening"] == false {
                    break shown;
                }
            };
            let code = shown["code"].as_str().unwrap();
            if pool_of(shown["phone"].as_str().unwrap()).is_some()
                && !codes.iter().any(|sent| sent == code)
            {
                self.tally
                    .lock()
                    .wrong
                    .push(format!("{id} has {code} at last; sent were {codes:?}"));
            }
            healed += usize::from(shown["codes"].as_array().unwrap().len() > 1);
        }
        println!(
            "{} orders had something come after their code, {healed} another code",
            listening.len()
        );
    }

    /// When the order got the number that it has: what was received then is its own, whenever it
    /// comes.
    async fn assigned_at(&self, url: &str, key: &str) -> String {
        let history: Value = self.get(&format!("{url}/events"), key).await;
        let facts = history["events"].as_array().unwrap_or_else(|| panic!("{history}"));
        let assigned = facts
            .iter()
            .rev()
            .find(|fact| fact["type"] == "number_assigned")
            .unwrap_or_else(|| panic!("{history}"));
        assigned["at"].as_str().unwrap().to_owned()
    }

    /// Whatever the answer is: the code may have been faster.
    /// What stands at an address, for whoever has the key or token.
    async fn get(&self, url: &str, key: &str) -> Value {
        self.http.get(url).bearer_auth(key).send().await.unwrap().json().await.unwrap()
    }

    async fn cancel(&self, url: &str, key: &str) {
        self.http
            .post(format!("{url}/cancel"))
            .bearer_auth(key)
            .json(&json!({}))
            .send()
            .await
            .unwrap();
    }

    fn note(&self, account: &str, id: &str, ended: &Value, sent: &BTreeMap<String, String>) {
        let mut tally = self.tally.lock();
        *tally.statuses.entry(ended["status"].as_str().unwrap().to_owned()).or_default() += 1;
        // Also a text that completes nothing is another's.
        let is_strange = |text: &str| {
            text.contains("verification code is")
                && !sent.values().any(|code| text.contains(code.as_str()))
        };
        if ended["attempts"] == 1 && ended["phone"].as_str().and_then(pool_of).is_some() {
            let shown = ended["messages"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|message| message["text"].as_str());
            let strange: Vec<String> = shown
                .filter(|text| is_strange(text))
                .map(|text| format!("{id} shows {text:?}; sent were {sent:?}"))
                .collect();
            tally.wrong.extend(strange);
        }
        if ended["status"] != "completed" {
            return;
        }
        let (code, number) = (ended["code"].as_str().unwrap(), ended["phone"].as_str().unwrap());
        let reference = |attempt: u8| format!("{}-{attempt}", id.trim_start_matches("ord_"));
        let (supplier, is_right) = match (pool_of(number), pulled_from(number)) {
            (Some(place), _) => (POOLS[place], sent.get(number).is_some_and(|sent| sent == code)),
            (None, Some(source)) => {
                (source, (1..=3).any(|attempt| pull::code(&reference(attempt)) == code))
            }
            (None, None) => ("simulator", true),
        };
        if !is_right {
            let others: Vec<String> =
                tally.brought.iter().filter(|brought| brought.contains(code)).cloned().collect();
            tally.wrong.push(format!(
                "{id} on {number} has {code}; sent were {sent:?}; {others:?}; {ended}"
            ));
        }
        *tally.suppliers.entry(supplier).or_default() += 1;
        *tally.paid.entry(account.to_owned()).or_default() +=
            ten_thousandths(&ended["price"].to_string());
    }
}

fn admin(server: &Server) -> String {
    format!(
        "http://{}/admin/v1",
        std::fs::read_to_string(server.data().join("admin.addr")).unwrap().trim()
    )
}

/// An amount in dollars, in ten thousandths.
fn ten_thousandths(dollars: &str) -> i64 {
    let (whole, fraction) = dollars.split_once('.').unwrap_or((dollars, ""));
    format!("{whole}{fraction:0<4}").parse().unwrap()
}
