//! What is said, whole or word by word, in either interface.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

/// The time between two words.
const PACE: Duration = Duration::from_millis(20);

/// How many words are said by who is asked to talk for minutes.
const MANY: usize = 15_000;

pub(crate) struct Speech {
    model: String,
    words: Vec<String>,
}

impl Speech {
    /// Says which model it is and what it was asked; or talks for minutes, if it is asked to.
    pub(crate) fn answer(request: &Value) -> Self {
        let model = request["model"].as_str().unwrap_or_default().to_owned();
        let asked = request["messages"].as_array().and_then(|messages| messages.last());
        let asked = asked.and_then(|message| message["content"].as_str()).unwrap_or_default();
        let mut words: Vec<String> =
            format!("{model} hears: {asked}").split_inclusive(' ').map(str::to_owned).collect();
        if asked.contains("for minutes") {
            words.extend((1..=MANY).map(|number| format!(" {number}")));
        }
        Self { model, words }
    }

    pub(crate) fn completion(&self) -> Value {
        let message = json!({ "role": "assistant", "content": self.words.concat() });
        let choice = json!({ "index": 0, "message": message, "finish_reason": "stop" });
        self.of_openai("chat.completion", &choice)
    }

    pub(crate) fn chunks(self) -> Response {
        let chunk = |delta: Value, reason: Value| {
            let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason });
            Event::default().data(self.of_openai("chat.completion.chunk", &choice).to_string())
        };
        let first = chunk(json!({ "role": "assistant", "content": "" }), Value::Null);
        let words = self.words.iter().map(|word| chunk(json!({ "content": word }), Value::Null));
        let last = [chunk(json!({}), "stop".into()), Event::default().data("[DONE]")];
        slowly([first].into_iter().chain(words).chain(last).collect())
    }

    pub(crate) fn message(&self) -> Value {
        json!({
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [{ "type": "text", "text": self.words.concat() }],
            "stop_reason": "end_turn",
            "usage": { "input_tokens": 1, "output_tokens": self.words.len() },
        })
    }

    pub(crate) fn events(self) -> Response {
        let event = |kind: &str, mut data: Value| {
            data["type"] = kind.into();
            Event::default().event(kind).data(data.to_string())
        };
        let head = json!({ "id": "msg_1", "role": "assistant", "model": self.model, "content": [] });
        let first = [
            event("message_start", json!({ "message": head })),
            event(
                "content_block_start",
                json!({ "index": 0, "content_block": { "type": "text", "text": "" } }),
            ),
            event("ping", json!({})),
        ];
        let words = self.words.iter().map(|word| {
            event(
                "content_block_delta",
                json!({ "index": 0, "delta": { "type": "text_delta", "text": word } }),
            )
        });
        let last = [
            event("content_block_stop", json!({ "index": 0 })),
            event("message_delta", json!({ "delta": { "stop_reason": "end_turn" } })),
            event("message_stop", json!({})),
        ];
        slowly(first.into_iter().chain(words).chain(last).collect())
    }

    fn of_openai(&self, object: &str, choice: &Value) -> Value {
        json!({ "id": "chatcmpl-1", "object": object, "created": 0, "model": self.model, "choices": [choice] })
    }
}

fn slowly(events: Vec<Event>) -> Response {
    let events = stream::iter(events).then(async |event| {
        tokio::time::sleep(PACE).await;
        Ok::<_, Infallible>(event)
    });
    Sse::new(events).into_response()
}
