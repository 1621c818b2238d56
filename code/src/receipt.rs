//! Messages that say that something was handed in: the number that they name is that of it.

use super::brand::Owner;
use super::candidate::Found;
use super::evidence::Evidence;
use super::lexicon::{Class, Hit};

/// Characters between what was handed in and the word that says so.
const REACH: usize = 40;
/// Words of either kind looked at: more is no message but an attack.
const MAX_WORDS: usize = 16;

/// Whether something was handed in, and nothing tells that the candidate is for logging in.
pub fn is_receipt(evidence: &Evidence<'_>, found: &Found) -> bool {
    let about_code = [Class::Secret, Class::Valid].iter().any(|class| evidence.says(*class))
        || evidence.owner == Owner::Expected;
    if about_code {
        return false;
    }
    // "Acct credited with USD 1,200.00. Auth code 551204. Available 4,412.09": a payment that was
    // made has a code, too.
    if evidence.says(Class::Balance) && evidence.names_sum() {
        return true;
    }
    if evidence.is_verified() {
        return false;
    }
    evidence.says(Class::Receipt) || (!evidence.says(Class::Handle) && has_come(evidence, found))
}

/// Whether a sentence beside the candidate's says of something handed in that it has come: "We
/// received your application."
fn has_come(evidence: &Evidence<'_>, found: &Found) -> bool {
    let words = &evidence.words;
    let clause = |place: usize| words.clauses[place];
    let here = clause(found.start);
    let of = |class: Class| words.hits.iter().filter(move |hit| hit.class == class).take(MAX_WORDS);
    let beside =
        |filed: &Hit, came: &Hit| came.start < filed.end + REACH && filed.start < came.end + REACH;
    of(Class::Filed).filter(|filed| clause(filed.start) != here).any(|filed| {
        of(Class::Came).any(|came| clause(came.start) == clause(filed.start) && beside(filed, came))
    })
}
