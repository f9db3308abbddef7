//! A key's state and environment as a word with a drawing, so that nothing is told by colour alone.

use access_keys::{AccessKey, EnvironmentId, KeyState};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::icon::icon;
use crate::host::environments::environment;

/// The state of a key at `now`.
pub(crate) fn state(key: &AccessKey, now: DateTime<Utc>) -> Markup {
    let state = key.state(now);
    let (word, drawing) = word(state);
    html! { span.badge.(state.as_str()) { (icon(drawing)) (word) } }
}

/// The word for a state, and its drawing.
pub(crate) const fn word(state: KeyState) -> (&'static str, &'static str) {
    match state {
        KeyState::Active => ("Active", "check"),
        KeyState::Inactive => ("Inactive", "pause"),
        KeyState::Revoked => ("Revoked", "cross"),
        KeyState::Expired => ("Expired", "clock"),
        _ => ("Unknown", "warning"),
    }
}

/// What people call an environment.
pub(crate) fn environment_name(id: &EnvironmentId) -> &str {
    environment(id.as_str()).map_or(id.as_str(), |environment| environment.name)
}

/// What a token of this key begins with, so that it can be recognised: `acme_live_7Hq2LkP9…`.
pub(crate) fn begins(key: &AccessKey) -> String {
    let prefix = environment(key.environment.as_str()).map_or("", |environment| environment.prefix);
    let id: String = key.id.as_str().chars().take(8).collect();
    format!("{prefix}_{id}…")
}
