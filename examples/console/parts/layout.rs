//! The frame of every page: head, skip link, bar, main.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets::{MARK, SCRIPT, STYLE};
use super::form::csrf;
use crate::host::member::{Member, home};
use crate::host::people::project_name;

/// A page of someone who is signed in.
pub(crate) fn page(title: &str, member: &Member, main: &Markup) -> Markup {
    let person = member.person;
    let bar = html! {
        a.mark href=(home(person)) {
            img src=(MARK.address) alt="" width="24" height="24";
            span { "Acme" }
        }
        span.where { span.slash aria-hidden="true" { "/" } span.hidden { "Project: " } (project_name(person.project)) }
        nav aria-label="Project" { a href=(home(person)) aria-current="true" { "Access keys" } }
        form.person method="post" action="/sign-out" {
            (csrf(&member.session))
            span { span.hidden { "Signed in as " } (person.name) }
            button.quiet type="submit" { "Sign out" }
        }
    };
    frame(title, &bar, main)
}

/// What stands before and after the last of a page that is not known yet: `main` is what comes before it.
pub(crate) fn around(title: &str, member: &Member, main: &Markup) -> (String, String) {
    // Whatever a person typed is escaped, so it is none of these.
    const GAP: &str = "<!-- -->";
    let whole = page(title, member, &html! { (main) (PreEscaped(GAP)) }).into_string();
    whole.split_once(GAP).map(|(head, tail)| (head.to_owned(), tail.to_owned())).unwrap_or_default()
}

/// A page of nobody in particular.
pub(crate) fn bare(title: &str, main: &Markup) -> Markup {
    let bar = html! {
        a.mark href="/" {
            img src=(MARK.address) alt="" width="24" height="24";
            span { "Acme" }
        }
    };
    frame(title, &bar, main)
}

fn frame(title: &str, bar: &Markup, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Access keys" }
                link rel="icon" href=(MARK.address) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE.address);
                script src=(SCRIPT.address) defer {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.bar { div { (bar) } }
                main #main tabindex="-1" { (main) }
            }
        }
    }
}
