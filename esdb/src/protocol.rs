//! What `cargo xtask protos` writes from `esdb/protos`.

#![expect(
    missing_docs,
    clippy::allow_attributes,
    clippy::pedantic,
    clippy::large_enum_variant,
    reason = "generated"
)]

/// The clients' package.
pub mod event_store {
    /// What the services share.
    pub mod client {
        include!("generated/event_store.client.rs");

        pub mod streams {
            include!("generated/event_store.client.streams.rs");
        }

        pub mod gossip {
            include!("generated/event_store.client.gossip.rs");
        }

        pub mod server_features {
            include!("generated/event_store.client.server_features.rs");
        }
    }
}

/// Statuses inside of messages.
pub mod google {
    pub mod rpc {
        include!("generated/google.rpc.rs");
    }
}

pub use event_store::client::{StreamIdentifier, Uuid, gossip, server_features, streams};
