//! Changes keys at the given address until it is killed, and says of each change, once it is acknowledged: the key, its
//! revision and its status. What fails is tried again with another key.
//!
//! `changer ADDRESS SCHEMA SEED`

use std::io::Write;
use std::time::Duration;

use access_keys::store::{Migrate, PostgresStore};
use access_keys::{AccessKey, Edit, Error, KeyQuery, ProjectKeys, Status};
use postgres_tests::{Chance, checkout, keys_of, run, try_generate};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("an argument");
    let (address, schema, seed) = (next(), next(), next().parse().expect("a number"));
    let mut chance = Chance::new(seed);
    run(async {
        let options = PostgresStore::options(&address).schema(schema).migrate(Migrate::Check);
        let Ok(store) = options.time_limit(Duration::from_secs(2)).open().await else { return };
        let project = checkout(&keys_of(store));
        loop {
            if let Ok(key) = change(&project, &mut chance).await {
                let mut said = std::io::stdout().lock();
                writeln!(said, "{} {} {}", key.id, key.revision, key.status).expect("someone listens");
            }
        }
    });
}

async fn change(project: &ProjectKeys<PostgresStore>, chance: &mut Chance) -> Result<AccessKey, Error> {
    let open = project.list(KeyQuery::default().limit(20)).await?.items;
    let open: Vec<AccessKey> = open.into_iter().filter(|key| key.status != Status::Revoked).collect();
    let place = usize::try_from(chance.below(20)).unwrap_or(0);
    let Some(key) = open.get(place) else {
        return try_generate(project, "Mobile app").await.map(|issued| issued.key);
    };
    let changed = match chance.below(6) {
        0 => project.deactivate(key.id).await,
        1 => project.activate(key.id).await,
        2 => project.revoke(key.id, "leaked").await,
        3 => return project.rotate(key.id, Duration::from_secs(60)).await.map(|issued| issued.key),
        _ => project.edit(key.id, Edit::new().name(format!("App {}", chance.below(1_000_000)))?).await,
    };
    changed.map(access_keys::Change::into_key)
}
