//! What the simulator makes up: numbers of its own, and messages that give their code.

use super::super::scenario::Act;
use super::*;
use events::code::{Message, Verdict, extract};

#[test]
fn a_number_of_another_source_is_never_made_up() {
    let wanted = NumberRequest {
        platform: Platform::Google,
        country: Country::Fr,
        at: Clock::System.now(),
        is_unproven: false,
        scenario: None,
    };
    let all = || {
        Simulator::new(
            "simulator".parse().unwrap(),
            Settings::default(),
            Clock::System,
            Entropy::seeded(7),
        )
    };
    let others: HashSet<Phone> = std::iter::repeat_with({
        let simulator = all();
        move || simulator.reserve(wanted)
    })
    .map_while(Result::ok)
    .take(50)
    .collect();
    let settings = Settings { others: others.clone(), ..Settings::default() };
    let simulator =
        Simulator::new("simulator".parse().unwrap(), settings, Clock::System, Entropy::seeded(7));
    let given: Vec<Phone> = std::iter::from_fn(|| simulator.reserve(wanted).ok()).collect();
    assert!(
        given.len() >= 50 && given.iter().all(|phone| !others.contains(phone)),
        "{}",
        given.len()
    );
}

#[test]
fn every_scenario_says_what_it_is_named_after_on_every_platform() {
    let read = |platform: Platform, act: &Act| match &act.what {
        What::Dead => None,
        What::Message(of, code) => {
            let text = template(*of).replace("{code}", code);
            Some(extract(&Message::new(&text).sent_by(of.name()), Some(platform.service())).verdict)
        }
    };
    for platform in Platform::ALL {
        for scenario in Scenario::ALL {
            let verdicts: Vec<_> =
                script(scenario, 1, platform).iter().map(|act| read(platform, act)).collect();
            let is_code = |verdict: &Option<Verdict>| matches!(verdict, Some(Verdict::Code(_)));
            let fits = match scenario {
                Scenario::NoCode | Scenario::NoStock | Scenario::SupplierDown => {
                    verdicts.is_empty()
                }
                Scenario::DeadNumber => {
                    verdicts == [None]
                        && script(scenario, 2, platform)
                            .iter()
                            .all(|act| is_code(&read(platform, act)))
                }
                Scenario::TwoCodes => {
                    verdicts.len() == 2
                        && verdicts.iter().all(is_code)
                        && verdicts[0] != verdicts[1]
                }
                Scenario::WrongBrandFirst => {
                    matches!(&verdicts[0], Some(Verdict::OtherBrand(_))) && is_code(&verdicts[1])
                }
                Scenario::Code
                | Scenario::LateCode
                | Scenario::WebhookFails
                | Scenario::DepositReorg => verdicts.iter().all(is_code),
            };
            assert!(fits, "{platform:?} {scenario:?}: {verdicts:?}");
        }
    }
}

#[test]
fn every_built_in_message_gives_its_code() {
    let simulator = Simulator::new(
        "simulator".parse().unwrap(),
        Settings::default(),
        Clock::System,
        Entropy::seeded(7),
    );
    for platform in Platform::ALL {
        for _ in 0..200 {
            let code = simulator.code(platform);
            let text = template(platform).replace("{code}", &code);
            assert_eq!(
                extract(&Message::new(&text), Some(platform.service())).verdict,
                Verdict::Code(code),
                "{text}"
            );
        }
    }
}
