//! The table of header cases, read from `header_cases.json`.

use access_keys::http::Refusal;
use serde::Deserialize;

use super::Host;
use super::host::hex;

/// A request, and what must become of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is sent, in words.
    pub name: String,
    headers: Vec<(Text, Text)>,
    query: Option<String>,
    /// Whether the layer takes a token from `x-api-key` too.
    #[serde(default)]
    pub x_api_key: bool,
    expected: String,
    /// Where the answer is another one without a server that trims values: over HTTP/2, and in a `oneshot`.
    untrimmed: Option<String>,
    /// Where a server of HTTP/2 answers another way.
    http2: Option<String>,
}

/// Text in which `{name}` stands for a token, bytes in hexadecimal, something many times, or several of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Hex { hex: String },
    Repeated { repeat: String, times: usize },
    Parts(Vec<Self>),
}

/// What must become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The handler runs, for the key of `good`.
    Granted,
    /// The layer refuses.
    Refused(Refusal),
    /// The server itself answers with this status.
    Server(u16),
}
