//! An application with one of OpenAI's own clients.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::packages;
use crate::world::World;

/// How long it may say nothing, or hear a stream that ought to end.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Official<'a> {
    world: &'a World,
    pub(crate) language: &'static str,
    process: Child,
    asks: ChildStdin,
    says: Receiver<String>,
}

impl<'a> Official<'a> {
    /// One of each.
    pub(crate) fn all(world: &'a World) -> [Self; 2] {
        [Self::python(world), Self::javascript(world)]
    }

    fn python(world: &'a World) -> Self {
        let mut command = Command::new(packages::python());
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/client.py"));
        Self::start(world, "Python", command)
    }

    fn javascript(world: &'a World) -> Self {
        let mut command = Command::new("node");
        // It looks for packages beside the script.
        let script = include_str!("client.mjs");
        command.args(["--input-type=module", "--eval", script]).current_dir(packages::javascript());
        Self::start(world, "JavaScript", command)
    }

    fn start(world: &'a World, language: &'static str, mut command: Command) -> Self {
        for name in ["http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (asks, says) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        // A stream that does not end would hold up the test for as long as the provider talks.
        let (hears, said) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(says).lines();
            lines.map_while(Result::ok).try_for_each(|line| hears.send(line))
        });
        Self { world, language, process, asks, says: said }
    }

    /// Begins to ask, with so many retries.
    pub(crate) fn begin(&mut self, token: &str, retries: u32, what: &Value) {
        let mut ask = json!({ "base": format!("http://{}/v1", self.world.gateway.address), "key": token, "retries": retries });
        ask.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        writeln!(self.asks, "{ask}").unwrap();
    }

    /// The next that it tells: a piece of a stream, or what came of it.
    pub(crate) fn hear(&mut self) -> Value {
        let Ok(line) = self.says.recv_timeout(PATIENCE) else { panic!("{} says nothing", self.language) };
        self.world.heard(&line);
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{} says no JSON: {line}", self.language))
    }

    /// What came of it, after the pieces.
    pub(crate) fn outcome(&mut self) -> Value {
        let began = Instant::now();
        loop {
            let said = self.hear();
            if said.get("piece").is_none() {
                return said;
            }
            assert!(began.elapsed() < PATIENCE, "{} hears no end", self.language);
        }
    }

    pub(crate) fn ask(&mut self, token: &str, what: &Value) -> Value {
        self.begin(token, 0, what);
        self.outcome()
    }

    pub(crate) fn chat(&mut self, token: &str, agent: &str) -> Value {
        self.ask(token, &json!({ "do": "chat", "model": agent, "say": "hello" }))
    }

    /// Begins a stream of minutes, and hears its first pieces.
    pub(crate) fn listen(&mut self, token: &str, agent: &str) {
        self.begin(token, 0, &json!({ "do": "stream", "model": agent, "say": "talk for minutes" }));
        self.hear_pieces(5);
    }

    pub(crate) fn hear_pieces(&mut self, count: usize) {
        for _ in 0..count {
            let said = self.hear();
            assert!(said["piece"].is_string(), "{}: {said}", self.language);
        }
    }
}

impl Drop for Official<'_> {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
