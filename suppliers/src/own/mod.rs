//! Numbers behind a gateway of the operator's own. Its format is read where our own bodies are:
//! over HTTP, as strictly.

mod configuration;

pub use configuration::Configuration;
