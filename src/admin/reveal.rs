//! Reveals, for operators: who looks and why is in the log before anything is shown.

use std::str::FromStr;
use std::sync::Arc;

use actors::kernel::entity::TransactError;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use events::envelope::{Actor, StreamId};
use events::id::{AccountId, OrderId};
use events::reveal::{Command, State as Reveals};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::access::{self, Access};
use super::{AdminApi, Refusal, deliveries, failed, messages, orders, refused};

/// What is to be shown, to whom, and why.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reveal {
    /// An order's id, `message-` with a message's position, `delivery-` with the account's id and
    /// the delivery's number after another dash, or `numbers`.
    pub subject: String,
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// What can be revealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An order's number, messages and codes.
    Order(OrderId),
    /// A message that gave no order its code, by its place in the log.
    Message(u64),
    /// A webhook delivery's payload.
    Delivery(AccountId, u64),
    /// The numbers of the pools.
    Numbers,
}

impl FromStr for Subject {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "numbers" {
            return Ok(Self::Numbers);
        }
        if let Some(position) = text.strip_prefix("message-") {
            return position
                .parse()
                .ok()
                .filter(|position| *position > 0)
                .map(Self::Message)
                .ok_or(());
        }
        if let Some(delivery) = text.strip_prefix("delivery-") {
            let (account, sequence) = delivery.rsplit_once('-').ok_or(())?;
            return Ok(Self::Delivery(
                account.parse().map_err(|_| ())?,
                sequence.parse().map_err(|_| ())?,
            ));
        }
        text.parse().map(Self::Order).map_err(|_| ())
    }
}

/// Shows an order, a message, a delivery's payload or the pools' numbers in full, once that stands
/// in the log.
#[utoipa::path(
    post, path = "/reveal", operation_id = "reveal", tag = "audit", request_body = Reveal,
    responses((
        status = 200, description = "`content` is what the subject's own call answers, unmasked",
        body = Value
    ))
)]
pub async fn reveal(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    Json(asked): Json<Reveal>,
) -> Result<Json<Value>, Refusal> {
    let unknown = || {
        refused(
            StatusCode::BAD_REQUEST,
            format!("{:?} is nothing that can be revealed", asked.subject),
        )
    };
    let subject: Subject = asked.subject.parse().map_err(|()| unknown())?;
    // The subject must exist before the log says that an operator has seen it.
    let masked = content(&api, &Access { reveals: false, ..access.clone() }, &subject).await?;
    drop(masked);
    let who = access.operator(&asked.operator)?;
    record(&api, who.clone(), &asked.subject, &asked.reason).await?;
    let content = content(&api, &Access { reveals: true, ..access }, &subject).await?;
    Ok(Json(
        json!({ "subject": asked.subject, "revealed_to": who.to_string(), "content": content }),
    ))
}

async fn content(api: &AdminApi, access: &Access, subject: &Subject) -> Result<Value, Refusal> {
    match subject {
        Subject::Order(order) => orders::shown(api, access, &order.to_string(), None).await,
        Subject::Delivery(account, sequence) => {
            deliveries::shown(api, access, *account, *sequence).await
        }
        Subject::Message(position) => messages::message(api, access, *position).await,
        Subject::Numbers => Ok(Value::Null),
    }
}

/// Records a reveal: nothing is shown before this is durable.
pub async fn record(
    api: &AdminApi,
    who: Actor,
    subject: &str,
    reason: &str,
) -> Result<(), Refusal> {
    access::reason(reason)?;
    let journal = api.service.accounts.journal();
    let mut reveals =
        journal.load::<Reveals>(StreamId::reveal(subject)).await.map_err(|fault| failed(&fault))?;
    let at = journal.now();
    let command = Command::Reveal { subject: subject.to_owned(), reason: reason.to_owned(), at };
    match journal.transact(&mut reveals, &command, who, at).await {
        Ok(_) => Ok(()),
        Err(TransactError::Refused(refusal)) => {
            Err(refused(StatusCode::BAD_REQUEST, refusal.to_string()))
        }
        Err(TransactError::Fault(fault)) => Err(failed(&fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_told_apart_and_nothing_else_is_one() {
        let account = AccountId(7);
        assert_eq!("numbers".parse(), Ok(Subject::Numbers));
        assert_eq!("message-12".parse(), Ok(Subject::Message(12)));
        assert_eq!(format!("delivery-{account}-3").parse(), Ok(Subject::Delivery(account, 3)));
        assert_eq!(OrderId(9).to_string().parse(), Ok(Subject::Order(OrderId(9))));
        for text in [
            "",
            "message-",
            "message-0",
            "message-x",
            "delivery-",
            "delivery-acc_1",
            "ord_",
            "everything",
        ] {
            assert_eq!(text.parse::<Subject>(), Err(()), "{text}");
        }
    }
}
