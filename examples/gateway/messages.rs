//! Providers whose interface is another: the instructions apart, the answer in blocks, streams of typed events.

use serde_json::{Value, json};

use crate::provider::Call;

pub(crate) const PATH: &str = "/v1/messages";

/// Such a provider wants a limit. OpenAI's clients need not give one.
const TOKENS: u64 = 4096;

pub(crate) fn request(call: Call) -> Value {
    let Call { model, instructions, messages, stream, rest } = call;
    let (system, messages): (Vec<Value>, Vec<Value>) = messages
        .into_iter()
        .partition(|message| matches!(message["role"].as_str(), Some("system" | "developer")));
    let system = system.iter().filter_map(|message| message["content"].as_str());
    let system: Vec<&str> = instructions.as_deref().into_iter().chain(system).collect();
    let tokens = rest.get("max_completion_tokens").or_else(|| rest.get("max_tokens"));
    let mut body = json!({
        "model": model,
        "max_tokens": tokens.and_then(Value::as_u64).unwrap_or(TOKENS),
        "system": system.join("\n\n"),
        "messages": messages,
        "stream": stream,
    });
    for field in ["temperature", "top_p"] {
        if let Some(value) = rest.get(field) {
            body[field] = value.clone();
        }
    }
    body
}

/// Its answer, as OpenAI's clients read it.
pub(crate) fn completion(answer: &Value, name: &str, created: i64) -> Option<Value> {
    let blocks = answer["content"].as_array()?;
    let text: String = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
    let [input, output] =
        ["input_tokens", "output_tokens"].map(|count| answer["usage"][count].as_u64().unwrap_or_default());
    Some(json!({
        "id": answer["id"],
        "object": "chat.completion",
        "created": created,
        "model": name,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": text },
            "finish_reason": reason(&answer["stop_reason"]),
        }],
        "usage": {
            "prompt_tokens": input,
            "completion_tokens": output,
            "total_tokens": input.saturating_add(output),
        },
    }))
}

/// A stream of such events, as OpenAI's clients read it.
#[derive(Default)]
pub(crate) struct Pieces {
    id: Value,
}

/// What an event comes to.
pub(crate) enum Piece {
    Nothing,
    Chunk(Value),
    End,
}

impl Pieces {
    pub(crate) fn piece(&mut self, event: &Value, name: &str, created: i64) -> Option<Piece> {
        Some(match event["type"].as_str()? {
            "message_start" => {
                self.id = event["message"]["id"].clone();
                self.chunk(name, created, &json!({ "role": "assistant", "content": "" }), &Value::Null)
            }
            "content_block_delta" => {
                let text = event["delta"]["text"].as_str().unwrap_or_default();
                self.chunk(name, created, &json!({ "content": text }), &Value::Null)
            }
            "message_delta" => {
                self.chunk(name, created, &json!({}), &reason(&event["delta"]["stop_reason"]).into())
            }
            "message_stop" => Piece::End,
            "error" => return None,
            _ => Piece::Nothing,
        })
    }

    fn chunk(&self, name: &str, created: i64, delta: &Value, reason: &Value) -> Piece {
        Piece::Chunk(json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": name,
            "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }],
        }))
    }
}

fn reason(stop: &Value) -> &'static str {
    if stop == "max_tokens" { "length" } else { "stop" }
}
