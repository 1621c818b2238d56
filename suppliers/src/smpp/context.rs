//! What the sessions of one supplier share, and how they hand messages on.

use std::sync::Arc;

use events::supplier::SupplierName;

use super::message::Text;
use actors::inbox::alphabet;
use actors::inbox::{InboundPart, InboundSms, Inbox, Parts};
use actors::kernel::entropy::Entropy;
use actors::kernel::fault::Fault;
use actors::numbers::SessionAvailability;

/// What sessions share.
#[derive(Clone)]
pub struct SessionContext {
    /// The source's name.
    pub supplier: SupplierName,
    /// Where whole messages go.
    pub inbox: Inbox,
    /// Where parts go.
    pub parts: Parts,
    /// Told when a session comes up or goes down.
    pub reach: Arc<SessionAvailability>,
    /// Dice for the waits.
    pub entropy: Entropy,
    /// Told what became of each message, for the metrics.
    pub counted: Arc<dyn Fn(&'static str) + Send + Sync>,
    /// Told what was odd about a message that was taken all the same, for the metrics.
    pub noticed: Arc<dyn Fn(&'static str) + Send + Sync>,
}

impl SessionContext {
    /// What became of a message, once it is durable.
    pub(super) async fn deliver(&self, text: Text) -> Result<&'static str, Fault> {
        if let Some(part) = text.part {
            let (reference, number, total) = (part.reference, part.number, part.total);
            let Text { to, from: sender, alphabet, bytes, .. } = text;
            let part = InboundPart {
                supplier: self.supplier.clone(),
                to,
                sender,
                reference,
                number,
                total,
                alphabet,
                bytes,
                received_at: None,
            };
            return Ok(self.parts.deliver(part).await?.name());
        }
        let sms = InboundSms {
            supplier: self.supplier.clone(),
            message_id: text.id,
            to: text.to,
            sender: text.from,
            text: alphabet::decode(text.alphabet, &text.bytes),
            received_at: None,
        };
        Ok(self.inbox.deliver(sms).await?.name())
    }
}
