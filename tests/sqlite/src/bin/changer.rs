//! Changes keys of the file at the given path until it is killed or has made so many changes, and says of each, once
//! it is acknowledged: the key, its revision and its status.
//!
//! `changer PATH SEED COUNT`

use std::io::Write;
use std::time::Duration;

use access_keys::store::SqliteStore;
use access_keys::{AccessKey, AccessKeys, Edit, Error, KeyQuery, ProjectKeys, Status};
use pollster::block_on;
use sqlite_tests::{Chance, checkout, try_generate};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("a path");
    let mut number = || arguments.next().and_then(|text| text.parse::<u64>().ok()).expect("a number");
    let (seed, count) = (number(), number());
    let mut chance = Chance::new(seed);
    let store = block_on(SqliteStore::open(path)).expect("the file opens");
    let keys = AccessKeys::builder(store).prefix("acme").build().expect("a prefix");
    let project = checkout(&keys);
    let mut said = std::io::stdout().lock();
    for _ in 0..count {
        match change(&project, &mut chance) {
            Ok(key) => writeln!(said, "{} {} {}", key.id, key.revision, key.status).expect("someone listens"),
            // Another changer was there first.
            Err(Error::Refused { .. } | Error::Conflict { .. }) => {}
            Err(error) => panic!("{}", sqlite_tests::causes(&error)),
        }
    }
}

fn change(project: &ProjectKeys<SqliteStore>, chance: &mut Chance) -> Result<AccessKey, Error> {
    let open: Vec<AccessKey> = block_on(project.list(KeyQuery::default().limit(20)))?
        .items
        .into_iter()
        .filter(|key| key.status != Status::Revoked)
        .collect();
    let place = usize::try_from(chance.below(20)).unwrap_or(0);
    let Some(key) = open.get(place) else {
        return try_generate(project, "Mobile app").map(|issued| issued.key);
    };
    let changed = match chance.below(6) {
        0 => block_on(project.deactivate(key.id)),
        1 => block_on(project.activate(key.id)),
        2 => block_on(project.revoke(key.id, "leaked")),
        3 => return block_on(project.rotate(key.id, Duration::from_secs(60))).map(|issued| issued.key),
        _ => block_on(project.edit(key.id, Edit::new().name(format!("App {}", chance.below(1_000_000)))?)),
    };
    changed.map(access_keys::Change::into_key)
}
