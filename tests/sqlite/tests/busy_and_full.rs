//! A file that others keep busy, and a disk that takes no more.

use std::collections::BTreeSet;
use std::process::Command;
use std::thread;
use std::time::Duration;

use access_keys::store::{KeyStore, SqliteStore, StoreError};
use access_keys::{AccessKeys, AuditQuery, Error, KeyQuery};
use pollster::block_on;
use sqlite_tests::{File, causes, checkout, dump, generate, production, try_generate};

const BRIEFLY: Duration = Duration::from_millis(50);

fn impatient(file: &File) -> AccessKeys<SqliteStore> {
    let store = block_on(SqliteStore::options(file.path()).time_limit(BRIEFLY).open()).unwrap();
    AccessKeys::builder(store).prefix("acme").build().unwrap()
}

#[test]
fn a_busy_file_is_waited_for_and_then_an_error() {
    let file = File::new();
    let keys = impatient(&file);
    let project = checkout(&keys);
    let issued = generate(&project, "Mobile app");
    let other = file.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = dump(&file.path());
    let error = try_generate(&project, "Web app").unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Backend { .. })), "{error:?}");
    assert!(causes(&error).contains("the file was busy for 50ms"), "{}", causes(&error));
    // Readers wait for nobody.
    assert!(block_on(keys.verify(issued.token.expose(), &production())).is_ok());
    assert_eq!(block_on(project.list(KeyQuery::default())).unwrap().items.len(), 1);
    assert_eq!(block_on(project.history(AuditQuery::default())).unwrap().items.len(), 1);
    assert!(block_on(keys.store().changes(None)).is_ok());
    assert_eq!(dump(&file.path()), before);
    other.execute_batch("ROLLBACK").unwrap();
    drop(generate(&project, "Web app"));
}

#[test]
fn all_who_wait_for_a_busy_file_are_told() {
    let file = File::new();
    let keys = impatient(&file);
    let other = file.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        let call = || causes(&try_generate(&checkout(&keys), "Web app").unwrap_err());
        let calls: Vec<_> = (0..20).map(|_| scope.spawn(call)).collect();
        for call in calls {
            let said = call.join().unwrap();
            assert!(said.contains("the file was busy for 50ms"), "{said}");
        }
    });
    other.execute_batch("ROLLBACK").unwrap();
    drop(generate(&checkout(&keys), "Web app"));
}

#[test]
fn a_file_that_is_free_again_in_time_takes_the_change() {
    let file = File::new();
    let keys = file.keys();
    let other = file.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| generate(&checkout(&keys), "Web app"));
        other.execute_batch("COMMIT").unwrap();
        drop(waiting.join().unwrap());
    });
}

#[test]
fn a_new_file_that_is_busy_is_refused_in_time() {
    let file = File::new();
    let other = file.raw();
    for lock in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        other.execute_batch(lock).unwrap();
        let opened = block_on(SqliteStore::options(file.path()).time_limit(BRIEFLY).open());
        let said = causes(&opened.unwrap_err());
        assert!(said.contains("the file was busy for 50ms"), "{lock}: {said}");
        other.execute_batch("ROLLBACK").unwrap();
    }
    drop(file.open());
}

/// What was made, and the first error, after showing that what was made is kept and told of, and nothing else is.
fn made_until_it_failed(said: &str) -> (BTreeSet<&str>, &str) {
    let ids = |verb: &str| -> BTreeSet<&str> {
        said.lines().filter_map(|line| line.strip_prefix(verb).filter(|id| id.len() == 16)).collect()
    };
    let made = ids("made ");
    println!("{} keys were made", made.len());
    assert!(made.len() > 10, "{said}");
    assert_eq!(ids("kept "), made);
    assert_eq!(ids("told "), made);
    (made, said.lines().find_map(|line| line.strip_prefix("failed: ")).unwrap())
}

#[test]
fn a_full_disk_is_an_error_and_stores_nothing() {
    // A small disk of its own, that nobody else sees.
    let script = "mount -t tmpfs -o size=2m tmpfs \"$2\" && head -c 500000 /dev/zero >\"$2/filler\" \
        && exec \"$1\" \"$2/keys.db\" generate \"$2/filler\"";
    let file = File::new();
    let run = |arguments: &[&str]| {
        let folder = file.folder().to_str().unwrap();
        let script = ["sh", "-c", script, "sh", env!("CARGO_BIN_EXE_opener"), folder];
        Command::new("unshare").args(arguments).args(script).output().unwrap()
    };
    // For an administrator, and for who is none.
    let outputs = [run(&["--mount"]), run(&["--map-root-user", "--mount"])];
    let said =
        outputs.iter().map(|output| String::from_utf8_lossy(&output.stdout)).find(|said| !said.is_empty());
    let said = said.unwrap_or_else(|| panic!("a small disk cannot be made here: {outputs:?}"));
    let (_, error) = made_until_it_failed(&said);
    assert!(error.contains("the store failed: the disk is full"), "{error}");
    assert!(said.lines().last().unwrap().ends_with(" again"), "{said}");
}

#[test]
fn what_was_made_before_the_disk_took_no_more_is_kept_and_nothing_else() {
    let file = File::new();
    drop(file.open());
    // The largest file that the process may write; the signal about it would end the process.
    let limited = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" \"$@\"";
    let opener = Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_opener"), file.path().to_str().unwrap(), "generate"])
        .output()
        .unwrap();
    let said = String::from_utf8(opener.stdout).unwrap();
    let (made, error) = made_until_it_failed(&said);
    assert!(error.contains("the store failed: the disk cannot be read or written"), "{error}");
    let project = checkout(&file.keys());
    let kept = block_on(project.list(KeyQuery::default().limit(1_000))).unwrap().items;
    assert_eq!(kept.iter().map(|key| key.id.as_str()).collect::<BTreeSet<_>>(), made);
    drop(generate(&project, "Web app"));
}
