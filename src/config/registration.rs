//! Who may open an account, and what is wanted of them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::bounds::is_line;

/// Longest version or address of the terms.
const LONGEST: usize = 200;

/// Who may open an account, and what is wanted of them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Registration {
    /// `open`: anybody; `approval`: anybody, and an operator looks before an account orders;
    /// `invite`: by an operator's code; `closed`: nobody.
    pub mode: RegistrationMode,
    /// The version of your terms, such as 2026-11: newcomers accept it by name.
    pub terms_version: Option<String>,
    /// Where they are read.
    pub terms_url: Option<String>,
    /// Leading zero bits of the proof of work that opening an account takes; 0: none.
    pub proof_of_work_bits: u32,
    /// How long a challenge may be answered.
    pub challenge_seconds: u32,
    /// After so many days an account is removed that never had money and never ordered; 0: never.
    pub unused_days: u32,
    /// KiB of the log that an account which never had money may cause; 0: any number.
    pub unfunded_log_kb: u32,
}

/// Who may open an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationMode {
    #[default]
    Open,
    Approval,
    Invite,
    Closed,
}

impl RegistrationMode {
    /// The word of files and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approval => "approval",
            Self::Invite => "invite",
            Self::Closed => "closed",
        }
    }
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            mode: RegistrationMode::Open,
            terms_version: None,
            terms_url: None,
            proof_of_work_bits: 0,
            challenge_seconds: 300,
            unused_days: 30,
            unfunded_log_kb: 256,
        }
    }
}

impl Registration {
    /// Whether anybody opens an account by asking.
    pub fn is_plain(&self) -> bool {
        self.mode == RegistrationMode::Open
            && self.terms_version.is_none()
            && self.proof_of_work_bits == 0
    }

    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let texts = [
            ("registration.terms_version", &self.terms_version),
            ("registration.terms_url", &self.terms_url),
        ];
        for (key, text) in texts {
            if text.as_deref().is_some_and(|text| !is_line(text, LONGEST)) {
                found.push(format!(
                    "{key} has 1 to {LONGEST} bytes, on one line, and no spaces around it"
                ));
            }
        }
        let is_address = |url: &String| url.starts_with("https://") || url.starts_with('/');
        if self.terms_url.as_ref().is_some_and(|url| !is_address(url)) {
            found.push(
                "registration.terms_url begins with https://, or with / for a path here".to_owned(),
            );
        }
        if self.terms_url.is_some() && self.terms_version.is_none() {
            found.push(
                "registration.terms_url needs registration.terms_version: what is accepted has a \
                 name"
                    .to_owned(),
            );
        }
        found
    }
}
