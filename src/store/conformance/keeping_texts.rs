//! Rules of keeping texts and ids.

use super::Fixture;
use super::kept::{comes_back, key_comes_back, start};
use super::ruling::{Ruling, same};
use super::samples::valid;
use crate::domain::{Actor, EnvironmentId, KeyId, KeyQuery, ProjectId, Scope};

/// A character of four bytes in UTF-8 and of two units in UTF-16.
const LONG: &str = "\u{1D11E}";

pub(super) async fn names_are_kept<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    for (what, name) in [
        ("a name of 100 characters of 4 bytes", LONG.repeat(100)),
        ("a name of one character", "x".to_owned()),
        ("a name with letters of both cases", "Straße ÉTÉ éTé İstanbul".to_owned()),
        ("a name that Unicode could compose", "e\u{301} is not \u{e9}".to_owned()),
        ("a name with what SQL and patterns mean something by", r#"'; -- % _ \ " ` $1 ?"#.to_owned()),
        ("a name with two spaces in a row", "two  spaces".to_owned()),
        ("a name that looks like a number", "007".to_owned()),
        ("a name that looks like nothing", "null".to_owned()),
    ] {
        key_comes_back(&set, what, |key| key.name = name).await?;
    }
    Ok(())
}

pub(super) async fn descriptions_are_kept<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    for (what, description) in [
        ("a description of 1000 characters of 4 bytes", LONG.repeat(1_000)),
        ("an empty description", String::new()),
        ("a description with line breaks", "one\n\ntwo\n three".to_owned()),
        (
            "a description with what SQL and JSON mean something by",
            r#"'; -- {"a": "\n"} \ "#.trim().to_owned(),
        ),
    ] {
        key_comes_back(&set, what, |key| key.description = description).await?;
    }
    Ok(())
}

pub(super) async fn ids_of_the_host_are_kept<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    let longest = |end: &str| format!("{}{end}", "!~'\"%_\\/:;,.".repeat(11).get(..127).unwrap_or_default());
    let project = format!("{}~{}", set.1.project, longest("").get(..90).unwrap_or_default());
    let project = valid(ProjectId::new(project))?;
    let environment = valid(EnvironmentId::new(longest("E")))?;
    let agents = valid(Scope::parse([longest("a"), longest("A")]))?;
    let prompts = valid(Scope::parse([longest("p")]))?;
    key_comes_back(&set, "ids of 128 bytes", |key| {
        (key.project, key.environment) = (project, environment);
        (key.agents, key.prompts) = (agents, prompts);
    })
    .await?;
    for actor in [Actor::user(longest("u")), Actor::system(longest("s")), Actor::user("system:ada")] {
        let actor = valid(actor)?;
        let what = format!("the actor {actor}");
        let made = set.1.key_with(|key| key.created_by = actor)?;
        comes_back(&set.0, &made, &what).await?;
    }
    Ok(())
}

pub(super) async fn ids_tell_upper_from_lower_case<F: Fixture>(fixture: &F) -> Ruling {
    let (store, samples) = start(fixture).await?;
    let drawn = samples.key_id()?.to_string();
    // With one letter at least, whatever was drawn.
    let rest = drawn.get(1..).unwrap_or_default();
    let [lower, upper] = [valid(KeyId::new(format!("a{rest}")))?, valid(KeyId::new(format!("A{rest}")))?];
    let project = valid(ProjectId::new(format!("{}-a", samples.project)))?;
    let other = valid(ProjectId::new(format!("{}-A", samples.project)))?;
    let made = samples.key_with(|key| (key.id, key.project) = (lower, project.clone()))?;
    store.put(&made).await?;
    same("`get` of an id that differs from a stored one in case", &store.get(upper).await?, &None)?;
    let second = samples.key_with(|key| (key.id, key.project) = (upper, other.clone()))?;
    store.put(&second).await?;
    let listed = store.keys(&other, &KeyQuery::default()).await?;
    let expected = vec![second.key.key().clone()];
    same("`list` of a project that differs from another in case", &listed, &expected)?;
    same("`get` of the first of two ids that differ in case", &store.get(lower).await?, &Some(made.key))
}
