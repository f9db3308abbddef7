//! Says until when a change may not hold on every node yet.
//!
//! The page states the moment, and the style alone runs the time down and then says that it is over: nothing is
//! reloaded under whoever reads it, and no script is needed.

use std::time::Duration;

use maud::{Markup, html};

use super::icon::icon;
use super::time::clock;
use crate::host::cutoffs::Cutoff;

/// The seconds for which the style has a rule, since a strict policy lets no page bring its own.
const SPANS: [u64; 12] = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 60];

/// The line on the page.
pub(crate) fn line(cutoff: &Cutoff) -> Markup {
    let over = html! { "Holds everywhere since " (clock(cutoff.ends_at)) "." };
    let Some(left) = cutoff.left() else {
        return html! {
            div #cutoff.note.good role="status" {
                (icon("check"))
                div { p { strong { (cutoff.what) } } @if cutoff.cuts() { " " p { (over) } } }
            }
        };
    };
    let seconds = seconds(left);
    let span = SPANS.iter().find(|span| **span >= seconds).unwrap_or(&60);
    html! {
        div #cutoff.note.pending.(format!("s{span}")) role="status" {
            (icon("clock"))
            div {
                p { strong { (cutoff.what) } }
                div.turn {
                    p.before {
                        "Holds here already, and everywhere in at most " (seconds) " s, by " (clock(cutoff.ends_at)) "."
                    }
                    p.after { (over) }
                }
                div.run aria-hidden="true" {}
            }
        }
    }
}

/// Rounded up: never less than what was announced.
fn seconds(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}
