//! Which facts follow from a command, and what each fact makes of the order.

use std::sync::Arc;
use std::time::Duration;

use super::command::Command;
use super::event::{Event, FailureReason};
use super::refusal::Refusal;
use super::state::{Assignment, State, Status};
use crate::decider::Decider;
use crate::time::Timestamp;

impl Decider for State {
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        match (command, self.status) {
            (Command::Cancel { .. }, Status::Cancelled) => Ok(Vec::new()),
            (Command::ReceiveSms(sms), _) if self.knows_message(sms) => Ok(Vec::new()),
            (Command::Report { complaint, at }, _) => self.report(*complaint, *at),
            (
                Command::Finish { .. }
                | Command::ReceiveSms(_)
                | Command::Expire { .. }
                | Command::ReportNumberDead { .. },
                Status::Completed,
            ) => self.after_code(command),
            // The clock and the router find an ended order only by being late: nothing is wrong and
            // nothing happens.
            (Command::Expire { .. } | Command::Fail { .. }, status) if status.is_end() => {
                Ok(Vec::new())
            }
            (_, status) if status.is_end() => Err(Refusal::AlreadyEnded(status)),
            (Command::Finish { .. }, status) => Err(Refusal::NotCompleted(status)),
            (Command::Start { at }, Status::Queued) => Ok(vec![Event::Started { at: *at }]),
            (Command::Start { .. }, _) | (Command::Expire { .. }, Status::Queued) => Ok(Vec::new()),
            (Command::Cancel { at }, _) => Ok(vec![Event::Cancelled { at: *at }]),
            (Command::Expire { at }, _) => Ok(self.expire(*at)),
            (Command::Fail { reason, at }, Status::Pending) => {
                Ok(vec![Event::Failed { reason: *reason, at: *at }])
            }
            (Command::Fail { .. }, _) => Err(Refusal::StaleAttempt),
            (Command::ReceiveSms(sms), _) => self.receive(sms),
            (Command::AssignNumber { attempt, supplier, phone, at }, status) => {
                expect_attempt(status == Status::Pending, *attempt, self.attempts + 1)?;
                let lifetime = Duration::from_secs(self.placed.lifetime_seconds.into());
                // A replacement keeps the first number's end: a retry never outlives the order.
                let expires_at = self.expires_at.unwrap_or_else(|| at.plus(lifetime));
                Ok(vec![Event::NumberAssigned {
                    attempt: *attempt,
                    supplier: supplier.clone(),
                    phone: phone.clone(),
                    expires_at,
                    at: *at,
                }])
            }
            (Command::FailAttempt { attempt, supplier, reason, at }, status) => {
                expect_attempt(status == Status::Pending, *attempt, self.attempts + 1)?;
                let failed = Event::AttemptFailed {
                    attempt: *attempt,
                    supplier: supplier.clone(),
                    reason: *reason,
                    at: *at,
                };
                Ok(self.and_exhaustion(failed, *attempt, *at))
            }
            (Command::ReportNumberDead { attempt, at }, _) => {
                let current = self.assignment.as_ref().ok_or(Refusal::StaleAttempt)?;
                expect_attempt(true, *attempt, current.attempt)?;
                let dead = Event::NumberReportedDead {
                    attempt: *attempt,
                    supplier: current.supplier.clone(),
                    at: *at,
                };
                Ok(self.and_exhaustion(dead, *attempt, *at))
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        self.history.push(Arc::new(event.clone()));
        match event {
            // Acceptance makes the state (`State::new`); it cannot happen to one that is.
            Event::Placed(_)
            | Event::SmsReceived(_)
            | Event::SmsRepeated { .. }
            | Event::SmsHeld { .. }
            | Event::Reported { .. } => {}
            Event::ScenarioChosen { scenario, .. } => self.scenario = Some(*scenario),
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
                self.assignment = Some(Assignment {
                    attempt: *attempt,
                    supplier: supplier.clone(),
                    phone: phone.clone(),
                    assigned_at: *at,
                });
            }
            Event::NumberReportedDead { .. } => {
                self.status = Status::Pending;
                self.assignment = None;
            }
            Event::Completed { code, listens_until, at, .. } => {
                self.code = Some(code.clone());
                self.listens_until = Some(*listens_until);
                self.finished_at = (listens_until <= at).then_some(*at);
                self.end(Status::Completed, *at);
            }
            Event::CodeReplaced { code, .. } => self.code = Some(code.clone()),
            Event::Refunded { at } => {
                self.is_refunded = true;
                self.finished_at = Some(*at);
            }
            Event::Finished { at } => self.finished_at = Some(*at),
            Event::Cancelled { at } => self.end(Status::Cancelled, *at),
            Event::Expired { at } => self.end(Status::Expired, *at),
            Event::Failed { reason, at } => {
                self.failure = Some(*reason);
                self.end(Status::Failed, *at);
            }
        }
        self
    }
}

impl State {
    fn end(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        self.ended_at = Some(at);
    }

    /// `fact`, and the order's failure if `attempt` was the last it had.
    fn and_exhaustion(&self, fact: Event, attempt: u8, at: Timestamp) -> Vec<Event> {
        let mut facts = vec![fact];
        if attempt >= self.placed.max_attempts {
            facts.push(Event::Failed { reason: FailureReason::AttemptsExhausted, at });
        }
        facts
    }

    /// What may still happen to an order that has its code.
    fn after_code(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let finished = |at: Timestamp| vec![Event::Finished { at }];
        match command {
            Command::Finish { at } => {
                Ok(if self.is_listening() { finished(*at) } else { Vec::new() })
            }
            Command::Expire { at } => Ok(if self.is_listening() && *at >= self.deadline() {
                finished(*at)
            } else {
                Vec::new()
            }),
            Command::ReceiveSms(sms) if self.is_listening() => self.receive(sms),
            // Nothing more can come to a number that is dead.
            Command::ReportNumberDead { attempt, at } if self.is_listening() => {
                expect_attempt(true, *attempt, self.attempts)?;
                Ok(finished(*at))
            }
            Command::ReceiveSms(_)
            | Command::ReportNumberDead { .. }
            | Command::Start { .. }
            | Command::AssignNumber { .. }
            | Command::FailAttempt { .. }
            | Command::Cancel { .. }
            | Command::Report { .. }
            | Command::Fail { .. } => Err(Refusal::AlreadyEnded(self.status)),
        }
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
}

fn expect_attempt(in_time: bool, reported: u8, expected: u8) -> Result<(), Refusal> {
    if in_time && reported == expected { Ok(()) } else { Err(Refusal::StaleAttempt) }
}
