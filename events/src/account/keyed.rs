//! Calls under a caller's key: each makes one thing happen, whatever the number of its retries.

use super::batch::PlaceBatch;
use super::command::Command;
use super::event::Event;
use super::idempotency::{Effect, KeyUse, Remembered};
use super::refusal::{IdempotencyRefusal, Refusal, StandingRefusal};
use super::state::{Standing, State};

impl State {
    /// What a keyed call makes happen: for a key that is known, nothing more.
    pub(super) fn keyed(
        &self,
        used: &KeyUse,
        effect: Effect,
        command: Option<&Command>,
    ) -> Result<Vec<Event>, Refusal> {
        if let Some(known) = self.keys.get(&used.key, used.at) {
            if known.fingerprint != used.fingerprint {
                return Err(IdempotencyRefusal::KeyReused.into());
            }
            return if let Some(Command::PlaceBatch(wanted)) = command {
                self.place_again(used, known, wanted)
            } else {
                Ok(Vec::new())
            };
        }
        if self.keys.is_full(used.at) {
            return Err(IdempotencyRefusal::TooManyKeys.into());
        }
        let mut events = command.map_or(Ok(Vec::new()), |command| self.facts_of(command))?;
        // An order that was refused leaves its key free, as every refusal does.
        if matches!(events.as_slice(), [Event::OrderRefused(_)]) {
            return Ok(events);
        }
        // The key follows its batch at once, which is how it finds it.
        let place = usize::from(matches!(events.first(), Some(Event::BatchPlaced { .. })));
        events.insert(
            place,
            Event::KeyUsed {
                key: used.key.clone(),
                fingerprint: used.fingerprint,
                effect,
                at: used.at,
            },
        );
        Ok(events)
    }

    /// The orders of a batch that ended without a code, placed once more; the others are what they
    /// are.
    fn place_again(
        &self,
        used: &KeyUse,
        known: &Remembered,
        wanted: &PlaceBatch,
    ) -> Result<Vec<Event>, Refusal> {
        let before = known.batch.as_deref().unwrap_or_default();
        if known.let_go.is_empty() || before.len() != wanted.orders.len() {
            return Ok(Vec::new());
        }
        if matches!(self.standing, Standing::Suspended(_)) {
            return Err(StandingRefusal::Suspended.into());
        }
        let mut state = self.clone();
        let (mut items, mut placed) = (Vec::with_capacity(before.len()), Vec::new());
        for (item, wanted) in before.iter().zip(&wanted.orders) {
            if !known.let_go.contains(&item.order) {
                items.push(item.clone());
                continue;
            }
            items.push(state.place_item(wanted, &mut placed)?);
        }
        let key_used = Event::KeyUsed {
            key: used.key.clone(),
            fingerprint: used.fingerprint,
            effect: Effect::Batch,
            at: used.at,
        };
        Ok([Event::BatchPlaced { items, at: wanted.at }, key_used]
            .into_iter()
            .chain(placed)
            .collect())
    }
}
