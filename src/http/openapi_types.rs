//! The words that requests may hold, as OpenAPI describes them: platforms, countries, moments, ids.

use events::country::Country;
use events::platform::Platform;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};

macro_rules! openapi_types {
    ($($(#[$doc:meta])* $name:ident => $schema:expr;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    $schema
                }
            }

            impl ToSchema for $name {}
        )+

        /// Every word's name and schema: parameters refer to them.
        pub fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
            vec![$((stringify!($name), $name::schema())),+]
        }
    };
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn one_of(description: &str, words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    text().enum_values(Some(words)).description(Some(description)).into()
}

fn formatted(format: KnownFormat) -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(format)))
}

openapi_types! {
    /// A platform's slug.
    PlatformName => one_of(
        "A platform; case does not matter, and `x` is taken for `twitter`.",
        Platform::ALL.map(Platform::slug),
    );
    /// A country's code.
    CountryCode => one_of(
        "ISO 3166 alpha-2; case does not matter, and `UK` is `GB`.",
        Country::ALL.map(Country::code).into_iter().chain(["UK"]),
    );
    /// A coin that deposits are paid in.
    Currency => one_of(
        "A coin.", events::deposit::Currency::ALL.map(events::deposit::Currency::name),
    );
    /// How an order is.
    OrderStatus => one_of(
        "How an order is.", events::order::Status::ALL.map(events::order::Status::name),
    );
    /// What a test order does.
    ScenarioName => one_of(
        "What a test order does; test keys only.",
        events::order::Scenario::ALL.map(events::order::Scenario::name),
    );
    /// Whether a key is for tests.
    ModeName => one_of("Whether a key orders real numbers or tests.", ["live", "test"]);
    /// How far an order is followed.
    HowFar => one_of(
        "How far the order is followed: to its code, or until its number goes back.",
        crate::http::until::Until::NAMES,
    );
    /// What a caller says was wrong.
    Complaint => one_of(
        "What was wrong.", events::order::Complaint::ALL.map(events::order::Complaint::name),
    );
    /// How a delivery is.
    DeliveryStatus => one_of(
        "How a delivery is.", crate::http::route::webhook_deliveries::STATUSES,
    );
    /// A loyalty tier.
    TierName => one_of("A loyalty tier.", events::tier::Tier::ALL.map(events::tier::Tier::name));
    /// How placing an order went.
    PlacedStatus => one_of(
        "`ok` with a number; otherwise how the order was.",
        ["ok"].into_iter().chain(events::order::Status::ALL.map(events::order::Status::name)),
    );
    /// How waiting for a code went.
    VerifiedStatus => one_of("`ok` with a code; `timeout` without.", ["ok", "timeout"]);
    /// It was done.
    Done => one_of("It was done.", ["ok"]);
    /// How a deposit is.
    DepositStatus => one_of(
        "How a deposit is: confirmed is in the balance.", ["pending", "confirmed", "rejected"],
    );
    /// Why a deposit is as it is.
    DepositReason => one_of(
        "Why a deposit is as it is.",
        ["unconfirmed", "below_minimum", "credited", "reversed", "failed", "unknown"],
    );
    /// What a call with an idempotency key made happen.
    IdempotencyEffect => one_of(
        "What the key's call made happen.", ["order", "batch", "cancel", "deposit", "operator"],
    );
    /// A movement of money.
    LedgerEntryType => one_of(
        "A movement of money; a reversal takes back a deposit that its chain has lost.",
        events::account::ledger::Kind::ALL.map(events::account::ledger::Kind::name),
    );
    /// What became of a hold.
    MoneyEffectType => one_of("What became of a hold.", ["hold", "capture", "release", "refund"]);
    /// A fact of an order.
    OrderEventType => one_of("A fact of an order.", crate::http::route::order_events::TYPES);
    /// What a stream tells of.
    StreamEventName => one_of("What a message of a stream tells of; the last one is `completed`, \
        `cancelled`, `expired` or `failed`, or with `until=expiry` `finished` or `expired`; or \
        `suspended`, where the account was suspended or the key removed \
        meanwhile.", crate::http::order_message::EVENTS);
    /// Where a payment came from.
    DepositCurrency => one_of(
        "A coin, or the simulated chain.",
        events::deposit::Currency::ALL
            .map(events::deposit::Currency::name)
            .into_iter()
            .chain(["simulated"]),
    );
    /// Why an order failed.
    FailureName => one_of(
        "Why an order failed.", ["no_number_available", "attempts_exhausted", "no_number_in_time"],
    );
    /// How many numbers there are.
    StockLevel => one_of("How many numbers there are.", ["high", "medium", "low", "none"]);
    /// What codes are made of.
    CodeFormatName => one_of("What codes are made of.", ["numeric", "alphanumeric"]);
    /// What a message was found to hold.
    VerdictName => one_of(
        "What a message was found to hold.", ["code", "unsure", "nothing", "other_brand"],
    );
    /// What webhooks tell of.
    WebhookEventName => one_of(
        "What webhooks tell of.", ["sms.received", "order.failed", "balance.low", "webhook.test"],
    );
    /// What an attempt of a delivery came to.
    DeliveryOutcome => one_of(
        "What an attempt came to.",
        [
            "answered", "timed_out", "connection_failed", "not_resolved", "target_refused",
            "no_webhook",
        ],
    );
    /// A date or a time.
    DateOrTime => AnyOfBuilder::new()
        .item(formatted(KnownFormat::Date))
        .item(formatted(KnownFormat::DateTime))
        .description(Some("A date or a time in UTC."))
        .into();
    /// A point in a history.
    PointInHistory => AnyOfBuilder::new()
        .item(
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .maximum(Some(1_000_000_000)),
        )
        .item(formatted(KnownFormat::DateTime))
        .description(Some("The number of an event, or a time."))
        .into();
    /// An idempotency key.
    KeyText => text()
        .pattern(Some("^[!-~]([ -~]{0,253}[!-~])?$"))
        .min_length(Some(1))
        .max_length(Some(255))
        .into();
    /// A webhook's target; its pattern follows the configuration.
    TargetUrl => text()
        .max_length(Some(2_048))
        .examples([json!("https://your-server.com/hook")])
        .description(Some("https, to a public address; names in other scripts in their `xn--` form."))
        .into();
    /// An exact decimal.
    Decimal => text()
        .pattern(Some(r"^[0-9]+(\.[0-9]+)?$"))
        .description(Some("A decimal, exact, as text."))
        .into();
    /// A page's place in a list.
    CursorText => text()
        .pattern(Some("^[A-Za-z0-9_-]{1,200}$"))
        .description(Some("next_cursor of the page before."))
        .into();
    /// A page's place in a list that is numbered.
    CursorNumber => text()
        .pattern(Some("^[1-9][0-9]{0,11}$"))
        .description(Some("next_cursor of the page before."))
        .into();
    /// A transaction's hash.
    TxHashText => text()
        .pattern(Some("^(0[xX])?[0-9a-fA-F]{64}$"))
        .description(Some("64 hex digits; `0x` before them and any case are taken."))
        .into();
}
