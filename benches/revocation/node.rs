//! What each process does that verifies: as a host would, it may follow, and it verifies one token after the other, each
//! until it is refused.

use std::fmt;
use std::io::Write;
use std::str::FromStr;
use std::time::Duration;

use access_keys::clock::{Clock, SystemClock};
use access_keys::store::{Migrate, PostgresStore};
use access_keys::{AccessKeys, Denial};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::Done;
use crate::host::production;

/// What became of a token, as a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    /// Accepted for the first time, or again: when that verification had ended.
    Accepted(Duration),
    /// Unavailable now: when the last verification began that accepted.
    Unavailable(Duration),
    /// Refused for good: when the last verification began that accepted.
    Refused(Duration),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, at) = match self {
            Self::Accepted(at) => ("accepted", at),
            Self::Unavailable(at) => ("unavailable", at),
            Self::Refused(at) => ("refused", at),
        };
        write!(f, "{word} {}", at.as_nanos())
    }
}

impl FromStr for Said {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let parts = line.split_once(' ').and_then(|(word, at)| Some((word, at.parse().ok()?)));
        match parts.map(|(word, at)| (word, Duration::from_nanos(at))) {
            Some(("accepted", at)) => Ok(Self::Accepted(at)),
            Some(("unavailable", at)) => Ok(Self::Unavailable(at)),
            Some(("refused", at)) => Ok(Self::Refused(at)),
            _ => Err(format!("a process said {line:?}")),
        }
    }
}

/// Sends statements to one address, and hears of changes by the other; with none it does not follow.
pub(crate) fn run(address: &str, channel: &str) -> Done {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut options = PostgresStore::options(address).migrate(Migrate::Check);
        if !channel.is_empty() {
            options = options.listen(channel);
        }
        let keys = AccessKeys::builder(options.open().await?).prefix("acme").build()?;
        if !channel.is_empty() {
            drop(tokio::spawn(keys.verifier().follow(tokio::time::sleep)));
        }
        let mut tokens = tokens();
        while let Some(token) = tokens.recv().await {
            verify(&keys, &token).await?;
        }
        Ok(())
    })
}

/// The lines of the input, from a thread: whoever waits for a line must not keep those waiting who follow.
fn tokens() -> UnboundedReceiver<String> {
    let (sender, tokens) = unbounded_channel();
    std::thread::spawn(move || {
        for token in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(token).is_err() {
                break;
            }
        }
        // Whoever asked is gone.
        std::process::exit(0);
    });
    tokens
}

async fn verify(keys: &AccessKeys<PostgresStore>, token: &str) -> Done {
    let production = production();
    let (mut accepts, mut last) = (false, Duration::ZERO);
    loop {
        let began = SystemClock.boot();
        match keys.verify(token, &production).await {
            Ok(_) => {
                if !accepts {
                    say(Said::Accepted(SystemClock.boot()))?;
                }
                (accepts, last) = (true, began);
                // Others have their turn, or what the server says would wait for this loop.
                tokio::task::yield_now().await;
            }
            Err(Denial::Unavailable { .. }) => {
                if accepts {
                    say(Said::Unavailable(last))?;
                }
                accepts = false;
                // The server needs a core to start on.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Err(_) => return say(Said::Refused(last)),
        }
    }
}

fn say(said: Said) -> Done {
    Ok(writeln!(std::io::stdout().lock(), "{said}")?)
}
