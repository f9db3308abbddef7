//! `POST /v1/chat/completions`: the model that a client names is an agent.

use std::sync::Arc;

use access_keys::http::Needs;
use access_keys::{AgentId, Grant};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::provider::Call;
use crate::serve::Gateway;
use crate::{log, reply};

#[derive(Deserialize)]
pub(crate) struct Chat {
    model: String,
    messages: Vec<Value>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The agent stands in the body, so it is asked for here rather than by an extractor.
pub(crate) async fn chat(
    State(gateway): State<Gateway>,
    grant: Grant,
    needs: Needs,
    body: Result<Json<Chat>, JsonRejection>,
) -> Result<Response, Failure> {
    let Ok(Json(Chat { model, messages, stream, rest })) = body else {
        return Err(Failure::Request("the body is no request for a chat completion".into()));
    };
    let id = AgentId::new(model).map_err(|_| Failure::NoSuchModel)?;
    let settings = gateway.catalog.now();
    let agent = settings.agents.get(&id);
    log::asks_for(agent.map(|_| id.as_str()));
    needs.require_agent(&grant, &id)?;

    let agent = agent.ok_or(Failure::NoSuchModel)?;
    let call = Call {
        model: agent.model.name.clone(),
        instructions: agent.instructions.clone(),
        messages,
        stream: stream.unwrap_or_default(),
        rest,
    };
    reply::of(Arc::clone(&agent.model.provider), &gateway.client, call, id.as_str()).await
}
