//! Which facts follow from a command.

use super::command::Command;
use super::event::Event;
use super::keyring::Keyring;
use super::operator::movable;
use super::refusal::{OrderRefusal, Refusal, StandingRefusal};
use super::state::{Standing, State};
use crate::decider::Decider;
use crate::order;

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let mut events = self.facts_of(command)?;
        let notices = self.notices_of(&events);
        events.extend(notices);
        Ok(events)
    }

    fn evolve(self, event: &Event) -> Self {
        self.after(event)
    }

    fn snapshot(&self) -> Option<Vec<u8>> {
        super::snapshot::write(self)
    }

    fn from_snapshot(bytes: &[u8]) -> Option<Self> {
        super::snapshot::read(bytes)
    }
}

impl State {
    /// What `command` makes happen, but for what the owner is told of it.
    pub(super) fn facts_of(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        if let Some(opened) = self.register_under(command).or_else(|| self.opened(command)) {
            return opened;
        }
        if self.standing == Standing::Unregistered {
            return Err(StandingRefusal::NotRegistered.into());
        }
        if self.refuses_money(command) {
            return Err(StandingRefusal::WrongMode.into());
        }
        if self.standing == Standing::Removed {
            return self.facts_of_removed(command);
        }
        self.facts_of_known(command)
    }

    /// What `command` makes of an account that is there.
    pub(super) fn facts_of_known(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Register { .. }
            | Command::RegisterForTests { .. }
            | Command::RegisterUnder { .. }
            | Command::AddTestKey(_) => Err(StandingRefusal::AlreadyRegistered.into()),
            Command::OpenTestAccount { id, at } => Ok(self.open_test_account(*id, *at)?),
            Command::Credit { amount, reason, at } => {
                movable(*amount)?;
                Ok(vec![Event::Credited { amount: *amount, reason: reason.clone(), at: *at }])
            }
            Command::Debit { amount, reason, may_overdraw, at } => {
                Ok(self.debit(*amount, reason, *may_overdraw, *at)?)
            }
            Command::CreditDeposit { deposit, amount, at } => {
                self.credit_deposit(*deposit, *amount, *at)
            }
            Command::ReverseDeposit { deposit, at } => Ok(self.reverse_deposit(*deposit, *at)),
            Command::Suspend { reason, at } => Ok(self.suspend(reason, *at)),
            Command::Reinstate { reason, at } => Ok(self.reinstate(reason, *at)),
            Command::RemoveUnused { unused_days, is_awaited, at } => {
                Ok(self.remove_unused(*unused_days, *is_awaited, *at)?)
            }
            Command::Within { bytes, command } => {
                self.has_room(*bytes, command)?;
                self.facts_of(command)
            }
            Command::Approve { .. } | Command::Decline { .. } => Ok(self.answer_to(command)?),
            Command::SetClass { class, reason, at } => Ok(Self::set_class(*class, reason, *at)?),
            Command::AddApiKey { id, name, hash, at } => {
                Ok(self.api_keys.add(*id, name, *hash, *at)?)
            }
            Command::RemoveApiKey { id, at } => {
                Ok(self.api_keys.remove(*id, *at, self.live_account().is_some())?)
            }
            Command::ReplaceApiKeys { id, hash, reason, at } => {
                Ok(Keyring::replace(*id, *hash, reason, *at))
            }
            Command::PlaceOrder(wanted) => self.place(wanted),
            Command::PlaceBatch(wanted) => self.place_batch(wanted),
            Command::Keyed { used, effect, command } => {
                self.keyed(used, *effect, command.as_deref())
            }
            Command::SetWebhook { .. }
            | Command::RemoveWebhook { .. }
            | Command::RotateWebhookSecret { .. }
            | Command::TestWebhook { .. } => Ok(self.webhook_facts(command)?),
            Command::Order(id, order::Command::Report { complaint, at }) => {
                Ok(self.report(*id, *complaint, *at)?)
            }
            Command::Order(id, command) => {
                let order = self.order(*id).ok_or(OrderRefusal::NotFound)?;
                let facts = order.decide(command)?;
                Ok(facts.into_iter().flat_map(|fact| self.settled(order, fact)).collect())
            }
        }
    }

    /// What a command makes happen that opens an account; `None` of every other.
    pub(super) fn opened(&self, command: &Command) -> Option<Result<Vec<Event>, Refusal>> {
        if let Command::Within { bytes, command } = command {
            let opened = self.opened(command)?;
            return Some(self.has_room(*bytes, command).map_err(Refusal::from).and(opened));
        }
        if let Command::RegisterForTests { id, key_hash, webhook_secret, at } = command {
            return Some(self.register_for_tests(*id, *key_hash, webhook_secret, *at));
        }
        if let Command::AddTestKey(wanted) = command {
            return Some(self.add_test_key(wanted));
        }
        if let Command::Register { id, key_hash, webhook_secret, at } = command {
            return Some(match self.standing {
                Standing::Unregistered => Ok(vec![Event::Registered {
                    id: *id,
                    key_hash: *key_hash,
                    webhook_secret: webhook_secret.clone(),
                    at: *at,
                }]),
                Standing::Good | Standing::Suspended(_) | Standing::Removed => {
                    Err(StandingRefusal::AlreadyRegistered.into())
                }
            });
        }
        None
    }
}
