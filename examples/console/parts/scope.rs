//! What a key may call, in short and in full.

use access_keys::Scope;
use access_keys::domain::ResourceId;
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use crate::host::catalogue::Kind;
use crate::parts::time::relative;

/// How many are written out before the rest folds up.
const SHOWN: usize = 12;

/// `All agents`, `Support bot`, `3 agents`, `No agents`.
pub(crate) fn short<T: ResourceId>(scope: &Scope<T>, kind: Kind) -> String {
    match (scope, scope.sole()) {
        (Scope::All, _) => format!("All {}", kind.plural()),
        (_, Some(id)) => name(kind, id.as_ref()).to_owned(),
        (Scope::Specific(ids), None) if ids.is_empty() => format!("No {}", kind.plural()),
        (Scope::Specific(ids), None) => format!("{} {}", ids.len(), kind.plural()),
    }
}

/// The same within a sentence.
pub(crate) fn inline<T: ResourceId>(scope: &Scope<T>, kind: Kind) -> String {
    match scope {
        Scope::All => format!("all {}", kind.plural()),
        Scope::Specific(ids) if ids.is_empty() => format!("no {}", kind.plural()),
        Scope::Specific(_) => short(scope, kind),
    }
}

/// In full, each with its id.
pub(crate) fn full<T: ResourceId>(scope: &Scope<T>, kind: Kind) -> Markup {
    let Scope::Specific(ids) = scope else {
        return html! {
            p { strong { "All " (kind.plural()) } }
            p.muted { "Including those created later." }
        };
    };
    let each = |id: &T| {
        html! { li { (name(kind, id.as_ref())) " " code { (id) } } }
    };
    html! {
        @if ids.is_empty() {
            p { strong { "No " (kind.plural()) } }
            p.muted { "Not even those created later." }
        } @else {
            p { strong {
                @if ids.len() == 1 { "Only this " (kind.singular()) }
                @else { "Only these " (ids.len()) " " (kind.plural()) }
            } }
            ul.ids { @for id in ids.iter().take(SHOWN) { (each(id)) } }
            @if ids.len() > SHOWN {
                details {
                    summary { "Show " (ids.len() - SHOWN) " more" }
                    ul.ids { @for id in ids.iter().skip(SHOWN) { (each(id)) } }
                }
            }
        }
    }
}

/// What a key was used for of this kind, the latest first.
pub(crate) fn used_for<'u, T: ResourceId + 'u>(
    scope: &Scope<T>,
    used: impl Iterator<Item = (&'u T, DateTime<Utc>)>,
    more: bool,
    kind: Kind,
    now: DateTime<Utc>,
) -> Markup {
    let used: Vec<_> = used.collect();
    html! {
        @if used.is_empty() && !scope.is_none() {
            p.muted.used { "None called so far." }
        } @else if !used.is_empty() {
            details.used {
                summary { "Has called " @if more { "more than " } (used.len()) " of them" }
                ul.ids {
                    @for (id, at) in &used { li { (name(kind, id.as_ref())) " " span.muted { (relative(*at, now)) } } }
                }
            }
        }
    }
}

/// What people call an agent or a prompt; its id when it is no longer in the catalogue.
pub(crate) fn name(kind: Kind, id: &str) -> &str {
    kind.find(id).map_or(id, |item| item.name)
}
