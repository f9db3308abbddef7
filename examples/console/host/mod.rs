//! What belongs to the host and not to the library: who is signed in, what there is to call, and what a page must
//! remember between two requests.
//!
//! Everything here lives in memory, for one process. A host of several keeps it where it keeps its sessions.

pub(crate) mod agents;
pub(crate) mod catalogue;
pub(crate) mod csrf;
pub(crate) mod cutoffs;
pub(crate) mod drafts;
pub(crate) mod environments;
pub(crate) mod fields;
pub(crate) mod handover;
pub(crate) mod kept;
pub(crate) mod member;
pub(crate) mod people;
pub(crate) mod prompts;
pub(crate) mod sessions;

use cutoffs::Cutoffs;
use drafts::{EditDraft, NewKey};
use handover::Handover;
use kept::Kept;
use sessions::Sessions;

const HOUR: u64 = 3_600;

/// What the host remembers.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) sessions: Sessions,
    /// Keys being created, by person and draft.
    pub(crate) drafts: Kept<NewKey>,
    /// Edits being written, by person and draft.
    pub(crate) edits: Kept<EditDraft>,
    pub(crate) handover: Handover,
    pub(crate) cutoffs: Cutoffs,
}

impl Host {
    pub(crate) fn new(secure: bool) -> Self {
        Self {
            sessions: Sessions::new(secure),
            drafts: Kept::new(24 * HOUR, 10_000),
            edits: Kept::new(24 * HOUR, 10_000),
            handover: Handover::default(),
            cutoffs: Cutoffs::default(),
        }
    }
}

/// A name that nobody guesses, of letters and digits: for sessions, drafts and operations.
///
/// # Errors
/// When the operating system gives no randomness.
pub(crate) fn random_name() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
