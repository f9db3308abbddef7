//! Why a handler gives no answer, in the words of OpenAI's interface.

use std::borrow::Cow;

use access_keys::Denial;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub(crate) enum Failure {
    /// The library answers.
    Denied(Denial),
    Request(Cow<'static, str>),
    NoSuchModel,
    NoSuchPrompt,
    NoSuchPath,
    Busy,
    Provider,
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        // No id is repeated: people paste tokens into the wrong field.
        let (status, code, message): (_, _, Cow<'static, str>) = match self {
            Self::Denied(denial) => return denial.into_response(),
            Self::Request(message) => (StatusCode::BAD_REQUEST, "invalid_request", message),
            Self::NoSuchModel => (StatusCode::NOT_FOUND, "model_not_found", "there is no such model".into()),
            Self::NoSuchPrompt => {
                (StatusCode::NOT_FOUND, "prompt_not_found", "there is no such prompt".into())
            }
            Self::NoSuchPath => (StatusCode::NOT_FOUND, "unknown_url", "there is nothing here".into()),
            Self::Busy => {
                (StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", "the model's provider is busy".into())
            }
            Self::Provider => {
                (StatusCode::BAD_GATEWAY, "provider_error", "the model's provider does not answer".into())
            }
        };
        (status, Json(json!({ "error": error(status, code, &message) }))).into_response()
    }
}

/// An error as clients of OpenAI's interface read it.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> serde_json::Value {
    let kind = if status.is_server_error() { "server_error" } else { "invalid_request_error" };
    json!({ "message": message, "type": kind, "code": code, "param": null })
}
