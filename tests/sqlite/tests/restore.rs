//! A file is restored by the steps that the page of the store tells, and not without them.

use std::fs;
use std::path::{Path, PathBuf};

use access_keys::Issued;
use access_keys::lifecycle::history::Cause;
use access_keys::store::SqliteStore;
use pollster::block_on;
use sqlite_tests::{File, checkout, generate, production};

/// What a process that was killed leaves, a backup of before, and the tokens of two keys: `revoked` and `later` were
/// revoked and generated after the backup.
struct Scene {
    file: File,
    backup: PathBuf,
    revoked: Issued,
    later: Issued,
}

/// A backup as `VACUUM INTO` makes it: what is in the file, in pages of its own.
fn vacuumed(file: &File, backup: &Path) {
    file.raw().execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
}

/// A backup as `.backup` makes it: page by page.
fn by_pages(file: &File, backup: &Path) {
    let is_busy = |row: &rusqlite::Row| row.get::<_, i64>(0);
    assert_eq!(file.raw().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], is_busy).unwrap(), 0);
    fs::copy(file.path(), backup).unwrap();
}

impl Scene {
    fn new(back_up: fn(&File, &Path)) -> Self {
        let (running, file) = (File::new(), File::new());
        let keys = running.keys();
        let project = checkout(&keys);
        let revoked = generate(&project, "Mobile app");
        let backup = file.folder().join("night.db");
        back_up(&running, &backup);
        block_on(project.revoke(revoked.key.id, "leaked")).unwrap();
        let later = generate(&project, "Nightly report");
        // As they lie on the disk while they are in use; nobody closes them.
        for name in ["keys.db", "keys.db-wal", "keys.db-shm"] {
            fs::copy(running.folder().join(name), file.folder().join(name)).unwrap();
        }
        Self { file, backup, revoked, later }
    }

    fn copy_backup(&self) {
        fs::copy(&self.backup, self.file.path()).unwrap();
    }

    /// Whether the file is as the backup has it. What it is otherwise is all that was done since.
    fn is_the_backup(&self) -> bool {
        let keys = self.file.keys();
        let opens = |issued: &Issued| block_on(keys.verify(issued.token.expose(), &production())).is_ok();
        let (revoked, later) = (opens(&self.revoked), opens(&self.later));
        assert_ne!(revoked, later, "neither the backup nor what came after it");
        revoked
    }
}

#[test]
fn a_file_that_was_put_in_place_as_the_page_says_is_the_backup() {
    for back_up in [vacuumed, by_pages] {
        let scene = Scene::new(back_up);
        for name in ["keys.db-wal", "keys.db-shm"] {
            fs::remove_file(scene.file.folder().join(name)).unwrap();
        }
        scene.copy_backup();
        let store = block_on(SqliteStore::open(scene.file.path())).unwrap();
        block_on(store.begin_incarnation()).unwrap();
        drop(store);
        assert!(scene.is_the_backup());
    }
}

#[test]
fn a_copy_over_a_file_whose_log_is_left_restores_nothing() {
    let silent = Scene::new(by_pages);
    silent.copy_backup();
    assert!(!silent.is_the_backup());

    let damaged = Scene::new(vacuumed);
    damaged.copy_backup();
    assert!(block_on(SqliteStore::open(damaged.file.path())).is_err());
}

#[test]
fn a_checkpoint_names_what_a_restore_lost_until_a_new_one_is_taken() {
    let (file, restored) = (File::new(), File::new());
    let keys = file.keys();
    let project = checkout(&keys);
    let [untouched, revoked] = ["Mobile app", "Partner"].map(|name| generate(&project, name).key.id);
    vacuumed(&file, &restored.path());
    block_on(project.revoke(revoked, "leaked")).unwrap();
    let later = generate(&project, "Nightly report").key.id;
    let checkpoint = block_on(project.checkpoint()).unwrap();

    let keys = restored.keys();
    let project = checkout(&keys);
    let broken = || {
        let report = block_on(project.verify_histories(Some(&checkpoint))).unwrap();
        assert!(report.breaks().iter().all(|broken| broken.cause == Cause::Checkpoint), "{report}");
        let mut keys: Vec<_> = report.breaks().iter().map(|broken| broken.key).collect();
        keys.sort();
        keys
    };
    let mut lost = [revoked, later];
    lost.sort();
    assert_eq!(broken(), lost);
    block_on(project.revoke(revoked, "again")).unwrap();
    assert_eq!(broken(), lost, "it stays broken");
    let new = block_on(project.checkpoint()).unwrap();
    assert!(block_on(project.verify_histories(Some(&new))).unwrap().is_intact());
    assert!(block_on(project.get(untouched)).is_ok());
}
