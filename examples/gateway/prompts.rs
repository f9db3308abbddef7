//! `POST /v1/prompts/{prompt}`: a template of the organisation's, with the caller's variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use access_keys::PromptId;
use access_keys::http::RequirePrompt;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, json};

use crate::failure::Failure;
use crate::provider::Call;
use crate::reply;
use crate::serve::Gateway;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Values {
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    stream: bool,
}

pub(crate) async fn run(
    State(gateway): State<Gateway>,
    RequirePrompt { prompt: Path(id), .. }: RequirePrompt<Path<PromptId>>,
    body: Result<Json<Values>, JsonRejection>,
) -> Result<Response, Failure> {
    let settings = gateway.catalog.now();
    let prompt = settings.prompts.get(&id).ok_or(Failure::NoSuchPrompt)?;
    let Ok(Json(Values { variables, stream })) = body else {
        return Err(Failure::Request(
            "the body gives no variables: {\"variables\": {\"name\": \"text\"}}".into(),
        ));
    };
    let text = prompt
        .template
        .render(&variables)
        .map_err(|missing| Failure::Request(format!("the variable {} is missing", missing.0).into()))?;
    let call = Call {
        model: prompt.model.name.clone(),
        instructions: None,
        messages: vec![json!({ "role": "user", "content": text })],
        stream,
        rest: Map::new(),
    };
    reply::of(Arc::clone(&prompt.model.provider), &gateway.client, call, id.as_str()).await
}
