//! Keys and edits that are being written, as their pages hold them between requests.
//!
//! They become a [`KeyForm`] or an [`EditForm`] when they are checked. What a page keeps beyond that is what was picked
//! before someone chose "all", so that choosing back loses nothing.

use access_keys::domain::ScopeForm;
use access_keys::{AccessKey, EditForm, KeyForm, KeyId};
use chrono::{DateTime, Days, SecondsFormat, Utc};

use super::catalogue::Kind;
use super::fields::Fields;

/// A key being created.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewKey {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) environment: String,
    pub(crate) expiry: Expiry,
    pub(crate) agents: Access,
    pub(crate) prompts: Access,
    /// How far the steps were taken; those before can be gone back to.
    pub(crate) reached: usize,
    /// The key that came of it.
    pub(crate) made: Option<KeyId>,
}

impl NewKey {
    pub(crate) fn form(&self) -> KeyForm {
        let mut form = KeyForm::default();
        form.name.clone_from(&self.name);
        form.description.clone_from(&self.description);
        form.environment.clone_from(&self.environment);
        form.expires_at.clone_from(&self.expiry.at);
        form.agents = self.agents.form();
        form.prompts = self.prompts.form();
        form
    }

    pub(crate) const fn access(&mut self, kind: Kind) -> &mut Access {
        match kind {
            Kind::Agents => &mut self.agents,
            Kind::Prompts => &mut self.prompts,
        }
    }
}

/// An edit being written.
#[derive(Clone, Debug)]
pub(crate) struct EditDraft {
    /// The key as the editor first saw it, or as it was when someone else's changes were taken in.
    pub(crate) base: EditForm,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) expiry: Expiry,
    pub(crate) agents: Access,
    pub(crate) prompts: Access,
    /// The revision since which others changed the key, once that was found.
    pub(crate) overtaken_at: Option<String>,
    pub(crate) saved: bool,
}

impl EditDraft {
    pub(crate) fn of(key: &AccessKey) -> Self {
        let base = EditForm::of(key);
        Self {
            name: base.name.clone(),
            description: base.description.clone(),
            expiry: Expiry::stored(&base.expires_at),
            agents: Access::of(&base.agents),
            prompts: Access::of(&base.prompts),
            overtaken_at: None,
            saved: false,
            base,
        }
    }

    pub(crate) fn form(&self) -> EditForm {
        let mut form = self.base.clone();
        form.name.clone_from(&self.name);
        form.description.clone_from(&self.description);
        form.expires_at.clone_from(&self.expiry.at);
        form.agents = self.agents.form();
        form.prompts = self.prompts.form();
        form
    }

    /// Whether anything was typed that the key is not.
    pub(crate) fn is_touched(&self) -> bool {
        self.form() != self.base
    }

    pub(crate) fn read(&mut self, fields: &Fields) {
        fields.one("name").clone_into(&mut self.name);
        fields.one("description").clone_into(&mut self.description);
        self.expiry = Expiry::read(fields, &self.base.expires_at);
        self.agents = Access::read(fields, Kind::Agents);
        self.prompts = Access::read(fields, Kind::Prompts);
    }

    /// Takes in what others changed: a field that was typed stays, one that was not touched shows the key as it is.
    pub(crate) fn take_in(&mut self, key: &AccessKey) {
        let (typed, now) = (self.form(), Self::of(key));
        if typed.name == self.base.name {
            self.name = now.name;
        }
        if typed.description == self.base.description {
            self.description = now.description;
        }
        if typed.expires_at == self.base.expires_at {
            self.expiry = now.expiry;
        }
        if typed.agents == self.base.agents {
            self.agents = now.agents;
        }
        if typed.prompts == self.base.prompts {
            self.prompts = now.prompts;
        }
        self.overtaken_at.get_or_insert_with(|| self.base.revision.clone());
        self.base = now.base;
    }
}

/// When a key ends, as a choice and as the time that came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expiry {
    /// `keep`, a number of days, `date` or `never`.
    pub(crate) choice: String,
    /// What was typed for `date`.
    pub(crate) date: String,
    /// For the form that is checked.
    pub(crate) at: String,
}

impl Expiry {
    /// The choices that are a number of days, with their words.
    pub(crate) const DAYS: [(&'static str, &'static str); 3] =
        [("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year")];

    fn stored(at: &str) -> Self {
        Self { choice: "keep".to_owned(), date: String::new(), at: at.to_owned() }
    }

    /// `stored` is what the key has, to the microsecond, which no date field could send back.
    pub(crate) fn read(fields: &Fields, stored: &str) -> Self {
        let choice = fields.one("expires").to_owned();
        let date = fields.one("expires_date").to_owned();
        let at = match choice.as_str() {
            "keep" => stored.to_owned(),
            "never" => "never".to_owned(),
            "date" => date.clone(),
            other => match Self::DAYS.iter().find(|(days, _)| *days == other) {
                Some((days, _)) => in_days(days),
                None => String::new(),
            },
        };
        Self { choice, date, at }
    }
}

fn in_days(days: &str) -> String {
    let end = days.parse().ok().and_then(|days| Utc::now().checked_add_days(Days::new(days)));
    end.map(|end: DateTime<Utc>| end.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}

/// Which agents or prompts, as a choice and as what was picked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    /// `all`, `these`, `none`, or nothing yet.
    pub(crate) choice: String,
    pub(crate) picked: Vec<String>,
}

impl Access {
    fn of(form: &ScopeForm) -> Self {
        let (choice, picked) = match form {
            ScopeForm::Unanswered => ("", Vec::new()),
            ScopeForm::All => ("all", Vec::new()),
            ScopeForm::Specific(ids) if ids.is_empty() => ("none", Vec::new()),
            ScopeForm::Specific(ids) => ("these", ids.clone()),
        };
        Self { choice: choice.to_owned(), picked }
    }

    pub(crate) fn read(fields: &Fields, kind: Kind) -> Self {
        let choice = fields.one(&format!("{}_choice", kind.plural())).to_owned();
        let mut picked: Vec<String> = Vec::new();
        for id in fields.all(kind.plural()) {
            if !picked.iter().any(|known| known == id) {
                picked.push(id.to_owned());
            }
        }
        Self { choice, picked }
    }

    fn form(&self) -> ScopeForm {
        match self.choice.as_str() {
            "all" => ScopeForm::All,
            "none" => ScopeForm::Specific(Vec::new()),
            "these" => ScopeForm::Specific(self.picked.clone()),
            _ => ScopeForm::Unanswered,
        }
    }
}
