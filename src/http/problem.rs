//! Who gets errors as RFC 9457 problems: whoever asks for them, by the weights of `Accept`.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

use super::weights::weights;

/// Whether a caller would rather have a problem than the error object: it names that type, with no
/// less weight than JSON.
pub fn prefers_problem(headers: &HeaderMap) -> bool {
    let [problem, json] =
        weights(headers, ACCEPT, ["application/problem+json", "application/json"]);
    problem.is_some_and(|problem| problem > 0.0 && json.is_none_or(|json| problem >= json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_given_to_those_who_would_rather_have_it() {
        let prefers = |accept: &str| {
            prefers_problem(&[(ACCEPT, accept.parse().unwrap())].into_iter().collect())
        };
        for accept in [
            "application/problem+json",
            "Application/Problem+JSON; q=0.5",
            "application/json, application/problem+json",
            "application/json;q=0.5, application/problem+json;q=0.9",
            "text/html, application/problem+json;q=0.1",
        ] {
            assert!(prefers(accept), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "application/json",
            "application/problem+json;q=0",
            "application/json, application/problem+json;q=0.5",
            "application/problem+json;q=x",
        ] {
            assert!(!prefers(accept), "{accept}");
        }
    }
}
