//! Bytes -> a JSON value in which each object has each member once.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

use super::{Problem, shown};

/// Reads one JSON value; a member that is given twice is an error, however deep it is.
pub fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let found = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Reading { path: Path::Top, found: &found }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| found.into_inner().unwrap_or_else(|| not_json(&error)))
}

/// What `serde_json` says of a number that no float can hold: it is JSON all the same.
const OUT_OF_RANGE: &str = "number out of range";

/// What it says of values within values within values, 128 of them.
const TOO_DEEP: &str = "recursion limit exceeded";

/// The place of a mistake, never what stands there.
fn not_json(error: &serde_json::Error) -> Problem {
    // The library has no kind of its own for it.
    let is_deep = error.to_string().starts_with(TOO_DEEP);
    let what = match error.classify() {
        Category::Eof => "is not JSON: it ends too early",
        Category::Syntax if is_deep => "is nested too deeply",
        Category::Io | Category::Syntax | Category::Data => "is not JSON: there is a mistake",
    };
    Problem::new("", format!("{what} at line {}, column {}", error.line(), error.column()))
}

/// Reads the value at `path`, and says where a member was given twice or a number is too large.
#[derive(Clone, Copy)]
struct Reading<'a> {
    path: Path<'a>,
    /// The first mistake that is not one of JSON's grammar.
    found: &'a RefCell<Option<Problem>>,
}

impl Reading<'_> {
    fn finds(&self, text: &str) {
        // The innermost value is the first to know.
        self.found.borrow_mut().get_or_insert_with(|| Problem::new(self.path, text));
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self).inspect_err(|error| {
            if error.to_string().starts_with(OUT_OF_RANGE) {
                self.finds("is a number out of range");
            }
        })
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements
            .next_element_seed(Reading { path: Path::Element(&self.path, array.len()), ..self })?
        {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = Path::Member(&self.path, &name);
            if object.contains_key(&name) {
                Reading { path, ..self }.finds("is given twice");
                return Err(A::Error::custom("a member is given twice"));
            }
            let value = members.next_value_seed(Reading { path, ..self })?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// The way to a value from the body's top.
#[derive(Debug, Clone, Copy)]
enum Path<'a> {
    Top,
    Member(&'a Path<'a>, &'a str),
    Element(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Member(Self::Top, name) => write!(f, "{}", shown(name)),
            Self::Member(parent, name) => write!(f, "{parent}.{}", shown(name)),
            Self::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
