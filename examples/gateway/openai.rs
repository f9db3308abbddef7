//! Providers with OpenAI's interface, which is also what clients see.

use serde_json::{Value, json};

use crate::provider::Call;

pub(crate) const PATH: &str = "/v1/chat/completions";

pub(crate) fn request(call: Call) -> Value {
    let Call { model, instructions, mut messages, stream, rest } = call;
    if let Some(instructions) = instructions {
        messages.insert(0, json!({ "role": "system", "content": instructions }));
    }
    let mut body = rest;
    body.insert("model".into(), model.into());
    body.insert("messages".into(), messages.into());
    body.insert("stream".into(), stream.into());
    body.into()
}

/// A completion or a piece of one, in the name of the agent.
pub(crate) fn renamed(mut answer: Value, name: &str) -> Option<Value> {
    *answer.as_object_mut()?.get_mut("model")? = name.into();
    Some(answer)
}

/// What ends a stream.
pub(crate) const DONE: &str = "[DONE]";
