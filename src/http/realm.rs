//! The challenge of an answer that refuses.

use http::header::{HeaderValue, InvalidHeaderValue};

use super::Refusal;

/// A realm, with the challenge for each refusal: each is written once.
#[derive(Clone, Debug)]
pub(super) struct Realm([Option<HeaderValue>; Refusal::ALL.len()]);

impl Realm {
    /// That of an answer which no layer has given its own yet.
    #[cfg(feature = "axum")]
    pub(super) fn usual() -> &'static Self {
        static USUAL: std::sync::LazyLock<Realm> = std::sync::LazyLock::new(Realm::default);
        &USUAL
    }

    pub(super) fn new(name: &str) -> Result<Self, InvalidHeaderValue> {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        let mut challenges = [const { None }; Refusal::ALL.len()];
        for (refusal, challenge) in Refusal::ALL.into_iter().zip(&mut challenges) {
            let text = match (refusal, refusal.error()) {
                (Refusal::Unauthenticated, _) => format!("Bearer realm=\"{quoted}\""),
                (_, Some(error)) => format!("Bearer realm=\"{quoted}\", error=\"{error}\""),
                _ => continue,
            };
            *challenge = Some(HeaderValue::from_str(&text)?);
        }
        Ok(Self(challenges))
    }

    pub(super) fn challenge(&self, refusal: Refusal) -> Option<&HeaderValue> {
        self.0.get(refusal as usize).and_then(Option::as_ref)
    }
}

impl Default for Realm {
    fn default() -> Self {
        Self::new("access-keys").unwrap_or(Self([const { None }; Refusal::ALL.len()]))
    }
}
