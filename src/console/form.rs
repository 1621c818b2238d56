//! What a form says: its fields by name, within a size.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::StatusCode;
use http_body_util::{BodyExt, Limited};
use url::form_urlencoded;

/// Files of numbers are the longest.
const LONGEST: usize = 4 << 20;

/// The fields; the last of those of one name.
#[derive(Debug, Default)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a body.
    pub async fn read(body: Body) -> Result<Self, StatusCode> {
        let bytes = Limited::new(body, LONGEST)
            .collect()
            .await
            .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?
            .to_bytes();
        Ok(Self::parse(&bytes))
    }

    /// The fields of a body or a query.
    pub fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// A field, without spaces around it; empty if it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map(|value| value.trim()).unwrap_or_default()
    }

    /// The field, if it says anything.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// A query of those of these fields that say something.
    pub fn query(&self, names: &[&str]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in names.iter().filter_map(|name| Some((*name, self.given(name)?))) {
            query.append_pair(name, value);
        }
        query.finish()
    }
}
