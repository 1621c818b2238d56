//! What a test order does: its outcome is chosen by its caller, and the same every time.

use super::event::Placed;

/// The outcome of a test order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scenario {
    /// The code comes after a second.
    Code,
    /// A second code takes the place of the first.
    TwoCodes,
    /// The code comes after twenty seconds.
    LateCode,
    /// Another platform's message comes before the code.
    WrongBrandFirst,
    /// No message comes: the order expires.
    NoCode,
    /// No supplier has a number.
    NoStock,
    /// The first number is reported dead and replaced.
    DeadNumber,
    /// The supplier answers with an error.
    SupplierDown,
    /// The first attempt of each webhook delivery fails.
    WebhookFails,
    /// A credited deposit leaves its chain while the order runs.
    DepositReorg,
}

/// An order without a message expires soon: whoever tests that does not want to wait for five
/// minutes.
const NO_CODE_LIFETIME_SECONDS: u32 = 15;
/// The longest script of messages, the late code, takes twenty seconds.
const LEAST_LIFETIME_SECONDS: u32 = 60;
/// Long enough for the second code of [`Scenario::TwoCodes`].
const LEAST_LISTEN_SECONDS: u32 = 30;
/// The number that dies, and the one after it.
const LEAST_ATTEMPTS: u8 = 2;

impl Scenario {
    /// Every scenario, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Code,
        Self::TwoCodes,
        Self::LateCode,
        Self::WrongBrandFirst,
        Self::NoCode,
        Self::NoStock,
        Self::DeadNumber,
        Self::SupplierDown,
        Self::WebhookFails,
        Self::DepositReorg,
    ];

    /// The word callers choose it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::TwoCodes => "two_codes",
            Self::LateCode => "late_code",
            Self::WrongBrandFirst => "wrong_brand_first",
            Self::NoCode => "no_code",
            Self::NoStock => "no_stock",
            Self::DeadNumber => "dead_number",
            Self::SupplierDown => "supplier_down",
            Self::WebhookFails => "webhook_fails",
            Self::DepositReorg => "deposit_reorg",
        }
    }

    /// The scenario that callers choose by `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// The terms of an order under which the scenario always comes out the same, whatever an
    /// operator has set.
    #[must_use]
    pub fn terms(self, mut placed: Placed) -> Placed {
        let is_silent = self == Self::NoCode;
        placed.lifetime_seconds = if is_silent {
            NO_CODE_LIFETIME_SECONDS
        } else {
            placed.lifetime_seconds.max(LEAST_LIFETIME_SECONDS)
        };
        placed.listen_seconds = placed.listen_seconds.max(LEAST_LISTEN_SECONDS);
        placed.max_attempts = placed.max_attempts.max(LEAST_ATTEMPTS);
        placed
    }
}
