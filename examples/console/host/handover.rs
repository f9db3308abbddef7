//! Hands the token of a key from the request that made it to the page that shows it, once.
//!
//! A form is answered by a redirect, so that reloading and going back never send it again; the token waits here, for
//! the session that asked for it, until its page is opened. Nothing of it is in an address. What nobody opens is
//! forgotten, and its memory overwritten, after ten minutes.

use std::sync::Arc;
use std::time::Duration;

use access_keys::{Error, Issued, KeyId};
use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use super::kept::Kept;
use super::sessions::Session;

/// How long a token waits for its page to be opened.
const WAITING: Duration = Duration::from_secs(600);

/// A token and what became of it.
#[derive(Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Waiting {
        issued: Box<Issued>,
        repeats: u32,
    },
    Shown {
        key: KeyId,
        at: DateTime<Utc>,
    },
}

/// What a page that shows a token is given.
#[derive(Debug)]
pub(crate) enum Handed {
    /// The token, which cannot be had again.
    Token { issued: Box<Issued>, repeats: u32 },
    /// It was shown before.
    Shown { key: KeyId, at: DateTime<Utc> },
    /// Nothing is known of it here.
    Unknown,
}

#[derive(Debug)]
pub(crate) struct Handover(Kept<Arc<Mutex<Slot>>>);

impl Default for Handover {
    fn default() -> Self {
        // As long as drafts: that a token was shown must not be forgotten before the form that would make it again.
        Self(Kept::new(24 * super::HOUR, 10_000))
    }
}

impl Handover {
    /// Issues a token under an operation, unless that was done: however often a form is sent, `issue` is not asked
    /// again after it succeeded, since that would replace a token that someone has just been shown.
    ///
    /// # Errors
    /// Those of `issue`.
    pub(crate) async fn issue_once(
        &self,
        session: &Session,
        operation: &str,
        issue: impl Future<Output = Result<Issued, Error>>,
    ) -> Result<Option<KeyId>, Error> {
        let shared = self.0.get_or(&name(session, operation), Arc::default);
        // Held while issuing: of two forms that were sent at once, the second waits for the first.
        let mut slot = shared.lock().await;
        match &mut *slot {
            Slot::Empty => {
                let issued = Box::new(issue.await?);
                let key = issued.key.id;
                *slot = Slot::Waiting { issued, repeats: 0 };
                tokio::spawn(forget(Arc::clone(&shared)));
                Ok(Some(key))
            }
            Slot::Waiting { repeats, .. } => {
                *repeats += 1;
                Ok(None)
            }
            Slot::Shown { .. } => Ok(None),
        }
    }

    /// Notes that a form was sent again while its token waits.
    pub(crate) async fn repeat(&self, session: &Session, operation: &str) {
        let Some(slot) = self.0.get(&name(session, operation)) else { return };
        if let Slot::Waiting { repeats, .. } = &mut *slot.lock().await {
            *repeats += 1;
        }
    }

    /// Takes the token out.
    pub(crate) async fn take(&self, session: &Session, operation: &str) -> Handed {
        let Some(slot) = self.0.get(&name(session, operation)) else { return Handed::Unknown };
        let mut slot = slot.lock().await;
        let key = match &*slot {
            Slot::Empty => return Handed::Unknown,
            Slot::Shown { key, at } => return Handed::Shown { key: *key, at: *at },
            Slot::Waiting { issued, .. } => issued.key.id,
        };
        match std::mem::replace(&mut *slot, Slot::Shown { key, at: Utc::now() }) {
            Slot::Waiting { issued, repeats } => Handed::Token { issued, repeats },
            Slot::Empty | Slot::Shown { .. } => Handed::Unknown,
        }
    }
}

/// Overwrites a token that nobody came for.
async fn forget(slot: Arc<Mutex<Slot>>) {
    tokio::time::sleep(WAITING).await;
    let mut slot = slot.lock().await;
    if let Slot::Waiting { issued, .. } = &*slot {
        *slot = Slot::Shown { key: issued.key.id, at: Utc::now() };
    }
}

fn name(session: &Session, operation: &str) -> String {
    format!("{}/{operation}", session.id)
}
