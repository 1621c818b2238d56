//! How a service misbehaves: what it does to its answers, and how often.

use std::convert::Infallible;
use std::time::Duration;

use actors::kernel::entropy::Entropy;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

/// Longer than any caller waits.
const TOO_LONG: Duration = Duration::from_secs(8);
/// Larger than any caller reads.
const TOO_MUCH: usize = 10 * 1024 * 1024;

/// Parts of the answers, between 0 and 1, that go wrong in each way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Fails before it has done anything.
    pub error_before: f64,
    /// Does as it is told, and answers too late.
    pub timeout_after: f64,
    /// Does as it is told, and answers a byte at a time.
    pub slow_drip: f64,
    /// Does as it is told, and answers 10 MB of nothing.
    pub huge_body: f64,
    /// Does as it is told, and answers what is no JSON.
    pub malformed: f64,
    /// Leases a number that is on another order, or another country's.
    pub wrong_number: f64,
    /// Says that a number has died.
    pub dead: f64,
    /// Has no number.
    pub empty: f64,
    /// Tells every message again under its id, and brings messages of other platforms.
    pub noise: f64,
}

impl Faults {
    /// Three answers in ten go wrong, in every way there is.
    pub const THIRTY_PERCENT: Self = Self {
        error_before: 0.08,
        timeout_after: 0.03,
        slow_drip: 0.02,
        huge_body: 0.05,
        malformed: 0.12,
        wrong_number: 0.1,
        dead: 0.02,
        empty: 0.1,
        noise: 0.3,
    };

    /// An error in place of an answer, before anything was done.
    pub fn before(&self, dice: &Entropy) -> Option<Response> {
        dice.chance(self.error_before)
            .then(|| (StatusCode::INTERNAL_SERVER_ERROR, "out of order").into_response())
    }

    /// What becomes of an answer on its way.
    pub async fn after(&self, dice: &Entropy, answer: Response) -> Response {
        if dice.chance(self.timeout_after) {
            tokio::time::sleep(TOO_LONG).await;
        } else if dice.chance(self.slow_drip) {
            let drip = stream::unfold(0u32, |sent| async move {
                tokio::time::sleep(Duration::from_millis(200)).await;
                (sent < 60).then(|| (Ok::<_, Infallible>(Bytes::from_static(b" ")), sent + 1))
            });
            return Body::from_stream(drip).into_response();
        } else if dice.chance(self.huge_body) {
            return Body::from(vec![b' '; TOO_MUCH]).into_response();
        } else if dice.chance(self.malformed) {
            return "{\"number\": \"+1".into_response();
        }
        answer
    }
}
