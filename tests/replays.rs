//! What an operation did is not done again over what came later, and what was used is not replaced.

mod support;

use std::time::Duration;

use access_keys::domain::{Field, Rule};
use access_keys::store::MemoryStore;
use access_keys::{
    AccessKeys, AgentId, Denial, Edit, Error, FakeClock, KeyState, ProjectKeys, Scope, Status,
};
use pollster::block_on;
use support::{keys, operation, production, project, review};

const HOUR: Duration = Duration::from_secs(3_600);

fn set_up() -> (AccessKeys<MemoryStore>, ProjectKeys<MemoryStore>) {
    let keys = keys(MemoryStore::new(), &FakeClock::default());
    let project = project(&keys, "ada");
    (keys, project)
}

fn only_a() -> Scope<AgentId> {
    Scope::parse(["a"]).unwrap()
}

#[test]
fn an_operation_of_several_actions_that_is_repeated_undoes_nothing_that_came_later() {
    let (keys, project) = set_up();
    let issued = block_on(project.generate(review("Mobile"))).unwrap();
    let id = issued.key.id;
    block_on(project.edit(id, Edit::new().agents(only_a()))).unwrap();
    block_on(project.deactivate(id)).unwrap();

    let request = project.operation(operation("req-7"));
    let both = || {
        let widened = block_on(request.edit(id, Edit::new().agents(Scope::All))).unwrap();
        (widened.is_new(), block_on(request.activate(id)).unwrap().is_new())
    };
    assert_eq!(both(), (true, true));
    block_on(project.edit(id, Edit::new().agents(only_a()))).unwrap();
    block_on(project.deactivate(id)).unwrap();

    assert_eq!(both(), (false, false));
    let key = block_on(project.get(id)).unwrap();
    assert_eq!((key.status, key.agents), (Status::Inactive, only_a()));
    let denial = block_on(keys.verify(issued.token.expose(), &production())).unwrap_err();
    assert!(matches!(denial, Denial::Inactive { .. }));
}

#[test]
fn the_operation_that_generated_a_key_does_not_rotate_it() {
    let (keys, project) = set_up();
    let request = project.operation(operation("req-7"));
    let issued = block_on(request.generate(review("Mobile"))).unwrap();
    match block_on(request.rotate(issued.key.id, HOUR)) {
        Err(Error::Invalid(invalid)) => {
            assert_eq!((invalid.field, invalid.rule), (Field::Operation, Rule::Repeated));
        }
        other => panic!("{other:?}"),
    }
    assert!(block_on(keys.verify(issued.token.expose(), &production())).is_ok());
}

#[test]
fn a_value_that_may_have_been_used_unrecorded_is_not_replaced() {
    let (keys, project) = set_up();
    let crowd: Vec<_> = (0..100_000).map(|_| block_on(project.generate(review("Crowd"))).unwrap()).collect();
    for issued in &crowd {
        let _ = block_on(keys.verify(issued.token.expose(), &production())).unwrap();
    }
    let request = project.operation(operation("req-7"));
    let issued = block_on(request.generate(review("Mobile"))).unwrap();
    let _ = block_on(keys.verify(issued.token.expose(), &production())).unwrap();
    match block_on(request.generate(review("Mobile"))) {
        Err(Error::Refused { key, from, .. }) => assert_eq!((key, from), (issued.key.id, KeyState::Active)),
        other => panic!("{other:?}"),
    }
    assert!(block_on(keys.verify(issued.token.expose(), &production())).is_ok());
    // Those that there was room for are all written.
    block_on(keys.flush_uses()).unwrap();
    let uses = block_on(project.last_used(&[crowd[0].key.id, crowd[99_999].key.id])).unwrap();
    assert_eq!(uses.len(), 2);
}
