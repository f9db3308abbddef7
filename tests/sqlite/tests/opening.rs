//! Files that are opened, and files that are refused and left as they were.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use access_keys::store::sql::{Database, migrations};
use access_keys::store::{KeyStore, Migrate, SqliteStore};
use pollster::block_on;
use rusqlite::Connection;
use sqlite_tests::{File, causes, checkout, dump, generate};

const OPENER: &str = env!("CARGO_BIN_EXE_opener");

/// What is said of a file that is refused, after showing that it was left as it was.
fn refused(path: &Path, migrate: Migrate) -> String {
    let before = fs::read(path).ok();
    let error = block_on(SqliteStore::options(path).migrate(migrate).open()).expect_err("it is opened");
    assert_eq!(fs::read(path).ok(), before, "the file was changed");
    causes(&error)
}

fn says(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn apply_by_hand(path: &Path) {
    let connection = Connection::open(path).unwrap();
    for migration in migrations().iter().filter(|migration| migration.database == Database::Sqlite) {
        connection.execute_batch(&format!("BEGIN; {} COMMIT", migration.sql)).unwrap();
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let file = File::new();
    for content in
        [b"hello".to_vec(), vec![0; 5_000], vec![7; 100_000], b"SQLite format 3\0 and no more".to_vec()]
    {
        fs::write(file.path(), &content).unwrap();
        let said = refused(&file.path(), Migrate::Apply);
        assert!(said.contains("not a database") || said.contains("damaged"), "{content:?}: {said}");
    }
}

#[test]
fn an_empty_file_becomes_a_database() {
    let file = File::new();
    fs::write(file.path(), "").unwrap();
    assert!(refused(&file.path(), Migrate::Check).contains("has migration 0 and needs 3"));
    drop(generate(&checkout(&file.keys()), "Mobile app"));
}

#[test]
fn the_database_of_another_application_is_refused() {
    for (journal, application) in [("delete", 0), ("wal", 0), ("delete", 7), ("wal", 7)] {
        let file = File::new();
        let made = file.raw();
        made.execute_batch(&format!(
            "PRAGMA journal_mode = {journal}; PRAGMA application_id = {application}; CREATE TABLE theirs (x)"
        ))
        .unwrap();
        drop(made);
        let said = refused(&file.path(), Migrate::Apply);
        assert!(said.contains("another application"), "{said}");
        assert_eq!(fs::read_dir(file.folder()).unwrap().count(), 1, "something was left beside the file");
    }
    let file = File::new();
    file.raw().execute_batch("PRAGMA user_version = 1; CREATE TABLE keys (id)").unwrap();
    assert!(refused(&file.path(), Migrate::Apply).contains("another application"));
}

#[test]
fn the_log_of_another_application_is_not_written_back() {
    let file = File::new();
    let theirs = file.raw();
    theirs
        .execute_batch("PRAGMA journal_mode = wal; CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
        .unwrap();
    // As after a crash: the log is there, and nobody has the file open.
    let crashed = File::new();
    let log = |file: &File| file.folder().join("keys.db-wal");
    fs::copy(file.path(), crashed.path()).unwrap();
    fs::copy(log(&file), log(&crashed)).unwrap();
    let before = fs::read(log(&crashed)).unwrap();
    assert!(!before.is_empty());
    assert!(refused(&crashed.path(), Migrate::Apply).contains("another application"));
    assert_eq!(fs::read(log(&crashed)).unwrap(), before);
}

#[test]
fn a_database_of_a_later_version_is_refused_always() {
    let file = File::new();
    drop(file.open());
    file.raw().execute_batch("PRAGMA user_version = 99").unwrap();
    for migrate in [Migrate::Apply, Migrate::Check] {
        let said = refused(&file.path(), migrate);
        assert!(said.contains("it has migration 99, and this one knows 3"), "{said}");
    }
}

#[test]
fn a_check_applies_nothing_and_makes_no_file() {
    let file = File::new();
    let said = refused(&file.path(), Migrate::Check);
    assert!(said.contains("cannot be opened"), "{said}");
    assert!(!file.path().exists());
    apply_by_hand(&file.path());
    let store = block_on(SqliteStore::options(file.path()).migrate(Migrate::Check).open()).unwrap();
    drop(generate(&checkout(&file.keys()), "Mobile app"));
    assert!(block_on(store.changes(None)).is_ok());
}

#[test]
fn a_database_that_lacks_a_part_is_refused() {
    let file = File::new();
    drop(file.open());
    for sql in ["DROP INDEX keys_of_project", "ALTER TABLE uses ADD COLUMN more TEXT"] {
        let copy = file.folder().join("copy.db");
        let path = copy.to_str().unwrap();
        drop(fs::remove_file(&copy));
        file.raw().execute("VACUUM INTO ?1", [path]).unwrap();
        Connection::open(&copy).unwrap().execute_batch(sql).unwrap();
        let error = block_on(SqliteStore::open(&copy)).expect_err("it is opened");
        assert!(causes(&error).contains("is not as the migrations make it"), "{}", causes(&error));
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let file = File::new();
    for path in [":memory:", "", "/", "no/such/folder/keys.db"] {
        assert!(block_on(SqliteStore::open(path)).is_err(), "{path:?} was opened");
    }
    assert!(refused(file.folder(), Migrate::Apply).contains("cannot be opened"));
}

/// A copy of the opener that anyone may run.
fn opener_for_all(file: &File) -> PathBuf {
    let opener = file.folder().join("opener");
    // By another process: a program that is open for writing, here or in a child of a test beside, cannot be run.
    assert!(Command::new("cp").arg(OPENER).arg(&opener).status().unwrap().success());
    permit(&opener, 0o755);
    opener
}

/// Run by someone who may do no more than the permissions say: they hold for no administrator.
fn as_nobody(opener: &Path, path: &Path) -> String {
    const NOBODY: u32 = 65_534;

    let mut command = Command::new(opener);
    if fs::metadata(opener).unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    says(command.arg(path).output().unwrap())
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_read_only_file_and_a_read_only_folder_are_refused() {
    let file = File::new();
    drop(file.open());
    let before = fs::read(file.path()).unwrap();
    let opener = opener_for_all(&file);
    let say = || as_nobody(&opener, &file.path());
    for (of_file, of_folder) in [(0o444, 0o777), (0o666, 0o555), (0o444, 0o555)] {
        permit(&file.path(), of_file);
        permit(file.folder(), of_folder);
        let said = say();
        assert!(
            said.starts_with("refused: the store failed: the file")
                && (said.contains("cannot be written") || said.contains("cannot be opened")),
            "{of_file:o} in {of_folder:o}: {said}"
        );
        assert_eq!(fs::read(file.path()).unwrap(), before);
    }
    // The same process with the permissions that it needs: nothing else was in its way.
    permit(file.folder(), 0o777);
    permit(&file.path(), 0o666);
    assert_eq!(say(), "opened\n");
    let absent = file.folder().join("closed");
    fs::create_dir(&absent).unwrap();
    permit(&absent, 0o555);
    let said = as_nobody(&opener, &absent.join("keys.db"));
    assert!(said.contains("cannot be opened"), "{said}");
}

#[test]
fn ten_processes_open_a_new_file_at_once() {
    for round in 0..5 {
        let file = File::new();
        let start = || Command::new(OPENER).arg(file.path()).stdout(Stdio::piped()).spawn().unwrap();
        let openers: Vec<_> = (0..10).map(|_| start()).collect();
        for opener in openers {
            assert_eq!(says(opener.wait_with_output().unwrap()), "opened\n", "in round {round}");
        }
        assert_eq!(dump(&file.path()).len(), 1, "one row of settings");
        let check = Command::new(OPENER).arg(file.path()).arg("check").output().unwrap();
        assert_eq!(says(check), "opened\n");
    }
}
