//! Opens the file at the given path and says what came of it: `opened`, or what is wrong.
//!
//! With `check` after it, it applies nothing. With `generate` it makes keys until that fails, says what is kept of
//! them, and, if it is given one more path, removes that file and makes another key.

use access_keys::store::{Migrate, SqliteStore};
use access_keys::{AccessKeys, AuditQuery, KeyQuery};
use pollster::block_on;
use sqlite_tests::{causes, checkout, try_generate};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (path, mode) = (arguments.next().expect("a path"), arguments.next());
    let options = SqliteStore::options(path);
    let options = if mode.as_deref() == Some("check") { options.migrate(Migrate::Check) } else { options };
    let store = match block_on(options.open()) {
        Ok(store) => store,
        Err(error) => return println!("refused: {}", causes(&error)),
    };
    println!("opened");
    if mode.as_deref() == Some("generate") {
        let keys = AccessKeys::builder(store).prefix("acme").build().expect("a prefix");
        generate_until_it_fails(&keys);
        // What took the room, if it was that.
        if let Some(filler) = arguments.next() {
            std::fs::remove_file(filler).expect("the filler is there");
            println!(
                "made {} again",
                try_generate(&checkout(&keys), "Web app").expect("there is room").key.id
            );
        }
    }
}

fn generate_until_it_fails(keys: &AccessKeys<SqliteStore>) {
    let project = checkout(keys);
    let error = loop {
        match try_generate(&project, "Mobile app") {
            Ok(issued) => println!("made {}", issued.key.id),
            Err(error) => break error,
        }
    };
    println!("failed: {}", causes(&error));
    for key in block_on(project.list(KeyQuery::default().limit(1_000))).expect("a list").items {
        println!("kept {}", key.id);
    }
    for event in block_on(project.history(AuditQuery::default().limit(1_000))).expect("a history").items {
        println!("told {}", event.key);
    }
}
