//! The metrics of requests, by route: each is looked for once, and then kept at hand.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use metrics::{Counter, Histogram};
use parking_lot::RwLock;

/// The metrics of every route that was called.
#[derive(Default)]
pub struct Measured {
    routes: RwLock<HashMap<Box<str>, Arc<Route>>>,
}

struct Route {
    seconds: Histogram,
    answers: RwLock<HashMap<(&'static str, StatusCode), Counter>>,
}

impl Measured {
    /// Counts an answer, and how long it took where that is known.
    pub fn answered(
        &self,
        method: &'static str,
        route: &str,
        status: StatusCode,
        seconds: Option<f64>,
    ) {
        let of_route = self.of(route);
        if let Some(seconds) = seconds {
            of_route.seconds.record(seconds);
        }
        if let Some(known) = of_route.answers.read().get(&(method, status)) {
            return known.increment(1);
        }
        let code = status.as_u16().to_string();
        let counter = metrics::counter!("http_requests_total", "method" => method,
            "route" => route.to_owned(), "status" => code);
        counter.increment(1);
        of_route.answers.write().insert((method, status), counter);
    }

    fn of(&self, route: &str) -> Arc<Route> {
        if let Some(known) = self.routes.read().get(route) {
            return Arc::clone(known);
        }
        let seconds = metrics::histogram!("http_request_seconds", "route" => route.to_owned());
        let new = || Arc::new(Route { seconds, answers: RwLock::default() });
        Arc::clone(self.routes.write().entry(route.into()).or_insert_with(new))
    }
}
