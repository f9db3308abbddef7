//! The table of header cases, read from `header_cases.json`.

use std::fmt;

use access_keys::http::Refusal;
use serde::Deserialize;

use super::Host;

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
    expected: Expected,
    http2: Option<Expected>,
    oneshot: Option<Expected>,
    /// Whose key the grant is for.
    #[serde(default = "good")]
    pub key: String,
}

fn good() -> String {
    "good".to_owned()
}

/// Text in which `{name}` stands for a token of the host, bytes in hexadecimal, something many times, or several of
/// these.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Hex { hex: String },
    Repeated { repeat: String, times: usize },
    Parts(Vec<Self>),
}

/// What must become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Expected {
    /// The handler runs.
    Granted,
    /// The layer refuses.
    Refused(Refusal),
    /// The server itself answers with this status.
    Server(u16),
    /// The server closes the connection.
    Closed,
}

/// How a request comes to the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// HTTP/1.1, whose server takes the outer spaces off values.
    Http1,
    /// HTTP/2.
    Http2,
    /// Without a connection.
    Oneshot,
}

/// The table.
///
/// # Panics
/// If it cannot be read.
#[must_use]
pub fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../header_cases.json")).unwrap()
}

impl Case {
    /// The header lines, with the tokens of this host.
    #[must_use]
    pub fn lines(&self, host: &Host) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.headers.iter().map(|(name, value)| (name.bytes(host), value.bytes(host))).collect()
    }

    /// The target, with the tokens of this host.
    #[must_use]
    pub fn target(&self, host: &Host) -> String {
        self.query.as_ref().map_or_else(|| "/".to_owned(), |query| format!("/?{}", filled(query, host)))
    }

    /// What must become of it on this way.
    #[must_use]
    pub fn expected(&self, way: Way) -> Expected {
        let own = match way {
            Way::Http1 => None,
            Way::Http2 => self.http2,
            Way::Oneshot => self.oneshot.or(self.http2),
        };
        own.unwrap_or(self.expected)
    }
}

impl Text {
    fn bytes(&self, host: &Host) -> Vec<u8> {
        match self {
            Self::Plain(text) => filled(text, host).into_bytes(),
            Self::Hex { hex } => hex.as_bytes().chunks(2).map(octet).collect(),
            Self::Repeated { repeat, times } => filled(repeat, host).repeat(*times).into_bytes(),
            Self::Parts(parts) => parts.iter().flat_map(|part| part.bytes(host)).collect(),
        }
    }
}

fn filled(text: &str, host: &Host) -> String {
    host.tokens().fold(text.to_owned(), |text, (name, token)| text.replace(&format!("{{{name}}}"), token))
}

fn octet(digits: &[u8]) -> u8 {
    u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap()
}

impl TryFrom<String> for Expected {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match text.as_str() {
            "granted" => Self::Granted,
            "unauthenticated" => Self::Refused(Refusal::Unauthenticated),
            "invalid_request" => Self::Refused(Refusal::InvalidRequest),
            "invalid_token" => Self::Refused(Refusal::InvalidToken),
            "closed" => Self::Closed,
            _ => {
                let status = text.strip_prefix("server ").and_then(|status| status.parse().ok());
                Self::Server(status.ok_or_else(|| format!("what is {text}?"))?)
            }
        })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
