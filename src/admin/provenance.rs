//! Where suppliers' numbers come from, for operators: listed, stated, withdrawn.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path as PathParameter, State};
use axum::http::StatusCode;
use events::provenance::{Command, Record};
use events::supplier::SupplierName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::access::Access;
use super::{AdminApi, Refusal, refused, undone};
use crate::description;

/// What is stated of a supplier.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProvenanceToState)]
pub struct Statement {
    /// Who it is, as in its contract.
    pub legal_name: String,
    /// Where its numbers come from.
    pub source: String,
    /// On what basis their holders have agreed.
    pub consent: String,
    /// Who answers questions about them.
    pub contact: String,
    /// When it has to be looked at again, in RFC 3339.
    pub valid_until: String,
    /// Who states it; it stands in the log.
    pub operator: String,
}

/// What is stated no more.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProvenanceToWithdraw)]
pub struct Withdrawal {
    /// Why; it stands in the log.
    pub reason: String,
    /// Who; it stands in the log.
    pub operator: String,
}

/// The real suppliers, and what is stated of each.
#[utoipa::path(get, path = "/provenance", operation_id = "listProvenance", tag = "suppliers",
    responses((status = 200, description = "The suppliers of real numbers", body = Value)))]
pub async fn list(State(api): State<Arc<AdminApi>>) -> Json<Value> {
    Json(shown(&api))
}

fn shown(api: &AdminApi) -> Value {
    let (service, known) = (&api.service, &api.service.provenances);
    let (now, all) = (known.now(), known.all());
    let row = |name: &SupplierName| {
        let stated = all.get(name).and_then(|state| state.stated.as_ref());
        json!({
            "supplier": name.as_str(), "holds": known.holds(name, now),
            "serves": known.allows(name, now),
            "stated": stated.map(|(record, by, at)| {
                let mut stated = description::stated(record, by);
                stated["at"] = json!(at.to_string());
                stated
            }),
        })
    };
    let real = service.router.suppliers().filter(|supplier| !supplier.is_simulated());
    json!({
        "required": known.is_required(),
        "suppliers": real.map(|supplier| row(supplier.name())).collect::<Vec<_>>(),
    })
}

/// States where a supplier's numbers come from.
#[utoipa::path(post, path = "/provenance/{supplier}", operation_id = "stateProvenance",
    tag = "suppliers", request_body = Statement,
    params(("supplier" = String, Path, description = "The supplier, as the configuration names it")),
    responses((status = 200, description = "The suppliers of real numbers", body = Value)))]
pub async fn state(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(supplier): PathParameter<String>,
    Json(wanted): Json<Statement>,
) -> Result<Json<Value>, Refusal> {
    let supplier = known(&api, &supplier)?;
    let valid_until = wanted
        .valid_until
        .parse()
        .map_err(|error| refused(StatusCode::BAD_REQUEST, format!("valid_until: {error}")))?;
    let who = access.operator(&wanted.operator)?;
    let Statement { legal_name, source, consent, contact, operator: by, .. } = wanted;
    let record = Record { legal_name, source, consent, contact, valid_until };
    let at = api.service.provenances.now();
    transact(&api, &Command::State { supplier, record, by, at }, who).await
}

/// Withdraws what was stated of a supplier.
#[utoipa::path(post, path = "/provenance/{supplier}/withdraw",
    operation_id = "withdrawProvenance", tag = "suppliers", request_body = Withdrawal,
    params(("supplier" = String, Path, description = "The supplier, as the configuration names it")),
    responses((status = 200, description = "The suppliers of real numbers", body = Value)))]
pub async fn withdraw(
    State(api): State<Arc<AdminApi>>,
    access: Access,
    PathParameter(supplier): PathParameter<String>,
    Json(wanted): Json<Withdrawal>,
) -> Result<Json<Value>, Refusal> {
    let supplier = known(&api, &supplier)?;
    let who = access.operator(&wanted.operator)?;
    let (Withdrawal { reason, operator: by }, at) = (wanted, api.service.provenances.now());
    transact(&api, &Command::Withdraw { supplier, reason, by, at }, who).await
}

async fn transact(
    api: &AdminApi,
    command: &Command,
    who: events::envelope::Actor,
) -> Result<Json<Value>, Refusal> {
    api.service.provenances.transact(command, who).await.map_err(|error| undone(&error))?;
    Ok(Json(shown(api)))
}

/// A supplier of real numbers by its name.
fn known(api: &AdminApi, name: &str) -> Result<SupplierName, Refusal> {
    let mut real = api.service.router.suppliers().filter(|supplier| !supplier.is_simulated());
    real.find(|supplier| supplier.name().as_str() == name)
        .map(|supplier| supplier.name().clone())
        .ok_or_else(|| {
            refused(StatusCode::NOT_FOUND, format!("no supplier {name:?} brings real numbers"))
        })
}
