//! What a configuration may say, and what it may not.

mod made;

use events::country::Country;
use events::platform::Platform;
use figment::Figment;
use figment::providers::{Format, Toml};

use suppliers::configuration::PoolConfiguration;

use super::*;

fn read(text: &str) -> Result<Config, ConfigError> {
    let config: Config = Figment::new()
        .merge(Toml::string(text))
        .extract()
        .map_err(|error| ConfigError::Invalid(explain::explain(error)))?;
    match config.contradictions() {
        wrong if wrong.is_empty() => Ok(config),
        wrong => Err(ConfigError::Contradiction(wrong.join("\n"))),
    }
}

#[test]
fn nothing_written_is_a_service_that_runs() {
    let config = read("").unwrap();
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert!(config.simulated_deposits().unwrap());
}

#[test]
fn a_mistake_is_told_by_file_line_and_key_and_no_value_is_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("telenumerus.toml");
    let told = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path))
            .unwrap_err()
            .to_string()
            .replace(&path.display().to_string(), "FILE")
    };
    for (text, words) in [
        (
            "[http]\nlistem = \"127.0.0.1:1\"\n",
            "configuration: FILE:2, http.listem: is not known here; did you mean listen?",
        ),
        (
            "\n[orders]\nlifetime_seconds = \"hunter2\"\n",
            "configuration: FILE:3, orders.lifetime_seconds: is a text, and must be a whole \
             number, not below 0",
        ),
        (
            "[suppliers.own]\ninbound_secret = 5\n",
            "configuration: FILE:2, suppliers.own.inbound_secret: a secret is a text in quotes",
        ),
        (
            "[prices]\ngoogle = true\n",
            "configuration: FILE:2, prices.google: must be a number, such as 0.5 or \"0.5\"",
        ),
        (
            "[http]\nlisten = \"localhost:80\"\n",
            "configuration: FILE:2, http.listen: must be an address and a port, such as \
             127.0.0.1:8080",
        ),
    ] {
        assert_eq!(told(text), words);
    }
    assert!(told("[http\n").contains("FILE"), "{}", told("[http\n"));
}

#[test]
fn what_makes_no_sense_is_told_by_file_line_and_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("telenumerus.toml");
    let told = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path))
            .unwrap_err()
            .to_string()
            .replace(&path.display().to_string(), "FILE")
    };
    for (text, words) in [
        (
            "[http]\nmax_connections = 1\n",
            "configuration: FILE:2, http.max_connections: is from 4 to 1000000, not 1",
        ),
        (
            "\n[admin]\nallowed_hosts = [\"\"]\n",
            "configuration: FILE:3, admin.allowed_hosts: lists names such as metrics.internal, \
             without a port; entry 1 is none",
        ),
        (
            "[prices]\n\"google.GB\" = 1\n\"google.UK\" = 2\n",
            "configuration: FILE:3, prices.\"google.UK\": \"google.GB\" is the same price",
        ),
        ("[store]\ndata_dir = \"\"\n", "configuration: FILE:2, store.data_dir: names no directory"),
        (
            "[prices]\ngoogle = 1\n\"google.DE\" = 0\n",
            "configuration: FILE:3, prices.\"google.DE\": is at least 0.001 dollars: numbers are \
             not given away",
        ),
        (
            "[suppliers.own]\ninbound_secret = \"whsec_0123456789\"\n[[suppliers.own.numbers]]\nnumber = \"+1202555012\"\ncountry = \"US\"\n",
            "configuration: FILE:3, suppliers.own.numbers: +1202555012 cannot serve: no numbering \
             plan has this number: a digit too few, too many or wrong",
        ),
    ] {
        assert_eq!(told(text), words);
    }
}

#[test]
fn names_under_which_the_service_answers_are_names() {
    for good in [
        "[admin]\nallowed_hosts = [\"metrics.internal\", \"10.0.0.1\", \"[::1]\"]",
        "[mcp]\nallowed_hosts = [\"sms.example.com\", \"sms.example.com:8443\", \"localhost\"]\nallowed_origins = [\"https://chat.example.com\"]",
    ] {
        let read = read(good);
        // A bracketed address has colons that are no port.
        assert!(read.is_ok(), "{good}: {read:?}");
    }
    for host in ["", "*", "*.example.com", "a b", "a\\u0007b", "https://a", "a/b", "user@a", "\\n"]
    {
        assert!(read(&format!("[admin]\nallowed_hosts = [\"{host}\"]")).is_err(), "admin {host:?}");
        assert!(read(&format!("[mcp]\nallowed_hosts = [\"{host}\"]")).is_err(), "mcp {host:?}");
    }
    for origin in
        ["", "*", "chat.example.com", "https://", "https://a/b", "https://a\\u0007", "null"]
    {
        assert!(read(&format!("[mcp]\nallowed_origins = [\"{origin}\"]")).is_err(), "{origin:?}");
    }
    assert!(read("[admin]\nallowed_hosts = [\"a:80\"]").is_err(), "the port is not looked at");
}

#[test]
fn a_level_that_is_none_is_an_error() {
    for level in ["info", "info,actors=debug", "warn,telenumerus::http=trace,ractor=off"] {
        assert!(read(&format!("[log]\nlevel = \"{level}\"\n")).is_ok(), "{level}");
    }
    for level in ["inof", "", "info,,warn", "actors", "actors=loud", "info;warn"] {
        assert!(read(&format!("[log]\nlevel = \"{level}\"\n")).is_err(), "{level}");
    }
}

#[test]
fn a_store_keeps_a_reserve_and_no_absurd_one() {
    let store = read("").unwrap().store;
    assert_eq!((store.reserve_mb, store.max_clock_behind_seconds), (256, 60));
    assert_eq!(
        read("[store]\nreserve_mb = 0\nmax_clock_behind_seconds = 0\n").unwrap().store.reserve_mb,
        0
    );
    for absurd in [
        "reserve_mb = 2000000",
        "max_clock_behind_seconds = 40000000",
        "reserve_mb = -1",
        "reserve_mb = \"all\"",
    ] {
        assert!(read(&format!("[store]\n{absurd}\n")).is_err(), "{absurd}");
    }
}

#[test]
fn the_fixed_names_of_the_contract_are_read() {
    let text = r#"
        [http]
        listen = "127.0.0.1:8080"
        trusted_proxies = ["10.0.0.0/8", "::1"]
        [limits]
        per_ip_per_minute = 0
        per_key_per_minute = 120
        [orders]
        lifetime_seconds = 300
        max_concurrent_per_account = 1
        [suppliers]
        max_attempts = 3
        [suppliers.simulator]
        enabled = true
        delivery_seconds = [2.0, 8.0]
        failure_rate = 0.0
        no_stock_rate = 0.0
        dead_number_rate = 0.0
        [suppliers.own]
        inbound_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        [[suppliers.own.numbers]]
        number = "+12025550123"
        country = "US"
        platforms = ["google"]
        [webhooks]
        allow_private_targets = false
        [deposits]
        simulated = true
        [admin]
        listen = "127.0.0.1:8081"
        token = "a token of 24 characters"
        [prices]
        google = 0.75
        "discord.DE" = "0.10"
    "#;
    let config = read(text).unwrap();
    assert_eq!(config.suppliers.own.numbers[0].number.0.as_str(), "+12025550123");
    let catalogue = config.catalogue().unwrap();
    assert_eq!(catalogue.list_price(Platform::Google, Country::Us), Money::from_cents(75));
    assert_eq!(catalogue.list_price(Platform::Discord, Country::De), Money::from_cents(10));
}

#[test]
fn unknown_keys_and_senseless_values_are_errors() {
    let wrong = [
        "[http]\nlistem = \"127.0.0.1:1\"",
        "[htpp]",
        "[suppliers]\nmax_attempts = 0",
        "[suppliers]\nmax_attempts = 255",
        "[suppliers]\ncooldown_days = 4000000000",
        "[suppliers]\nparts_wait_seconds = 4000000000",
        "[suppliers]\nunproven_share_percent = 0",
        "[suppliers]\nunproven_share_percent = 101",
        "[suppliers.rest_seconds]\nown = 4000000000",
        "[suppliers.weights]\nown = 4000000000",
        "[http]\nmax_inbound_bytes = 0",
        "[http]\ntrusted_proxies = [\"10.0.0.0/8\", \"0.0.0.0/0\"]",
        "[http]\ntrusted_proxies = [\"::/0\"]",
        "[admin]\ntoken = \"                              \"",
        "[admin]\ntoken = \"ääääääääääääääääääääääääää\"",
        "[admin]\ntoken = \"aaaaaaaaaaaaaaa\\naaaaaaaaaaaaaaa\"",
        "[http]\nmax_inbound_bytes = 1000000000000",
        "[limits]\naccounts_per_ip_per_hour = 4000000000",
        "[[suppliers.smpp.binds]]\naddress = \"smsc:2775\"\nsystem_id = \"a\"\npassword = \"b\"\nenquire_link_seconds = 4000000000",
        "[suppliers.twilio]\nauth_token = \"0123456789abcdef\"",
        "[http]\npublic_url = \"sms.example.com\"",
        "[http]\npublic_url = \"https://sms.example.com/?a=1\"",
        "[suppliers.telnyx]\npublic_key = \"dG9vIHNob3J0\"",
        "[suppliers.android]\nsigning_key = \"short\"",
        "[suppliers]\nparts_wait_seconds = 0",
        "[suppliers.vonage]\nsignature_secret = \"short\"",
        "[suppliers.vonage]\nsignature_method = \"sha3\"",
        "[[suppliers.smpp.numbers]]\nnumber = \"+12025550123\"\ncountry = \"US\"",
        "[[suppliers.smpp.binds]]\naddress = \"smsc\"\nsystem_id = \"a\"\npassword = \"b\"",
        "[[suppliers.smpp.binds]]\naddress = \":2775\"\nsystem_id = \"a\"\npassword = \"b\"",
        "[[suppliers.smpp.binds]]\naddress = \"smsc:2775\"\nsystem_id = \"a\"\npassword = \"nine chars\"",
        "[[suppliers.smpp.binds]]\naddress = \"smsc:2775\"\nsystem_id = \"a\"\npassword = \"b\"\nenquire_link_seconds = 0",
        "[[suppliers.smpp.binds]]\naddress = \"smsc:2775\"\nsystem_id = \"a\"",
        "[suppliers.android]\nsigning_key = \"long enough\"\n[suppliers.android.sims]\n\"phone/1\" = \"+12025550123\"",
        "[[suppliers.android.numbers]]\nnumber = \"+12025550123\"\ncountry = \"US\"",
        "[suppliers.simulator]\nfailure_rate = 1.5",
        "[suppliers.simulator]\ndelivery_seconds = [8.0, 2.0]",
        "[suppliers.simulator.templates]\ngoogle = \"no placeholder\"",
        "[orders]\nlifetime_seconds = 0",
        "[prices]\nnobody = 1.0",
        "[prices]\ngoogle = -1.0",
        "[[suppliers.own.numbers]]\nnumber = \"+12025550123\"\ncountry = \"US\"",
        "[suppliers.own]\ninbound_secret = \"whsec_0123456789\"\n[[suppliers.own.numbers]]\nnumber = \"2025550123\"\ncountry = \"US\"",
        "[suppliers.own]\ninbound_secret = \"whsec_0123456789\"\n[[suppliers.own.numbers]]\nnumber = \"+12025550123\"\ncountry = \"DE\"",
        "[http]\ntrusted_proxies = [\"proxy\"]",
        "[http]\nmax_connections = 0",
        "[http]\nmax_connections = 4000000000",
        "[http]\nmax_connections_per_ip = 0",
        "[http]\nreserved_connections = 4096",
        "[http]\nheader_timeout_seconds = 0",
        "[http]\nbody_timeout_seconds = 0",
        "[http]\nbody_timeout_seconds = 18446744073709551615",
        "[http]\nwrite_timeout_seconds = 0",
        "[http]\nmax_body_bytes = 0",
        "[http]\nmax_batch_bytes = 9999999999999",
        "[http]\ndrain_seconds = 99999999",
        "[limits]\nper_ip_per_minute = 4294967295",
        "[orders]\nlifetime_seconds = 4294967295",
        "[orders]\nmax_concurrent_per_account = 4294967295",
        "[admin]\ntoken = \"\"",
        "[admin]\ntoken = \"23 characters are short\"",
    ];
    for text in wrong {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn a_number_belongs_to_one_source() {
    let number = |source: &str, phone: &str| {
        format!("[[suppliers.{source}.numbers]]\nnumber = \"{phone}\"\ncountry = \"US\"\n")
    };
    let config = |second: &str| {
        let secrets = "[suppliers.own]\ninbound_secret = \"whsec_0123456789\"\n[suppliers.android]\nsigning_key = \"a phone's key\"\n";
        read(&format!("{secrets}{}{}", number("own", "+12025550123"), number("android", second)))
    };
    let sources: Vec<_> = config("+12025550124")
        .unwrap()
        .suppliers
        .pools()
        .map(|pool| (pool.name(), pool.numbers().len()))
        .collect();
    assert_eq!(sources, [("own", 1), ("android", 1)]);
    assert!(config("+12025550123").unwrap_err().to_string().contains("listed already"));
}

#[test]
fn the_simulator_cannot_slip_into_production() {
    assert!(read("").unwrap().simulated_numbers().unwrap());
    let own = "[suppliers.own]\ninbound_secret = \"whsec_0123456789\"\n";
    let twilio = "[http]\npublic_url = \"https://a.b\"\n[suppliers.twilio]\nauth_token = \"0123456789abcdef\"\n";
    let asked = "[[suppliers.http]]\nname = \"acme\"\nurl = \"https://acme.example/v1\"\ntoken = \"t0k3n\"\n";
    for real in [own.to_owned(), twilio.to_owned(), asked.to_owned(), coin("btc", "")] {
        let refused = read(&real).unwrap().simulated_numbers().unwrap_err().to_string();
        assert!(refused.contains("suppliers.simulator.enabled"), "{refused}");
        for written in [true, false] {
            let config = read(&format!("{real}\n[suppliers.simulator]\nenabled = {written}\n"));
            assert_eq!(config.unwrap().simulated_numbers().unwrap(), written, "{real}");
        }
    }
}

#[test]
fn the_simulated_chain_cannot_slip_into_production() {
    let telecom = "[http]\npublic_url = \"https://a.b\"\n[suppliers.twilio]\nauth_token = \"0123456789abcdef\"\n[[suppliers.twilio.numbers]]\nnumber = \"+12025550123\"\ncountry = \"US\"\n";
    assert!(read(telecom).unwrap().simulated_deposits().is_err());
    assert!(
        read(&format!("{telecom}[deposits]\nsimulated = true"))
            .unwrap()
            .simulated_deposits()
            .unwrap()
    );
    assert!(!read(&coin("btc", "")).unwrap().simulated_deposits().unwrap());
    assert!(
        read(&format!("[deposits]\nsimulated = true\n{}", coin("btc", "")))
            .unwrap()
            .simulated_deposits()
            .is_err()
    );
    let outside = read("[http]\nlisten = \"0.0.0.0:8080\"").unwrap();
    assert!(outside.simulated_deposits().is_err());
    let written = read("[http]\nlisten = \"0.0.0.0:8080\"\n[deposits]\nsimulated = false").unwrap();
    assert!(!written.simulated_deposits().unwrap());
}

/// The account key that BIP 84 publishes.
const ZPUB: &str = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";

fn coin(currency: &str, more: &str) -> String {
    let key = if more.contains("xpub") { String::new() } else { format!("xpub = \"{ZPUB}\"\n") };
    let rate = if more.contains("rate") { "" } else { "rate = 65000.5\n" };
    let endpoint = if more.contains("endpoints") {
        String::new()
    } else {
        format!("[[deposits.{currency}.endpoints]]\nurl = \"http://127.0.0.1:8332\"\n")
    };
    format!("[deposits.{currency}]\n{key}{rate}{more}\n{endpoint}")
}

#[test]
fn coins_are_read_with_their_tables_and_rates() {
    let text = "confirmations = [{ up_to = 10, blocks = 2 }, { up_to = 99.5, blocks = 3 }, { blocks = 9 }]\nnetwork = \"regtest\"";
    let config = read(&coin("btc", text)).unwrap();
    let (currency, btc) = config.deposits.coins().next().unwrap();
    let table = events::deposit::Policy::ByAmount {
        up_to: vec![(Money::from_cents(1_000), 2), (Money::from_cents(9_950), 3)],
        above: 9,
    };
    assert_eq!(
        (btc.policy(currency), btc.rate.unwrap().0.to_string().as_str()),
        (table, "65000.5")
    );
    assert!(btc.key(currency).unwrap().unwrap().address(0).unwrap().text.starts_with("bcrt1q"));
    let usual = read(&coin("ltc", "")).unwrap();
    assert_eq!(
        usual.deposits.ltc.unwrap().policy(events::deposit::Currency::Ltc),
        events::deposit::Policy::usual(events::deposit::Currency::Ltc)
    );
    let sources = "rate_max_spread_percent = 1\n[[deposits.ltc.rate_sources]]\nurl = \"https://rates.dev/v1\"\npointer = \"/data/amount\"";
    assert_eq!(read(&coin("ltc", sources)).unwrap().deposits.ltc.unwrap().rate_sources.len(), 1);
}

#[test]
fn coins_that_make_no_sense_are_refused() {
    let own = "shared_address = \"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu\"";
    for (currency, more, word) in [
        ("btc", "xpub = \"\"", "xpub"),
        ("btc", "xpub = \"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu\"", "xpub"),
        (
            "btc",
            "shared_address = \"ltc1qjmxnz78nmc8nq77wuxh25n2es7rzm5c2rkk4wh\"",
            "another coin or network",
        ),
        (
            "btc",
            "shared_address = \"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx\"",
            "another coin or network",
        ),
        ("btc", own, "own addresses"),
        ("btc", "endpoints = []", "endpoint"),
        ("btc", "blocks_per_question = 10", "blocks_per_question"),
        (
            "usdt_erc20",
            "xpub = \"xpub6DCoCpSuQZB2jawqnGMEPS63ePKWkwWPH4TU45Q7LPXWuNd8TMtVxRrgjtEshuqpK3mdhaWHPFsBngh5GFZaM6si3yZdUsT8ddYM3PwnATt\"\nblocks_per_question = 0",
            "blocks_per_question",
        ),
        (
            "usdt_erc20",
            "xpub = \"xpub6DCoCpSuQZB2jawqnGMEPS63ePKWkwWPH4TU45Q7LPXWuNd8TMtVxRrgjtEshuqpK3mdhaWHPFsBngh5GFZaM6si3yZdUsT8ddYM3PwnATt\"\nsymbol = \"\"",
            "symbol",
        ),
        ("btc", "rate = 0", "rate"),
        ("btc", "rate_sources = []", "rate"),
        (
            "btc",
            "rate = 1\nrate_sources = [{ url = \"https://a.dev\", pointer = \"/a\" }]",
            "which",
        ),
        ("btc", "rate_sources = [{ url = \"https://a.dev\", pointer = \"a\" }]", "pointer"),
        ("btc", "confirmations = [{ up_to = 10, blocks = 2 }]", "confirmations"),
        ("btc", "confirmations = [{ up_to = 10, blocks = 7 }, { blocks = 6 }]", "confirmations"),
        ("btc", "confirmations = [{ blocks = 0 }]", "confirmations"),
        ("btc", "chain_id = 1", "chain_id"),
        ("btc", "genesis = \"00\"", "genesis"),
        ("btc", "poll_seconds = 0", "poll_seconds"),
        ("btc", "netwerk = \"mainnet\"", "netwerk"),
        ("usdt_erc20", "network = \"testnet\"", "chain_id"),
        ("usdt_erc20", "contract = \"0x12\"", "contract"),
        ("usdt_erc20", "confirmations = [{ blocks = 12 }]", "confirmations"),
        ("doge", "", "doge"),
    ] {
        let said = read(&coin(currency, more)).unwrap_err().to_string();
        assert!(said.contains(word), "{more}: {said}");
    }
    let no_key = "[deposits.btc]\nrate = 1\n[[deposits.btc.endpoints]]\nurl = \"http://a.b\"";
    assert!(read(no_key).unwrap_err().to_string().contains("xpub"));
}

#[test]
fn a_private_key_is_refused_and_never_repeated() {
    let private = "zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nvgGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE";
    let error = read(&coin("btc", &format!("xpub = \"{private}\""))).unwrap_err();
    assert!(
        error.to_string().contains("PRIVATE")
            && !error.to_string().contains(&private[..8])
            && !format!("{error:?}").contains(&private[..8])
    );
}

#[test]
fn secrets_are_hidden() {
    let text = "[admin]\ntoken = \"swordfish-swordfish-swordfish\"\n[suppliers.own]\ninbound_secret = \"whsec_swordfish1234\"\n[http]\npublic_url = \"https://a.b\"\n";
    let telecoms = "[suppliers.twilio]\nauth_token = \"swordfish12345678\"\n[suppliers.android]\nsigning_key = \"swordfish\"";
    let smsc = "\n[[suppliers.smpp.binds]]\naddress = \"smsc:2775\"\nsystem_id = \"a\"\npassword = \"swordfis\"";
    assert!(!format!("{:?}", read(smsc).unwrap()).contains("swordfis"));
    let node = "\n[deposits.btc]\nrate = 1\nshared_address = \"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu\"\n[[deposits.btc.endpoints]]\nurl = \"http://swordfish@a.b/swordfish\"\npassword = \"swordfish\"";
    let config = read(&format!("{text}{telecoms}{node}")).unwrap();
    assert!(!format!("{config:?}").contains("swordfish"));
    assert!(!format!("{:?}", read(&coin("btc", "")).unwrap()).contains("zpub"));
}

#[test]
fn sources_that_are_asked_have_names_and_addresses_of_their_own() {
    let http = |name: &str, more: &str| {
        format!(
            "[[suppliers.http]]\nname = \"{name}\"\nurl = \"https://acme.example/v1\"\ntoken = \"t0k3n\"\n{more}"
        )
    };
    let config = read(&http("acme", "poll_seconds = 5\n")).unwrap();
    assert_eq!(
        (config.suppliers.http[0].name.0.as_str(), config.suppliers.http[0].poll_seconds),
        ("acme", 5)
    );
    assert!(!format!("{config:?}").contains("t0k3n"), "a token is not shown");
    // Real numbers: the simulated chain must be wanted in so many words.
    assert!(config.simulated_deposits().is_err());
    for (text, why) in [
        (http("own", ""), "is another source's"),
        (http("acme", "") + &http("acme", ""), "is another source's"),
        (http("Acme", ""), "supplier's name"),
        (http("acme", "poll_seconds = 0\n"), "poll_seconds is at least 1"),
        (http("acme", "inbound_secret = \"short\"\n"), "too short"),
        (http("acme", "").replace("https://", "ftp://"), "not an address"),
        (http("acme", "").replace("\"t0k3n\"", "\"a b\""), "visible ASCII"),
        ("[suppliers.weights]\nacme = 10\n".to_owned(), "suppliers.weights.acme is no source"),
        ("[suppliers.costs]\ntwilo = 0.02\n".to_owned(), "suppliers.costs.twilo is no source"),
        ("[suppliers.costs]\ntwilio = -0.02\n".to_owned(), "negative"),
        (
            http("acme", "") + "[suppliers.rest_seconds]\nacme = 10\n",
            "suppliers.rest_seconds.acme is no pool",
        ),
    ] {
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    let config = read(
        &(http("acme", "")
            + "[suppliers.weights]\nacme = 10\nown = 200\n[suppliers.costs]\ntwilio = 0.02\n"),
    )
    .unwrap();
    assert_eq!(
        (config.suppliers.weights["acme"], config.suppliers.costs["twilio"].0),
        (10, Money::from_cents(2))
    );
    // Of the sources that do not say when they received a message, numbers rest; of the others, if
    // it is wanted.
    let config = read("[suppliers.rest_seconds]\ntwilio = 300\nown = 5\n").unwrap();
    let given = &config.suppliers;
    let pools: [&dyn PoolConfiguration; 6] =
        [&given.twilio, &given.smpp, &given.vonage, &given.own, &given.telnyx, &given.android];
    assert_eq!(pools.map(|pool| given.rest(pool).as_secs()), [300, 60, 60, 5, 0, 60]);
    // A gateway of one's own says so only if it was written to.
    for (text, seconds) in [("", 60), ("sends_times = true\n", 0)] {
        let given = read(&format!("[suppliers.own]\n{text}")).unwrap().suppliers;
        assert_eq!(given.rest(&given.own).as_secs(), seconds);
    }
}

#[test]
fn buying_is_wanted_in_so_many_words_and_has_a_limit() {
    let twilio = |api: &str| {
        format!(
            "[http]\npublic_url = \"https://sms.acme.dev\"\n[suppliers.twilio]\nauth_token = \"0123456789abcdef\"\n[suppliers.twilio.api]\naccount_sid = \"AC1\"\n{api}"
        )
    };
    let config = read(&twilio("")).unwrap();
    let api = config.suppliers.twilio.api.unwrap();
    assert_eq!((api.url.as_str(), api.buying.allowed), ("https://api.twilio.com", false));
    let config = read(&twilio("buying = { allowed = true, monthly_limit = 12.5 }\n")).unwrap();
    assert_eq!(
        config.suppliers.twilio.api.unwrap().buying.monthly_limit.0,
        Money::from_cents(1_250)
    );
    for (text, why) in [
        (twilio("buying = { allowed = true }\n"), "needs both"),
        (twilio("buying = { monthly_limit = 5 }\n"), "needs both"),
        (twilio("url = \"twilio\"\n"), "not an address"),
        (
            "[suppliers.twilio.api]\naccount_sid = \"AC1\"\n".to_owned(),
            "suppliers.twilio.api needs suppliers.twilio.auth_token",
        ),
        (
            "[suppliers.telnyx.api]\nkey = \"k\"\n".to_owned(),
            "suppliers.telnyx.api needs suppliers.telnyx.public_key",
        ),
        (
            "[suppliers.vonage.api]\nkey = \"k\"\nsecret = \"s\"\n".to_owned(),
            "suppliers.vonage.api needs suppliers.vonage.signature_secret",
        ),
    ] {
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn limits_on_cancels_and_ports_make_sense() {
    let config = read("[orders]\nfree_cancels_per_hour = 0\ncancel_pause_seconds = 0\n[webhooks]\nallowed_ports = [443, 8443]\n").unwrap();
    assert_eq!(
        (config.orders.cancels().pause(100).as_secs(), config.webhooks.allowed_ports),
        (0, vec![443, 8_443])
    );
    assert_eq!(read("").unwrap().webhooks.allowed_ports, [443]);
    for (text, why) in [
        ("[orders]\nfree_cancels_per_hour = 201\n", "from 0 to 200"),
        ("[orders]\ncancel_pause_max_seconds = 3601\n", "from 0 to 3600"),
        ("[orders]\nhold = [\"secrets\"]\n", "bank_transaction"),
        ("[orders]\nhold = [1]\n", "is a whole number, and must be a text: \"bank_transaction\""),
        ("[orders]\ncancel_pause_seconds = 601\n", "at most orders.cancel_pause_max_seconds"),
        ("[webhooks]\nallowed_ports = []\n", "webhooks.allowed_ports"),
        ("[webhooks]\nallowed_ports = [0]\n", "webhooks.allowed_ports"),
        ("[webhooks]\nallowed_ports = [70000]\n", "allowed_ports"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn a_shared_log_is_under_no_vault() {
    let shared = "[store]\nshared = \"postgres://a:b@127.0.0.1/c?sslmode=disable\"\n";
    assert!(read(shared).is_ok());
    let key = "00".repeat(32);
    let both = format!("{shared}[vault]\nkey = \"{key}\"\n");
    assert!(read(&both).unwrap_err().to_string().contains("exclude each other"));
}
