//! A message in parts: each part is kept before it is acknowledged; the whole goes the
//! way of every message, once all are there or have been waited for long enough.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use events::envelope::{Actor as Who, StreamId};
use events::number::{Alphabet, Command, Part, Set, State};
use events::phone::Phone;
use events::supplier::SupplierName;
use events::time::Timestamp;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::inbox::alphabet;
use crate::inbox::{Delivery, InboundSms, Inbox};
use crate::kernel::entity::{Entity, TransactError};
use crate::kernel::fault::{Fault, detached};
use crate::kernel::journal::Journal;
use crate::kernel::keyed_mutex::KeyedMutex;
use crate::kernel::supervision::repeat_every;

/// How often what has been waited for long enough is looked for.
const SWEEP: Duration = Duration::from_secs(5);

/// A part as its supplier's format has read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundPart {
    /// The source.
    pub supplier: SupplierName,
    /// The number it was sent to.
    pub to: Phone,
    /// Who sent it, as the network says.
    pub sender: String,
    /// What the parts of one message have in common.
    pub reference: u32,
    /// Its number among them, from 1.
    pub number: u8,
    /// How many there are.
    pub total: u8,
    /// How its bytes are read.
    pub alphabet: Alphabet,
    /// Its text, in that alphabet.
    pub bytes: Vec<u8>,
    /// When the source received it; now, if it does not say.
    pub received_at: Option<Timestamp>,
}

/// What became of a part. In every case it is durable, or was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartDelivery {
    /// The rest is waited for.
    Waiting,
    /// It was the last: this became of the message.
    Joined(Delivery),
}

impl PartDelivery {
    /// The word of metrics and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "part",
            Self::Joined(delivery) => delivery.name(),
        }
    }
}

struct Inner {
    journal: Journal,
    inbox: Inbox,
    patience: Duration,
    /// Numbers that wait for the rest of a message.
    waiting: Mutex<BTreeSet<Phone>>,
    locks: KeyedMutex,
}

/// Where sources hand over parts of messages. Cloning shares it.
#[derive(Clone)]
pub struct Parts {
    inner: Arc<Inner>,
}

impl Parts {
    /// Parts that are waited for at most so long. Starts the task that looks after those that never
    /// come.
    pub fn start(journal: Journal, inbox: Inbox, patience: Duration) -> Self {
        let parts = Self {
            inner: Arc::new(Inner {
                journal,
                inbox,
                patience,
                waiting: Mutex::default(),
                locks: KeyedMutex::default(),
            }),
        };
        repeat_every(&parts.inner, SWEEP, sweep);
        parts
    }

    /// Lets numbers go on waiting: what recovery does with those that were.
    pub fn resume(&self, phones: impl IntoIterator<Item = Phone>) {
        self.inner.waiting.lock().extend(phones);
    }

    /// Takes a part; answers once it is durable.
    pub async fn deliver(&self, part: InboundPart) -> Result<PartDelivery, Fault> {
        let parts = self.clone();
        detached(async move { parts.keep(part).await }).await?
    }

    async fn keep(&self, part: InboundPart) -> Result<PartDelivery, Fault> {
        let (phone, at) = (part.to.clone(), self.inner.journal.now());
        let _turn = self.inner.locks.lock(phone.as_str()).await;
        let mut number = self.load(&phone).await?;
        let who = Who::Supplier(part.supplier.clone());
        let received_at = part.received_at.unwrap_or(at);
        let InboundPart {
            supplier, sender, reference, number: place, total, alphabet, bytes, ..
        } = part;
        let kept = Part {
            supplier,
            sender,
            reference,
            number: place,
            total,
            alphabet,
            bytes,
            received_at,
            at,
        };
        match self
            .inner
            .journal
            .transact(&mut number, &Command::KeepPart(kept.clone()), who, at)
            .await
        {
            Ok(_) => {}
            Err(TransactError::Fault(fault)) => return Err(fault),
            // No room to wait: as it is, it may hold the code.
            // All that a part can be refused for.
            Err(TransactError::Refused(_)) => {
                return self
                    .inner
                    .inbox
                    .deliver(alone(&phone, kept))
                    .await
                    .map(PartDelivery::Joined);
            }
        }
        self.inner.waiting.lock().insert(phone.clone());
        let whole = number.state().parts().open().iter().find(|set| set.is_whole()).cloned();
        match whole {
            Some(set) => self.join(&phone, &mut number, &set).await.map(PartDelivery::Joined),
            None => Ok(PartDelivery::Waiting),
        }
    }

    /// Hands a message on, then records that it was: after a crash between the two its id makes it
    /// the same message.
    async fn join(
        &self,
        phone: &Phone,
        number: &mut Entity<State>,
        set: &Set,
    ) -> Result<Delivery, Fault> {
        let received_at = set.parts.values().map(|part| part.received_at).min();
        let sms = InboundSms {
            supplier: set.id.supplier.clone(),
            message_id: set.id.message_id(),
            to: phone.clone(),
            sender: set.id.sender.clone(),
            text: alphabet::joined(set),
            received_at,
        };
        let delivery = self.inner.inbox.deliver(sms).await?;
        let at = self.inner.journal.now();
        match self
            .inner
            .journal
            .transact(number, &Command::Join { set: set.id.clone(), at }, Who::Service, at)
            .await
        {
            // Joining is never refused.
            Ok(_) | Err(TransactError::Refused(_)) => Ok(delivery),
            Err(TransactError::Fault(fault)) => Err(fault),
        }
    }

    /// Hands on what is whole or has been waited for long enough.
    async fn look(&self, phone: &Phone) -> Result<(), Fault> {
        let _turn = self.inner.locks.lock(phone.as_str()).await;
        let mut number = self.load(phone).await?;
        let oldest = self.inner.journal.now().minus(self.inner.patience);
        let due: Vec<Set> = number
            .state()
            .parts()
            .open()
            .iter()
            .filter(|set| set.is_whole() || set.id.opened_at <= oldest)
            .cloned()
            .collect();
        for set in due {
            self.join(phone, &mut number, &set).await?;
            if !set.is_whole() {
                tracing::warn!(
                    supplier = %set.id.supplier, have = set.parts.len(), of = set.id.total,
                    "a message was handed on without its missing parts"
                );
            }
        }
        if number.state().parts().open().is_empty() {
            self.inner.waiting.lock().remove(phone);
        }
        Ok(())
    }

    async fn load(&self, phone: &Phone) -> Result<Entity<State>, Fault> {
        self.inner.journal.load(StreamId::number(phone)).await
    }
}

/// A part as a message of its own.
fn alone(phone: &Phone, part: Part) -> InboundSms {
    let digest = Sha256::digest([part.sender.as_bytes(), part.bytes.as_slice()].concat());
    let message_id = format!(
        "part-{}-{}-{}-{:02x}{:02x}{:02x}{:02x}",
        part.reference, part.number, part.total, digest[0], digest[1], digest[2], digest[3]
    );
    let text = alphabet::decode(part.alphabet, &part.bytes);
    InboundSms {
        supplier: part.supplier,
        message_id,
        to: phone.clone(),
        sender: part.sender,
        text,
        received_at: Some(part.received_at),
    }
}

async fn sweep(inner: Arc<Inner>) {
    let parts = Parts { inner };
    let waiting: Vec<Phone> = parts.inner.waiting.lock().iter().cloned().collect();
    for phone in waiting {
        if let Err(fault) = parts.look(&phone).await {
            tracing::warn!(
                number = phone.masked(), error = %fault,
                "a message in parts could not be handed on and is tried again"
            );
        }
    }
}
