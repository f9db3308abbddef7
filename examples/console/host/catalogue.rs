//! What a key can be allowed to call, as a person searches for it. The host has it in a database; here it is a table.

use super::{agents::AGENTS, prompts::PROMPTS};

/// An agent or a prompt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
}

/// Which of the two catalogues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Agents,
    Prompts,
}

impl Kind {
    /// As fields and addresses name it.
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Prompts => "prompts",
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Agents => Self::Prompts,
            Self::Prompts => Self::Agents,
        }
    }

    pub(crate) const fn singular(self) -> &'static str {
        match self {
            Self::Agents => "agent",
            Self::Prompts => "prompt",
        }
    }

    pub(crate) const fn all(self) -> &'static [Item] {
        match self {
            Self::Agents => AGENTS,
            Self::Prompts => PROMPTS,
        }
    }

    pub(crate) fn find(self, id: &str) -> Option<&'static Item> {
        self.all().iter().find(|item| item.id == id)
    }

    /// Those in which every word of `sought` is found.
    pub(crate) fn search(self, sought: &str) -> impl Iterator<Item = &'static Item> {
        let words: Vec<String> = sought.split_whitespace().map(str::to_lowercase).collect();
        self.all().iter().filter(move |item| {
            let text = format!("{} {} {}", item.id, item.name, item.about).to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
    }
}
