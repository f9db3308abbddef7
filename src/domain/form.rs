//! A key or an edit as a web form holds it: raw text, all mistakes at once, kept between requests.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::quiet::read_quietly;
use super::scope::check_reach;
use super::{
    AccessKey, Edit, EnvironmentId, Field, Invalid, Invalids, KeyInfo, ResourceId, Review, Revision, Rule,
    Scope, ScopeForm, text, time,
};

/// How many mistakes there are before those in the ids of a scope are no longer told.
const MISTAKES_MAX: usize = 1_000;

/// `Debug` that tells how long each text is: people paste tokens into forms.
macro_rules! hide_text {
    ($form:ident { $($text:ident),* } { $($scope:ident),* }) => {
        impl fmt::Debug for $form {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($form))
                    $(.field(stringify!($text), &format_args!("{} bytes", self.$text.len())))*
                    $(.field(stringify!($scope), &self.$scope))*
                    .finish()
            }
        }
    };
}

/// A key being created, as a web form holds it between requests.
///
/// Every field is raw text: nothing is checked until [`review`](Self::review), which finds all mistakes
/// at once. In serde an absent field is empty and an unknown field is an error; there is no field for
/// anything that a form must not decide, such as the project. An empty field never means the most:
/// access must be chosen, and a key without an expiry says `never`. Spaces around an id are taken off.
/// How large a form may be is the host's to limit, before it is decoded.
///
/// ```
/// use std::time::SystemTime;
/// use access_keys::{KeyForm, domain::Field};
///
/// let mut form: KeyForm = serde_json::from_str(r#"{
///     "name": "Mobile app", "environment": "production", "expires_at": "never",
///     "agents": ["support bot", "triage"], "prompts": "all"
/// }"#)?;
/// let mistakes = form.review(SystemTime::now()).unwrap_err();
/// assert_eq!(mistakes.to_string(),
///     "agents (item 1) must be visible ASCII without spaces, character 8 is not");
///
/// form.agents = ["support-bot", "triage"].into_iter().collect();
/// let review = form.review(SystemTime::now())?;
/// assert_eq!(review.name(), "Mobile app");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyForm {
    /// The name.
    pub name: String,
    /// The description; may be empty.
    pub description: String,
    /// The environment's id.
    pub environment: String,
    /// `never`, a time in RFC 3339, or what a `datetime-local` field sends (taken as UTC).
    pub expires_at: String,
    /// Which agents.
    pub agents: ScopeForm,
    /// Which prompts.
    pub prompts: ScopeForm,
}

read_quietly! {
    #[serde(deny_unknown_fields)]
    KeyForm {
        #[serde(default)]
        name: String,
        #[serde(default)]
        description: String,
        #[serde(default)]
        environment: String,
        #[serde(default)]
        expires_at: String,
        #[serde(default)]
        agents: ScopeForm,
        #[serde(default)]
        prompts: ScopeForm,
    }
}
hide_text!(KeyForm { name, description, environment, expires_at } { agents, prompts });

impl KeyForm {
    /// The form of another key like `key`: with its texts, environment, expiry and scope. For a client whose key was
    /// revoked; an expiry that has passed is a mistake until it is set anew.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
    /// use access_keys::KeyForm;
    ///
    /// # pollster::block_on(async {
    /// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let review = project.draft()
    /// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
    /// #     .agents(Scope::All)
    /// #     .prompts(Scope::All)?;
    /// # let key = project.generate(review).await?.key;
    /// project.revoke(key.id, "leaked").await?;
    /// let issued = project.generate(project.review(&KeyForm::of(&key))?).await?;
    /// assert_eq!(issued.key.agents, key.agents);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn of(key: &AccessKey) -> Self {
        Self {
            name: key.name.clone(),
            description: key.description.clone(),
            environment: key.environment.to_string(),
            expires_at: time::write_expiry(key.expires_at),
            agents: (&key.agents).into(),
            prompts: (&key.prompts).into(),
        }
    }

    /// Checks every field by the rules of the steps of a [`Draft`](crate::Draft), at `now`.
    ///
    /// # Errors
    /// [`Invalids`]: every mistake in every field, and of those in the ids of a scope at least the first thousand.
    ///
    /// # Panics
    /// In chrono's conversion, for a `SystemTime` beyond the year 262142.
    pub fn review(&self, now: impl Into<DateTime<Utc>>) -> Result<Review, Invalids> {
        self.review_where(now.into(), |_| Ok(()))
    }

    /// The same, where the environment must also pass `check`.
    pub(crate) fn review_where(
        &self,
        now: DateTime<Utc>,
        check: impl FnOnce(&EnvironmentId) -> Result<(), Invalid>,
    ) -> Result<Review, Invalids> {
        let now = time::micros(now);
        let mut mistakes = Mistakes::default();
        let name = mistakes.keep(text::name(&self.name));
        let description = mistakes.keep(text::paragraph(Field::Description, &self.description));
        let environment = EnvironmentId::new(self.environment.trim());
        let environment = mistakes.keep(environment.and_then(|id| check(&id).map(|()| id)));
        let expires_at = mistakes.keep(
            time::read_expiry(&self.expires_at)
                .and_then(|expires_at| time::check_expiry(expires_at, now).map(|()| expires_at)),
        );
        let agents = mistakes.keep_scope(&self.agents);
        let prompts = mistakes.keep_scope(&self.prompts);
        if let (Some(agents), Some(prompts)) = (&agents, &prompts) {
            mistakes.keep(check_reach(agents, prompts));
        }
        mistakes.finish(|| {
            let (name, description, environment) = (name?, description?, environment?);
            let info = KeyInfo { name, description, environment, expires_at: expires_at? };
            Some(Review::new(info, agents?, prompts?, now))
        })
    }
}

/// An edit of a key, as a web form holds it between requests.
///
/// Begins [`of`](Self::of) a key, sends every field back, and remembers the revision that the editor saw.
///
/// ```
/// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
/// use access_keys::EditForm;
///
/// # pollster::block_on(async {
/// # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
/// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
/// # let review = project.draft()
/// #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
/// #     .agents(Scope::All)
/// #     .prompts(Scope::All)?;
/// # let key = project.generate(review).await?.key;
/// let mut form = EditForm::of(&key);       // shown, sent back, perhaps several times
/// form.name = "Mobile app 2".to_owned();
/// let edit = form.edit(&key, std::time::SystemTime::now())?;
/// let change = project.edit(key.id, edit).await?;
/// assert_eq!(change.key().name, "Mobile app 2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EditForm {
    /// The name.
    pub name: String,
    /// The description; may be empty.
    pub description: String,
    /// `never`, a time in RFC 3339, or what a `datetime-local` field sends (taken as UTC). Begins with the stored time to
    /// the microsecond. What such a field makes of that, cut to its minutes or seconds, is the stored time still: forms
    /// send every field back. Who means a moment within that minute writes it in RFC 3339.
    pub expires_at: String,
    /// Which agents.
    pub agents: ScopeForm,
    /// Which prompts.
    pub prompts: ScopeForm,
    /// The revision that the editor saw.
    pub revision: String,
}

read_quietly! {
    #[serde(deny_unknown_fields)]
    EditForm {
        #[serde(default)]
        name: String,
        #[serde(default)]
        description: String,
        #[serde(default)]
        expires_at: String,
        #[serde(default)]
        agents: ScopeForm,
        #[serde(default)]
        prompts: ScopeForm,
        #[serde(default)]
        revision: String,
    }
}
hide_text!(EditForm { name, description, expires_at, revision } { agents, prompts });

impl EditForm {
    /// The form that shows `key` as it is.
    #[must_use]
    pub fn of(key: &AccessKey) -> Self {
        Self {
            name: key.name.clone(),
            description: key.description.clone(),
            expires_at: time::write_expiry(key.expires_at),
            agents: (&key.agents).into(),
            prompts: (&key.prompts).into(),
            revision: key.revision.to_string(),
        }
    }

    /// Whether `key` has changed since the editor saw it, so that the edit would be refused as a conflict.
    #[must_use]
    pub fn is_stale(&self, key: &AccessKey) -> bool {
        self.revision.trim().parse() != Ok(key.revision)
    }

    /// Checks every field by the rules of an [`Edit`] of `key` at `now`.
    ///
    /// `key` is the key as it is stored now. The edit carries the revision that the editor saw, and is
    /// refused as a conflict when someone else changed the key since.
    ///
    /// # Errors
    /// [`Invalids`]: every mistake in every field, and of those in the ids of a scope at least the first thousand.
    ///
    /// # Panics
    /// In chrono's conversion, for a `SystemTime` beyond the year 262142.
    pub fn edit(&self, key: &AccessKey, now: impl Into<DateTime<Utc>>) -> Result<Edit, Invalids> {
        let now = time::micros(now.into());
        let mut mistakes = Mistakes::default();
        let name = mistakes.keep(text::name(&self.name));
        let description = mistakes.keep(text::paragraph(Field::Description, &self.description));
        let expires_at = mistakes.keep(time::read_expiry(&self.expires_at).and_then(|expires_at| {
            let stored = key.expires_at.filter(|stored| time::is_cut(&self.expires_at, *stored));
            let expires_at = stored.or(expires_at);
            if expires_at != key.expires_at {
                time::check_expiry(expires_at, now)?;
            }
            Ok(expires_at)
        }));
        let agents = mistakes.keep_scope(&self.agents);
        let prompts = mistakes.keep_scope(&self.prompts);
        if let (Some(agents), Some(prompts)) = (&agents, &prompts) {
            mistakes.keep(check_reach(agents, prompts));
        }
        let revision = mistakes.keep(self.revision.trim().parse::<Revision>());
        mistakes.finish(|| {
            let edit = Edit::new().name(name?).ok()?.description(description?).ok()?;
            let edit = edit.expiry(expires_at?).agents(agents?).prompts(prompts?);
            Some(edit.if_revision(revision?))
        })
    }
}

/// What the rules found, field by field.
#[derive(Default)]
struct Mistakes(Vec<Invalid>);

impl Mistakes {
    fn keep<T>(&mut self, checked: Result<T, Invalid>) -> Option<T> {
        checked.map_err(|invalid| self.0.push(invalid)).ok()
    }

    fn keep_scope<T: ResourceId>(&mut self, form: &ScopeForm) -> Option<Scope<T>> {
        match form {
            ScopeForm::All => Some(Scope::All),
            ScopeForm::Unanswered => {
                let rule = Rule::Missing { expected: "\"all\" or a list of ids" };
                self.keep(Err(Invalid::new(T::FIELD, rule)))
            }
            ScopeForm::Specific(texts) => {
                let ids: Vec<_> =
                    texts.iter().enumerate().map(|(i, text)| (i, text.trim().parse::<T>())).collect();
                let good: Vec<_> = ids
                    .into_iter()
                    .filter_map(|(i, id)| {
                        // So many mistakes are a broken form, and more would only fill memory.
                        if i >= MISTAKES_MAX && id.is_err() && self.0.len() >= MISTAKES_MAX {
                            return None;
                        }
                        self.keep(id.map_err(|invalid| invalid.in_field(T::FIELD).of_item(i + 1)))
                    })
                    .collect();
                let whole = good.len() == texts.len();
                self.keep(Scope::specific(good)).filter(|_| whole)
            }
        }
    }

    /// The result, unless there were mistakes.
    fn finish<T>(self, result: impl FnOnce() -> Option<T>) -> Result<T, Invalids> {
        Invalids::unless_empty(self.0)?;
        result().ok_or_else(|| Invalid::new(Field::Name, Rule::Missing { expected: "a whole form" }).into())
    }
}
