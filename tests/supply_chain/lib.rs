//! Running cargo in the folder of the crate.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the crate.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap_or_default()
}

/// Where cargo builds.
#[must_use]
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// What cargo prints for these arguments in `folder`.
///
/// # Panics
/// When it fails, with what it says.
#[expect(clippy::must_use_candidate, reason = "often only that it succeeds counts")]
pub fn cargo(folder: &Path, arguments: &[&str], set: &[(&str, &OsStr)]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(folder).args(arguments).env("CARGO_TARGET_DIR", target()).envs(set.iter().copied());
    let output = command.output().unwrap_or_else(|error| panic!("cargo: {error}"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "cargo {arguments:?} fails:\n{}", said(&output.stderr));
    said(&output.stdout)
}
