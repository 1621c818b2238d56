//! The protocol's own errors: a status, and trailers that clients make their exceptions of.

use tonic::{Code, Status};

/// Which exception a client is to raise.
const EXCEPTION: &str = "exception";

/// What a writer is told.
pub const READ_ONLY: &str = "this log is read only: appends and deletes are refused";

/// Nobody writes here.
pub fn read_only() -> Status {
    exception(Code::PermissionDenied, READ_ONLY, "access-denied")
}

/// The caller has not shown a token that is known here.
pub fn unauthenticated(text: &str) -> Status {
    exception(Code::Unauthenticated, text, "not-authenticated")
}

/// The call makes no sense.
pub fn invalid(text: impl Into<String>) -> Status {
    Status::invalid_argument(text)
}

/// There is no room for one more read or subscription.
pub fn exhausted(limit: usize) -> Status {
    Status::resource_exhausted(format!(
        "{limit} reads and subscriptions are open; another one has to end first"
    ))
}

/// The service ends, or the reader was too slow: to be tried again.
pub fn unavailable(text: &str) -> Status {
    Status::unavailable(text)
}

/// The log is not as it was written; what stands there is not served.
pub fn corrupt(text: impl Into<String>) -> Status {
    Status::data_loss(text)
}

fn exception(code: Code, text: &str, name: &'static str) -> Status {
    let mut status = Status::new(code, text);
    status.metadata_mut().insert(EXCEPTION, tonic::metadata::MetadataValue::from_static(name));
    status
}
