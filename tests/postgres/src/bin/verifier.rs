//! A node on the schema at the given address: it verifies every token that comes as a line, again and again, says
//! `ready` when it has accepted one, and of each that it refuses for good when it began the last verification that
//! accepted.
//!
//! `verifier ADDRESS SCHEMA MODE`, where the mode is a few of these words: `follow` to follow the feed; `deaf` to hear of
//! nothing; `fast` or `slow` for a clock that runs a twentieth off, and `ahead` for one that is an hour ahead.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use access_keys::clock::{Clock, SystemClock};
use access_keys::store::{Migrate, PostgresStore};
use access_keys::{AccessKeys, AgentId, Denial};
use chrono::{DateTime, TimeDelta, Utc};
use postgres_tests::{RUNTIME, production, run};

struct Skewed {
    boot: f64,
    ahead: TimeDelta,
}

impl Clock for Skewed {
    fn wall(&self) -> DateTime<Utc> {
        SystemClock.wall() + self.ahead
    }

    fn boot(&self) -> Duration {
        SystemClock.boot().mul_f64(self.boot)
    }
}

/// Tokens that were accepted last at a time.
static TOKENS: Mutex<BTreeMap<String, Duration>> = Mutex::new(BTreeMap::new());

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("an argument");
    let (address, schema, mode) = (next(), next(), next());
    let is = |word| mode.split(' ').any(|given| given == word);
    let options = PostgresStore::options(&address).schema(schema).migrate(Migrate::Check);
    let store = run(options.through_pooler(is("deaf")).open()).expect("the schema opens");
    let clock = Skewed {
        boot: if is("fast") {
            1.05
        } else if is("slow") {
            0.95
        } else {
            1.0
        },
        ahead: TimeDelta::hours(i64::from(is("ahead"))),
    };
    let keys = AccessKeys::builder(store).prefix("acme").clock(clock).build().expect("a prefix");
    if is("follow") {
        RUNTIME.spawn(keys.verifier().follow(tokio::time::sleep));
    }
    thread::spawn(|| {
        for token in std::io::stdin().lines().map_while(Result::ok) {
            TOKENS.lock().unwrap().insert(token, Duration::ZERO);
        }
        // Whoever asked is gone.
        std::process::exit(0);
    });
    run(verify_all(&keys));
}

async fn verify_all(keys: &AccessKeys<PostgresStore>) {
    let agent = AgentId::new("support-bot").expect("an id");
    loop {
        let tokens: Vec<(String, Duration)> =
            TOKENS.lock().unwrap().iter().map(|(token, last)| (token.clone(), *last)).collect();
        if tokens.is_empty() {
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        for (token, last) in tokens {
            let began = SystemClock.boot();
            let verified = keys.verify(&token, &production()).await;
            match verified.and_then(|grant| grant.require_agent(&agent)) {
                Ok(()) => {
                    if last.is_zero() {
                        say("ready");
                    }
                    TOKENS.lock().unwrap().insert(token, began);
                }
                Err(Denial::Unavailable { .. }) => {}
                Err(_) => {
                    TOKENS.lock().unwrap().remove(&token);
                    say(&last.as_nanos().to_string());
                }
            }
        }
    }
}

fn say(text: &str) {
    let mut said = std::io::stdout().lock();
    writeln!(said, "{text}").expect("someone listens");
}
