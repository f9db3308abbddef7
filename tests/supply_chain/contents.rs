//! What is published is the library, its examples and its papers, the same to the byte each time, and it stands alone.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use supply_chain_tests::{cargo, root};

/// What cargo adds.
const ADDED: [&str; 4] = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml", "Cargo.toml.orig"];
const PAPERS: [&str; 5] = ["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE-APACHE", "LICENSE-MIT"];

#[test]
fn it_holds_the_library_its_examples_and_its_papers_and_nothing_else() {
    let listed = cargo(&root(), &["package", "--list", "--allow-dirty", "--quiet"], &[]);
    let listed: BTreeSet<PathBuf> = listed.lines().map(PathBuf::from).collect();
    let mut expected: BTreeSet<PathBuf> = PAPERS.iter().chain(&ADDED).map(PathBuf::from).collect();
    files(&root().join("src"), true, &mut expected);
    files(&root().join("examples"), false, &mut expected);
    // It is there where there is a repository.
    expected.retain(|path| *path != Path::new(ADDED[0]) || listed.contains(path));
    assert_eq!(listed, expected);
    assert!(
        listed.contains(Path::new("src/docs/http.md"))
            && listed.contains(Path::new("examples/quickstart.rs"))
    );
}

fn files(folder: &Path, deep: bool, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            found.extend(path.strip_prefix(root()).map(Path::to_owned));
        } else if deep {
            files(&path, deep, found);
        }
    }
}

#[test]
fn it_is_the_same_each_time_and_stands_alone() {
    let work = tempfile::tempdir().expect("a folder");
    let [one, other] = ["one", "other"].map(|name| packed(&work.path().join(name)));
    let bytes = |path: &Path| std::fs::read(path).expect("a package");
    assert!(bytes(&one) == bytes(&other), "two packages of the same sources differ");
    assert!(bytes(&one).len() < 1 << 20, "{} bytes", bytes(&one).len());

    let unpacked = Command::new("tar").arg("xzf").arg(&one).arg("-C").arg(work.path()).status();
    assert!(unpacked.expect("the command tar").success());
    let alone = work.path().join(one.file_stem().expect("a name"));
    for absent in ["benches", "tests", "fuzz"] {
        assert!(!alone.join(absent).exists(), "{absent}");
    }
    let told = cargo(&alone, &["run", "--quiet", "--example", "quickstart"], &[]);
    assert!(told.contains("acme_"), "{told}");
    cargo(&alone, &["check", "--quiet", "--all-targets"], &[]);
    let documented = ["doc", "--quiet", "--no-deps", "--all-features"];
    cargo(&alone, &documented, &[("RUSTDOCFLAGS", "-D warnings".as_ref())]);
}

/// The package, made in a target folder of its own.
fn packed(target: &Path) -> PathBuf {
    let set: [(&str, &OsStr); 1] = [("CARGO_TARGET_DIR", target.as_os_str())];
    cargo(&root(), &["package", "--quiet", "--allow-dirty", "--no-verify"], &set);
    let made = std::fs::read_dir(target.join("package")).expect("a folder");
    let mut made = made.filter_map(|entry| Some(entry.ok()?.path()));
    made.find(|path| path.extension().is_some_and(|end| end == "crate")).expect("a package")
}
