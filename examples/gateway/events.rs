//! Server-sent events, cut out of the bytes of a provider.

/// A provider sends what is no text, or an event without an end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Garbled;

/// An event longer than this is none.
const LONGEST: usize = 1 << 20;

#[derive(Default)]
pub(crate) struct Events {
    bytes: Vec<u8>,
    /// The lines of data of the event that has begun.
    data: Vec<String>,
}

impl Events {
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Garbled> {
        self.bytes.extend_from_slice(bytes);
        let held = self.bytes.len() + self.data.iter().map(String::len).sum::<usize>();
        if held > LONGEST { Err(Garbled) } else { Ok(()) }
    }

    /// The data of the next event that is whole.
    pub(crate) fn next(&mut self) -> Result<Option<String>, Garbled> {
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let line = str::from_utf8(&line).map_err(|_| Garbled)?.trim_end_matches(['\r', '\n']);
            if let Some(data) = line.strip_prefix("data:") {
                self.data.push(data.strip_prefix(' ').unwrap_or(data).to_owned());
            } else if line.is_empty() && !self.data.is_empty() {
                return Ok(Some(std::mem::take(&mut self.data).join("\n")));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_every_byte_alike() {
        let text =
            "event: a\r\ndata: one\r\n\r\n: a comment\n\ndata:two\ndata: three ü\n\nid: 7\n\ndata: cut";
        for size in 1..text.len() {
            let (mut events, mut found) = (Events::default(), Vec::new());
            for bytes in text.as_bytes().chunks(size) {
                events.push(bytes).unwrap();
                while let Some(data) = events.next().unwrap() {
                    found.push(data);
                }
            }
            assert_eq!(found, ["one", "two\nthree ü"], "in pieces of {size}");
        }
    }

    #[test]
    fn keeps_no_event_without_an_end() {
        let mut events = Events::default();
        assert_eq!(events.push(&vec![b'a'; LONGEST + 1]), Err(Garbled));
    }
}
