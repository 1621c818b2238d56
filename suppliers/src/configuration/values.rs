//! Values as a configuration writes them: by name, and amounts in dollars.

use std::borrow::Cow;

use events::money::Money;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// A value read from its name, with the noun's own error.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named<T>(pub T);

impl<'de, T: std::str::FromStr<Err: std::fmt::Display>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map(Self)
            .map_err(|error| serde::de::Error::custom(format!("{text:?} is {error}")))
    }
}

impl<T> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Name")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// An amount in dollars, as a number or a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dollars(pub Money);

/// A decimal as text, however it was written.
pub fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Whole(u32),
        Decimal(f64),
        Text(String),
    }
    // serde's error would name this enum, not the key's value.
    let written = Written::deserialize(deserializer)
        .map_err(|_| serde::de::Error::custom("must be a number, such as 0.5 or \"0.5\""))?;
    Ok(match written {
        Written::Whole(number) => number.to_string(),
        // The shortest text that names the float is the decimal that was written.
        Written::Decimal(number) => number.to_string(),
        Written::Text(text) => text,
    })
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount: Money = decimal(deserializer)?.parse().map_err(serde::de::Error::custom)?;
        if amount.is_negative() {
            Err(serde::de::Error::custom("a price is not negative"))
        } else {
            Ok(Self(amount))
        }
    }
}

/// What [`decimal`] reads.
impl JsonSchema for Dollars {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Dollars")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount in dollars, as a number or a text.",
            "type": ["number", "string"],
            "minimum": 0,
            "pattern": "^[0-9]",
        })
    }
}
