//! The way of a message: to the order whose number it was sent to, or into the number's own stream.
//! Kept before it is acknowledged.

use std::sync::Arc;
use std::time::Duration;

use events::account::{self, OrderRefusal};
use events::code::Sensitive;
use events::envelope::{Actor as Who, Revision, StreamId};
use events::id::{AccountId, OrderId};
use events::number::{self, Command, KeptSms, Unclaimed};
use events::order::{self, IncomingSms, Receipt};
use events::phone::Phone;
use events::supplier::SupplierName;
use events::time::Timestamp;

use crate::account::Accounts;
use crate::inbox::deduplication::RecentMessages;
use crate::kernel::entity::TransactError;
use crate::kernel::fault::{Fault, detached};
use crate::kernel::keyed_mutex::KeyedMutex;
use crate::numbers::{Lease, Router};
use crate::order::Orders;
use crate::store::BoxFuture;

/// Earlier orders of a number that a late message is compared with.
pub const PAST_ASSIGNMENTS: usize = 8;

/// How long after a message its source may bring it again: Vonage does so for a day.
pub const REPEATED_WITHIN: Duration = Duration::from_hours(25);

/// A message that was received so shortly before its number was assigned may be its order's all the
/// same, by a clock that is slow.
const LIKELY_SKEW: Duration = Duration::from_mins(1);

/// A message as its supplier's format has read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundSms {
    /// The source.
    pub supplier: SupplierName,
    /// Its id of the message: the same id is the same message.
    pub message_id: String,
    /// The number it was sent to.
    pub to: Phone,
    /// Who sent it, as the network says.
    pub sender: String,
    /// The full text.
    pub text: String,
    /// When the source received it; now, if it does not say.
    pub received_at: Option<Timestamp>,
}

/// What became of a message. In every case it is durable, or was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The order has it.
    Taken(OrderId),
    /// It was delivered before; nothing new happened.
    Repeated,
    /// No order took it; it is kept for the operator.
    Kept(Unclaimed),
}

impl Delivery {
    /// The word of metrics and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taken(_) => "taken",
            Self::Repeated => "repeated",
            Self::Kept(why) => why.name(),
        }
    }
}

/// An order that a number was on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastAssignment {
    /// Whose order.
    pub account: AccountId,
    /// Which.
    pub order: OrderId,
    /// Its first event in the account's stream.
    pub first: Revision,
    /// Its last event there, so far.
    pub last: Revision,
}

/// Which orders a number was on: answered from a view, through this port.
pub trait PastAssignments: Send + Sync + 'static {
    /// The last orders that `phone` was on, the latest first, at most [`PAST_ASSIGNMENTS`].
    fn of(&self, phone: Phone) -> BoxFuture<'_, Result<Vec<PastAssignment>, Fault>>;

    /// The same, at least of those before this process: answered at once.
    fn before_start(&self, phone: Phone) -> BoxFuture<'_, Result<Vec<PastAssignment>, Fault>>;
}

/// Where sources hand over their messages. Cloning shares it.
#[derive(Clone)]
pub struct Inbox {
    accounts: Accounts,
    orders: Orders,
    router: Arc<Router>,
    past: Arc<dyn PastAssignments>,
    locks: Arc<KeyedMutex>,
    recent: Arc<RecentMessages>,
    hold: Arc<[Sensitive]>,
}

impl Inbox {
    /// The inbox of these accounts and orders; `recent` are the numbers that were on orders within
    /// [`REPEATED_WITHIN`] before.
    pub fn new(
        accounts: Accounts,
        orders: Orders,
        router: Arc<Router>,
        past: Arc<dyn PastAssignments>,
        recent: impl IntoIterator<Item = Phone>,
    ) -> Self {
        let recent = Arc::new(RecentMessages::after(recent.into_iter().collect()));
        let (locks, hold) = (Arc::default(), Arc::default());
        Self { accounts, orders, router, past, locks, recent, hold }
    }

    /// The inbox, holding back messages of these kinds.
    #[must_use]
    pub fn holding(self, kinds: &[Sensitive]) -> Self {
        Self { hold: kinds.into(), ..self }
    }

    /// Takes a message; answers once it is durable.
    pub async fn deliver(&self, sms: InboundSms) -> Result<Delivery, Fault> {
        let inbox = self.clone();
        detached(async move { inbox.deliver_here(sms).await }).await?
    }

    async fn deliver_here(&self, sms: InboundSms) -> Result<Delivery, Fault> {
        let at = self.accounts.journal().now();
        let receipt = Receipt::of(sms.received_at, at);
        if receipt.is_far() {
            let (said, number) = (sms.received_at.unwrap_or(at), sms.to.masked());
            tracing::warn!(supplier = %sms.supplier, number, %said, "a message says that it was \
                received at a time that cannot be believed; is the source's clock right?");
        }
        let received_at = receipt.moment(at);
        let Some(lease) = self.router.lease_of(&sms.supplier, &sms.to) else {
            let known = self.router.owns(&sms.supplier, &sms.to);
            let why = if known { Unclaimed::NotAssigned } else { Unclaimed::UnknownNumber };
            return self.without_order(sms, received_at, at, why, None).await;
        };
        // A source that says when it received a message leaves no doubt whose it is; else it may be
        // an earlier order's, brought again. So may one of the second in which the number was
        // assigned, from a source that counts whole seconds.
        let says_when = matches!(receipt, Receipt::At(received) if received >= lease.assigned_at);
        if !says_when
            && !self.router.is_simulated(&sms.supplier)
            && self.was_anothers(&lease, &sms).await?
        {
            return Ok(Delivery::Repeated);
        }
        match self.to_order(&lease, &sms, receipt, at).await {
            Ok(delivery) => {
                if !says_when {
                    self.recent.add(&sms.to, &sms.supplier, &sms.message_id, Some(lease.order));
                }
                Ok(delivery)
            }
            Err(TransactError::Refused(refusal)) => {
                let early = lease.assigned_at.since(received_at);
                if matches!(refusal, OrderRefusal::Order(order::Refusal::NotThisAssignment))
                    && !early.is_zero()
                    && early < LIKELY_SKEW
                {
                    tracing::warn!(
                        supplier = %sms.supplier,
                        number = sms.to.masked(),
                        seconds = early.as_secs_f32(),
                        "a message says that it was received shortly before its number was \
                         assigned, and is kept aside; is the source's clock slow?"
                    );
                }
                self.without_order(sms, received_at, at, unclaimed(&refusal), Some(lease.order))
                    .await
            }
            Err(TransactError::Fault(fault)) => Err(fault),
        }
    }

    /// Whether an earlier order of the number has the message, or the number itself keeps it.
    async fn was_anothers(&self, lease: &Lease, sms: &InboundSms) -> Result<bool, Fault> {
        let known =
            || self.recent.was_anothers(&sms.to, &sms.supplier, &sms.message_id, lease.order);
        if let Some(was) = known() {
            return Ok(was);
        }
        let mut before = Vec::new();
        for past in self.past.before_start(sms.to.clone()).await?.into_iter().rev() {
            let order =
                self.orders.from_log(past.account, past.order, past.first, past.last).await?;
            before.extend(order);
        }
        let messages = before.iter().flat_map(|order| {
            order.messages().map(|sms| (&sms.supplier, sms.message_id.as_str(), order.id))
        });
        self.recent.learn(&sms.to, messages);
        let number =
            self.accounts.journal().load::<number::State>(StreamId::number(&sms.to)).await?;
        let is_kept = number.state().keeps(&sms.supplier, &sms.message_id);
        if is_kept {
            self.recent.add(&sms.to, &sms.supplier, &sms.message_id, None);
        }
        Ok(is_kept || known().unwrap_or(false))
    }

    async fn to_order(
        &self,
        lease: &Lease,
        sms: &InboundSms,
        receipt: Receipt,
        at: Timestamp,
    ) -> Result<Delivery, TransactError<OrderRefusal>> {
        let command = order::Command::ReceiveSms(IncomingSms {
            message_id: sms.message_id.clone(),
            supplier: sms.supplier.clone(),
            to: sms.to.clone(),
            sender: sms.sender.clone(),
            text: sms.text.clone(),
            receipt,
            freed_at: self.router.freed_at(&sms.supplier, &sms.to),
            hold: self.hold.to_vec(),
            at,
        });
        let committed = self
            .accounts
            .transact_order(
                lease.account,
                lease.order,
                command,
                Who::Supplier(sms.supplier.clone()),
                at,
            )
            .await?;
        let is = |fits: fn(&order::Event) -> bool| {
            committed
                .events
                .iter()
                .any(|event| matches!(event, account::Event::Order(_, fact) if fits(fact)))
        };
        if is(order::Event::is_end) {
            self.orders.wake(lease.order);
        }
        // What says the same as a message of minutes ago is recorded, and is nothing new.
        let is_new = |fact: &order::Event| {
            matches!(fact, order::Event::SmsReceived(_) | order::Event::SmsHeld { .. })
        };
        Ok(if is(is_new) { Delivery::Taken(lease.order) } else { Delivery::Repeated })
    }

    /// Keeps a message that no open order takes, not even the number's `current` one, unless an
    /// order or the number has it already.
    async fn without_order(
        &self,
        sms: InboundSms,
        received_at: Timestamp,
        at: Timestamp,
        why: Unclaimed,
        current: Option<OrderId>,
    ) -> Result<Delivery, Fault> {
        let past = self.past.of(sms.to.clone()).await?;
        for assignment in &past {
            let order = self
                .orders
                .from_log(assignment.account, assignment.order, assignment.first, assignment.last)
                .await?;
            if order.is_some_and(|order| {
                order.messages().any(|known| {
                    known.message_id == sms.message_id && known.supplier == sms.supplier
                })
            }) {
                return Ok(Delivery::Repeated);
            }
        }
        let had_another = past.iter().any(|assignment| Some(assignment.order) != current);
        let why =
            if why == Unclaimed::NotAssigned && had_another { Unclaimed::OrderEnded } else { why };
        self.keep(sms, received_at, at, why).await
    }

    async fn keep(
        &self,
        sms: InboundSms,
        received_at: Timestamp,
        at: Timestamp,
        why: Unclaimed,
    ) -> Result<Delivery, Fault> {
        let stream = StreamId::number(&sms.to);
        let _turn = self.locks.lock(sms.to.as_str()).await;
        let mut number = self.accounts.journal().load::<number::State>(stream).await?;
        let actor = Who::Supplier(sms.supplier.clone());
        let (phone, supplier, message_id) =
            (sms.to.clone(), sms.supplier.clone(), sms.message_id.clone());
        let kept = KeptSms {
            message_id: sms.message_id,
            supplier: sms.supplier,
            sender: sms.sender,
            text: sms.text,
            received_at,
            why,
            at,
        };
        match self
            .accounts
            .journal()
            .transact(&mut number, &Command::KeepSms(kept), actor, at)
            .await
        {
            Ok(committed) if committed.events.is_empty() => Ok(Delivery::Repeated),
            Ok(_) => {
                self.recent.add(&phone, &supplier, &message_id, None);
                Ok(Delivery::Kept(why))
            }
            // A whole message is never refused.
            Err(TransactError::Refused(_)) => Ok(Delivery::Kept(why)),
            Err(TransactError::Fault(fault)) => Err(fault),
        }
    }
}

/// What an order's refusal of a message says about the message.
fn unclaimed(refusal: &OrderRefusal) -> Unclaimed {
    match refusal {
        OrderRefusal::Order(order::Refusal::TooManyMessages) => Unclaimed::TooManyMessages,
        OrderRefusal::Order(order::Refusal::AlreadyEnded(_) | order::Refusal::StaleAttempt)
        | OrderRefusal::NotFound => Unclaimed::OrderEnded,
        OrderRefusal::Order(
            order::Refusal::NotThisAssignment
            | order::Refusal::NotCompleted(_)
            | order::Refusal::NothingToReport,
        )
        | OrderRefusal::TooManyReports => Unclaimed::NotAssigned,
    }
}
