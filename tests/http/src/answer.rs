//! What came back, and what should have.

use access_keys::http::Refusal;

/// An answer, as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header lines but for those of the connection, sorted: names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Of these parts; `date` is left out, and what HTTP/1.1 says of the connection.
    pub fn new<'h>(status: u16, headers: impl Iterator<Item = (&'h str, &'h [u8])>, body: &[u8]) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), text(value)));
        let mut headers: Vec<_> =
            headers.filter(|(name, _)| !["date", "connection"].contains(&name.as_str())).collect();
        headers.sort();
        Self { status, headers, body: text(body) }
    }

    /// None: the server closed the connection.
    #[must_use]
    pub const fn closed() -> Self {
        Self { status: 0, headers: Vec::new(), body: String::new() }
    }

    /// Every value of this header.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// The one answer to a refused request, in the realm that is usual: written out again here, so that no change of the
/// library's words goes unseen.
///
/// # Panics
/// For a refusal that is not in the table.
#[must_use]
pub fn refused(refusal: Refusal) -> Answer {
    let (status, error, kind, title) = match refusal {
        Refusal::Unauthenticated => (401, Some(""), "unauthenticated", "An access key is required"),
        Refusal::InvalidRequest => (
            400,
            Some(", error=\"invalid_request\""),
            "invalid-request",
            "The access key is not presented as it should be",
        ),
        Refusal::InvalidToken => {
            (401, Some(", error=\"invalid_token\""), "invalid-token", "The access key is not valid")
        }
        Refusal::InsufficientScope => (
            403,
            Some(", error=\"insufficient_scope\""),
            "insufficient-scope",
            "The access key does not reach this",
        ),
        Refusal::Unavailable => (503, None, "temporarily-unavailable", "Access keys cannot be verified now"),
        Refusal::LayerMissing => (500, None, "internal", "Internal error"),
        other => panic!("{other:?} is not in the table"),
    };
    let code = kind.replace('-', "_");
    let error_member = format!(r#""error":{{"code":"{code}","message":"{title}"}}"#);
    let body =
        format!(r#"{{"type":"urn:access-keys:{kind}","title":"{title}","status":{status},{error_member}}}"#);
    let length = body.len().to_string();
    let mut headers = vec![
        ("cache-control", "no-store".to_owned()),
        ("content-length", length),
        ("content-type", "application/problem+json".to_owned()),
    ];
    headers.extend(error.map(|error| ("www-authenticate", format!("Bearer realm=\"access-keys\"{error}"))));
    headers.extend((refusal == Refusal::Unavailable).then(|| ("retry-after", "1".to_owned())));
    let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    Answer::new(status, headers, body.as_bytes())
}
