//! A provider's answer, whole or piece by piece, as clients of OpenAI's interface read it.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Json;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use futures_util::stream;
use reqwest::Client;
use serde_json::Value;

use crate::events::{Events, Garbled};
use crate::failure::Failure;
use crate::messages::{self, Piece, Pieces};
use crate::openai;
use crate::provider::{Call, Format, Provider};

/// Asks a provider. The answer bears the name of the agent or prompt, never that of the provider's model.
pub(crate) async fn of(
    provider: Arc<Provider>,
    client: &Client,
    call: Call,
    name: &str,
) -> Result<Response, Failure> {
    let stream = call.stream;
    let response = provider.ask(client, call).await?;
    if stream {
        let reply = Reply {
            name: name.to_owned(),
            provider,
            response,
            events: Events::default(),
            pieces: Pieces::default(),
            created: Utc::now().timestamp(),
            ready: VecDeque::new(),
            over: false,
        };
        return Ok(Sse::new(stream::try_unfold(reply, Reply::next)).into_response());
    }
    let answer = response.json::<Value>().await.map_err(|error| provider.broken(error))?;
    let answer = match provider.format {
        Format::Openai => openai::renamed(answer, name),
        Format::Messages => messages::completion(&answer, name, Utc::now().timestamp()),
    };
    Ok(Json(answer.ok_or(Failure::Provider)?).into_response())
}

/// A stream that is passed on.
struct Reply {
    name: String,
    provider: Arc<Provider>,
    response: reqwest::Response,
    events: Events,
    pieces: Pieces,
    created: i64,
    ready: VecDeque<String>,
    over: bool,
}

/// The provider's stream ended before its end, or cannot be read. The client's must not look as if it were whole.
#[derive(Debug)]
struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the provider's stream broke off")
    }
}

impl std::error::Error for BrokenOff {}

impl From<Garbled> for BrokenOff {
    fn from(_: Garbled) -> Self {
        Self
    }
}

impl Reply {
    async fn next(mut self) -> Result<Option<(Event, Self)>, BrokenOff> {
        loop {
            if let Some(text) = self.ready.pop_front() {
                return Ok(Some((Event::default().data(text), self)));
            }
            if self.over {
                return Ok(None);
            }
            if let Some(data) = self.events.next()? {
                self.take(&data)?;
                continue;
            }
            let chunk = self.response.chunk().await.map_err(|error| {
                self.provider.broken(error);
                BrokenOff
            })?;
            self.events.push(&chunk.ok_or(BrokenOff)?)?;
        }
    }

    fn take(&mut self, data: &str) -> Result<(), BrokenOff> {
        let done = match self.provider.format {
            Format::Openai if data == openai::DONE => true,
            Format::Openai => {
                let chunk =
                    serde_json::from_str(data).ok().and_then(|chunk| openai::renamed(chunk, &self.name));
                self.ready.push_back(chunk.ok_or(BrokenOff)?.to_string());
                false
            }
            Format::Messages => {
                let event = serde_json::from_str(data).map_err(|_| BrokenOff)?;
                match self.pieces.piece(&event, &self.name, self.created).ok_or(BrokenOff)? {
                    Piece::Nothing => false,
                    Piece::Chunk(chunk) => {
                        self.ready.push_back(chunk.to_string());
                        false
                    }
                    Piece::End => true,
                }
            }
        };
        if done {
            self.ready.push_back(openai::DONE.to_owned());
            self.over = true;
        }
        Ok(())
    }
}
