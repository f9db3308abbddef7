//! Getting in without a right to: another environment, another secret, another project, too late.

mod setup;

use std::time::Duration;

use access_keys::store::MemoryStore;
use access_keys::{
    AccessKeys, Actor, AuditQuery, Denial, Edit, EnvironmentId, Error, FakeClock, Grant, Issued, KeyId,
    KeyInfo, KeyQuery, OperationId, ProjectId, ProjectKeys, Revision, Scope, Status,
};
use pollster::block_on;
use setup::{
    agent, agents, anything, builder, checkout, env, forged, in_seconds, info, keys, parts, production,
    prompt, prompts, review,
};

fn verify(keys: &AccessKeys<MemoryStore>, token: &str, environment: &EnvironmentId) -> Result<Grant, Denial> {
    block_on(keys.verify(token, environment))
}

fn generate(project: &ProjectKeys<MemoryStore>, environment: &EnvironmentId) -> Issued {
    let info = KeyInfo::new("x", environment.clone()).unwrap();
    block_on(project.generate(review(info))).unwrap()
}

/// What a denial is called, and the key that it names.
fn told(result: Result<Grant, Denial>) -> (&'static str, Option<KeyId>) {
    let Err(denial) = result else { return ("good", None) };
    let name = match denial {
        Denial::Malformed { .. } => "malformed",
        Denial::Unrecognized { .. } => "unrecognized",
        Denial::Inactive { .. } => "inactive",
        Denial::Revoked { .. } => "revoked",
        Denial::Expired { .. } => "expired",
        Denial::WrongEnvironment { .. } => "wrong environment",
        Denial::Unavailable { .. } => "unavailable",
        _ => "another",
    };
    assert_eq!(denial.status(), if name == "unavailable" { 503 } else { 401 });
    (name, denial.key())
}

#[test]
fn a_token_is_good_in_the_environment_of_its_key_alone() {
    let environments = ["production", "staging", "test"].map(env);
    let own = |keys: access_keys::lifecycle::Builder<MemoryStore>| {
        let keys = keys.environment_prefix(env("production"), "acme_live");
        keys.environment_prefix(env("staging"), "acme_test").environment_prefix(env("test"), "acme")
    };
    for shared in [true, false] {
        let clock = FakeClock::default();
        let builder = builder(MemoryStore::new(), &clock);
        let keys = if shared { builder } else { own(builder) }.build().unwrap();
        // Two tenants with a key in each environment.
        for tenant in ["checkout", "warehouse"] {
            let project = keys.project(ProjectId::new(tenant).unwrap(), Actor::user("ada").unwrap());
            let tokens = environments.each_ref().map(|environment| generate(&project, environment));
            for (home, issued) in environments.iter().zip(&tokens) {
                // Whatever was asked first, the second answer does not depend on it.
                for warm in &environments {
                    let _ = verify(&keys, issued.token.expose(), warm);
                    for asked in &environments {
                        let result = verify(&keys, issued.token.expose(), asked);
                        if asked == home {
                            assert_eq!(result.unwrap().key(), &issued.key);
                            continue;
                        }
                        let id = issued.key.id;
                        let expected =
                            if shared { ("wrong environment", Some(id)) } else { ("malformed", None) };
                        assert_eq!(told(result), expected);
                    }
                }
            }
        }
    }
}

#[test]
fn a_token_that_was_rewritten_for_another_environment_is_refused() {
    let clock = FakeClock::default();
    let builder = builder(MemoryStore::new(), &clock).environment_prefix(production(), "acme_live");
    let keys = builder.environment_prefix(env("staging"), "acme_test").build().unwrap();
    let staging = generate(&checkout(&keys), &env("staging"));
    let (id, secret, _) = parts(staging.token.expose());
    let rewritten = forged("acme_live", id, secret);
    assert_eq!(told(verify(&keys, &rewritten, &production())), ("wrong environment", Some(staging.key.id)));
    // Environments are told apart by every byte.
    for other in ["Staging", "staging2", "stagin", "staging/"] {
        let result = verify(&keys, &forged("acme", id, secret), &env(other));
        assert_eq!(told(result).0, "wrong environment");
    }
}

/// Every combination of what can be wrong with a key, and its token.
fn in_state(status: Status, expired: bool, retired: bool) -> (AccessKeys<MemoryStore>, Issued) {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let expiry = in_seconds(&clock, if expired { 10 } else { 1_000 });
    let issued = block_on(project.generate(review(info("x").expires_at(expiry)))).unwrap();
    if retired {
        let _ = block_on(project.rotate(issued.key.id, Duration::from_secs(10))).unwrap();
    }
    match status {
        Status::Inactive => drop(block_on(project.deactivate(issued.key.id)).unwrap()),
        Status::Revoked => drop(block_on(project.revoke(issued.key.id, "")).unwrap()),
        _ => {}
    }
    clock.advance(Duration::from_secs(10));
    (keys, issued)
}

#[test]
fn what_is_wrong_is_told_in_order_and_only_to_who_holds_the_secret() {
    for status in [Status::Active, Status::Inactive, Status::Revoked] {
        for (expired, elsewhere, retired) in (0..8).map(|bits| (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0)) {
            let (keys, issued) = in_state(status, expired, retired);
            let asked = if elsewhere { env("staging") } else { production() };
            let id = issued.key.id;
            let expected = match (retired, status, elsewhere, expired) {
                (true, ..) => ("unrecognized", None),
                (_, Status::Revoked, ..) => ("revoked", Some(id)),
                (_, _, true, _) => ("wrong environment", Some(id)),
                (_, _, _, true) => ("expired", Some(id)),
                (_, Status::Inactive, ..) => ("inactive", Some(id)),
                _ => ("good", None),
            };
            let token = issued.token.expose();
            assert_eq!(told(verify(&keys, token, &asked)), expected);
            let (_, secret, _) = parts(token);
            let almost = format!("{}{}", &secret[..31], if secret.ends_with('x') { 'y' } else { 'x' });
            for wrong in [almost, "0".repeat(32)] {
                let result = verify(&keys, &forged("acme", id.as_str(), &wrong), &asked);
                assert_eq!(told(result), ("unrecognized", None));
            }
        }
    }
}

#[test]
fn no_such_key_a_wrong_secret_and_a_retired_one_look_the_same() {
    let (keys, retired) = in_state(Status::Active, false, true);
    let (_, secret, _) = parts(retired.token.expose());
    let [unknown, wrong, retired] = [
        forged("acme", "0123456789012345", secret),
        forged("acme", retired.key.id.as_str(), &"x".repeat(32)),
        retired.token.expose().to_owned(),
    ]
    .map(|token| {
        let denial = verify(&keys, &token, &production()).unwrap_err();
        assert!(std::error::Error::source(&denial).is_none());
        (format!("{denial} {denial:?} {denial:#?}"), denial.key(), denial.status())
    });
    assert_eq!(unknown, wrong);
    assert_eq!(wrong, retired);
    assert_eq!((unknown.1, unknown.2), (None, 401));
}

#[test]
fn a_secret_of_one_key_opens_no_other() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    let (a, b) = (generate(&project, &production()), generate(&project, &production()));
    let (_, secret, _) = parts(a.token.expose());
    let swapped = forged("acme", b.key.id.as_str(), secret);
    assert_eq!(told(verify(&keys, &swapped, &production())), ("unrecognized", None));
}

#[test]
fn a_retired_secret_and_an_expired_key_end_at_the_exact_moment() {
    for (time, good) in [(9_999_999, true), (10_000_000, false), (10_000_001, false)] {
        let (keys, clock) = keys();
        let project = checkout(&keys);
        let expiring = review(info("x").expires_at(in_seconds(&clock, 10)));
        let expiring = block_on(project.generate(expiring)).unwrap();
        let retired = generate(&project, &production());
        let current = block_on(project.rotate(retired.key.id, Duration::from_secs(10))).unwrap();
        clock.advance(Duration::from_micros(time));
        let state = |issued: &Issued| told(verify(&keys, issued.token.expose(), &production())).0;
        assert_eq!(state(&expiring), if good { "good" } else { "expired" });
        assert_eq!(state(&retired), if good { "good" } else { "unrecognized" });
        assert_eq!(state(&current), "good");
    }
}

/// Everything that can be asked of a key by its id, as the errors that another project gets.
fn every_call(project: &ProjectKeys<MemoryStore>, id: KeyId) -> Vec<Error> {
    let edit = || Edit::new().name("mine").unwrap();
    let pinned = Edit::new().if_revision(Revision::new(9).unwrap());
    block_on(async {
        vec![
            project.get(id).await.unwrap_err(),
            project.edit(id, edit()).await.unwrap_err(),
            project.edit(id, Edit::new()).await.unwrap_err(),
            project.edit(id, pinned).await.unwrap_err(),
            project.activate(id).await.unwrap_err(),
            project.deactivate(id).await.unwrap_err(),
            project.rotate(id, Duration::ZERO).await.unwrap_err(),
            project.revoke(id, "mine").await.unwrap_err(),
            project.last_used(&[id]).await.unwrap_err(),
        ]
    })
}

#[test]
fn the_keys_of_another_project_look_as_if_they_did_not_exist() {
    let nowhere = KeyId::new("0123456789012345").unwrap();
    for status in [Status::Active, Status::Inactive, Status::Revoked] {
        let (keys, issued) = in_state(status, false, false);
        let _ = verify(&keys, issued.token.expose(), &production());
        let id = issued.key.id;
        let ours = checkout(&keys);
        let before = block_on(ours.get(id)).unwrap();
        let theirs = keys.project(ProjectId::new("Checkout").unwrap(), Actor::user("mallory").unwrap());
        let repeated = theirs.operation(OperationId::new("req-7").unwrap());
        for project in [&theirs, &repeated] {
            for (foreign, absent) in every_call(project, id).iter().zip(every_call(project, nowhere)) {
                assert!(matches!(foreign, Error::NotFound { key } if *key == id), "{foreign:?}");
                let said = foreign.to_string().replace(id.as_str(), nowhere.as_str());
                assert_eq!(said, absent.to_string());
            }
            let own = generate(&theirs, &production()).key.id;
            let used = block_on(project.last_used(&[own, id]));
            assert!(matches!(used, Err(Error::NotFound { key }) if key == id));
            let listed = block_on(project.list(KeyQuery::default())).unwrap().items;
            assert!(listed.iter().all(|key| key.id != id));
            assert!(block_on(project.history(AuditQuery::default().key(id))).unwrap().items.is_empty());
        }
        assert_eq!(block_on(ours.get(id)).unwrap(), before);
    }
}

#[test]
fn an_operation_of_another_project_finds_no_key() {
    let (keys, _) = keys();
    let operation = OperationId::new("req-7").unwrap();
    let made = |project: &str| {
        let project = keys.project(ProjectId::new(project).unwrap(), Actor::user("ada").unwrap());
        block_on(project.operation(operation.clone()).generate(anything())).unwrap()
    };
    let (ours, theirs) = (made("checkout"), made("warehouse"));
    assert_ne!(ours.key.id, theirs.key.id);
    let _ = verify(&keys, ours.token.expose(), &production()).unwrap();
    let _ = verify(&keys, theirs.token.expose(), &production()).unwrap();
}

fn grant_of(agents: Scope<access_keys::AgentId>, prompts: Scope<access_keys::PromptId>) -> Grant {
    let (keys, _) = keys();
    let project = checkout(&keys);
    let draft = project.draft().info(info("x")).agents(agents).prompts(prompts).unwrap();
    let issued = block_on(project.generate(draft)).unwrap();
    verify(&keys, issued.token.expose(), &production()).unwrap()
}

#[test]
fn an_empty_scope_reaches_nothing() {
    let grant = grant_of(Scope::none(), prompts(&["p"]));
    for id in ["a", "all", "p", "*", "none"] {
        assert!(!grant.allows_agent(&agent(id)));
        let denial = grant.require_agent(&agent(id)).unwrap_err();
        assert!(matches!(denial, Denial::AgentNotInScope { key, .. } if key == grant.key().id));
        assert_eq!((denial.status(), denial.key()), (403, Some(grant.key().id)));
    }
    assert_eq!(grant.sole_agent(), None);
    grant.require_prompt(&prompt("p")).unwrap();

    let grant = grant_of(agents(&["a"]), Scope::none());
    for id in ["a", "all", "p", "*"] {
        assert!(!grant.allows_prompt(&prompt(id)));
        let denial = grant.require_prompt(&prompt(id)).unwrap_err();
        assert!(matches!(denial, Denial::PromptNotInScope { .. }));
        assert_eq!((denial.status(), denial.key()), (403, Some(grant.key().id)));
    }
}

#[test]
fn a_specific_scope_reaches_exactly_its_ids() {
    let grant = grant_of(agents(&["a", "all", "b"]), Scope::All);
    for (id, allowed) in [("a", true), ("all", true), ("b", true), ("A", false), ("aa", false), ("c", false)]
    {
        assert_eq!(grant.allows_agent(&agent(id)), allowed, "{id}");
        assert_eq!(grant.require_agent(&agent(id)).is_ok(), allowed, "{id}");
    }
    assert!(grant.allows_prompt(&prompt("made-next-year")));
}

#[test]
fn a_sole_agent_is_that_of_a_key_made_for_exactly_one() {
    assert_eq!(grant_of(agents(&["a"]), Scope::All).sole_agent(), Some(&agent("a")));
    assert_eq!(grant_of(agents(&["a", "a"]), Scope::All).sole_agent(), Some(&agent("a")));
    assert_eq!(grant_of(agents(&["a", "b"]), Scope::All).sole_agent(), None);
    assert_eq!(grant_of(Scope::All, Scope::All).sole_agent(), None);
    assert_eq!(grant_of(Scope::none(), prompts(&["p"])).sole_agent(), None);
}

#[test]
fn every_denial_has_a_name_of_its_own() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let info = info("Mobile").expires_at(in_seconds(&clock, 60));
    let issued = block_on(project.generate(review(info))).unwrap();
    let name = |token: &str, environment: &str| {
        block_on(keys.verify(token, &env(environment))).map_or_else(|denial| denial.as_str(), |_| "granted")
    };
    let token = issued.token.expose();
    assert_eq!(name(token, "production"), "granted");
    assert_eq!(name("", "production"), "malformed");
    assert_eq!(name(token, "staging"), "wrong_environment");
    block_on(project.deactivate(issued.key.id)).unwrap();
    assert_eq!(name(token, "production"), "inactive");
    clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(name(token, "production"), "expired");
    block_on(project.revoke(issued.key.id, "")).unwrap();
    assert_eq!(name(token, "production"), "revoked");
}

#[test]
fn a_grant_says_which_secret_was_presented_and_is_good_for_no_time_where_the_store_is_always_read() {
    for zero in [false, true] {
        let clock = FakeClock::default();
        let mut builder = builder(MemoryStore::new(), &clock);
        if zero {
            builder = builder.max_staleness(Duration::ZERO);
        }
        let keys = builder.build().unwrap();
        let old = block_on(checkout(&keys).generate(anything())).unwrap();
        let new = block_on(checkout(&keys).rotate(old.key.id, Duration::from_secs(60))).unwrap();
        for _ in 0..4 {
            clock.advance(Duration::from_nanos(1));
            for (issued, generation) in [(&old, 1), (&new, 2)] {
                let grant = block_on(keys.verify(issued.token.expose(), &production())).unwrap();
                assert_eq!(grant.generation(), generation);
                assert_eq!(grant.good_until().remaining(&clock).is_zero(), zero);
            }
        }
    }
}
