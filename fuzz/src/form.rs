//! A key as a web form sends it: what is read, and every mistake in it.

use std::sync::LazyLock;

use access_keys::domain::ScopeForm;
use access_keys::{AgentId, Invalids, KeyForm, PromptId, Review, Scope};

use crate::answer::{CANARY, Checked, Target, outcome, quiet, quiet_debug, same};
use crate::host::host;
use crate::json::Tree;
use crate::mistake::{self, Mistake};
use crate::naive;

/// What is run.
pub static TARGET: Target = Target {
    name: "form",
    check,
    samples: LazyLock::new(samples),
    words: WORDS,
    is_json: true,
    mistakes: &[Mistake::UnansweredIsAll, Mistake::SpaceInId, Mistake::ForgivesUnknown],
};

pub(crate) const WORDS: &[&str] = &[
    "all", "never", "name", "description", "environment", "expires_at", "agents", "prompts", "revision", "production",
    "support-bot", "triage", "2030-01-31T12:00:00Z", "2030-01-31T12:00", "2030-01-31T12:00:07.5", "2030-01-01T00:00:00Z",
    "2029-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "  ", "\u{34f}", "\u{3164}", "\r\n", "1", "+1",
    "9223372036854775808", CANARY,
];

const FIELDS: [&str; 6] = ["name", "description", "environment", "expires_at", "agents", "prompts"];

/// The field and the item of each mistake.
pub(crate) type Mistakes = Vec<(&'static str, Option<usize>)>;

/// Compares whether it is read, and what its review says.
pub fn check(data: &[u8]) -> Checked {
    let tree = Tree::read(data);
    let expected = tree.as_ref().and_then(read);
    let decoded = decode(data);
    same("whether it is a form", &decoded.is_ok(), &expected.is_some())?;
    let (form, reference) = match (decoded, expected) {
        (Ok(form), Some(reference)) => (form, reference),
        (Err(told), _) => return quiet(told).map(|()| outcome(false)),
        (Ok(_), None) => return Ok(outcome(false)),
    };
    quiet_debug(&form)?;
    let text = serde_json::to_string(&form).unwrap_or_default();
    // A set of one text is written as an array, whatever the text.
    same("read again", &serde_json::from_str::<KeyForm>(&text).ok().as_ref(), &Some(&form))?;
    let expected = reference.review();
    let reviewed = review(&form);
    same("the mistakes", &reviewed.as_ref().err().map(mistakes), &expected.as_ref().err().cloned())?;
    match (reviewed, &expected) {
        (Ok(review), Ok(whole)) => same("the review", &Whole::of(&review), whole)?,
        (Err(invalids), _) => quiet(invalids)?,
        (Ok(_), Err(_)) => {}
    }
    Ok(outcome(expected.is_ok()))
}

fn decode(data: &[u8]) -> Result<KeyForm, String> {
    let decoded = serde_json::from_slice(data);
    if decoded.is_err()
        && mistake::is(Mistake::ForgivesUnknown)
        && let Some(Tree::Map(mut entries)) = Tree::read(data)
    {
        entries.retain(|(name, _)| FIELDS.contains(&name.as_str()));
        let mut known = Vec::new();
        Tree::Map(entries).write(&mut known);
        return serde_json::from_slice(&known).map_err(|error| error.to_string());
    }
    decoded.map_err(|error| error.to_string())
}

fn review(form: &KeyForm) -> Result<Review, Invalids> {
    let mut form = form.clone();
    if mistake::is(Mistake::UnansweredIsAll) && form.agents == ScopeForm::Unanswered {
        form.agents = ScopeForm::All;
    }
    if let (true, ScopeForm::Specific(texts)) = (mistake::is(Mistake::SpaceInId), &mut form.agents) {
        texts.iter_mut().for_each(|text| *text = text.replace(' ', ""));
    }
    form.review(host().now)
}

pub(crate) fn mistakes(invalids: &Invalids) -> Mistakes {
    invalids.iter().map(|invalid| (invalid.field.as_str(), invalid.item)).collect()
}

/// What a form says, in plain words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) environment: String,
    pub(crate) expires_at: Option<i64>,
    pub(crate) agents: Scope<AgentId>,
    pub(crate) prompts: Scope<PromptId>,
}

impl Whole {
    fn of(review: &Review) -> Self {
        Self {
            name: review.name().to_owned(),
            description: review.description().to_owned(),
            environment: review.environment().to_string(),
            expires_at: review.expires_at().map(|time| time.timestamp_micros()),
            agents: review.agents().clone(),
            prompts: review.prompts().clone(),
        }
    }
}

/// A form as it is read.
pub(crate) struct Reference<'t> {
    pub(crate) name: &'t str,
    pub(crate) description: &'t str,
    pub(crate) environment: &'t str,
    pub(crate) expires_at: &'t str,
    pub(crate) agents: Choice<'t>,
    pub(crate) prompts: Choice<'t>,
}

/// What was chosen.
pub(crate) enum Choice<'t> {
    Nothing,
    All,
    These(Vec<&'t str>),
}

fn read(tree: &Tree) -> Option<Reference<'_>> {
    let [name, description, environment, expires_at, agents, prompts] = tree.fields(FIELDS)?;
    Some(Reference {
        name: text(name)?,
        description: text(description)?,
        environment: text(environment)?,
        expires_at: text(expires_at)?,
        agents: choice(agents)?,
        prompts: choice(prompts)?,
    })
}

pub(crate) fn text(tree: Option<&Tree>) -> Option<&str> {
    tree.map_or(Some(""), Tree::text)
}

pub(crate) fn choice(tree: Option<&Tree>) -> Option<Choice<'_>> {
    Some(match tree {
        None => Choice::Nothing,
        Some(Tree::Text(text)) if text.is_empty() => Choice::Nothing,
        Some(Tree::Text(text)) if text == "all" => Choice::All,
        Some(Tree::Text(text)) => Choice::These(vec![text]),
        Some(tree) => Choice::These(tree.array()?.iter().map(Tree::text).collect::<Option<_>>()?),
    })
}

/// The most mistakes that are told.
const TOLD: usize = 1_000;

impl Reference<'_> {
    fn review(&self) -> Result<Whole, Mistakes> {
        self.read(true, |micros| micros > host().now.timestamp_micros())
    }

    /// Every rule in the order of the fields. An edit has no environment, and its own rule for the expiry.
    pub(crate) fn read(&self, has_environment: bool, in_time: impl Fn(i64) -> bool) -> Result<Whole, Mistakes> {
        let mut wrong = Vec::new();
        let name = naive::name(self.name);
        wrong.extend(name.is_none().then_some(("name", None)));
        let description = naive::description(self.description);
        wrong.extend(description.is_none().then_some(("description", None)));
        let environment = self.environment.trim();
        wrong.extend((has_environment && !naive::is_host_id(environment)).then_some(("environment", None)));
        let (expiry, never) = (self.expires_at.trim(), self.expires_at.trim() == "never");
        let expires_at = naive::time_in_form(expiry).filter(|micros| in_time(*micros));
        wrong.extend((!never && expires_at.is_none()).then_some(("expires_at", None)));
        let agents = ids(&self.agents, "agents", &mut wrong);
        let prompts = ids(&self.prompts, "prompts", &mut wrong);
        let nothing = |scope: &Option<Option<Vec<&str>>>| *scope == Some(Some(Vec::new()));
        wrong.extend((nothing(&agents) && nothing(&prompts)).then_some(("agents", None)));
        match (name, description, agents, prompts) {
            (Some(name), Some(description), Some(agents), Some(prompts)) if wrong.is_empty() => Ok(Whole {
                name,
                description,
                environment: environment.to_owned(),
                expires_at,
                agents: agents.map_or(Scope::All, |ids| Scope::parse(ids).expect("ids")),
                prompts: prompts.map_or(Scope::All, |ids| Scope::parse(ids).expect("ids")),
            }),
            _ => Err(wrong),
        }
    }
}

/// `Some(None)` is all.
fn ids<'t>(choice: &Choice<'t>, field: &'static str, wrong: &mut Mistakes) -> Option<Option<Vec<&'t str>>> {
    let given = match choice {
        Choice::All => return Some(None),
        Choice::Nothing => {
            wrong.push((field, None));
            return None;
        }
        Choice::These(texts) => texts,
    };
    let mut good = Vec::new();
    for (i, text) in given.iter().enumerate() {
        if naive::is_host_id(text.trim()) {
            good.push(text.trim());
        } else if i < TOLD || wrong.len() < TOLD {
            wrong.push((field, Some(i + 1)));
        }
    }
    (good.len() == given.len()).then_some(Some(good))
}

fn samples() -> Vec<Vec<u8>> {
    let texts = [
        r#"{"name":"Mobile app","description":"iOS\r\nand Android","environment":"production","expires_at":"never","agents":["support-bot","triage"],"prompts":"all"}"#,
        r#"{"name":"Nightly batch","environment":" staging ","expires_at":"2030-04-01T00:00:00.123456789+02:00","agents":"all","prompts":[]}"#,
        r#"{"name":" Partner ","description":"","environment":"production","expires_at":" 2030-01-31T12:00 ","agents":"triage","prompts":["a"," b "]}"#,
        r#"{"name":"x","environment":"production","expires_at":"2030-01-31T12:00:07.25","agents":[],"prompts":["greeting"]}"#,
        r#"{"name":"x","environment":"production","expires_at":"never","agents":["support bot"],"prompts":""}"#,
        "{}",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
