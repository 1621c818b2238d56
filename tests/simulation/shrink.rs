//! A failing script with as few acts as still fail.

use crate::script::Script;

/// Leaves out acts, many at a time and then few, as long as what is left fails.
pub fn shrink(script: &Script, fails: impl Fn(&Script) -> bool) -> Script {
    let mut least = script.clone();
    let mut size = least.acts.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < least.acts.len() {
            let mut fewer = least.clone();
            let to = (from + size).min(fewer.acts.len());
            // Time goes on as it did: the acts after a gap come when they came.
            let waited: u64 = fewer.acts.drain(from..to).map(|act| act.wait_millis).sum();
            if let Some(next) = fewer.acts.get_mut(from) {
                next.wait_millis += waited;
            }
            if fails(&fewer) {
                least = fewer;
            } else {
                from += size;
            }
        }
        size /= 2;
    }
    least
}
