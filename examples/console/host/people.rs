//! Stand-in for the host's accounts: two projects with two people each.

/// Someone who may manage the keys of one project.
#[derive(Debug)]
pub(crate) struct Person {
    /// Under which the history names them.
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) project: &'static str,
}

pub(crate) const PEOPLE: [Person; 4] = [
    Person { id: "ada", name: "Ada Moreau", project: "checkout" },
    Person { id: "ben", name: "Ben Okafor", project: "checkout" },
    Person { id: "chi", name: "Chi Nakamura", project: "support" },
    Person { id: "dana", name: "Dana Lindqvist", project: "support" },
];

/// The person with this id.
pub(crate) fn person(id: &str) -> Option<&'static Person> {
    PEOPLE.iter().find(|person| person.id == id)
}

/// What people call a project.
pub(crate) fn project_name(id: &str) -> &str {
    match id {
        "checkout" => "Checkout",
        "support" => "Support",
        other => other,
    }
}
