//! The words and options of a command line, each taken by who knows it.

use crate::{Result, USAGE};

pub(crate) struct Arguments {
    words: Vec<String>,
    options: Vec<(String, String)>,
}

impl Arguments {
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> Result<Self> {
        let (mut words, mut options) = (Vec::new(), Vec::new());
        while let Some(word) = given.next() {
            if word.starts_with("--") {
                let value = given.next().ok_or_else(|| format!("{word} needs a value"))?;
                options.push((word, value));
            } else {
                words.push(word);
            }
        }
        words.reverse();
        Ok(Self { words, options })
    }

    /// The next word.
    pub(crate) fn word(&mut self) -> Option<String> {
        self.words.pop()
    }

    /// The next word, which must be there.
    pub(crate) fn need(&mut self) -> Result<String> {
        self.word().ok_or_else(|| USAGE.into())
    }

    /// All values of an option.
    pub(crate) fn all(&mut self, name: &str) -> Vec<String> {
        self.options.extract_if(.., |(option, _)| option == name).map(|(_, value)| value).collect()
    }

    /// The value of an option that is given once at most.
    pub(crate) fn one(&mut self, name: &str) -> Result<Option<String>> {
        let mut values = self.all(name);
        let value = values.pop();
        if values.is_empty() { Ok(value) } else { Err(format!("{name} is given twice").into()) }
    }

    /// Nothing may be left that nobody knew.
    pub(crate) fn end(self) -> Result<()> {
        // Neither is shown: people paste tokens into the wrong place.
        if self.words.is_empty() && self.options.is_empty() { Ok(()) } else { Err(USAGE.into()) }
    }
}
