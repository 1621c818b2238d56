//! The law as scenarios.
