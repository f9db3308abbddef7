//! A pepper that is known to others proves what a checkpoint holds, and nothing that was written since.

mod setup;

use std::collections::BTreeSet;
use std::sync::Arc;

use access_keys::domain::{Field, Rule};
use access_keys::lifecycle::history::{Cause, HistoryChecker};
use access_keys::store::{KeyStore, MemoryStore};
use access_keys::token::Scheme;
use access_keys::{
    AccessKeys, Actor, AuditEvent, AuditQuery, Denial, Edit, Error, FakeClock, Invalid, Issued, KeyId,
    Pepper, ProjectKeys, Scope,
};
use pollster::block_on;
use setup::{anything, builder, checkout, production};

const LEAKED: u32 = 1;
const FRESH: u32 = 2;

fn pepper(version: u32) -> Pepper {
    Pepper::new(version, [u8::try_from(version).unwrap(); 32]).unwrap()
}

/// A host whose first pepper leaked, with one key of before.
struct Scene {
    store: Arc<MemoryStore>,
    clock: FakeClock,
    before: AccessKeys<Arc<MemoryStore>>,
    both: AccessKeys<Arc<MemoryStore>>,
    after: AccessKeys<Arc<MemoryStore>>,
}

impl Scene {
    fn new() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::default());
        let with = || builder(Arc::clone(&store), &clock);
        let before = with().pepper(pepper(LEAKED)).build().unwrap();
        let both = with().pepper(pepper(LEAKED)).pepper(pepper(FRESH)).build().unwrap();
        let after = with().pepper(pepper(FRESH)).retired_pepper(pepper(LEAKED)).build().unwrap();
        Self { store, clock, before, both, after }
    }
}

fn rename<S: KeyStore>(project: &ProjectKeys<S>, id: KeyId, name: &str) {
    block_on(project.edit(id, Edit::new().name(name).unwrap())).unwrap();
}

fn events<S: KeyStore>(project: &ProjectKeys<S>) -> Vec<AuditEvent> {
    block_on(project.history(AuditQuery::default().limit(1_000))).unwrap().items
}

#[test]
fn what_a_checkpoint_holds_is_proved_and_what_comes_later_needs_the_new_pepper() {
    let scene = Scene::new();
    let id = block_on(checkout(&scene.before).generate(anything())).unwrap().key.id;
    rename(&checkout(&scene.before), id, "Second");
    let checkpoint = block_on(checkout(&scene.both).checkpoint()).unwrap();

    let project = checkout(&scene.after);
    let report = block_on(project.verify_histories(Some(&checkpoint))).unwrap();
    assert!(report.is_intact(), "{report}");
    rename(&project, id, "Third");
    let report = block_on(project.verify_histories(Some(&checkpoint))).unwrap();
    assert_eq!((report.is_intact(), report.events()), (true, 3), "{report}");

    // Without the checkpoint anyone who has the leaked one may have written the first two.
    let report = block_on(project.verify_history(id)).unwrap();
    let first = &report.breaks()[0];
    assert!(matches!(first.cause, Cause::Retired { version: LEAKED, .. }));
    assert_eq!(first.revision.get(), 1);
    let expected = format!(
        "1 key, 3 events: 1 broken\n\
         key {id} at revision 1: its event is sealed under pepper 1, which is retired, and held by no checkpoint"
    );
    assert_eq!(report.to_string(), expected);

    // A node that lacks it cannot tell, and does not say that anything is wrong.
    let lacking = builder(Arc::clone(&scene.store), &scene.clock).pepper(pepper(FRESH)).build().unwrap();
    let report = block_on(checkout(&lacking).verify_histories(None)).unwrap();
    let expected = format!(
        "1 key, 3 events: 1 cannot be checked\n\
         key {id} at revision 1: its event is sealed under pepper 1, which is lacking: it cannot be checked"
    );
    assert_eq!(report.to_string(), expected);
}

/// Who has the leaked pepper and can write the database.
#[test]
fn what_is_sealed_under_a_leaked_pepper_after_the_checkpoint_is_found() {
    let scene = Scene::new();
    let ids = [(); 2].map(|()| block_on(checkout(&scene.before).generate(anything())).unwrap().key.id);
    let checkpoint = block_on(checkout(&scene.both).checkpoint()).unwrap();
    let project = checkout(&scene.after);
    rename(&project, ids[0], "Ours");

    let forger = checkout(&scene.before);
    block_on(forger.edit(ids[0], Edit::new().agents(Scope::none()))).unwrap();
    rename(&forger, ids[1], "Forged");
    let planted = block_on(forger.generate(anything())).unwrap().key.id;
    // With both peppers at hand all of it looks good.
    assert!(block_on(checkout(&scene.both).verify_histories(Some(&checkpoint))).unwrap().is_intact());

    let report = block_on(project.verify_histories(Some(&checkpoint))).unwrap();
    let found: BTreeSet<_> = report.breaks().iter().map(|found| (found.key, found.revision.get())).collect();
    assert_eq!(found, BTreeSet::from([(ids[0], 3), (ids[1], 2), (planted, 1)]), "{report}");
    assert!(report.breaks().iter().all(|found| matches!(found.cause, Cause::Retired { .. })));

    // Nor does a checkpoint count that the forger made.
    let forged = block_on(forger.checkpoint()).unwrap();
    match block_on(project.verify_histories(Some(&forged))) {
        Err(Error::Invalid(Invalid { field: Field::Seal, rule: Rule::Inconsistent { problem }, .. })) => {
            assert!(problem.contains("retired"), "{problem}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn events_that_were_exported_are_checked_alike() {
    let scene = Scene::new();
    let id = block_on(checkout(&scene.before).generate(anything())).unwrap().key.id;
    let checkpoint = block_on(checkout(&scene.both).checkpoint()).unwrap();
    let check = |events: &[AuditEvent], holds: bool| {
        let checker = HistoryChecker::new([pepper(FRESH)]).unwrap();
        let mut checker = checker.retired([pepper(LEAKED)]).unwrap();
        if holds {
            checker.expect(&checkpoint).unwrap();
        }
        events.iter().for_each(|event| checker.event(event));
        checker.finish()
    };
    let kept = events(&checkout(&scene.after));
    assert!(check(&kept, true).is_intact());
    assert!(!check(&kept, false).is_intact());

    // An event of before that is changed stays found: a MAC has no second text, though its key is known.
    let mut changed = kept;
    changed[0].actor = Actor::user("mallory").unwrap();
    let report = check(&changed, true);
    assert_eq!(report.breaks()[0].cause, Cause::Altered, "{report}");

    rename(&checkout(&scene.before), id, "Forged");
    let report = check(&events(&checkout(&scene.after)), true);
    assert!(matches!(report.breaks()[0].cause, Cause::Retired { .. }), "{report}");
}

#[test]
fn a_retired_pepper_makes_no_digest_and_recognizes_none() {
    let scene = Scene::new();
    let old = block_on(checkout(&scene.before).generate(anything())).unwrap();
    let new = block_on(checkout(&scene.after).generate(anything())).unwrap();
    let verify = |issued: &Issued| {
        block_on(scene.after.verify(issued.token.expose(), &production())).map(|grant| grant.key().id)
    };
    assert!(matches!(verify(&old), Err(Denial::Unavailable { .. })));
    assert_eq!(verify(&new).unwrap(), new.key.id);
    let stored = block_on(scene.store.get(new.key.id)).unwrap().unwrap();
    assert_eq!(stored.digests()[0].scheme(), &Scheme::HmacSha256 { pepper: FRESH });
}

#[test]
fn no_version_is_given_twice() {
    let scene = Scene::new();
    let twice = builder(Arc::clone(&scene.store), &scene.clock).pepper(pepper(1)).retired_pepper(pepper(1));
    assert!(matches!(twice.build(), Err(Error::Invalid(Invalid { field: Field::Pepper, .. }))));
    let alone =
        builder(Arc::clone(&scene.store), &scene.clock).retired_pepper(pepper(3)).retired_pepper(pepper(3));
    assert!(matches!(alone.build(), Err(Error::Invalid(Invalid { field: Field::Pepper, .. }))));
    let checker = HistoryChecker::new([pepper(1)]).unwrap();
    assert!(matches!(checker.retired([pepper(1)]), Err(Invalid { field: Field::Pepper, .. })));
}
