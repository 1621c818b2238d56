//! What a configuration may say, and what it may not.

use events::country::Country;
use events::platform::Platform;

use super::*;

fn read(text: &str) -> Result<Config, ConfigError> {
    let config: Config = Figment::new().merge(Toml::string(text)).extract().map_err(|error| ConfigError::Invalid(Box::new(error)))?;
    config.check().map(|()| config)
}

#[test]
fn nothing_written_is_a_service_that_runs() {
    let config = read("").unwrap();
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert!(config.simulated_deposits().unwrap());
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
        token = "a token"
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
        "[suppliers.twilio]\nauth_token = \"0123456789abcdef\"",
        "[http]\npublic_url = \"sms.example.com\"",
        "[http]\npublic_url = \"https://sms.example.com/?a=1\"",
        "[suppliers.telnyx]\npublic_key = \"dG9vIHNob3J0\"",
        "[suppliers.android]\nsigning_key = \"short\"",
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
    ];
    for text in wrong {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn a_number_belongs_to_one_source() {
    let number = |source: &str, phone: &str| format!("[[suppliers.{source}.numbers]]\nnumber = \"{phone}\"\ncountry = \"US\"\n");
    let config = |second: &str| {
        let secrets = "[suppliers.own]\ninbound_secret = \"whsec_0123456789\"\n[suppliers.android]\nsigning_key = \"a phone's key\"\n";
        read(&format!("{secrets}{}{}", number("own", "+12025550123"), number("android", second)))
    };
    let sources: Vec<_> = config("+12025550124").unwrap().suppliers.pools().map(|(name, numbers)| (name, numbers.len())).collect();
    assert_eq!(sources, [("own", 1), ("android", 1)]);
    assert!(config("+12025550123").unwrap_err().to_string().contains("listed already"));
}

#[test]
fn the_simulated_chain_cannot_slip_into_production() {
    let outside = read("[http]\nlisten = \"0.0.0.0:8080\"").unwrap();
    assert!(outside.simulated_deposits().is_err());
    let written = read("[http]\nlisten = \"0.0.0.0:8080\"\n[deposits]\nsimulated = false").unwrap();
    assert!(!written.simulated_deposits().unwrap());
}

#[test]
fn secrets_are_hidden() {
    let text = "[admin]\ntoken = \"swordfish\"\n[suppliers.own]\ninbound_secret = \"whsec_swordfish1234\"\n[http]\npublic_url = \"https://a.b\"\n";
    let telecoms = "[suppliers.twilio]\nauth_token = \"swordfish12345678\"\n[suppliers.android]\nsigning_key = \"swordfish\"";
    let config = read(&format!("{text}{telecoms}")).unwrap();
    assert!(!format!("{config:?}").contains("swordfish"));
}
