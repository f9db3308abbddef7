//! The processes that verify, as the one sees them that started them.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::node::Said;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const NODES: usize = 3;
/// Longer than any of them may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// The argument that makes a process one of them.
pub(crate) const WORD: &str = "node";

pub(crate) struct Nodes(Vec<Node>);

struct Node {
    process: Child,
    tokens: ChildStdin,
    says: Receiver<Said>,
}

impl Nodes {
    /// Starts processes that follow and hear of changes by the second address, or do not follow.
    pub(crate) fn start(address: &str, channel: Option<&str>) -> Result<Self> {
        (0..NODES).map(|_| Node::start(address, channel)).collect::<Result<_>>().map(Self)
    }

    /// Has each verify the token from now on. Returns once each has accepted it.
    pub(crate) fn accept(&mut self, token: &str) -> Result<()> {
        for node in &mut self.0 {
            writeln!(node.tokens, "{token}")?;
        }
        self.first_accepts().map(drop)
    }

    pub(crate) const fn count(&self) -> usize {
        self.0.len()
    }

    /// When each next began to accept.
    pub(crate) fn first_accepts(&self) -> Result<Vec<Duration>> {
        self.each(|said| match said {
            Said::Accepted(at) => Some(Ok(at)),
            Said::Unavailable(_) => None,
            Said::Refused(_) => Some(Err("a good token was refused".into())),
        })
    }

    /// When each began the last verification that accepted. Returns once each refuses.
    pub(crate) fn last_accepts(&self) -> Result<Vec<Duration>> {
        self.each(|said| match said {
            Said::Refused(at) => Some(Ok(at)),
            Said::Accepted(_) | Said::Unavailable(_) => None,
        })
    }

    /// When each began the last verification that accepted. Returns once each has been unavailable for so long.
    pub(crate) fn last_accepts_before_outage(&self, quiet: Duration) -> Result<Vec<Duration>> {
        let last = self.each(|said| match said {
            Said::Unavailable(at) => Some(Ok(at)),
            Said::Accepted(_) => None,
            Said::Refused(_) => Some(Err("a good token was refused".into())),
        })?;
        thread::sleep(quiet);
        let later = self.0.iter().zip(last).map(|(node, last)| match node.says.try_iter().last() {
            None => Ok(last),
            Some(Said::Unavailable(at)) => Ok(at),
            Some(said) => Err(format!("a process without its server said {said:?}").into()),
        });
        later.collect()
    }

    /// What the first line of each is that counts.
    fn each(&self, counts: impl Fn(Said) -> Option<Result<Duration>>) -> Result<Vec<Duration>> {
        let wait = |node: &Node| {
            loop {
                if let Some(at) = counts(node.says.recv_timeout(PATIENCE)?) {
                    return at;
                }
            }
        };
        self.0.iter().map(wait).collect()
    }
}

impl Node {
    fn start(address: &str, heard_by: Option<&str>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([WORD, address, heard_by.unwrap_or_default()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let (tokens, output) = (process.stdin.take(), process.stdout.take());
        let lines = BufReader::new(output.ok_or("no output")?).lines();
        let (sender, says) = channel();
        thread::spawn(move || {
            for said in lines.map_while(|line| line.ok()?.parse().ok()) {
                if sender.send(said).is_err() {
                    return;
                }
            }
        });
        Ok(Self { process, tokens: tokens.ok_or("no input")?, says })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
