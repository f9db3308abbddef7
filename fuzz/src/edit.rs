//! An edit as a web form sends it.

use std::sync::LazyLock;

use access_keys::{Edit, EditForm, Invalids, Revision};
use chrono::DateTime;

use crate::answer::{Checked, Target, outcome, quiet, quiet_debug, same};
use crate::form::{self, Reference, WORDS, Whole, choice, mistakes, text};
use crate::host::host;
use crate::json::Tree;
use crate::mistake::{self, Mistake};
use crate::naive;

/// What is run.
pub static TARGET: Target = Target {
    name: "edit",
    check,
    samples: LazyLock::new(samples),
    words: WORDS,
    is_json: true,
    mistakes: &[Mistake::NoSign, Mistake::PastStaysPast],
};

const FIELDS: [&str; 6] = ["name", "description", "expires_at", "agents", "prompts", "revision"];

/// Compares whether it is read, and which edit it becomes, before and after the stored expiry.
pub fn check(data: &[u8]) -> Checked {
    let tree = Tree::read(data);
    let expected = tree.as_ref().and_then(read);
    let decoded = serde_json::from_slice::<EditForm>(data);
    same("whether it is a form", &decoded.is_ok(), &expected.is_some())?;
    let (form, (reference, revision)) = match (decoded, expected) {
        (Ok(form), Some(reference)) => (form, reference),
        (Err(told), _) => return quiet(told).map(|()| outcome(false)),
        (Ok(_), None) => return Ok(outcome(false)),
    };
    quiet_debug(&form)?;
    let key = &host().issued[0].key;
    let stored = key.expires_at.map(|time| time.timestamp_micros());
    let mut accepted = false;
    for days in [0, 91] {
        let now = host().now + chrono::TimeDelta::days(days);
        let in_time = |micros| Some(micros) == stored || micros > now.timestamp_micros();
        let expected = with_revision(reference.read(false, in_time), revision);
        let edit = edit(&form, days);
        same("the mistakes", &edit.as_ref().err().map(mistakes), &expected.as_ref().err().cloned())?;
        match (edit, &expected) {
            (Ok(edit), Ok(expected)) => same("the edit", &edit, expected)?,
            (Err(invalids), _) => quiet(invalids)?,
            (Ok(_), Err(_)) => {}
        }
        accepted |= expected.is_ok();
    }
    let stale = naive::revision(revision) != Some(key.revision.get());
    same("whether it is stale", &form.is_stale(key), &stale)?;
    Ok(outcome(accepted))
}

fn read(tree: &Tree) -> Option<(Reference<'_>, &str)> {
    let [name, description, expires_at, agents, prompts, revision] = tree.fields(FIELDS)?;
    let form = Reference {
        name: text(name)?,
        description: text(description)?,
        environment: "",
        expires_at: text(expires_at)?,
        agents: choice(agents)?,
        prompts: choice(prompts)?,
    };
    Some((form, text(revision)?))
}

fn with_revision(read: Result<Whole, form::Mistakes>, revision: &str) -> Result<Edit, form::Mistakes> {
    let revision = naive::revision(revision).and_then(|number| Revision::new(number).ok());
    let Some(revision) = revision else {
        let mut wrong = read.err().unwrap_or_default();
        wrong.push(("revision", None));
        return Err(wrong);
    };
    let whole = read?;
    let edit = Edit::new().name(whole.name).expect("a name").description(whole.description).expect("a description");
    let edit = match whole.expires_at.and_then(DateTime::from_timestamp_micros) {
        None => edit.never_expires(),
        Some(time) => edit.expires_at(time),
    };
    Ok(edit.agents(whole.agents).prompts(whole.prompts).if_revision(revision))
}

fn edit(form: &EditForm, days: i64) -> Result<Edit, Invalids> {
    let mut key = host().issued[0].key.clone();
    let mut form = form.clone();
    if mistake::is(Mistake::NoSign) && form.revision.contains('+') {
        form.revision.clear();
    }
    if mistake::is(Mistake::PastStaysPast) {
        key.expires_at = None;
    }
    form.edit(&key, host().now + chrono::TimeDelta::days(days))
}

fn samples() -> Vec<Vec<u8>> {
    let form = serde_json::to_string(&EditForm::of(&host().issued[0].key)).unwrap_or_default();
    let texts = [
        form.as_str(),
        r#"{"name":"Mobile app 2","description":"","expires_at":"never","agents":["support-bot"],"prompts":"all","revision":"1"}"#,
        r#"{"name":"x","expires_at":"2031-01-31T12:00","agents":[],"prompts":["a"],"revision":" +7 "}"#,
        r#"{"name":"x","expires_at":"","agents":"","prompts":"","revision":"0"}"#,
        "{}",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
