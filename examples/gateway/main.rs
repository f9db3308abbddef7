//! An AI gateway. Clients speak to agents and prompts with a key of this library; which provider and model answers is
//! written in a file that only the gateway reads, with the provider's credential from the environment.
//!
//! To try it by hand, in a clone of the repository:
//!
//! ```sh
//! cargo build -p gateway && cd target && PATH=$PWD/debug:$PATH
//! export NORTH_CREDENTIAL=north-secret SOUTH_CREDENTIAL=south-secret
//! stand-in openai NORTH_CREDENTIAL 127.0.0.1:9001 &
//! stand-in messages SOUTH_CREDENTIAL 127.0.0.1:9002 &
//! gateway serve --settings ../examples/gateway/gateway.toml --listen 127.0.0.1:8080 &
//!
//! gateway keys create --name "Mobile app" --agent support-bot --agent triage --prompt greeting
//! TOKEN=… # as it says
//! ask() { curl -N -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" "$@"; }
//! ask 127.0.0.1:8080/v1/models
//! ask 127.0.0.1:8080/v1/prompts/greeting -d '{"variables": {"name": "Ada", "language": "Latin"}}'
//! ask 127.0.0.1:8080/v1/chat/completions -d '{"model": "support-bot", "stream": true,
//!   "messages": [{"role": "user", "content": "talk for minutes"}]}' &
//!
//! gateway keys list
//! gateway keys narrow KEY --agent support-bot # the stream goes on: it needs no other agent
//! gateway keys revoke KEY "left the company"  # the stream ends
//! ```
//!
//! Keys are in the file `keys.db`, or another (`--sqlite FILE`), or in PostgreSQL (`--postgres ADDRESS`), and under the
//! pepper in `GATEWAY_PEPPER` if there is one. `GATEWAY_LOG=trace` tells more. Every client of OpenAI's interface works,
//! with the key's token as its API key and the name of an agent as its model.

mod arguments;
mod catalog;
mod chat;
mod events;
mod failure;
mod keys;
mod log;
mod messages;
mod models;
mod openai;
mod prompts;
mod provider;
mod reply;
mod serve;
mod settings;
mod store;
mod template;

use std::error::Error;
use std::process::ExitCode;

use arguments::Arguments;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

const USAGE: &str = "gateway serve [--settings FILE] [--listen ADDRESS]
gateway keys create --name NAME [--agent ID|all]… [--prompt ID|all]…
gateway keys list
gateway keys narrow KEY [--agent ID]… [--prompt ID]…
gateway keys revoke KEY REASON
each with [--sqlite FILE | --postgres ADDRESS]";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let mut arguments = Arguments::read(std::env::args().skip(1))?;
    match arguments.word().as_deref() {
        Some("serve") => serve::run(arguments).await,
        Some("keys") => keys::run(arguments).await,
        _ => Err(USAGE.into()),
    }
}
