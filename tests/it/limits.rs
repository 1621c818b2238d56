//! Rate limits over HTTP: who counts for what, and what the answers say.

use crate::server::{Server, body};

#[test]
fn strangers_are_limited_by_address_and_callers_by_key() {
    let server = Server::start("[limits]\nper_ip_per_minute = 5\nper_key_per_minute = 8\n");
    let caller = server.register();
    for left in (0..4).rev() {
        let response = server.get("/api/v1/health").header("x-forwarded-for", format!("192.0.2.{left}")).send().unwrap();
        assert_eq!(response.headers()["ratelimit-policy"], "\"default\";q=5;w=60");
        assert!(response.headers()["ratelimit"].to_str().unwrap().starts_with(&format!("\"default\";r={left};")));
    }
    let response = server.get("/api/v1/health").header("x-forwarded-for", "192.0.2.99").send().unwrap();
    assert_eq!(response.status(), 429);
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    let refused = body(response);
    assert_eq!((refused["error_code"].as_str(), refused["retry_after_seconds"].as_u64()), (Some("RATE_LIMITED"), Some(seconds)));
    assert!((1..=60).contains(&seconds));
    assert_eq!(server.get("/api/v1/account").bearer_auth("tn_wrong").send().unwrap().status(), 429, "wrong keys are strangers");
    for _ in 0..8 {
        assert_eq!(caller.get("/api/v1/account").status(), 200);
    }
    assert_eq!(caller.get("/api/v1/account").status(), 429);
}
