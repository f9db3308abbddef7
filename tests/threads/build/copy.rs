//! A copy of one source file.

use std::path::{Path, PathBuf};
use std::{env, fs};

pub(crate) const SOURCES: &str = "../../src";

/// The text of a source file of the library, to be changed and written elsewhere.
#[derive(Clone)]
pub(crate) struct Copy {
    from: PathBuf,
    text: String,
}

impl Copy {
    pub(crate) fn of(path: impl AsRef<Path>) -> Self {
        let from = Path::new(SOURCES).join(path);
        let text = fs::read_to_string(&from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        Self { from, text }
    }

    /// Replaces what is there exactly once.
    #[must_use]
    pub(crate) fn replace(mut self, old: &str, new: &str) -> Self {
        let found = self.text.matches(old).count();
        assert_eq!(found, 1, "{} has {found} times:\n{old}", self.from.display());
        self.text = self.text.replacen(old, new, 1);
        self
    }

    /// Moves a line before another.
    #[must_use]
    pub(crate) fn line_before(self, line: &str, other: &str) -> Self {
        self.replace(line, "").replace(other, &format!("{line}{other}"))
    }

    /// Cuts off the tests beside the code, if there are any.
    #[must_use]
    pub(crate) fn without_tests(mut self) -> Self {
        if let Some(end) = self.text.find("\n#[cfg(test)]\nmod tests {") {
            self.text.truncate(end + 1);
        }
        self
    }

    /// Everything from this on: a file that is included has no attributes and no page of its own.
    #[must_use]
    pub(crate) fn starting(mut self, with: &str) -> Self {
        let start = self.text.find(with).unwrap_or_else(|| panic!("{} has no {with}", self.from.display()));
        self.text.drain(..start);
        self
    }

    pub(crate) fn write(&self, to: impl AsRef<Path>) {
        let to = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join(to);
        let folder = to.parent().expect("it is inside a folder");
        fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        fs::write(&to, &self.text).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    }
}
