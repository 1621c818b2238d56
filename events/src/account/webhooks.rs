//! What an account is asked of its webhook, and what its owner is told of its facts.

use super::cancels::seconds_up;
use super::command::Command;
use super::event::Event;
use super::ledger;
use super::recent::HOUR;
use super::refusal::WebhookRefusal;
use super::state::State;
use crate::money::Money;
use crate::order;
use crate::webhook::Notice;

/// Webhook tests of an account in an hour: each may hold a connection for fifteen seconds, and
/// costs its owner nothing.
const TESTS_PER_HOUR: usize = 60;

impl State {
    pub(super) fn webhook_facts(&self, command: &Command) -> Result<Vec<Event>, WebhookRefusal> {
        Ok(match command {
            Command::SetWebhook { url, threshold, at } => {
                let is_so = self.webhook.as_ref().is_some_and(|webhook| {
                    *webhook.url == **url && webhook.threshold == *threshold
                });
                if is_so {
                    Vec::new()
                } else {
                    vec![Event::WebhookSet { url: url.clone(), threshold: *threshold, at: *at }]
                }
            }
            Command::RemoveWebhook { at } => {
                self.webhook.iter().map(|_| Event::WebhookRemoved { at: *at }).collect()
            }
            Command::RotateWebhookSecret { secret, at } => {
                vec![Event::WebhookSecretRotated { secret: secret.clone(), at: *at }]
            }
            Command::TestWebhook { at } => {
                self.webhook.as_ref().ok_or(WebhookRefusal::NoWebhook)?;
                if self.tests.count(*at) >= TESTS_PER_HOUR {
                    let wait =
                        self.tests.oldest(*at).map_or(HOUR, |oldest| oldest.plus(HOUR).since(*at));
                    return Err(WebhookRefusal::TooManyTests {
                        retry_after_seconds: seconds_up(wait),
                    });
                }
                vec![Event::WebhookDue {
                    sequence: self.webhook_sequence + 1,
                    notice: Notice::Test,
                    at: *at,
                }]
            }
            Command::Register { .. }
            | Command::RegisterForTests { .. }
            | Command::RegisterUnder { .. }
            | Command::Approve { .. }
            | Command::Decline { .. }
            | Command::AddTestKey(_)
            | Command::OpenTestAccount { .. }
            | Command::Credit { .. }
            | Command::Debit { .. }
            | Command::CreditDeposit { .. }
            | Command::ReverseDeposit { .. }
            | Command::Suspend { .. }
            | Command::RemoveUnused { .. }
            | Command::Within { .. }
            | Command::SetClass { .. }
            | Command::Reinstate { .. }
            | Command::AddApiKey { .. }
            | Command::RemoveApiKey { .. }
            | Command::ReplaceApiKeys { .. }
            | Command::PlaceOrder(_)
            | Command::PlaceBatch(_)
            | Command::Keyed { .. }
            | Command::Order(..) => Vec::new(),
        })
    }

    /// What the owner is told of `events`.
    pub(super) fn notices_of(&self, events: &[Event]) -> Vec<Event> {
        let Some(webhook) = &self.webhook else { return Vec::new() };
        let (mut sequence, mut balance) = (self.webhook_sequence, self.balance);
        let mut due = Vec::new();
        for event in events {
            let before = balance;
            balance = ledger::entry(event).map_or(balance, |entry| balance + entry.balance);
            let low = before >= webhook.threshold && balance < webhook.threshold;
            let notice = notice(event, balance, webhook.threshold, low);
            due.extend(notice.map(|notice| {
                sequence += 1;
                Event::WebhookDue { sequence, notice, at: event.at() }
            }));
        }
        due
    }
}

/// What the owner is told of `event`, after which there is `balance`; `low` is whether it fell
/// below the threshold with it.
fn notice(event: &Event, balance: Money, threshold: Money, low: bool) -> Option<Notice> {
    match event {
        Event::Order(order, order::Event::SmsReceived(sms)) => {
            Some(Notice::SmsReceived { order: *order, message_id: sms.message_id.clone() })
        }
        Event::Order(order, order::Event::Failed { .. } | order::Event::Expired { .. }) => {
            Some(Notice::OrderFailed { order: *order })
        }
        // Once per downward crossing: it stays below until it has risen.
        Event::HoldTaken { .. } | Event::DepositReversed { .. } | Event::Debited { .. } if low => {
            Some(Notice::BalanceLow { balance, threshold })
        }
        Event::Registered { .. }
        | Event::OpenedForTests { .. }
        | Event::Admitted { .. }
        | Event::Approved { .. }
        | Event::Declined { .. }
        | Event::TestAccountOpened { .. }
        | Event::Credited { .. }
        | Event::Debited { .. }
        | Event::DepositCredited { .. }
        | Event::DepositReversed { .. }
        | Event::DustKept { .. }
        | Event::DustDropped { .. }
        | Event::Suspended { .. }
        | Event::Reinstated { .. }
        | Event::Removed { .. }
        | Event::Reopened { .. }
        | Event::ApiKeyAdded { .. }
        | Event::ApiKeyRemoved { .. }
        | Event::ApiKeysReplaced { .. }
        | Event::HoldTaken { .. }
        | Event::HoldCaptured { .. }
        | Event::HoldReleased { .. }
        | Event::CaptureRefunded { .. }
        | Event::BatchPlaced { .. }
        | Event::KeyUsed { .. }
        | Event::WebhookSet { .. }
        | Event::WebhookRemoved { .. }
        | Event::WebhookSecretRotated { .. }
        | Event::WebhookDue { .. }
        | Event::ClassSet { .. }
        | Event::OrderRefused(_)
        | Event::Order(..) => None,
    }
}
