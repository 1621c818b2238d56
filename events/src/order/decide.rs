//! Which facts follow from a command, and what each fact makes of the order.

use std::sync::Arc;
use std::time::Duration;

use super::command::{Command, IncomingSms};
use super::event::{Event, FailureReason, Sms};
use super::refusal::Refusal;
use super::state::{Assignment, State, Status};
use crate::code::{self, Verdict};
use crate::decider::Decider;
use crate::time::Timestamp;

/// Messages one order keeps: a flood on a number must not grow its account's stream without bound.
pub const MAX_MESSAGES: usize = 32;

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match (command, self.status) {
            (Command::Cancel { .. }, Status::Cancelled) => Ok(Vec::new()),
            (Command::ReceiveSms(sms), _) if self.knows_message(sms) => Ok(Vec::new()),
            // The clock and the router find an ended order only by being late: nothing is wrong and nothing happens.
            (Command::Expire { .. } | Command::Fail { .. }, status) if status.is_end() => Ok(Vec::new()),
            (_, status) if status.is_end() => Err(Refusal::AlreadyEnded(status)),
            (Command::Start { at }, Status::Queued) => Ok(vec![Event::Started { at: *at }]),
            (Command::Start { .. }, _) | (Command::Expire { .. }, Status::Queued) => Ok(Vec::new()),
            (Command::Cancel { at }, _) => Ok(vec![Event::Cancelled { at: *at }]),
            (Command::Expire { at }, _) => Ok(self.expire(*at)),
            (Command::Fail { reason, at }, Status::Pending) => Ok(vec![Event::Failed { reason: *reason, at: *at }]),
            (Command::Fail { .. }, _) => Err(Refusal::StaleAttempt),
            (Command::ReceiveSms(sms), _) => self.receive(sms),
            (Command::AssignNumber { attempt, supplier, phone, at }, status) => {
                expect_attempt(status == Status::Pending, *attempt, self.attempts + 1)?;
                let lifetime = Duration::from_secs(self.placed.lifetime_seconds.into());
                // A replacement keeps the first number's end: a retry never outlives the order.
                let expires_at = self.expires_at.unwrap_or_else(|| at.plus(lifetime));
                Ok(vec![Event::NumberAssigned { attempt: *attempt, supplier: supplier.clone(), phone: phone.clone(), expires_at, at: *at }])
            }
            (Command::FailAttempt { attempt, supplier, reason, at }, status) => {
                expect_attempt(status == Status::Pending, *attempt, self.attempts + 1)?;
                let failed = Event::AttemptFailed { attempt: *attempt, supplier: supplier.clone(), reason: *reason, at: *at };
                Ok(self.and_exhaustion(failed, *attempt, *at))
            }
            (Command::ReportNumberDead { attempt, at }, _) => {
                let current = self.assignment.as_ref().ok_or(Refusal::StaleAttempt)?;
                expect_attempt(true, *attempt, current.attempt)?;
                let dead = Event::NumberReportedDead { attempt: *attempt, supplier: current.supplier.clone(), at: *at };
                Ok(self.and_exhaustion(dead, *attempt, *at))
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        self.history.push(Arc::new(event.clone()));
        match event {
            // Acceptance makes the state (`State::new`); it cannot happen to one that is.
            Event::Placed(_) | Event::SmsReceived(_) => {}
            Event::Queued { .. } => self.status = Status::Queued,
            Event::Started { at } => {
                self.status = Status::Pending;
                self.started_at = *at;
            }
            Event::AttemptFailed { attempt, .. } => self.attempts = *attempt,
            Event::NumberAssigned { attempt, supplier, phone, expires_at, at } => {
                self.attempts = *attempt;
                self.status = Status::Active;
                self.expires_at = Some(*expires_at);
                self.assignment = Some(Assignment { attempt: *attempt, supplier: supplier.clone(), phone: phone.clone(), assigned_at: *at });
            }
            Event::NumberReportedDead { .. } => {
                self.status = Status::Pending;
                self.assignment = None;
            }
            Event::Completed { code, at, .. } => {
                self.code = Some(code.clone());
                self.end(Status::Completed, *at);
            }
            Event::Cancelled { at } => self.end(Status::Cancelled, *at),
            Event::Expired { at } => self.end(Status::Expired, *at),
            Event::Failed { reason, at } => {
                self.failure = Some(*reason);
                self.end(Status::Failed, *at);
            }
        }
        self
    }

    fn is_terminal(&self) -> bool {
        self.status.is_end()
    }
}

impl State {
    fn end(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        self.ended_at = Some(at);
    }

    fn knows_message(&self, incoming: &IncomingSms) -> bool {
        self.messages().any(|sms| sms.message_id == incoming.message_id && sms.supplier == incoming.supplier)
    }

    /// `fact`, and the order's failure if `attempt` was the last it had.
    fn and_exhaustion(&self, fact: Event, attempt: u8, at: Timestamp) -> Vec<Event> {
        let mut facts = vec![fact];
        if attempt >= self.placed.max_attempts {
            facts.push(Event::Failed { reason: FailureReason::AttemptsExhausted, at });
        }
        facts
    }

    fn expire(&self, at: Timestamp) -> Vec<Event> {
        if at < self.deadline() {
            return Vec::new();
        }
        match self.expires_at {
            Some(_) => vec![Event::Expired { at }],
            None => vec![Event::Failed { reason: FailureReason::SeekingTimedOut, at }],
        }
    }

    fn receive(&self, sms: &IncomingSms) -> Result<Vec<Event>, Refusal> {
        let assignment = self.assignment.as_ref().filter(|assignment| assignment.phone == sms.to && assignment.supplier == sms.supplier);
        let assignment = assignment.ok_or(Refusal::NotThisAssignment)?;
        if was_received_before(sms, assignment.assigned_at) {
            return Err(Refusal::NotThisAssignment);
        }
        if self.messages().count() >= MAX_MESSAGES {
            return Err(Refusal::TooManyMessages);
        }
        let message = code::Message::new(&sms.text).sent_by(&sms.sender).sent_to(sms.to.as_str());
        let extraction = code::extract(&message, Some(self.placed.platform.service()));
        let code = if let Verdict::Code(code) = &extraction.verdict { Some(code.clone()) } else { None };
        let mut facts = vec![Event::SmsReceived(Sms {
            message_id: sms.message_id.clone(),
            supplier: sms.supplier.clone(),
            sender: sms.sender.clone(),
            text: sms.text.clone(),
            received_at: sms.received_at,
            extraction,
            at: sms.at,
        })];
        facts.extend(code.map(|code| Event::Completed { code, message_id: sms.message_id.clone(), at: sms.at }));
        Ok(facts)
    }
}

fn expect_attempt(in_time: bool, reported: u8, expected: u8) -> Result<(), Refusal> {
    if in_time && reported == expected { Ok(()) } else { Err(Refusal::StaleAttempt) }
}

/// Whether a message belongs to the time before `assigned`. A source that counts in whole seconds has cut its fraction off, so its moment stands
/// for the whole second; if the number was another order's in that second, it is that one's: a code is not there so soon after its number.
fn was_received_before(sms: &IncomingSms, assigned: Timestamp) -> bool {
    let second = |moment: Timestamp| moment.millis().div_euclid(1_000);
    let received = sms.received_at;
    if received.millis().rem_euclid(1_000) != 0 {
        return received < assigned;
    }
    second(received) < second(assigned) || sms.freed_at.is_some_and(|freed| second(freed) == second(received))
}
