//! How an account came to be one, and whether it may order yet: an operator may want to look at
//! each before it does.

use super::command::Command;
use super::event::Event;
use super::refusal::{OperatorRefusal, Refusal, StandingRefusal};
use super::state::State;
use crate::id::InviteId;
use crate::text::{LONGEST_REASON, is_said_within};

/// How an account was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RegistrationKind {
    /// Anybody may.
    #[default]
    Open,
    /// An operator looks at it before it orders.
    Approval,
    /// By an invite.
    Invite(InviteId),
}

impl RegistrationKind {
    /// The word of answers and descriptions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approval => "approval",
            Self::Invite(_) => "invite",
        }
    }
}

/// Whether an account may order and be paid into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Admission {
    /// It may.
    #[default]
    Given,
    /// It waits for an operator.
    Awaited,
    /// An operator has said no, for this reason, which its owner may read.
    Declined(String),
}

impl Admission {
    /// The word of answers.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Given => "approved",
            Self::Awaited => "awaiting_approval",
            Self::Declined(_) => "declined",
        }
    }
}

impl State {
    /// Whether it may order and be paid into.
    pub fn is_admitted(&self) -> Result<(), StandingRefusal> {
        match &self.admission {
            Admission::Given => Ok(()),
            Admission::Awaited => Err(StandingRefusal::AwaitsApproval),
            Admission::Declined(reason) => {
                Err(StandingRefusal::Declined { reason: reason.clone() })
            }
        }
    }

    /// An account that is opened under what the operator wants of every newcomer.
    pub(super) fn register_under(&self, command: &Command) -> Option<Result<Vec<Event>, Refusal>> {
        let Command::RegisterUnder { register, kind, terms, at } = command else { return None };
        let opened = self.opened(register).unwrap_or(Err(StandingRefusal::NotRegistered.into()));
        let (kind, terms, at) = (*kind, terms.clone(), *at);
        Some(opened.map(|mut events| {
            events.push(Event::Admitted { kind, terms, at });
            events
        }))
    }

    /// An operator's word on an account that waits; one that may order already is suspended, if
    /// anything.
    pub(super) fn answer_to(&self, command: &Command) -> Result<Vec<Event>, OperatorRefusal> {
        let (Command::Approve { reason, at } | Command::Decline { reason, at }) = command else {
            return Ok(Vec::new());
        };
        let at = *at;
        if !is_said_within(reason, LONGEST_REASON) {
            return Err(OperatorRefusal::NoReason);
        }
        match (command, &self.admission) {
            (Command::Approve { .. }, Admission::Given) => Ok(Vec::new()),
            (Command::Approve { .. }, Admission::Awaited | Admission::Declined(_)) => {
                Ok(vec![Event::Approved { reason: reason.clone(), at }])
            }
            (_, Admission::Given) => Err(OperatorRefusal::NothingAwaited),
            (_, Admission::Declined(before)) if before == reason => Ok(Vec::new()),
            (_, Admission::Awaited | Admission::Declined(_)) => {
                Ok(vec![Event::Declined { reason: reason.clone(), at }])
            }
        }
    }

    /// What a fact makes of it.
    pub(super) fn evolve_admission(&mut self, event: &Event) {
        if let Event::Admitted { kind, terms, .. } = event {
            let waits = *kind == RegistrationKind::Approval && !self.is_test();
            self.admission = if waits { Admission::Awaited } else { Admission::Given };
            self.terms = terms.as_deref().map(Into::into);
        } else if let Event::Approved { .. } = event {
            self.admission = Admission::Given;
        } else if let Event::Declined { reason, .. } = event {
            self.admission = Admission::Declined(reason.clone());
        }
    }
}
