//! OpenAI's packages, installed below the target directory, once for each version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const PYTHON: &str = "openai==3.57.0";
/// The last that runs on node 20.
const JAVASCRIPT: &str = "openai@6.49.0";

/// The interpreter that has the package.
pub(crate) fn python() -> PathBuf {
    static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| {
        install(PYTHON, |folder| {
            let missing =
                "this test needs python3 with venv and pip: install the packages python3 and python3-venv";
            run(Command::new("python3").args(["-m", "venv"]).arg(folder), missing);
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYTHON];
            run(
                Command::new(folder.join("bin/python")).args(pip),
                "pip could not install the package openai",
            );
        })
    });
    INSTALLED.join("bin/python")
}

/// The folder in which node finds the package.
pub(crate) fn javascript() -> PathBuf {
    static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| {
        install(JAVASCRIPT, |folder| {
            let missing = "this test needs node 20 or later with npm: install the packages nodejs and npm";
            run(Command::new("node").args(["--eval", ""]), missing);
            let npm = [
                "install",
                "--no-package-lock",
                "--no-save",
                "--no-audit",
                "--no-fund",
                "--silent",
                "--prefix",
            ];
            run(Command::new("npm").args(npm).arg(folder).arg(JAVASCRIPT), missing);
        })
    });
    INSTALLED.clone()
}

fn install(name: &str, into: impl FnOnce(&Path)) -> PathBuf {
    let kind = if name == PYTHON { "python" } else { "javascript" };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(kind);
    let installed = folder.join("installed");
    // What was begun and not ended, or is another version, is begun anew.
    if fs::read_to_string(&installed).is_ok_and(|there| there == name) {
        return folder;
    }
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    into(&folder);
    fs::write(installed, name).unwrap();
    folder
}

fn run(command: &mut Command, missing: &str) {
    let status = command.status().unwrap_or_else(|error| panic!("{missing} ({command:?}: {error})"));
    assert!(status.success(), "{missing} ({command:?}: {status})");
}
