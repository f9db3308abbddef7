//! The four steps of a new key, and where one is.

use maud::{Markup, html};

use super::icon::icon;

/// Names of the steps, with their place in an address.
pub(crate) const STEPS: [(&str, &str); 4] = [
    ("info", "Key info"),
    ("agents", "Agent access"),
    ("prompts", "Prompt access"),
    ("review", "Review and generate"),
];

/// The steps. Those that were reached are buttons of the form, so that going there keeps what was typed here.
pub(crate) fn stepper(current: usize, reached: usize) -> Markup {
    html! {
        nav.stepper aria-label="Steps" {
            ol {
                @for (n, (step, name)) in STEPS.into_iter().enumerate() {
                    @let state = if n == current { "current" } else if n < reached { "done" } else { "" };
                    li.(state) aria-current=[(n == current).then_some("step")] {
                        span.number aria-hidden="true" {
                            @if n < reached && n != current { (icon("check")) } @else { (n + 1) }
                        }
                        @if n != current && n <= reached {
                            button.quiet type="submit" form="step" name="go" value=(step) { (name) }
                        } @else { span { (name) } }
                        @if n < reached && n != current { span.hidden { "(done)" } }
                    }
                }
            }
        }
    }
}
