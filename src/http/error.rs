//! The error object: one shape for every answer that is not a success, and the closed set of ten
//! codes.

mod refusals;

use actors::account::{AccessError, HistoryError};
use actors::{Fault, deposit::ClaimError};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use projections::ViewError;
use serde::Serialize;
use serde_json::{Value, json};

use super::idempotency::mark;
use crate::read_model::{chain_of, view_fault};

/// After which a log that is away may be back: its database restarts, or another one takes over.
const AWAY_SECONDS: u64 = 2;

/// The ten codes of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    RateLimited,
    InvalidApiKey,
    AccountSuspended,
    InsufficientBalance,
    UnknownPlatform,
    OrderInProgress,
    ProviderUnavailable,
    OrderNotFound,
    InvalidRequest,
    InternalError,
}

impl ErrorCode {
    /// All of them, in the guide's order.
    pub const ALL: [Self; 10] = [
        Self::RateLimited,
        Self::InvalidApiKey,
        Self::AccountSuspended,
        Self::InsufficientBalance,
        Self::UnknownPlatform,
        Self::OrderInProgress,
        Self::ProviderUnavailable,
        Self::OrderNotFound,
        Self::InvalidRequest,
        Self::InternalError,
    ];

    /// What it says to people who read the documentation.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::RateLimited => "Too many requests: wait retry_after_seconds.",
            Self::InvalidApiKey => "The API key is not valid.",
            Self::AccountSuspended => {
                "The account is suspended; contact the operator of this service."
            }
            Self::InsufficientBalance => "Not enough balance: deposit first.",
            Self::UnknownPlatform => "The platform is not supported.",
            Self::OrderInProgress => "Another order is in progress; wait for it or cancel it.",
            Self::ProviderUnavailable => "No number can be had just now; nothing was charged.",
            Self::OrderNotFound => "There is no such order.",
            Self::InvalidRequest => "The request cannot be understood or served as it is.",
            Self::InternalError => "Something failed on our side; the call can be repeated.",
        }
    }

    /// As the guide writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RateLimited => "RATE_LIMITED",
            Self::InvalidApiKey => "INVALID_API_KEY",
            Self::AccountSuspended => "ACCOUNT_SUSPENDED",
            Self::InsufficientBalance => "INSUFFICIENT_BALANCE",
            Self::UnknownPlatform => "UNKNOWN_PLATFORM",
            Self::OrderInProgress => "ORDER_IN_PROGRESS",
            Self::ProviderUnavailable => "PROVIDER_UNAVAILABLE",
            Self::OrderNotFound => "ORDER_NOT_FOUND",
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::InternalError => "INTERNAL_ERROR",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::InvalidApiKey => StatusCode::UNAUTHORIZED,
            Self::AccountSuspended => StatusCode::FORBIDDEN,
            Self::InsufficientBalance => StatusCode::PAYMENT_REQUIRED,
            Self::UnknownPlatform | Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::OrderInProgress => StatusCode::CONFLICT,
            Self::ProviderUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::OrderNotFound => StatusCode::NOT_FOUND,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the same call may succeed later, and is safe to repeat.
    const fn retryable(self) -> bool {
        match self {
            Self::RateLimited
            | Self::OrderInProgress
            | Self::ProviderUnavailable
            | Self::InternalError => true,
            Self::InvalidApiKey
            | Self::AccountSuspended
            | Self::InsufficientBalance
            | Self::UnknownPlatform
            | Self::OrderNotFound
            | Self::InvalidRequest => false,
        }
    }

    const fn retry_after_seconds(self) -> Option<u64> {
        match self {
            // The guide: "Temporarily unavailable — retry in 30s".
            Self::ProviderUnavailable => Some(30),
            Self::OrderInProgress => Some(5),
            Self::InternalError => Some(3),
            Self::RateLimited => Some(1),
            Self::InvalidApiKey
            | Self::AccountSuspended
            | Self::InsufficientBalance
            | Self::UnknownPlatform
            | Self::OrderNotFound
            | Self::InvalidRequest => None,
        }
    }
}

/// An answer that is not a success. The middleware writes it out, for it knows the request's id and
/// what the caller accepts.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// Boxed: what may go wrong should not make every success carry its weight.
    inner: Box<Inner>,
}

#[derive(Debug, Clone)]
struct Inner {
    code: ErrorCode,
    status: StatusCode,
    text: String,
    retry_after_seconds: Option<u64>,
    detail: Option<Value>,
    /// Further members beside the error object's own.
    extra: Vec<(&'static str, Value)>,
    /// Whether its effect was there before, under the same idempotency key.
    replayed: bool,
    /// What was logged; never shown.
    fault: Option<String>,
}

/// What the middleware needs to write an error out.
#[derive(Debug, Clone)]
pub struct Unwritten(pub ApiError);

impl ApiError {
    /// An error of `code`, in words for people.
    pub fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        let (status, retry_after_seconds) = (code.status(), code.retry_after_seconds());
        Self {
            inner: Box::new(Inner {
                code,
                status,
                text: text.into(),
                retry_after_seconds,
                detail: None,
                extra: Vec::new(),
                replayed: false,
                fault: None,
            }),
        }
    }

    /// A request that cannot be understood or served as it is.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, text)
    }

    /// The one answer for an order that does not exist and for one of somebody else's.
    pub fn order_not_found() -> Self {
        Self::new(ErrorCode::OrderNotFound, "There is no such order.")
    }

    /// A member or parameter that is not as it must be; `text` is the whole sentence.
    pub fn of_field(field: &str, text: impl Into<String>) -> Self {
        Self::invalid(text).with_detail(json!({ "field": field }))
    }

    /// With another status than the code's usual one.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.inner.status = status;
        self
    }

    /// With what a program can read about it.
    #[must_use]
    pub fn with_detail(mut self, detail: Value) -> Self {
        self.inner.detail = Some(detail);
        self
    }

    /// With a member beside the error object's own.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.inner.extra.push((name, value));
        self
    }

    /// With the seconds after which another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.inner.retry_after_seconds = Some(seconds);
        self
    }

    /// As the answer to a call whose effect was there before, under the same idempotency key.
    #[must_use]
    pub fn replayed(mut self, replayed: bool) -> Self {
        self.inner.replayed = replayed;
        self
    }

    /// With what failed, for the log.
    #[must_use]
    pub fn with_fault(mut self, fault: String) -> Self {
        self.inner.fault = Some(fault);
        self
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.inner.status
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.inner.code
    }

    /// Seconds after which another try makes sense.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.inner.retry_after_seconds
    }

    /// What failed in the world, for the log.
    pub fn fault(&self) -> Option<&str> {
        self.inner.fault.as_deref()
    }

    /// The error object.
    pub fn object(&self, request_id: &str) -> Value {
        let mut body = json!({
            "error": self.inner.text,
            "error_code": self.inner.code.name(),
            "retryable": self.inner.code.retryable(),
            "retry_after_seconds": self.inner.retry_after_seconds,
            "service": "Telenumerus",
            "request_id": request_id,
        });
        if let Some(detail) = &self.inner.detail {
            body["detail"] = detail.clone();
        }
        for (name, value) in &self.inner.extra {
            body[*name] = value.clone();
        }
        body
    }

    /// The answer itself: the error object, or the same members as an RFC 9457 problem.
    pub fn write(&self, request_id: &str, as_problem: bool) -> Response {
        let mut body = self.object(request_id);
        if as_problem {
            // RFC 9457: the title is the type's, the detail a text about this one; what programs
            // read is a member beside it.
            body["type"] = json!(format!("urn:telenumerus:error:{}", self.inner.code.name()));
            body["title"] = json!(self.inner.code.meaning());
            body["status"] = json!(self.inner.status.as_u16());
            if let Some(detail) = &self.inner.detail {
                body["details"] = detail.clone();
            }
            body["detail"] = json!(self.inner.text);
        }
        let content_type = if as_problem { "application/problem+json" } else { "application/json" };
        let mut response = (self.inner.status, body.to_string()).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        mark(&mut response, self.inner.replayed);
        if self.inner.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Telenumerus\""));
        }
        if let Some(seconds) = self.inner.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.inner.status.into_response();
        response.extensions_mut().insert(Unwritten(self));
        response
    }
}

/// A success's shape, for handlers.
pub type ApiResult<T> = Result<axum::Json<T>, ApiError>;

/// A value as JSON; shapes of ours always are.
pub fn value(shape: &impl Serialize) -> Value {
    serde_json::to_value(shape).expect("our shapes have text keys and plain values")
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let error = match &fault {
            Fault::Overloaded => Self::new(
                ErrorCode::RateLimited,
                "Too many requests are waiting; try again shortly.",
            ),
            Fault::NoSpace => Self::new(
                ErrorCode::ProviderUnavailable,
                "The service is short of room and takes no new orders and accounts for now; \
                 nothing was charged. Try again later.",
            ),
            Fault::Away(_) => Self::new(
                ErrorCode::ProviderUnavailable,
                "What happens cannot be written down for now; nothing was charged and nothing was \
                 changed. Try again.",
            )
            .retry_after(AWAY_SECONDS),
            damaged if damaged.is_damage() => Self::new(
                ErrorCode::InternalError,
                "What is stored of this account is damaged; it is not served, and the operator \
                 has been told.",
            ),
            Fault::Unknown(_) | Fault::ActorEnded => Self::new(
                ErrorCode::InternalError,
                "Something failed on our side, and whether the call had an effect is not known: \
                 look, or repeat it with the same Idempotency-Key.",
            ),
            Fault::Append(_)
            | Fault::Read(_)
            | Fault::Damaged { .. }
            | Fault::View(_)
            | Fault::Chain(_) => Self::new(
                ErrorCode::InternalError,
                "Something failed on our side; nothing was lost, and the call can be repeated.",
            ),
        };
        // A full disk and a shared log that is away are said once, by the store, and not with every
        // request.
        if matches!(fault, Fault::NoSpace | Fault::Away(_)) {
            error
        } else {
            error.with_fault(chain_of(&fault))
        }
    }
}

impl From<ViewError> for ApiError {
    fn from(error: ViewError) -> Self {
        view_fault(error).into()
    }
}

impl From<AccessError> for ApiError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotFound => {
                Self::new(ErrorCode::InvalidApiKey, "The API key is not valid.")
            }
            AccessError::Fault(fault) => fault.into(),
        }
    }
}

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Busy => Self::new(
                ErrorCode::RateLimited,
                "Too many questions about the past are being answered; ask again shortly.",
            )
            .retry_after(1),
            HistoryError::Fault(fault) => fault.into(),
        }
    }
}

impl From<ClaimError> for ApiError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Refused(refusal) => refusal.into(),
            ClaimError::NotYours => {
                Self::invalid("The transaction is not a payment to this account.")
            }
            ClaimError::Fault(fault) => fault.into(),
        }
    }
}

impl ApiError {
    /// The account is no more.
    pub fn removed() -> Self {
        Self::new(
            ErrorCode::InvalidApiKey,
            "The account was removed: it was never used. Register another one, or ask the \
             operator; money sent to its deposit address opens it again.",
        )
    }

    /// The account may not do anything.
    pub fn suspended() -> Self {
        Self::new(
            ErrorCode::AccountSuspended,
            "The account is suspended; contact the operator of this service.",
        )
    }
}
