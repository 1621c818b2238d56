//! What happens on the number of a test order: which messages come, and when; or that the number
//! dies.

use std::collections::VecDeque;
use std::time::Duration;

use events::order::Scenario;
use events::platform::{CodeFormat, Platform};

/// One step of a script, and how long after the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// How long after the assignment, or after the act before.
    pub after: Duration,
    /// What happens.
    pub what: What,
}

/// What happens on a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The platform's message comes, with this code.
    Message(Platform, String),
    /// The source reports the number dead.
    Dead,
}

const SOON: Duration = Duration::from_secs(1);
/// The second message of a script.
const LATER: Duration = Duration::from_secs(2);
const LATE: Duration = Duration::from_secs(20);

/// Codes of test orders: the same every time.
const FIRST: (&str, &str) = ("482913", "KR7X4");
const SECOND: (&str, &str) = ("730586", "WN3H9");

/// The acts on the number that an order's attempt has found.
pub fn script(scenario: Scenario, attempt: u8, platform: Platform) -> VecDeque<Act> {
    let message =
        |after, of: Platform, code| Act { after, what: What::Message(of, code_of(of, code)) };
    let code = |after| message(after, platform, FIRST);
    match scenario {
        Scenario::TwoCodes => [code(SOON), message(LATER, platform, SECOND)].into(),
        Scenario::LateCode => [code(LATE)].into(),
        Scenario::WrongBrandFirst => {
            [message(SOON, another_than(platform), SECOND), code(LATER)].into()
        }
        Scenario::DeadNumber if attempt == 1 => [Act { after: SOON, what: What::Dead }].into(),
        Scenario::Code | Scenario::WebhookFails | Scenario::DepositReorg | Scenario::DeadNumber => {
            [code(SOON)].into()
        }
        // Of the last two no number was given.
        Scenario::NoCode | Scenario::NoStock | Scenario::SupplierDown => VecDeque::new(),
    }
}

/// A platform whose messages are nobody else's.
fn another_than(platform: Platform) -> Platform {
    if platform == Platform::Google { Platform::WhatsApp } else { Platform::Google }
}

/// A code as long as the platform's are.
fn code_of(platform: Platform, (digits, letters): (&str, &str)) -> String {
    let hints = platform.hints();
    let pattern = match hints.format {
        CodeFormat::Numeric => digits,
        CodeFormat::Alphanumeric => letters,
    };
    pattern.chars().cycle().take(hints.length.into()).collect()
}
