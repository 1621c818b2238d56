//! What a caller takes, and how gladly: `Accept` and `Accept-Encoding` with their weights (RFC
//! 9110, 12.4.2).

use axum::http::{HeaderMap, HeaderName};

/// The weight of each of `wanted` in a header: between 0 (not taken) and 1; `None` for what it does
/// not name. A weight that cannot be read is 0.
pub fn weights<const N: usize>(
    headers: &HeaderMap,
    header: HeaderName,
    wanted: [&str; N],
) -> [Option<f32>; N] {
    let mut weights = [None; N];
    for range in headers
        .get_all(header)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
    {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight =
            parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = weight.map_or(1.0, |text| {
            text.parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0)
        });
        for (known, place) in wanted.iter().zip(&mut weights) {
            if known.eq_ignore_ascii_case(name) {
                *place = Some(weight);
            }
        }
    }
    weights
}
