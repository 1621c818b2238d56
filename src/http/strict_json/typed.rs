//! A JSON value, or the texts of a query, -> the type that a call takes.

use std::fmt;
use std::iter::Enumerate;
use std::slice;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde_json::{Map, Value, map};
use url::form_urlencoded;

use super::{Problem, kind, shown};
use crate::spelling::unknown;

/// The type that is meant by a value.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    T::deserialize(Strict { value, from_texts: false })
}

/// The type that is meant by a query string; each parameter may stand there once.
pub fn from_parameters<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let mut parameters = Map::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        if parameters.insert(name.clone().into_owned(), Value::String(text.into_owned())).is_some()
        {
            return Err(Problem::new(shown(&name), "is given twice"));
        }
    }
    T::deserialize(Strict { value: &Value::Object(parameters), from_texts: true })
}

impl Problem {
    /// The problem of a value, as its parent sees it: `step` leads from there to the value.
    fn under(self, step: &str) -> Self {
        let between = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        Self { field: format!("{step}{between}{}", self.field), ..self }
    }
}

impl std::error::Error for Problem {}

impl Error for Problem {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::new("", format!("is not taken: {text}"))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new("", format!("must be {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new("", format!("must be {expected}"))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::new("", format!("must be one of {}", known.join(", ")))
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self { known: Some(known), ..Self::new(shown(name), unknown(name, known)) }
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(name, "is missing")
    }
}

/// One value.
#[derive(Clone, Copy)]
struct Strict<'a> {
    value: &'a Value,
    /// Whether numbers and flags are written as texts, as in a query.
    from_texts: bool,
}

impl<'a> Strict<'a> {
    fn must_be(&self, what: &str) -> Problem {
        Problem::new("", format!("must be {what}, not {}", kind(self.value)))
    }

    fn object(&self) -> Result<&'a Map<String, Value>, Problem> {
        self.value.as_object().ok_or_else(|| self.must_be("an object"))
    }

    fn text(&self) -> Result<&'a str, Problem> {
        self.value.as_str().ok_or_else(|| self.must_be("a text"))
    }

    /// A whole number, also where it is written as `120.0`.
    fn whole(&self, least: i128, most: i128) -> Result<i128, Problem> {
        let number = match self.value {
            Value::Number(number) => number.to_string(),
            Value::String(text) if self.from_texts => text.clone(),
            _ => return Err(self.must_be("a whole number")),
        };
        let digits = number.strip_suffix(".0").unwrap_or(&number);
        let whole = digits.parse::<i128>().ok().filter(|whole| (least..=most).contains(whole));
        whole.ok_or_else(|| {
            Problem::new("", format!("must be a whole number from {least} to {most}"))
        })
    }
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $type:ty;)+) => {
        $(
            fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
                let whole = self.whole(i128::from(<$type>::MIN), i128::from(<$type>::MAX))?;
                let number = <$type>::try_from(whole);
                visitor.$visit(number.map_err(|_| self.must_be("a whole number"))?)
            }
        )+
    };
}

impl<'a> Deserializer<'a> for Strict<'a> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => {
                if let Some(whole) = number.as_u64() {
                    visitor.visit_u64(whole)
                } else if let Some(whole) = number.as_i64() {
                    visitor.visit_i64(whole)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or_default())
                }
            }
            Value::String(text) => visitor.visit_str(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        let flag = match self.value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if self.from_texts => text.parse().ok(),
            _ => return Err(self.must_be("true or false")),
        };
        visitor.visit_bool(flag.ok_or_else(|| Problem::new("", "must be true or false"))?)
    }

    whole_numbers! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
    }

    fn deserialize_f32<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        let number = match self.value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if self.from_texts => text.parse().ok(),
            _ => return Err(self.must_be("a number")),
        };
        visitor.visit_f64(number.ok_or_else(|| Problem::new("", "must be a number"))?)
    }

    fn deserialize_char<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        if self.value.is_null() { visitor.visit_unit() } else { Err(self.must_be("null")) }
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        let Value::Array(elements) = self.value else { return Err(self.must_be("an array")) };
        visitor.visit_seq(Elements {
            elements: elements.iter().enumerate(),
            from_texts: self.from_texts,
        })
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_map(Members {
            rest: self.object()?.iter(),
            known: &[],
            current: None,
            from_texts: self.from_texts,
        })
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_map(Members {
            rest: self.object()?.iter(),
            known,
            current: None,
            from_texts: self.from_texts,
        })
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let name: StrDeserializer<'a, Problem> = self.text()?.into_deserializer();
        visitor.visit_enum(name)
    }

    fn deserialize_identifier<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }
}

struct Elements<'a> {
    elements: Enumerate<slice::Iter<'a, Value>>,
    from_texts: bool,
}

impl<'a> SeqAccess<'a> for Elements<'a> {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Problem> {
        let Some((index, value)) = self.elements.next() else { return Ok(None) };
        let element = seed.deserialize(Strict { value, from_texts: self.from_texts });
        element.map(Some).map_err(|problem| problem.under(&format!("[{index}]")))
    }
}

struct Members<'a> {
    rest: map::Iter<'a>,
    /// Members of which null says the same as leaving them out.
    known: &'static [&'static str],
    /// The member whose name was read last.
    current: Option<(&'a str, &'a Value)>,
    from_texts: bool,
}

impl<'a> MapAccess<'a> for Members<'a> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        let known = self.known;
        let mut given = self
            .rest
            .by_ref()
            .filter(|(name, value)| !(value.is_null() && known.contains(&name.as_str())));
        let Some((name, value)) = given.next() else { return Ok(None) };
        self.current = Some((name, value));
        let name: StrDeserializer<'a, Problem> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Problem> {
        let (name, value) =
            self.current.take().ok_or_else(|| Problem::new("", "is not read in order"))?;
        seed.deserialize(Strict { value, from_texts: self.from_texts })
            .map_err(|problem| problem.under(&shown(name)))
    }
}
