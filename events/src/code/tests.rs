//! Placeholder until the scenarios stand.
