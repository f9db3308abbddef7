//! A node: a process that verifies a token again and again until it is refused.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use access_keys::clock::{Clock, SystemClock};
use access_keys::store::PostgresStore;
use access_keys::{AccessKeys, Denial, EnvironmentId};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The node as the process sees it that started it.
pub(crate) struct Node {
    process: Child,
    tokens: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Node {
    pub(crate) fn start(address: &str) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["node", address]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let (tokens, says) = (process.stdin.take(), process.stdout.take());
        let says = BufReader::new(says.ok_or("no output")?);
        Ok(Self { process, tokens: tokens.ok_or("no input")?, says })
    }

    /// Returns once it has accepted the token.
    pub(crate) fn accept(&mut self, token: &str) -> Result<()> {
        writeln!(self.tokens, "{token}")?;
        if self.line()? == "accepted" { Ok(()) } else { Err("a node refused a good token".into()) }
    }

    /// When it began the last verification that accepted. Returns once it refuses.
    pub(crate) fn last_accept(&mut self) -> Result<Duration> {
        Ok(Duration::from_nanos(self.line()?.parse()?))
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What the process itself does, as a host would: it follows, and verifies.
pub(crate) async fn run(address: &str) -> Result<()> {
    let keys = AccessKeys::builder(PostgresStore::connect(address).await?).prefix("acme").build()?;
    tokio::spawn(keys.verifier().follow(tokio::time::sleep));
    let production = EnvironmentId::new("production")?;
    for token in std::io::stdin().lines() {
        let token = token?;
        let mut last = Duration::ZERO;
        loop {
            let began = SystemClock.boot();
            match keys.verify(&token, &production).await {
                Ok(_) if last.is_zero() => {
                    println!("accepted");
                    last = began;
                }
                Ok(_) => last = began,
                Err(Denial::Unavailable { .. }) => {}
                Err(_) => break,
            }
            // Others have their turn: on few cores whoever hears of the change would else wait for this loop.
            tokio::task::yield_now().await;
        }
        println!("{}", last.as_nanos());
    }
    Ok(())
}
