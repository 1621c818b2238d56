//! Name, version and bytes -> the event: old versions are lifted to today's here and nowhere else.

use bincode::Decode;
use thiserror::Error;

use super::frozen::{
    AccountApiKeyAddedV1, AccountApiKeyRemovedV1, AccountApiKeysReplacedV1, AccountBatchPlacedV1, AccountCreditedV1, AccountDebitedV1,
    AccountDepositCreditedV1, AccountDepositReversedV1, AccountDustDroppedV1, AccountDustKeptV1, AccountKeyUsedV1, AccountRegisteredV1,
    AccountReinstatedV1, AccountSuspendedV1, AccountWebhookDueV1, AccountWebhookRemovedV1, AccountWebhookSecretRotatedV1, AccountWebhookSetV1,
    AddressAssignedV1, BINCODE_LEGACY, CaptureRefundedV1, ChainForkedV1, ChainScannedV1, DepositClaimedV1, DepositConfirmedV1, DepositConfirmedV2,
    DepositCreditedV1, DepositOrphanedV1, DepositReversedV1, DepositSeenV1, DepositSettledV1, HoldCapturedV1, HoldReleasedV1, HoldTakenV1,
    LeaseDeclinedV1, LeaseObtainedV1, LeaseReleaseSoughtV1, LeaseReleasedV1, LeaseSoughtV1, MAX_PAYLOAD_BYTES, NumberListedV1, NumberPartKeptV1,
    NumberPartsJoinedV1, NumberRetiredV1, NumberSmsKeptV1, OrderAttemptFailedV1, OrderCancelledV1, OrderCodeReplacedV1, OrderCompletedV1,
    OrderCompletedV2, OrderExpiredV1, OrderFailedV1, OrderFinishedV1, OrderNumberAssignedV1, OrderNumberReportedDeadV1, OrderPlacedV1, OrderPlacedV2,
    OrderQueuedV1, OrderRefundedV1, OrderReportedV1, OrderSmsReceivedV1, OrderSmsRepeatedV1, OrderStartedV1, PurchaseEndIntendedV1, PurchaseEndedV1,
    PurchaseFailedV1, PurchaseIntendedV1, PurchaseMadeV1, WebhookAttemptedV1, WebhookDeliveredV1, WebhookExhaustedV1, WebhookRedeliveryRequestedV1,
};
use super::lift::Lift;
use crate::event::Event;

/// A record that cannot be read. Nobody may go on past it: a fact that is not understood is not skipped.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// No version of this service wrote such an event; a newer one may have.
    #[error("event {name} version {version} is not known to this version of the service")]
    UnknownEvent {
        /// The name in the record header.
        name: String,
        /// The version in the record header.
        version: u16,
    },
    /// The payload's first byte names no codec.
    #[error("payload codec {0} is not known")]
    UnknownCodec(u8),
    /// The bytes are not the named shape's.
    #[error("the payload is not a {name}: {detail}")]
    Malformed {
        /// The name in the record header.
        name: &'static str,
        /// What is wrong.
        detail: String,
    },
}

/// The event of a record.
#[expect(clippy::too_many_lines, reason = "a line is a shape that was ever written")]
pub fn decode(name: &str, version: u16, payload: &[u8]) -> Result<Event, DecodeError> {
    macro_rules! from_shapes {
        ($($shape:ident),+ $(,)?) => {
            match (name, version) {
                $(($shape::NAME, $shape::VERSION) => shape::<$shape>($shape::NAME, payload)?.lift().map_err(|detail| DecodeError::Malformed { name: $shape::NAME, detail }),)+
                _ => Err(DecodeError::UnknownEvent { name: name.to_owned(), version }),
            }
        };
    }
    from_shapes!(
        AccountRegisteredV1,
        AccountCreditedV1,
        AccountDebitedV1,
        AccountDepositCreditedV1,
        AccountDustKeptV1,
        AccountDustDroppedV1,
        AccountDepositReversedV1,
        AccountSuspendedV1,
        AccountReinstatedV1,
        AccountApiKeyAddedV1,
        AccountApiKeyRemovedV1,
        AccountApiKeysReplacedV1,
        AccountBatchPlacedV1,
        AccountKeyUsedV1,
        AccountWebhookSetV1,
        AccountWebhookRemovedV1,
        AccountWebhookSecretRotatedV1,
        AccountWebhookDueV1,
        HoldTakenV1,
        HoldCapturedV1,
        HoldReleasedV1,
        CaptureRefundedV1,
        OrderPlacedV1,
        OrderPlacedV2,
        OrderQueuedV1,
        OrderStartedV1,
        OrderAttemptFailedV1,
        OrderNumberAssignedV1,
        OrderNumberReportedDeadV1,
        OrderSmsReceivedV1,
        OrderCompletedV1,
        OrderCompletedV2,
        OrderCodeReplacedV1,
        OrderSmsRepeatedV1,
        OrderReportedV1,
        OrderRefundedV1,
        OrderFinishedV1,
        OrderCancelledV1,
        OrderExpiredV1,
        OrderFailedV1,
        WebhookAttemptedV1,
        WebhookDeliveredV1,
        WebhookExhaustedV1,
        WebhookRedeliveryRequestedV1,
        DepositClaimedV1,
        DepositConfirmedV1,
        DepositConfirmedV2,
        DepositCreditedV1,
        DepositSeenV1,
        DepositOrphanedV1,
        DepositReversedV1,
        DepositSettledV1,
        AddressAssignedV1,
        ChainScannedV1,
        ChainForkedV1,
        NumberPartKeptV1,
        NumberPartsJoinedV1,
        NumberSmsKeptV1,
        NumberListedV1,
        NumberRetiredV1,
        LeaseSoughtV1,
        LeaseObtainedV1,
        LeaseDeclinedV1,
        LeaseReleaseSoughtV1,
        LeaseReleasedV1,
        PurchaseIntendedV1,
        PurchaseMadeV1,
        PurchaseFailedV1,
        PurchaseEndIntendedV1,
        PurchaseEndedV1,
    )
}

fn shape<S: Decode<()>>(name: &'static str, payload: &[u8]) -> Result<S, DecodeError> {
    let malformed = |detail: String| DecodeError::Malformed { name, detail };
    let (codec, bytes) = payload.split_first().ok_or_else(|| malformed("it is empty".to_owned()))?;
    if *codec != BINCODE_LEGACY {
        return Err(DecodeError::UnknownCodec(*codec));
    }
    let config = bincode::config::legacy().with_limit::<MAX_PAYLOAD_BYTES>();
    let (shape, read) = bincode::decode_from_slice(bytes, config).map_err(|error| malformed(error.to_string()))?;
    if read != bytes.len() {
        return Err(malformed(format!("{} bytes are left over", bytes.len() - read)));
    }
    Ok(shape)
}
