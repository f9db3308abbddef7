//! `cargo bench --bench http --features axum`: what the layer costs in front of routes, and how soon a stream ends.
//!
//! A server and a client weigh more than the library, so that they are a package of their own (`benches/http`), and hosts
//! that build the examples do without. This starts it.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let mut bench = Command::new(cargo);
    bench.args(["bench", "--quiet", "--manifest-path", manifest, "-p", "http-bench"]);
    match bench.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        other => {
            println!("the bench of the package http-bench failed: {other:?}");
            ExitCode::FAILURE
        }
    }
}
