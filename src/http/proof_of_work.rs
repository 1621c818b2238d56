//! Challenges that cost whoever opens accounts by the thousand some work: signed, so that none is
//! kept until it is answered, and each answered once.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use events::id::to_base62;
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::description::hex;

/// Longest answer that is read.
const LONGEST_SOLUTION: usize = 64;
/// Answered challenges that are remembered until they are over: each has cost its work.
const REMEMBERED: usize = 100_000;

/// The answer to a challenge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProofOfWork)]
pub struct Answer {
    /// The challenge, as it was given.
    pub challenge: String,
    /// A text such that SHA-256 of `challenge:solution` begins with as many zero bits as asked.
    pub solution: String,
}

/// A challenge, and what answers it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProofOfWorkChallenge)]
pub struct ProofOfWorkChallenge {
    /// To be sent back as it is.
    challenge: String,
    /// How the answer is checked: `sha256`, over `challenge:solution`.
    algorithm: &'static str,
    /// Zero bits that the hash must begin with.
    difficulty: u32,
    /// Until when it can be answered, in seconds from now.
    expires_in: u64,
}

/// Why an answer is none. A fresh challenge is the way on from each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The challenge is not one of this process's, or of another difficulty.
    Unknown,
    /// It was given too long ago.
    Late,
    /// The hash has too few zero bits.
    Unsolved,
    /// It has been answered before.
    Used,
    /// So many were answered just now that no more can be remembered.
    Busy,
}

impl Wrong {
    /// The word of answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_challenge",
            Self::Late => "expired",
            Self::Unsolved => "not_solved",
            Self::Used => "already_used",
            Self::Busy => "busy",
        }
    }
}

/// Gives challenges and checks their answers.
pub struct Challenges {
    key: [u8; 32],
    difficulty: u32,
    lasts: Duration,
    answered: Mutex<Answered>,
}

#[derive(Default)]
struct Answered {
    nonces: HashSet<String>,
    by_end: BTreeSet<(u64, String)>,
}

impl Challenges {
    /// Challenges of so many bits, signed with a key of this process alone: after a restart none of
    /// before is known, and so none can be answered twice.
    pub fn new(key: [u8; 32], difficulty: u32, lasts: Duration) -> Self {
        Self { key, difficulty, lasts, answered: Mutex::default() }
    }

    /// Whether none is wanted.
    pub fn is_off(&self) -> bool {
        self.difficulty == 0
    }

    /// A fresh one; `now` is since the start.
    pub fn give(&self, nonce: u128, now: Duration) -> ProofOfWorkChallenge {
        let end = (now + self.lasts).as_secs();
        let body = format!("1.{}.{end}.{}", self.difficulty, to_base62(nonce));
        ProofOfWorkChallenge {
            challenge: format!("{body}.{}", self.signature(&body)),
            algorithm: "sha256",
            difficulty: self.difficulty,
            expires_in: self.lasts.as_secs(),
        }
    }

    /// Checks an answer, which is then used up.
    pub fn check(&self, answer: &Answer, now: Duration) -> Result<(), Wrong> {
        let (body, signature) = answer.challenge.rsplit_once('.').ok_or(Wrong::Unknown)?;
        if !self.is_ours(body, signature) {
            return Err(Wrong::Unknown);
        }
        let mut parts = body.split('.').skip(2);
        let end: u64 = parts.next().and_then(|end| end.parse().ok()).ok_or(Wrong::Unknown)?;
        let nonce = parts.next().ok_or(Wrong::Unknown)?.to_owned();
        if now.as_secs() >= end {
            return Err(Wrong::Late);
        }
        let is_short = answer.solution.len() <= LONGEST_SOLUTION;
        if !is_short || zero_bits(&answer.challenge, &answer.solution) < self.difficulty {
            return Err(Wrong::Unsolved);
        }
        self.answered.lock().add(nonce, end, now.as_secs())
    }

    fn mac(&self, body: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length is one");
        mac.update(body.as_bytes());
        mac
    }

    fn signature(&self, body: &str) -> String {
        hex(&self.mac(body).finalize().into_bytes())
    }

    fn is_ours(&self, body: &str, signature: &str) -> bool {
        crate::description::unhex(signature)
            .is_some_and(|signature| self.mac(body).verify_slice(&signature).is_ok())
    }
}

impl Answered {
    fn add(&mut self, nonce: String, end: u64, now: u64) -> Result<(), Wrong> {
        while let Some((over, _)) = self.by_end.first()
            && *over <= now
            && let Some((_, nonce)) = self.by_end.pop_first()
        {
            self.nonces.remove(&nonce);
        }
        if self.nonces.contains(&nonce) {
            return Err(Wrong::Used);
        }
        if self.nonces.len() >= REMEMBERED {
            return Err(Wrong::Busy);
        }
        self.by_end.insert((end, nonce.clone()));
        self.nonces.insert(nonce);
        Ok(())
    }
}

/// Zero bits that the hash of an answer begins with.
fn zero_bits(challenge: &str, solution: &str) -> u32 {
    let hash = Sha256::digest(format!("{challenge}:{solution}"));
    let whole = hash.iter().take_while(|byte| **byte == 0).count();
    let next = hash.get(whole).map_or(0, |byte| byte.leading_zeros());
    u32::try_from(whole).unwrap_or(0) * 8 + next
}

#[cfg(test)]
mod tests {
    use super::*;

    const BITS: u32 = 8;

    fn challenges() -> Challenges {
        Challenges::new([7; 32], BITS, Duration::from_mins(5))
    }

    fn solved(challenge: &str) -> Answer {
        let solution = (0..1_000_000u32).map(|number| number.to_string());
        let solution = solution.into_iter().find(|text| zero_bits(challenge, text) >= BITS);
        Answer { challenge: challenge.to_owned(), solution: solution.unwrap() }
    }

    #[test]
    fn an_answer_is_taken_once() {
        let challenges = challenges();
        let answer = solved(&challenges.give(1, Duration::ZERO).challenge);
        assert_eq!(challenges.check(&answer, Duration::from_secs(1)), Ok(()));
        assert_eq!(challenges.check(&answer, Duration::from_secs(2)), Err(Wrong::Used));
        let another = solved(&challenges.give(2, Duration::ZERO).challenge);
        assert_eq!(challenges.check(&another, Duration::from_secs(2)), Ok(()));
    }

    #[test]
    fn a_challenge_is_answered_in_time_by_work_and_is_ours() {
        let challenges = challenges();
        let given = challenges.give(1, Duration::ZERO).challenge;
        let answer = solved(&given);
        assert_eq!(challenges.check(&answer, Duration::from_mins(5)), Err(Wrong::Late));
        let lazy = (0..1_000_000u32).map(|number| number.to_string());
        let lazy = lazy.into_iter().find(|text| zero_bits(&given, text) < BITS).unwrap();
        let lazy = Answer { challenge: given.clone(), solution: lazy };
        assert_eq!(challenges.check(&lazy, Duration::ZERO), Err(Wrong::Unsolved));
        let endless = Answer { challenge: given.clone(), solution: "0".repeat(65) };
        assert_eq!(challenges.check(&endless, Duration::ZERO), Err(Wrong::Unsolved));
        for forged in
            [String::new(), "1.0.9.a.00".to_owned(), given.replacen("1.8.", "1.0.", 1), given + "0"]
        {
            assert_eq!(challenges.check(&solved(&forged), Duration::ZERO), Err(Wrong::Unknown));
        }
        let elsewhere = Challenges::new([8; 32], BITS, Duration::from_mins(5));
        let foreign = solved(&elsewhere.give(1, Duration::ZERO).challenge);
        assert_eq!(challenges.check(&foreign, Duration::ZERO), Err(Wrong::Unknown));
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let challenges = challenges();
        for number in 0..20u64 {
            let now = Duration::from_secs(number * 100);
            let answer = solved(&challenges.give(number.into(), now).challenge);
            assert_eq!(challenges.check(&answer, now), Ok(()));
        }
        assert!(challenges.answered.lock().nonces.len() <= 3);
    }
}
