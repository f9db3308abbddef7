//! One file a page: what it reads, what it shows, and what its form does.
//!
//! A form is answered by a redirect, so that going back and reloading send nothing again.

pub(crate) mod create;
pub(crate) mod edit;
pub(crate) mod issued;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod look;
pub(crate) mod preview;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod sign_in;
pub(crate) mod status;

use access_keys::KeyId;
use axum::response::Html;
use maud::Markup;

use crate::Failure;

/// What a page answers with.
type Shown = Result<Html<String>, Failure>;

fn shown(page: Markup) -> Shown {
    Ok(Html(page.into_string()))
}

/// The id in an address; one that is none is of no key.
fn key_id(text: &str) -> Result<KeyId, Failure> {
    KeyId::new(text).map_err(|_| Failure::NotFound)
}

/// A draft's name in an address is one that this host made.
fn check_draft(name: &str) -> Result<(), Failure> {
    let ours = name.len() == 32 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if ours { Ok(()) } else { Err(Failure::NotFound) }
}
