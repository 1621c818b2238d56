//! The shapes of events on disk, version by version. Nothing here may ever change: add a version instead.

use bincode::{Decode, Encode};

/// First byte of every payload: bincode 2 with its legacy configuration (little-endian, fixed-size integers).
pub const BINCODE_LEGACY: u8 = 1;

/// Longest payload that is read: an SMS and its candidates take a few kB.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;

macro_rules! frozen {
    ($($name:literal $version:literal $shape:ident { $($field:ident: $kind:ty),+ $(,)? })+) => {
        /// Every name and version that can stand in a record header.
        pub const NAMES: &[(&str, u16)] = &[$(($name, $version)),+];

        $(
            #[derive(Debug, Encode, Decode)]
            pub struct $shape {
                $(pub $field: $kind),+
            }

            impl $shape {
                pub const NAME: &'static str = $name;
                pub const VERSION: u16 = $version;
            }
        )+
    };
}

/// Something that could have been the code; part of `SmsReceived`.
#[derive(Debug, Encode, Decode)]
pub struct CandidateV1 {
    pub code: String,
    pub score: i16,
    /// `Reason::number` of each.
    pub reasons: Vec<u8>,
}

/// An order of a batch; part of `BatchPlaced`.
#[derive(Debug, Encode, Decode)]
pub struct BatchItemV1 {
    pub order: u128,
    /// 0 accepted, 1 not enough balance, 2 above the caller's limit.
    pub refused: u8,
    /// What the refusal says: needed and available, or price and limit.
    pub first: i64,
    pub second: i64,
}

frozen! {
    "AccountRegistered" 1 AccountRegisteredV1 { account: u128, key_hash: [u8; 32], webhook_secret: String, at: i64 }
    "AccountCredited" 1 AccountCreditedV1 { amount: i64, reason: String, at: i64 }
    "AccountDebited" 1 AccountDebitedV1 { amount: i64, reason: String, overdraws: bool, at: i64 }
    "AccountDepositCredited" 1 AccountDepositCreditedV1 { deposit: u128, amount: i64, at: i64 }
    "AccountDustKept" 1 AccountDustKeptV1 { deposit: u128, amount: i64, at: i64 }
    "AccountDustDropped" 1 AccountDustDroppedV1 { deposit: u128, amount: i64, at: i64 }
    "AccountDepositReversed" 1 AccountDepositReversedV1 { deposit: u128, amount: i64, at: i64 }
    "AccountSuspended" 1 AccountSuspendedV1 { reason: String, at: i64 }
    "AccountReinstated" 1 AccountReinstatedV1 { reason: String, at: i64 }
    "AccountApiKeyAdded" 1 AccountApiKeyAddedV1 { key: u128, name: String, key_hash: [u8; 32], at: i64 }
    "AccountApiKeyRemoved" 1 AccountApiKeyRemovedV1 { key: u128, at: i64 }
    "AccountApiKeysReplaced" 1 AccountApiKeysReplacedV1 { key: u128, key_hash: [u8; 32], reason: String, at: i64 }
    "AccountBatchPlaced" 1 AccountBatchPlacedV1 { items: Vec<BatchItemV1>, at: i64 }
    "AccountKeyUsed" 1 AccountKeyUsedV1 { key: String, fingerprint: [u8; 32], effect: u8, subject: u128, at: i64 }
    "AccountWebhookSet" 1 AccountWebhookSetV1 { url: String, threshold: i64, at: i64 }
    "AccountWebhookRemoved" 1 AccountWebhookRemovedV1 { at: i64 }
    "AccountWebhookSecretRotated" 1 AccountWebhookSecretRotatedV1 { secret: String, at: i64 }
    "AccountWebhookDue" 1 AccountWebhookDueV1 { sequence: u64, notice: u8, order: u128, message_id: String, balance: i64, threshold: i64, at: i64 }
    "HoldTaken" 1 HoldTakenV1 { order: u128, amount: i64, at: i64 }
    "HoldCaptured" 1 HoldCapturedV1 { order: u128, amount: i64, at: i64 }
    "HoldReleased" 1 HoldReleasedV1 { order: u128, amount: i64, at: i64 }
    "CaptureRefunded" 1 CaptureRefundedV1 { order: u128, amount: i64, at: i64 }
    "OrderPlaced" 1 OrderPlacedV1 {
        order: u128, platform: String, country: String, list_price: i64, price: i64, lifetime_seconds: u32, seek_seconds: u32, max_attempts: u8, at: i64,
    }
    "OrderPlaced" 2 OrderPlacedV2 {
        order: u128, platform: String, country: String, list_price: i64, price: i64, lifetime_seconds: u32, seek_seconds: u32, max_attempts: u8,
        listen_seconds: u32, at: i64,
    }
    "OrderQueued" 1 OrderQueuedV1 { order: u128, at: i64 }
    "OrderStarted" 1 OrderStartedV1 { order: u128, at: i64 }
    "OrderAttemptFailed" 1 OrderAttemptFailedV1 { order: u128, attempt: u8, supplier: String, reason: u8, at: i64 }
    "OrderNumberAssigned" 1 OrderNumberAssignedV1 { order: u128, attempt: u8, supplier: String, phone: String, expires_at: i64, at: i64 }
    "OrderNumberReportedDead" 1 OrderNumberReportedDeadV1 { order: u128, attempt: u8, supplier: String, at: i64 }
    "OrderSmsReceived" 1 OrderSmsReceivedV1 {
        order: u128, message_id: String, supplier: String, sender: String, text: String, received_at: i64,
        verdict: u8, found: String, candidates: Vec<CandidateV1>, at: i64,
    }
    "OrderCompleted" 1 OrderCompletedV1 { order: u128, code: String, message_id: String, at: i64 }
    "OrderCompleted" 2 OrderCompletedV2 { order: u128, code: String, message_id: String, listens_until: i64, at: i64 }
    "OrderCodeReplaced" 1 OrderCodeReplacedV1 { order: u128, code: String, message_id: String, at: i64 }
    "OrderSmsRepeated" 1 OrderSmsRepeatedV1 { order: u128, message_id: String, supplier: String, repeats: String, received_at: i64, at: i64 }
    "OrderReported" 1 OrderReportedV1 { order: u128, complaint: u8, at: i64 }
    "OrderRefunded" 1 OrderRefundedV1 { order: u128, at: i64 }
    "OrderFinished" 1 OrderFinishedV1 { order: u128, at: i64 }
    "OrderCancelled" 1 OrderCancelledV1 { order: u128, at: i64 }
    "OrderExpired" 1 OrderExpiredV1 { order: u128, at: i64 }
    "OrderFailed" 1 OrderFailedV1 { order: u128, reason: u8, at: i64 }
    "WebhookAttempted" 1 WebhookAttemptedV1 { sequence: u64, attempt: u16, outcome: u8, status: u16, millis: u32, next_at: Option<i64>, at: i64 }
    "WebhookDelivered" 1 WebhookDeliveredV1 { sequence: u64, at: i64 }
    "WebhookExhausted" 1 WebhookExhaustedV1 { sequence: u64, at: i64 }
    "WebhookRedeliveryRequested" 1 WebhookRedeliveryRequestedV1 { sequence: u64, at: i64 }
    "DepositClaimed" 1 DepositClaimedV1 { account: u128, chain: String, tx_hash: String, output: u32, at: i64 }
    "DepositConfirmed" 1 DepositConfirmedV1 { amount: i64, paid: String, rate: String, rate_source: String, at: i64 }
    "DepositConfirmed" 2 DepositConfirmedV2 { amount: i64, paid: String, rate: String, rate_source: String, rate_at: i64, at: i64 }
    "DepositCredited" 1 DepositCreditedV1 { at: i64 }
    "DepositSeen" 1 DepositSeenV1 {
        account: Option<u128>, chain: String, tx_hash: String, output: u32, paid: String, block_height: u64, block_hash: String, at: i64,
    }
    "DepositOrphaned" 1 DepositOrphanedV1 { at: i64 }
    "DepositReversed" 1 DepositReversedV1 { at: i64 }
    "DepositSettled" 1 DepositSettledV1 { at: i64 }
    "AddressAssigned" 1 AddressAssignedV1 { account: u128, key: String, index: u32, address: String, destination: String, at: i64 }
    "ChainScanned" 1 ChainScannedV1 { height: u64, hash: String, at: i64 }
    "ChainForked" 1 ChainForkedV1 { height: u64, hash: String, at: i64 }
    "NumberListed" 1 NumberListedV1 { supplier: String, country: String, platforms: Option<Vec<String>>, at: i64 }
    "NumberRetired" 1 NumberRetiredV1 { reason: String, at: i64 }
    "LeaseSought" 1 LeaseSoughtV1 { supplier: String, order: u128, attempt: u8, account: u128, platform: String, country: String, at: i64 }
    "LeaseObtained" 1 LeaseObtainedV1 { phone: String, cost: i64, at: i64 }
    "LeaseDeclined" 1 LeaseDeclinedV1 { at: i64 }
    "LeaseReleaseSought" 1 LeaseReleaseSoughtV1 { outcome: u8, at: i64 }
    "LeaseReleased" 1 LeaseReleasedV1 { charged: i64, at: i64 }
    "PurchaseIntended" 1 PurchaseIntendedV1 { phone: String, country: String, monthly: i64, at: i64 }
    "PurchaseMade" 1 PurchaseMadeV1 { phone: String, at: i64 }
    "PurchaseFailed" 1 PurchaseFailedV1 { phone: String, why: String, at: i64 }
    "PurchaseEndIntended" 1 PurchaseEndIntendedV1 { phone: String, at: i64 }
    "PurchaseEnded" 1 PurchaseEndedV1 { phone: String, at: i64 }
    "NumberPartKept" 1 NumberPartKeptV1 {
        supplier: String, sender: String, reference: u32, number: u8, total: u8, alphabet: u8, locking: u8, single: u8, bytes: Vec<u8>,
        received_at: i64, opened_at: i64, at: i64,
    }
    "NumberPartsJoined" 1 NumberPartsJoinedV1 { supplier: String, sender: String, reference: u32, total: u8, opened_at: i64, is_whole: bool, at: i64 }
    "NumberSmsKept" 1 NumberSmsKeptV1 { message_id: String, supplier: String, sender: String, text: String, received_at: i64, why: u8, at: i64 }
}
