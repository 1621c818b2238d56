//! Accounts that nobody uses: how much log one without money may cause, and when it is closed.

use super::command::Command;
use super::event::Event;
use super::idempotency::{Effect, Keys};
use super::recent::Recent;
use super::refusal::{Refusal, RemovalRefusal, StandingRefusal};
use super::state::{Standing, State};
use crate::codec;
use crate::order;
use crate::time::Timestamp;

/// What a record takes beside its payload: its envelope, its link of the chain, its index entry.
const RECORD_BYTES: u64 = 256;
/// What the records of a delivery take whose every attempt fails.
const DELIVERY_BYTES: u64 = 2_048;
const DAY_MILLIS: i64 = 24 * 3_600_000;

impl Command {
    /// Whether an owner could have it done over and over, each time at the cost of log: what takes
    /// away, what ends an order and what brings money has an end of its own.
    pub fn grows(&self) -> bool {
        match self {
            Self::Keyed { effect, command, .. } => {
                let is_deposit = matches!(effect, Effect::Deposit(_));
                !is_deposit && command.as_deref().is_none_or(Self::grows)
            }
            Self::Within { command, .. } => command.grows(),
            Self::AddTestKey(_)
            | Self::OpenTestAccount { .. }
            | Self::AddApiKey { .. }
            | Self::PlaceOrder(_)
            | Self::PlaceBatch(_)
            | Self::SetWebhook { .. }
            | Self::RotateWebhookSecret { .. }
            | Self::TestWebhook { .. } => true,
            Self::Register { .. }
            | Self::RegisterForTests { .. }
            | Self::RegisterUnder { .. }
            | Self::Approve { .. }
            | Self::Decline { .. }
            | Self::Credit { .. }
            | Self::Debit { .. }
            | Self::CreditDeposit { .. }
            | Self::ReverseDeposit { .. }
            | Self::Suspend { .. }
            | Self::Reinstate { .. }
            | Self::RemoveUnused { .. }
            | Self::SetClass { .. }
            | Self::RemoveApiKey { .. }
            | Self::ReplaceApiKeys { .. }
            | Self::RemoveWebhook { .. }
            | Self::Order(..) => false,
        }
    }
}

impl State {
    /// Whether `command` is within what an account may do that never had money.
    pub(super) fn has_room(&self, bytes: u64, command: &Command) -> Result<(), StandingRefusal> {
        if !command.grows() || self.was_ever_funded() || self.unfunded_bytes < bytes {
            return Ok(());
        }
        Err(StandingRefusal::NeverFunded)
    }

    /// Closes the account, if nobody has ever used it.
    pub(super) fn remove_unused(
        &self,
        unused_days: u32,
        is_awaited: bool,
        at: Timestamp,
    ) -> Result<Vec<Event>, RemovalRefusal> {
        if matches!(self.standing, Standing::Suspended(_)) {
            return Err(RemovalRefusal::Suspended);
        }
        if self.is_used {
            return Err(RemovalRefusal::Used);
        }
        if self.live_account().is_some() {
            return Err(RemovalRefusal::OfLiveAccount);
        }
        if is_awaited {
            return Err(RemovalRefusal::Awaited);
        }
        let age = at.millis().saturating_sub(self.usable_since.millis());
        if unused_days == 0 || age < i64::from(unused_days) * DAY_MILLIS {
            return Err(RemovalRefusal::TooYoung);
        }
        Ok(vec![Event::Removed { unused_days, at }])
    }

    /// What a command makes of an account that was closed: money is never refused, and opens it
    /// again; an operator may do so, too.
    pub(super) fn facts_of_removed(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::RemoveUnused { .. } => Ok(Vec::new()),
            Command::Credit { at, .. } | Command::CreditDeposit { at, .. } => {
                let mut facts = self.facts_of_known(command)?;
                if !facts.is_empty() {
                    facts.insert(0, Event::Reopened { at: *at });
                }
                Ok(facts)
            }
            Command::Keyed { command: Some(inner), .. }
                if matches!(**inner, Command::Credit { .. }) =>
            {
                self.facts_of_known(command)
            }
            Command::Register { .. }
            | Command::RegisterForTests { .. }
            | Command::RegisterUnder { .. }
            | Command::ReverseDeposit { .. }
            | Command::Suspend { .. }
            | Command::Reinstate { .. }
            | Command::Order(..) => self.facts_of_known(command),
            Command::Approve { .. }
            | Command::Decline { .. }
            | Command::AddTestKey(_)
            | Command::OpenTestAccount { .. }
            | Command::Debit { .. }
            | Command::Within { .. }
            | Command::SetClass { .. }
            | Command::AddApiKey { .. }
            | Command::RemoveApiKey { .. }
            | Command::ReplaceApiKeys { .. }
            | Command::PlaceOrder(_)
            | Command::PlaceBatch(_)
            | Command::Keyed { .. }
            | Command::SetWebhook { .. }
            | Command::RemoveWebhook { .. }
            | Command::RotateWebhookSecret { .. }
            | Command::TestWebhook { .. } => Err(StandingRefusal::Removed.into()),
        }
    }

    /// A closed account keeps its keys, for whoever pays late, and nothing else that takes room.
    pub(super) fn forget(&mut self) {
        self.standing = Standing::Removed;
        self.webhook = None;
        self.previous_secret = None;
        self.keys = Keys::default();
        self.tests = Recent::default();
    }

    /// What a fact says of the account's use, and what it takes in the log.
    pub(super) fn note_use(&mut self, event: &Event) {
        self.is_used |= matches!(
            event,
            Event::Credited { .. }
                | Event::DepositCredited { .. }
                | Event::DustKept { .. }
                | Event::Order(_, order::Event::Placed(_))
        );
        if let Event::Registered { at, .. }
        | Event::Approved { at, .. }
        | Event::Reinstated { at, .. } = event
        {
            self.usable_since = *at;
        }
        if !self.was_ever_funded() {
            self.unfunded_bytes = self.unfunded_bytes.saturating_add(bytes_of(event));
        }
    }
}

/// What a fact takes in the log, with the deliveries that follow from it.
fn bytes_of(event: &Event) -> u64 {
    let payload = codec::encode(&event.clone().into()).payload.len();
    let deliveries = if let Event::WebhookDue { .. } = event { DELIVERY_BYTES } else { 0 };
    u64::try_from(payload).unwrap_or(u64::MAX).saturating_add(RECORD_BYTES + deliveries)
}
