//! What the operator wants of whoever opens an account, told to programs in one answer.

use std::net::IpAddr;

use actors::Fault;
use actors::kernel::entity::TransactError;
use actors::store::EventStore;
use events::account::RegistrationKind;
use events::id::{AccountId, InviteId};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::Shared;
use super::error::{ApiError, ErrorCode, value};
use super::limit::{Subject, within};
use super::proof_of_work::{Answer, ProofOfWorkChallenge};
use crate::config::RegistrationMode;

/// Longest code of an invite that is read.
const LONGEST_INVITE: usize = 100;

/// What a newcomer brings.
#[derive(Debug, Default)]
pub struct Brought {
    pub invite: Option<String>,
    pub accept_terms: Option<String>,
    pub proof_of_work: Option<Answer>,
}

/// What the service wants of whoever opens an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RegistrationWanted)]
pub struct Wanted {
    /// `open`, `approval`, `invite` or `closed`.
    mode: &'static str,
    /// Members that `POST /register` needs: `invite`, `accept_terms`, `proof_of_work`.
    needs: Vec<&'static str>,
    /// The operator's terms; null where there are none.
    terms: Option<Terms>,
    /// A challenge to solve; null where none is wanted.
    proof_of_work: Option<ProofOfWorkChallenge>,
}

/// The operator's terms.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperatorTerms)]
struct Terms {
    /// To be sent as `accept_terms`.
    version: String,
    /// Where they are read.
    url: Option<String>,
}

/// The stored form of an invite's code.
pub fn invite_hash(code: &str) -> [u8; 32] {
    Sha256::digest(code.trim().as_bytes()).into()
}

/// What is wanted, with a fresh challenge where one is: all that a program needs to register.
pub fn wanted(app: &Shared) -> Wanted {
    let registration = &app.service.config.registration;
    let challenge = (!app.challenges.is_off()).then(|| {
        let nonce = u128::from_be_bytes(app.service.entropy.bytes());
        app.challenges.give(nonce, app.now())
    });
    let terms = registration.terms_version.clone();
    let terms = terms.map(|version| Terms { version, url: registration.terms_url.clone() });
    let is_open = registration.mode != RegistrationMode::Closed;
    let needs = [
        ("invite", registration.mode == RegistrationMode::Invite),
        ("accept_terms", is_open && terms.is_some()),
        ("proof_of_work", is_open && challenge.is_some()),
    ];
    let needs: Vec<&'static str> =
        needs.into_iter().filter(|(_, is_needed)| *is_needed).map(|(name, _)| name).collect();
    Wanted { mode: registration.mode.name(), needs, terms, proof_of_work: challenge }
}

/// The refusal of a newcomer: in words, by a word, and with what is wanted.
fn refused(app: &Shared, reason: &str, text: &str) -> ApiError {
    let mut registration: Value = value(&wanted(app));
    registration["reason"] = json!(reason);
    ApiError::invalid(text).with_detail(json!({ "registration": registration }))
}

/// Whether a newcomer brings all that is wanted: what they brought is looked at before it is
/// counted, and used up last.
pub async fn admit(
    app: &Shared,
    client: IpAddr,
    account: AccountId,
    brought: &Brought,
) -> Result<(RegistrationKind, Option<String>), ApiError> {
    let registration = &app.service.config.registration;
    if registration.mode == RegistrationMode::Closed {
        return Err(refused(app, "closed", "This service opens no accounts."));
    }
    let terms = registration.terms_version.as_ref();
    if terms.is_some() && brought.accept_terms.as_ref() != terms {
        let reason = if brought.accept_terms.is_some() { "terms_changed" } else { "terms" };
        let text = "The operator's terms have to be accepted: send their version, as \
            detail.registration.terms has it, as accept_terms.";
        return Err(refused(app, reason, text));
    }
    let needs_invite = registration.mode == RegistrationMode::Invite;
    if needs_invite && brought.invite.is_none() {
        return Err(refused(app, "invite", "An account is opened by an invite of the operator's."));
    }
    if !app.challenges.is_off() && brought.proof_of_work.is_none() {
        let text = "An account is opened by a proof of work: solve \
            detail.registration.proof_of_work, and send challenge and solution.";
        return Err(refused(app, "proof_of_work", text));
    }
    // From here on something is tried: an invite may be a guess.
    within(app.registrations.take(Subject::address(client), app.now()))?;
    if let Some(answer) = brought.proof_of_work.as_ref().filter(|_| !app.challenges.is_off()) {
        app.challenges.check(answer, app.now()).map_err(|wrong| {
            refused(app, wrong.name(), "The proof of work is not valid; solve the fresh one.")
        })?;
    }
    let code = brought.invite.as_ref().filter(|_| needs_invite);
    let hash = code.filter(|code| code.len() <= LONGEST_INVITE).map(|code| invite_hash(code));
    let is_valid = hash.is_some_and(|hash| app.service.invites.is_valid(&hash));
    if needs_invite && !is_valid {
        return Err(invalid_invite(app));
    }
    within(app.all_registrations.take(Subject::Everybody, app.now()))?;
    let kind = match (registration.mode, hash) {
        (RegistrationMode::Approval, _) => RegistrationKind::Approval,
        (RegistrationMode::Invite, Some(hash)) => {
            RegistrationKind::Invite(used(app, hash, account).await?)
        }
        _ => RegistrationKind::Open,
    };
    Ok((kind, terms.cloned()))
}

fn invalid_invite(app: &Shared) -> ApiError {
    refused(app, "invite_not_valid", "The invite is not valid, or not any more.")
}

async fn used(app: &Shared, hash: [u8; 32], account: AccountId) -> Result<InviteId, ApiError> {
    // An account that cannot be opened uses up no invite.
    if !app.service.store.has_room() {
        return Err(Fault::NoSpace.into());
    }
    app.service.invites.take(hash, account).await.map_err(|error| match error {
        TransactError::Refused(_) => invalid_invite(app),
        TransactError::Fault(fault) => fault.into(),
    })
}

/// The refusal of an account that may not order yet.
pub fn not_admitted(status: &'static str, text: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, text)
        .with_detail(json!({ "registration": { "status": status } }))
}
