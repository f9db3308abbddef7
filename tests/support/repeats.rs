//! Operations on two nodes over one store, repeated or beside each other: what must be there at the end.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::time::Duration;

use access_keys::domain::{Action, Which};
use access_keys::store::KeyStore;
use access_keys::{
    AccessKeys, Actor, AuditQuery, EnvironmentId, Issued, KeyInfo, KeyQuery, OperationId, ProjectId,
    ProjectKeys, Review, Scope, Status,
};

const CROWD: usize = 64;
const HOUR: Duration = Duration::from_secs(3_600);

/// How a test waits for a future.
pub(crate) trait Wait: Sync {
    fn wait<T>(&self, future: impl Future<Output = T>) -> T;
}

fn project<S: KeyStore>(keys: &AccessKeys<S>) -> ProjectKeys<S> {
    keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap())
}

fn review<S: KeyStore>(project: &ProjectKeys<S>) -> Review {
    let info = KeyInfo::new("Mobile app", EnvironmentId::new("production").unwrap()).unwrap();
    project.draft().info(info).agents(Scope::All).prompts(Scope::All).unwrap()
}

/// One operation, asked for by everyone at the same moment, every second one on the other node.
fn at_once<S: KeyStore>(
    nodes: &[AccessKeys<S>; 2],
    call: impl Fn(&ProjectKeys<S>) -> Issued + Sync,
) -> Vec<Issued> {
    let barrier = Barrier::new(CROWD);
    std::thread::scope(|scope| {
        let (call, barrier) = (&call, &barrier);
        let begin = move |i: usize| {
            let operation = project(&nodes[i % 2]).operation(OperationId::new("req-7").unwrap());
            barrier.wait();
            call(&operation)
        };
        let threads: Vec<_> = (0..CROWD).map(|i| scope.spawn(move || begin(i))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// How many of the tokens work, on a node that did not issue them.
fn usable<S: KeyStore>(wait: &impl Wait, keys: &AccessKeys<S>, issued: &[Issued]) -> usize {
    let tokens: Vec<&str> = issued.iter().map(|issued| issued.token.expose()).collect();
    let production = EnvironmentId::new("production").unwrap();
    let answers = wait.wait(keys.verifier().verify_many(&tokens, &production));
    answers.iter().filter(|answer| answer.is_ok()).count()
}

/// One key, one event for each of its revisions, and as many secrets as must be.
fn assert_whole<S: KeyStore>(wait: &impl Wait, keys: &AccessKeys<S>, revisions: u64, secrets: usize) {
    let project = project(keys);
    let listed = wait.wait(project.list(KeyQuery::default())).unwrap().items;
    assert_eq!(listed.len(), 1, "an orphan is left");
    let stored = wait.wait(keys.store().get(listed[0].id)).unwrap().unwrap();
    let events = wait.wait(project.history(AuditQuery::default().limit(1_000))).unwrap().items;
    let told: BTreeSet<u64> = events.iter().map(|event| event.revision.get()).collect();
    assert_eq!(told, (1..=revisions).collect());
    assert_eq!(events.len(), told.len());
    assert!(events.iter().all(|event| event.key == listed[0].id));
    assert_eq!((stored.revision().get(), stored.last_event()), (revisions, events[0].id));
    assert_eq!(stored.digests().len(), secrets);
    assert_eq!(u64::from(stored.digests()[0].generation()), revisions, "half a rotation is left");
}

/// All who generate get the same key, of which one value works.
pub(crate) fn of_a_generate<S: KeyStore>(wait: &impl Wait, nodes: &[AccessKeys<S>; 2], cold: &AccessKeys<S>) {
    let issued = at_once(nodes, |operation| wait.wait(operation.generate(review(operation))).unwrap());
    assert!(issued.iter().all(|one| one.key.id == issued[0].key.id));
    assert_whole(wait, cold, 64, 1);
    assert_eq!(usable(wait, cold, &issued), 1);
}

/// All who rotate replace one new value, and the old one keeps its grace.
pub(crate) fn of_a_rotation<S: KeyStore>(wait: &impl Wait, nodes: &[AccessKeys<S>; 2], cold: &AccessKeys<S>) {
    let plain = project(&nodes[0]);
    let first = wait.wait(plain.generate(review(&plain))).unwrap();
    let id = first.key.id;
    let issued = at_once(nodes, |operation| wait.wait(operation.rotate(id, HOUR)).unwrap());
    assert!(issued.iter().all(|one| one.key.id == id));
    assert_whole(wait, cold, 65, 2);
    assert_eq!(usable(wait, cold, &issued), 1);
    assert_eq!(usable(wait, cold, &[first]), 1, "its grace has not ended");
}

/// All keys are revoked once, those too that the other node generates meanwhile.
pub(crate) fn of_a_bulk_revocation<S: KeyStore>(
    wait: &impl Wait,
    nodes: &[AccessKeys<S>; 2],
    cold: &AccessKeys<S>,
) {
    const KEYS: usize = 30;
    let [here, there] = nodes.each_ref().map(project);
    let operation = OperationId::new("incident-12").unwrap();
    let generate = |project: &ProjectKeys<S>| wait.wait(project.generate(review(project))).unwrap();
    let revoke = || {
        let which = Which::reaching_agent("support-bot".parse().unwrap());
        let revoking = here.operation(operation.clone()).revoke_all(which, "over").unwrap();
        let done = wait.wait(revoking.finish()).unwrap();
        assert!(done.failed.is_empty(), "{done:?}");
        done.revoked
    };
    let mut issued: Vec<Issued> = (0..KEYS).map(|_| generate(&here)).collect();
    let revoked = std::thread::scope(|scope| {
        let there = scope.spawn(|| (0..KEYS).map(|_| generate(&there)).collect::<Vec<_>>());
        let revoked = revoke();
        issued.extend(there.join().unwrap());
        revoked
    });
    assert!(revoked >= KEYS);
    assert_eq!(revoked + revoke(), 2 * KEYS);
    assert_eq!(usable(wait, cold, &issued), 0);
    let project = project(cold);
    let listed = wait.wait(project.list(KeyQuery::default().limit(1_000))).unwrap().items;
    assert!(listed.len() == 2 * KEYS && listed.iter().all(|key| key.status == Status::Revoked));
    let query = AuditQuery::default().operation(operation).limit(1_000);
    let events = wait.wait(project.history(query)).unwrap().items;
    let keys: BTreeSet<_> = events.iter().map(|event| event.key).collect();
    assert_eq!((events.len(), keys.len()), (2 * KEYS, 2 * KEYS));
    assert!(events.iter().all(|event| event.action == Action::Revoked));
}
