//! Which agents or prompts: all, these, or none; these are picked from the catalogue by searching.
//!
//! Searching sends the whole form, so that what is picked or typed is kept, and is answered by a redirect to a page
//! with the search in its address. What is picked always stands above what was found: a form that is sent says all.

use maud::{Markup, html};

use super::form::choice;
use super::icon::icon;
use super::mistakes::Mistakes;
use crate::host::catalogue::{Item, Kind};
use crate::host::drafts::Access;

/// How many of the catalogue are shown at once.
const SHOWN: usize = 12;

/// The choice for one kind. `sought` is what was searched for. A key that reaches nothing of the `other` kind must reach
/// something of this one, which is said before someone chooses.
pub(crate) fn picker(
    kind: Kind,
    access: &Access,
    other: Option<&Access>,
    sought: &str,
    mistakes: &Mistakes,
) -> Markup {
    let (plural, group) = (kind.plural(), format!("{}_choice", kind.plural()));
    let chosen = access.choice.as_str();
    let must = other.is_some_and(|other| other.choice == "none");
    html! {
        fieldset.field.picker id=(plural) tabindex="-1"
            aria-describedby=[mistakes.has(plural).then(|| format!("{plural}-mistake"))] {
            legend { "Which " (plural) " may this key call?" }
            (mistakes.beside(plural))
            @if must {
                p.hint { "This key calls no " (kind.other().plural()) ", so it must call at least one " (kind.singular()) "." }
            }
            div.cards {
                (choice(&group, "all", chosen, &format!("All {plural}, including those created later"),
                    &format!("The key reaches every {} of this project, today’s and tomorrow’s.", kind.singular())))
                (choice(&group, "these", chosen, &format!("Only these {plural}"),
                    &format!("The key reaches those that are picked below, and no {} created later.", kind.singular())))
                (choice(&group, "none", chosen, &format!("No {plural}"), match kind {
                    _ if must => "Not for this key, which would then reach nothing.",
                    Kind::Agents => "For a key that calls prompts alone.",
                    Kind::Prompts => "For a key that calls agents alone.",
                }))
            }
            (catalogue(kind, access, sought))
        }
    }
}

fn catalogue(kind: Kind, access: &Access, sought: &str) -> Markup {
    let plural = kind.plural();
    let is_picked = |item: &Item| access.picked.iter().any(|id| id == item.id);
    let found: Vec<&Item> = kind.search(sought).filter(|item| !is_picked(item)).collect();
    html! {
        div.catalogue id={ (plural) "-catalogue" } {
            div.search role="search" aria-label={ "Search the " (plural) } {
                label for={ (plural) "-search" } { "Search the " (plural) }
                div {
                    input id={ (plural) "-search" } type="search" name={ (plural) "_q" } value=(sought)
                        placeholder="Name, id or purpose" autocomplete="off";
                    button type="submit" name="go" value={ "search-" (plural) } { (icon("search")) "Search" }
                }
            }
            @if !access.picked.is_empty() {
                h2 id={ (plural) "-picked" } { "Picked " span.count { (access.picked.len()) } }
                ul.items aria-labelledby={ (plural) "-picked" } {
                    @for id in &access.picked {
                        @let item = kind.find(id);
                        (tick(kind, id, item.map_or(id, |item| item.name),
                            item.map_or("No longer in the catalogue", |item| item.about), true))
                    }
                }
            }
            @if sought.is_empty() && !access.picked.is_empty() {
                details { summary { "Pick more of " (found.len()) } (offer(kind, &found, sought)) }
            } @else { (offer(kind, &found, sought)) }
        }
    }
}

/// What is not picked, or was searched for and is not picked.
fn offer(kind: Kind, found: &[&Item], sought: &str) -> Markup {
    let plural = kind.plural();
    html! {
        h2 id={ (plural) "-found" } {
            @if sought.is_empty() { "In the catalogue" } @else { "Found for “" (sought) "”" }
            " " span.count { (found.len()) }
        }
        @if found.is_empty() {
            p.muted { @if sought.is_empty() { "Everything there is has been picked." } @else { "Nothing else matches." } }
        }
        @if !sought.is_empty() && !found.is_empty() { p.hint { "What you tick is kept when you search again." } }
        ul.items aria-labelledby={ (plural) "-found" } {
            @for item in found.iter().take(SHOWN) { (tick(kind, item.id, item.name, item.about, false)) }
        }
        @if found.len() > SHOWN {
            p.muted { "The first " (SHOWN) " are shown. Search for the others: what you tick is kept." }
        }
    }
}

fn tick(kind: Kind, id: &str, name: &str, about: &str, picked: bool) -> Markup {
    let (plural, field) = (kind.plural(), format!("{}-item-{id}", kind.singular()));
    html! {
        li {
            input type="checkbox" name=(plural) value=(id) id=(field) checked[picked]
                aria-describedby={ (field) "-about" };
            label for=(field) { (name) " " code { (id) } }
            p id={ (field) "-about" } { (about) }
        }
    }
}
