//! What must be so of keys that an earlier version stored: they go on working, and go on being refused.

use std::time::Duration;

use access_keys::domain::Action;
use access_keys::lifecycle::hygiene::HygieneQuery;
use access_keys::store::KeyStore;
use access_keys::{
    AccessKeys, Actor, AgentId, AuditQuery, Denial, Edit, EnvironmentId, Error, KeyId, Pepper, ProjectId,
    Token,
};

/// The tokens are one a line, each after what becomes of it.
pub(crate) async fn goes_on<S: KeyStore>(store: S, tokens: &str) {
    let pepper = Pepper::new(1, [7; 32]).unwrap();
    let keys = AccessKeys::builder(store).prefix("acme").pepper(pepper).build().unwrap();
    let project = keys.project(ProjectId::new("checkout").unwrap(), Actor::user("bob").unwrap());
    let production = EnvironmentId::new("production").unwrap();
    let mut ids = Vec::new();
    for line in tokens.lines() {
        let (what, token) = line.split_once(' ').unwrap();
        let answer = keys.verify(token, &production).await;
        match what {
            "active" | "older" | "newer" => ids.push(answer.unwrap().key().id),
            "revoked" => assert!(matches!(answer, Err(Denial::Revoked { .. })), "{answer:?}"),
            "inactive" => assert!(matches!(answer, Err(Denial::Inactive { .. })), "{answer:?}"),
            other => panic!("{other}"),
        }
    }
    assert_eq!(ids.len(), 3);
    let (active, rotating) = (ids[0], ids[1]);
    assert_eq!(project.last_used(&[active]).await.unwrap()[0].generation, 1);

    // What keys were used for was not recorded, so it is not said that it was nothing.
    let used = project.scope_used(&[active, rotating]).await.unwrap().unwrap();
    assert!(used.iter().all(|used| used.uses.is_empty()), "{used:?}");
    let query = HygieneQuery::default().wider_than_used(project.now());
    assert_eq!(project.hygiene(&query).await.unwrap().items, []);
    let line = tokens.lines().find(|line| line.starts_with("active")).unwrap();
    let grant = keys.verify(line.split_once(' ').unwrap().1, &production).await.unwrap();
    grant.require_agent(&AgentId::new("triage").unwrap()).unwrap();
    keys.flush_uses().await.unwrap();
    let used = project.scope_used(&[active]).await.unwrap().unwrap();
    assert_eq!(used[0].agents().count(), 1);

    // What was written without a seal is there, and the chain of each key begins with its next change.
    let before = project.verify_histories(None).await.unwrap();
    assert!(before.is_intact(), "{before}");
    assert_eq!((before.keys(), before.events(), before.unsealed()), (4, 8, 8));
    project.edit(active, Edit::new().name("Renamed").unwrap()).await.unwrap();
    let issued = project.rotate(rotating, Duration::from_secs(60)).await.unwrap();
    assert!(keys.verify(issued.token.expose(), &production).await.is_ok());
    let after = project.verify_histories(None).await.unwrap();
    assert!(after.is_intact(), "{after}");
    assert_eq!((after.keys(), after.events(), after.unsealed()), (4, 10, 8));

    let revoked = project.history(AuditQuery::default().action(Action::Revoked)).await.unwrap().items;
    assert_eq!(revoked[0].reason.as_deref(), Some("leaked"));
    let again = project.activate(revoked[0].key).await;
    assert!(matches!(again, Err(Error::Refused { .. })), "{again:?}");
    let _: (KeyId, Token) = (issued.key.id, issued.token);
}
