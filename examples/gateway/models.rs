//! `GET /v1/models`: the agents that a key reaches.

use access_keys::http::RequireAgent;
use access_keys::{AgentId, Grant};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::serve::Gateway;

pub(crate) async fn all(State(gateway): State<Gateway>, grant: Grant) -> Json<Value> {
    let settings = gateway.catalog.now();
    let reached = settings.agents.keys().filter(|agent| grant.allows_agent(agent));
    Json(json!({ "object": "list", "data": reached.map(model).collect::<Vec<_>>() }))
}

pub(crate) async fn one(
    State(gateway): State<Gateway>,
    RequireAgent { agent: Path(agent), .. }: RequireAgent<Path<AgentId>>,
) -> Result<Json<Value>, Failure> {
    if !gateway.catalog.now().agents.contains_key(&agent) {
        return Err(Failure::NoSuchModel);
    }
    Ok(Json(model(&agent)))
}

fn model(agent: &AgentId) -> Value {
    json!({ "id": agent, "object": "model", "created": 0, "owned_by": "gateway" })
}
