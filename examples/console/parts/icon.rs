//! Small drawings in the colour of the text beside them. Each stands beside words, so none has a name of its own.

use maud::{Markup, html};

/// The drawing of this name, one line on a grid of 16.
pub(crate) fn icon(name: &str) -> Markup {
    let path = match name {
        "check" => "M3 8.5 6.5 12 13 4.5",
        "pause" => "M6 4v8M10 4v8",
        "cross" => "m4.5 4.5 7 7m0-7-7 7",
        "clock" => "M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z",
        "key" => "M10.5 9.5a4 4 0 1 0-3.6-2.3L2 12v2h2.5v-1.5H6V11h1.5l1-1.2a4 4 0 0 0 2-.3ZM11 5h.01",
        "plus" => "M8 3v10M3 8h10",
        "lock" => "M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2",
        "warning" => "M8 6v3.2M8 11.5h.01M8 2.2 14.5 13.5h-13Z",
        "info" => "M8 7.2V11M8 5h.01M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z",
        "left" => "M10 3.5 5.5 8l4.5 4.5",
        "right" => "M6 3.5 10.5 8 6 12.5",
        "search" => "m10.5 10.5 3.5 3.5M11.8 7a4.8 4.8 0 1 1-9.6 0 4.8 4.8 0 0 1 9.6 0Z",
        _ => "",
    };
    html! {
        svg.icon viewBox="0 0 16 16" aria-hidden="true" focusable="false" { path d=(path) {} }
    }
}
