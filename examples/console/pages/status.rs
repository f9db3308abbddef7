//! Pausing a key and ending the pause. Both can be taken back, so neither asks twice.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Redirect;

use super::key_id;
use crate::host::member::Member;
use crate::{Console, Failure};

pub(crate) async fn activate(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Redirect, Failure> {
    let change = member.keys.activate(key_id(&id)?).await?;
    let key = change.key().id;
    let what = if change.is_new() { "Activated." } else { "It was active already." };
    console.host.cutoffs.announce(key, what, change.holds_everywhere_in());
    Ok(Redirect::to(&format!("{}/{key}", member.home())))
}

pub(crate) async fn deactivate(
    State(console): State<Arc<Console>>,
    member: Member,
    Path((_, id)): Path<(String, String)>,
) -> Result<Redirect, Failure> {
    let change = member.keys.deactivate(key_id(&id)?).await?;
    let key = change.key().id;
    let what = if change.is_new() { "Deactivated." } else { "It was inactive already." };
    console.host.cutoffs.announce(key, what, change.holds_everywhere_in());
    Ok(Redirect::to(&format!("{}/{key}", member.home())))
}
