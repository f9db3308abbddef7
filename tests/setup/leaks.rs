//! Finding a secret in whatever was printed, however it was written there.

use std::error::Error;
use std::fmt::{Debug, Display};

/// Secrets, in every way in which they could show in a text.
pub(crate) struct Canary {
    needles: Vec<String>,
}

/// What is looked for is so many bytes of a secret in a row, at every so many bytes of it.
const WINDOW: usize = 12;
const STEP: usize = 4;

impl Canary {
    pub(crate) fn new<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Self {
        let windows = secrets.into_iter().flat_map(|secret| {
            assert!(secret.len() >= WINDOW);
            secret.windows(WINDOW).step_by(STEP)
        });
        Self { needles: windows.flat_map(written).collect() }
    }

    /// Only as it is, for what could not have written it in another way.
    pub(crate) fn raw(secret: &str) -> Self {
        let windows = secret.as_bytes().windows(WINDOW);
        Self { needles: windows.map(|window| String::from_utf8(window.to_vec()).unwrap()).collect() }
    }

    /// Whether a secret can be read in `text`.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        // Pretty-printed bytes stand on lines of their own.
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        self.needles.iter().any(|needle| text.contains(needle.as_str()))
    }

    #[track_caller]
    pub(crate) fn assert_not_in(&self, what: &str, text: &str) {
        assert!(!self.is_in(text), "{what} shows a secret: {text}");
    }

    #[track_caller]
    pub(crate) fn assert_not_in_debug(&self, what: &str, value: &dyn Debug) {
        self.assert_not_in(what, &format!("{value:?} {value:#?}"));
    }

    #[track_caller]
    pub(crate) fn assert_not_in_display(&self, what: &str, value: &dyn Display) {
        self.assert_not_in(what, &format!("{value} {value:#}"));
    }

    /// Looks at an error and at everything that caused it.
    #[track_caller]
    pub(crate) fn assert_not_in_error(&self, what: &str, error: &dyn Error) {
        let mut cause = Some(error);
        while let Some(error) = cause {
            self.assert_not_in_debug(what, &error);
            self.assert_not_in_display(what, &error);
            cause = error.source();
        }
    }
}

/// A window of a secret as it would be raw, in hexadecimal, as a list of bytes, and in base64 of both
/// alphabets at every alignment.
pub(crate) fn written(window: &[u8]) -> Vec<String> {
    let hex = super::hex(window);
    let decimal = window.iter().map(|byte| format!("{byte},")).collect::<String>();
    let octets = window.iter().map(|byte| format!("0x{byte:02x},")).collect::<String>();
    let mut ways = vec![hex.to_uppercase(), hex, decimal, octets];
    ways.extend(std::str::from_utf8(window).ok().map(str::to_owned));
    for before in 0..3 {
        // The characters that depend on what stands before and behind are left out.
        let padded = [vec![0; before], window.to_vec()].concat();
        let whole = padded.len() / 3 * 4;
        let start = before.div_ceil(3) * 4;
        for url in [false, true] {
            ways.push(base64(&padded, url)[start..whole].to_owned());
        }
    }
    ways
}

pub(crate) fn base64(bytes: &[u8], url: bool) -> String {
    let tail = if url { b"-_" } else { b"+/" };
    let alphabet: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(*tail).collect();
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        text.extend((0..=chunk.len()).map(|i| char::from(alphabet[bits >> (18 - 6 * i) & 63])));
    }
    text
}
