//! A provider: how it is asked, and what is made of its refusals.

use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::{Result, messages, openai};

#[derive(Debug)]
pub(crate) struct Provider {
    name: String,
    pub(crate) format: Format,
    url: String,
    credential: (HeaderName, HeaderValue),
}

/// The interface that a provider has.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Openai,
    Messages,
}

/// What a client asks, as it is sent to whichever provider.
pub(crate) struct Call {
    /// As the provider calls it.
    pub(crate) model: String,
    pub(crate) instructions: Option<String>,
    pub(crate) messages: Vec<Value>,
    pub(crate) stream: bool,
    /// The fields of OpenAI's interface besides.
    pub(crate) rest: Map<String, Value>,
}

impl Provider {
    pub(crate) fn new(name: String, format: Format, address: &str, credential: &str) -> Result<Self> {
        let (header, text, path) = match format {
            Format::Openai => (AUTHORIZATION, format!("Bearer {credential}"), openai::PATH),
            Format::Messages => (HeaderName::from_static("x-api-key"), credential.to_owned(), messages::PATH),
        };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| format!("the credential of {name} can stand in no header"))?;
        value.set_sensitive(true);
        let url = format!("{}{path}", address.trim_end_matches('/'));
        Ok(Self { name, format, url, credential: (header, value) })
    }

    /// What it answers, once it has agreed to.
    pub(crate) async fn ask(&self, client: &Client, call: Call) -> Result<Response, Failure> {
        let body = match self.format {
            Format::Openai => openai::request(call),
            Format::Messages => messages::request(call),
        };
        let (header, credential) = self.credential.clone();
        let sent = client.post(&self.url).header(header, credential).json(&body).send().await;
        let response = sent.map_err(|error| self.broken(error))?;
        match response.status() {
            StatusCode::OK => Ok(response),
            // Its words are not passed on: providers quote credentials in them.
            status => {
                tracing::warn!(provider = self.name, status = status.as_u16(), "the provider refuses");
                Err(match status {
                    StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                        Failure::Request("the model's provider does not take this request".into())
                    }
                    StatusCode::TOO_MANY_REQUESTS => Failure::Busy,
                    _ => Failure::Provider,
                })
            }
        }
    }

    /// What a client is told of a provider that cannot be understood.
    pub(crate) fn broken(&self, error: reqwest::Error) -> Failure {
        tracing::warn!(provider = self.name, error = %error.without_url(), "the provider does not answer");
        Failure::Provider
    }
}
