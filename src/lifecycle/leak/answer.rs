//! Acting on a report, and answering it.

use std::fmt;

use serde::Serialize;

use super::{Entry, Report};
use crate::domain::{Actor, KeyId};
use crate::lifecycle::{AccessKeys, Change, Error};
use crate::store::{KeyStore, together};

/// How many entries are settled at a time, at most, where nobody asks for one after the other.
const AT_ONCE: usize = 16;
/// The longest address that is recorded as the reason of a revocation.
const URL_MAX: usize = 500;

impl Report {
    /// Revokes the keys of the tokens that were found, on behalf of `actor`; nothing is done before it is asked for the
    /// first [`next`](Answering::next).
    ///
    /// The reason that is recorded names the source and the address of the report, each unless it is longer than 500
    /// bytes or has other than printable ASCII. A key that was revoked already keeps its reason: where it was found once
    /// more is the host's to log.
    pub fn answer<S: KeyStore>(&self, keys: &AccessKeys<S>, actor: Actor) -> Answering<'_, S> {
        Answering { keys: keys.clone(), actor, entries: self.entries() }
    }
}

/// A report that is being answered, entry by entry; see [`Report::answer`].
#[must_use = "nothing is revoked until it is asked"]
pub struct Answering<'r, S> {
    keys: AccessKeys<S>,
    actor: Actor,
    /// Those that are left.
    entries: &'r [Entry],
}

impl<'r, S: KeyStore> Answering<'r, S> {
    /// Settles the next entry. `None` after the last one.
    ///
    /// # Cancel safety
    /// A dropped future leaves its key revoked or not; the next call settles the same entry again.
    pub async fn next(&mut self) -> Option<Answer<'r>> {
        let (entry, left) = self.entries.split_first()?;
        let answer = self.settle(entry).await;
        self.entries = left;
        Some(answer)
    }

    /// Settles all that are left, several at a time, and gives the answers in the order of the report.
    ///
    /// # Cancel safety
    /// A dropped future leaves each key revoked or not; the report can be answered again.
    pub async fn finish(self) -> Vec<Answer<'r>> {
        let settling: Vec<_> = self.entries.iter().map(|entry| Box::pin(self.settle(entry))).collect();
        // Each reads a key, and verifications have to as well.
        let width = (self.keys.verifier.setup().concurrent_reads / 4).clamp(1, AT_ONCE);
        together(settling, width).await
    }

    /// How many entries are left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.entries.len()
    }

    async fn settle(&self, entry: &'r Entry) -> Answer<'r> {
        let outcome = match (&entry.token, &entry.hash) {
            (Some(token), _) => {
                let revoked = self.keys.revoke_presented(token, reason(entry), self.actor.clone()).await;
                match revoked {
                    Ok(Some(change)) => Outcome::Revoked(change),
                    Ok(None) => Outcome::NotOurs,
                    Err(Error::PepperLacking { key }) => Outcome::Undecidable { key },
                    Err(error) => Outcome::Failed(error),
                }
            }
            (None, Some(_)) => Outcome::NotOurs,
            (None, None) => Outcome::Unreadable,
        };
        Answer { entry, outcome }
    }
}

impl<S> fmt::Debug for Answering<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").field("left", &self.entries.len()).finish_non_exhaustive()
    }
}

/// No more than fits, and nothing that would be refused.
fn reason(entry: &Entry) -> String {
    let plain = |text: &&str| text.len() <= URL_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    let mut reason = String::from("reported by a secret scanner");
    for (joint, told) in [(", found in ", entry.source()), (" at ", entry.url())] {
        if let Some(told) = told.filter(plain) {
            reason.push_str(joint);
            reason.push_str(told);
        }
    }
    reason
}

/// What became of one entry of a report.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer<'r> {
    /// The entry.
    pub entry: &'r Entry,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of one entry of a report.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It opened a key, which is revoked now; [`is_new`](Change::is_new) tells whether it was before.
    Revoked(Change),
    /// It opens no key here: it never did, or was retired by a rotation.
    NotOurs,
    /// This node lacks the pepper or the digest scheme of the key that it claims to be of, so it cannot tell. Answering
    /// the report again gives the same; whoever must be sure revokes the key by its id.
    #[non_exhaustive]
    Undecidable {
        /// The key.
        key: KeyId,
    },
    /// The entry has no text of a token. Answering the report again gives the same.
    Unreadable,
    /// It is not known whether it opens a key, or whether that is revoked: the report should be answered again.
    Failed(Error),
}

impl Answer<'_> {
    /// What is said of it to the one who reported. `None` where nothing is known, or where the entry has no type.
    #[must_use]
    pub fn feedback(&self) -> Option<Feedback> {
        let label = match &self.outcome {
            Outcome::Revoked(_) => Label::TruePositive,
            Outcome::NotOurs => Label::FalsePositive,
            Outcome::Undecidable { .. } | Outcome::Unreadable | Outcome::Failed(_) => return None,
        };
        let token_type = self.entry.token_type()?.to_owned();
        Some(Feedback { token_hash: self.entry.hash.clone()?, token_type, label })
    }
}

/// What is said of one find, in the form that GitHub takes.
///
/// ```
/// # use access_keys::{AccessKeys, Actor, leak::Report, store::MemoryStore};
/// # pollster::block_on(async {
/// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// let report = Report::parse(br#"[{"token": "hunter2", "type": "acme_access_key"}]"#)?;
/// let answers = report.answer(&keys, Actor::system("github")?).finish().await;
/// let feedback = answers[0].feedback().expect("it was settled");
/// assert_eq!(
///     serde_json::to_value(&feedback)?,
///     serde_json::json!({
///         "token_hash": "f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7",
///         "token_type": "acme_access_key",
///         "label": "false_positive",
///     })
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Feedback {
    /// The SHA-256 of the text that was reported, in hexadecimal.
    pub token_hash: String,
    /// The type that was reported.
    pub token_type: String,
    /// Whether it was a token.
    pub label: Label,
}

/// Whether what was found was a token that opened a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Label {
    /// It was.
    TruePositive,
    /// It opens no key here, or had been retired by a rotation. One whose key was revoked before was a token.
    FalsePositive,
}
