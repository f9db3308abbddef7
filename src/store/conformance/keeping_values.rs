//! Rules of keeping scopes, statuses, times and digests.

use chrono::{DateTime, TimeDelta, Utc};

use super::Fixture;
use super::kept::{comes_back, key_comes_back, start};
use super::ruling::Ruling;
use super::samples::{Samples, Write, at, valid};
use crate::domain::{
    Action, AgentId, FieldChange, OperationId, Origin, PromptId, Scope, ScopeChange, Status,
};
use crate::store::StoredDigest;
use crate::token::Scheme;

pub(super) async fn scopes_of_10_000_ids_are_kept<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    let ids = |kind: &str| (0..10_000).map(|i| format!("{kind}-{i:05}")).collect::<Vec<_>>();
    let agents: Scope<AgentId> = valid(Scope::parse(ids("agent")))?;
    let prompts: Scope<PromptId> = valid(Scope::parse(ids("prompt")))?;
    let made = key_comes_back(&set, "two scopes of 10000 ids", |key| {
        (key.agents, key.prompts) = (agents.clone(), prompts);
    })
    .await?;
    let others = valid(Scope::parse(ids("other")))?;
    let change = ScopeChange::between(&agents, &others).map(FieldChange::Agents);
    let moved =
        set.1.changed(&made, Action::Edited, change.into_iter().collect(), |key| key.agents = others)?;
    comes_back(&set.0, &moved, "a scope of which 10000 ids were removed and as many added").await
}

pub(super) async fn an_empty_scope_is_not_all<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    key_comes_back(&set, "no agents and all prompts", |key| {
        (key.agents, key.prompts) = (Scope::none(), Scope::All);
    })
    .await?;
    key_comes_back(&set, "all agents and no prompts", |key| {
        (key.agents, key.prompts) = (Scope::All, Scope::none());
    })
    .await?;
    let bot = valid(Scope::parse(["support-bot"]))?;
    key_comes_back(&set, "one agent and no prompts", |key| (key.agents, key.prompts) = (bot, Scope::none()))
        .await?;
    key_comes_back(&set, "all agents and all prompts", |key| {
        (key.agents, key.prompts) = (Scope::All, Scope::All);
    })
    .await?;
    // A word that some store may have chosen for all.
    let words = valid(Scope::parse(["all", "*", "null", "[]"]))?;
    key_comes_back(&set, "agents that are named `all`, `*`, `null` and `[]`", |key| key.agents = words)
        .await?;
    Ok(())
}

pub(super) async fn every_status_is_kept<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    let mut last = set.1.key()?;
    comes_back(&set.0, &last, "the status active").await?;
    for status in [Status::Inactive, Status::Active, Status::Inactive, Status::Revoked] {
        last = set.1.set(&last, status)?;
        comes_back(&set.0, &last, &format!("the status {status}")).await?;
    }
    Ok(())
}

pub(super) async fn every_origin_is_kept<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    for origin in [Origin::Generated, Origin::Imported] {
        key_comes_back(&set, &format!("the origin {origin}"), |key| key.origin = origin).await?;
    }
    Ok(())
}

pub(super) async fn never_is_no_time<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    let last = moment(253_402_300_799_999_999);
    key_comes_back(&set, "an expiry that is never", |key| key.expires_at = None).await?;
    for (what, expiry) in [
        ("an expiry in the year 2030", at(9)),
        ("an expiry at the last moment of the year 9999", last),
        ("an expiry one microsecond earlier", last - TimeDelta::microseconds(1)),
    ] {
        let made = key_comes_back(&set, what, |key| key.expires_at = Some(expiry)).await?;
        let change = FieldChange::ExpiresAt { before: Some(expiry), after: None };
        let lifted = set.1.changed(&made, Action::Edited, vec![change], |key| key.expires_at = None)?;
        comes_back(&set.0, &lifted, "an expiry that was taken away").await?;
        let change = FieldChange::ExpiresAt { before: None, after: Some(expiry) };
        let again =
            set.1.changed(&lifted, Action::Edited, vec![change], |key| key.expires_at = Some(expiry))?;
        comes_back(&set.0, &again, "an expiry that was set again").await?;
    }
    Ok(())
}

pub(super) async fn times_are_kept_to_the_microsecond<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    for (what, time) in [
        ("times of which every digit counts", moment(1_893_456_000_123_456)),
        ("times of one microsecond after the second", moment(1_893_456_000_000_001)),
        ("times of one microsecond before the second", moment(1_893_456_000_999_999)),
    ] {
        key_comes_back(&set, what, |key| {
            key.created_at = time;
            key.expires_at = Some(time + TimeDelta::microseconds(86_400_000_001));
        })
        .await?;
    }
    Ok(())
}

pub(super) async fn times_from_year_0_to_9999_are_kept<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    for (what, time) in [
        ("times at the first moment of the year 0", moment(-62_167_219_200_000_000)),
        ("times in 1969, between two seconds", moment(-1_500_001)),
        ("times at the first moment of 1970", moment(0)),
        ("times after 2038", moment(2_147_483_648_000_001)),
        ("times after 2262", moment(9_223_372_036_854_777)),
        ("times at the end of the year 9999", moment(253_402_300_799_999_998)),
    ] {
        key_comes_back(&set, what, |key| {
            key.created_at = time;
            key.expires_at = Some(time + TimeDelta::microseconds(1));
        })
        .await?;
    }
    Ok(())
}

pub(super) async fn two_digests_are_kept<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    let mut last = set.1.key()?;
    comes_back(&set.0, &last, "one digest").await?;
    for (generation, grace) in [(2, 0), (3, 86_400_000_001)] {
        last = rotated(&set.1, &last, generation, TimeDelta::microseconds(grace))?;
        comes_back(&set.0, &last, "the digest of a new secret and of the one before it").await?;
    }
    let newest = last.key.digests().first().cloned().into_iter().collect();
    let ended = set.1.changed_to(&last, newest, Action::Edited, vec![], |_| {})?;
    comes_back(&set.0, &ended, "one digest again").await
}

pub(super) async fn generations_are_kept_to_the_largest<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    let mut last = set.1.key()?;
    set.0.put(&last).await?;
    for generation in [256, 65_536, 2_147_483_648, u32::MAX] {
        last = rotated(&set.1, &last, generation, TimeDelta::days(90))?;
        comes_back(&set.0, &last, &format!("secret number {generation}")).await?;
    }
    Ok(())
}

pub(super) async fn the_scheme_of_a_digest_is_kept<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    for scheme in [
        Scheme::Sha256,
        Scheme::HmacSha256 { pepper: 0 },
        Scheme::HmacSha256 { pepper: u32::MAX },
        Scheme::Other("blake3/2".to_owned()),
        Scheme::Other("x".repeat(64)),
    ] {
        let digest = StoredDigest::new(set.1.digest(scheme.clone())?, 1, None);
        let made = set.1.key_of(vec![digest], |_| {})?;
        comes_back(&set.0, &made, &format!("a digest of the scheme {scheme}")).await?;
    }
    Ok(())
}

pub(super) async fn the_operation_of_a_digest_is_kept<F: Fixture>(fixture: &F) -> Ruling {
    let set = start(fixture).await?;
    for text in ["req-7".to_owned(), "call".to_owned(), "~".repeat(128)] {
        let operation = valid(OperationId::new(text))?;
        let digest = StoredDigest::new(set.1.digest(Scheme::Sha256)?, 1, Some(operation.clone()));
        let mut made = set.1.key_of(vec![digest], |_| {})?;
        made.event.operation = Some(operation.clone());
        comes_back(&set.0, &made, &format!("a digest that the operation {operation} made")).await?;
    }
    Ok(())
}

/// A new secret, and the one before it until after a grace.
fn rotated(samples: &Samples, before: &Write, generation: u32, grace: TimeDelta) -> Ruling<Write> {
    let ends_at = before.key.key().updated_at + grace;
    let newest = StoredDigest::new(samples.digest(Scheme::Sha256)?, generation, None);
    let older = before.key.digests().first().map(|digest| digest.ending(ends_at));
    let digests = [Some(newest), older].into_iter().flatten().collect();
    let change = FieldChange::Secret { generation, old_secret_ends_at: ends_at };
    samples.changed_to(before, digests, Action::Rotated, vec![change], |_| {})
}

fn moment(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
