//! A gateway with its providers and keys, and whoever manages these.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tempfile::TempDir;

use crate::process::Process;

pub(crate) const NORTH: &str = "north-credential-1f0a9c";
pub(crate) const SOUTH: &str = "south-credential-77be02";
const PEPPER: &str = "a pepper that only the gateway and its commands have";

pub(crate) struct World {
    pub(crate) gateway: Process,
    north: Process,
    south: Process,
    folder: TempDir,
    /// Where the keys are, as the commands are told.
    keys: [String; 2],
    tokens: Mutex<BTreeSet<String>>,
    answers: Mutex<String>,
}

pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// A change that another process has made.
pub(crate) struct Changed {
    pub(crate) at: DateTime<Utc>,
    pub(crate) within: Duration,
}

impl World {
    /// Over a file of SQLite.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.db").to_str().unwrap().to_owned();
        Self::start(folder, ["--sqlite".to_owned(), file])
    }

    /// Over PostgreSQL.
    pub(crate) fn over(postgres: &str) -> Self {
        Self::start(tempfile::tempdir().unwrap(), ["--postgres".to_owned(), postgres.to_owned()])
    }

    fn start(folder: TempDir, keys: [String; 2]) -> Self {
        let stand_in = |interface: &str, credential: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_stand-in"));
            command.args([interface, "CREDENTIAL", "127.0.0.1:0"]).env("CREDENTIAL", credential);
            Process::start(&mut command, &folder.path().join(format!("{interface}.log")))
        };
        let (north, south) = (stand_in("openai", NORTH), stand_in("messages", SOUTH));
        let file = folder.path().join("gateway.toml");
        fs::write(&file, settings(&north.address, &south.address)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--settings"]).arg(file).args(&keys);
        command.env("NORTH_CREDENTIAL", NORTH).env("SOUTH_CREDENTIAL", SOUTH).env("GATEWAY_LOG", "trace");
        command.env("GATEWAY_PEPPER", PEPPER);
        let gateway = Process::start(&mut command, &folder.path().join("gateway.log"));
        let (tokens, answers) = <(Mutex<_>, Mutex<_>)>::default();
        Self { gateway, north, south, folder, keys, tokens, answers }
    }

    /// A key for these agents and prompts, with a name.
    pub(crate) fn key(&self, name: &str, scope: &[&str]) -> Key {
        self.create(name, scope, &self.keys)
    }

    /// A key that another gateway would take.
    pub(crate) fn foreign_key(&self) -> Key {
        let file = self.folder.path().join("other.db").to_str().unwrap().to_owned();
        self.create("Foreign", &["--agent", "all"], &["--sqlite".to_owned(), file])
    }

    fn create(&self, name: &str, scope: &[&str], keys: &[String; 2]) -> Key {
        let said = self.command(&[&["create", "--name", name], scope].concat(), keys);
        let word = |first: &str| {
            let mut lines = said.lines().filter_map(|line| line.strip_prefix(first));
            lines.next().unwrap().split_whitespace().next().unwrap().to_owned()
        };
        let (id, token) = (word("key "), word("token "));
        self.tokens.lock().unwrap().insert(token.clone());
        Key { id, token }
    }

    pub(crate) fn narrow(&self, key: &Key, scope: &[&str]) -> Changed {
        self.change(&[&["narrow", &key.id], scope].concat())
    }

    pub(crate) fn revoke(&self, key: &Key) -> Changed {
        self.change(&["revoke", &key.id, "left the company"])
    }

    fn change(&self, arguments: &[&str]) -> Changed {
        let said = self.command(arguments, &self.keys);
        let (_, said) = said.split_once(" at ").unwrap();
        let (at, within) = said.split_once(", on every gateway within ").unwrap();
        let within = within.trim().strip_suffix(" s").unwrap().parse().unwrap();
        Changed { at: at.parse().unwrap(), within: Duration::from_secs_f64(within) }
    }

    /// What `gateway keys` says, in a process of its own.
    fn command(&self, arguments: &[&str], keys: &[String; 2]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
        let output =
            command.arg("keys").args(arguments).args(keys).env("GATEWAY_PEPPER", PEPPER).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Rewrites the settings.
    pub(crate) fn configure(&self, change: impl FnOnce(String) -> String) {
        let file = self.settings();
        let text = change(fs::read_to_string(&file).unwrap());
        fs::write(file, text).unwrap();
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.folder.path().join("gateway.toml")
    }

    /// Remembers what a client was told.
    pub(crate) fn heard(&self, answer: &str) {
        self.answers.lock().unwrap().push_str(answer);
    }

    /// The lines of the log about requests.
    pub(crate) fn lines(&self) -> Vec<String> {
        let log = self.gateway.log();
        log.lines().filter(|line| line.contains("decision=")).map(str::to_owned).collect()
    }

    /// Nothing secret was told, neither in the log, to clients, nor to providers.
    pub(crate) fn nothing_leaked(&self) {
        let (tokens, answers) = (self.tokens.lock().unwrap(), self.answers.lock().unwrap());
        let (log, north, south) = (self.gateway.log(), self.north.log(), self.south.log());
        // What would be found is looked for where it belongs.
        assert!(log.contains(" TRACE ") && answers.contains("hears"));
        assert!(!north.contains("hello") || north.contains(NORTH));
        assert!(!south.contains("hello") || south.contains(SOUTH));
        for (place, text) in [("the log", &log), ("an answer", &answers)] {
            assert!(!text.contains(NORTH) && !text.contains(SOUTH), "{place} has a provider's credential");
            assert!(!text.contains(PEPPER), "{place} has the pepper");
        }
        for token in &*tokens {
            let secret = token.rsplit('_').next().unwrap();
            for (place, text) in
                [("the log", &log), ("an answer", &answers), ("north", &north), ("south", &south)]
            {
                assert!(!text.contains(secret), "{place} has a token");
            }
        }
    }
}

/// What comes of it before long.
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it does not come");
    }
}

fn settings(north: &str, south: &str) -> String {
    let shipped = include_str!("../../gateway.toml");
    shipped.replace("127.0.0.1:9001", north).replace("127.0.0.1:9002", south)
}
