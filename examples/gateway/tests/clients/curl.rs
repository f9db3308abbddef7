//! curl, and what it is told.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::world::World;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(crate) fn has(&self, header: &str) -> bool {
        self.head.lines().any(|line| line.trim_end().eq_ignore_ascii_case(header))
    }
}

/// Asks for a path with a token, if there is one, and sends a body, if there is one.
pub(crate) fn curl(world: &World, token: Option<&str>, path: &str, body: &str, more: &[&str]) -> Answer {
    let mut command = Command::new("curl");
    command.args(["-siN", "--noproxy", "*", "--max-time", "30", "-K", "-"]).args(more);
    if !body.is_empty() {
        command.args(["-H", "Content-Type: application/json", "-d", body]);
    }
    command.arg(format!("http://{}{path}", world.gateway.address));
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut started = started.expect("this test needs the command curl: install the package curl");
    let mut input = started.stdin.take().unwrap();
    if let Some(token) = token {
        // Not among the arguments, which every process may read.
        writeln!(input, "header = \"Authorization: Bearer {token}\"").unwrap();
    }
    drop(input);
    let said = String::from_utf8(started.wait_with_output().unwrap().stdout).unwrap();
    world.heard(&said);
    let (head, body) = said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {said}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// Asks an agent.
pub(crate) fn chat(world: &World, token: Option<&str>, agent: &str, stream: bool) -> Answer {
    let body = serde_json::json!({
        "model": agent,
        "stream": stream,
        "messages": [{ "role": "user", "content": "hello" }],
    });
    curl(world, token, "/v1/chat/completions", &body.to_string(), &[])
}
