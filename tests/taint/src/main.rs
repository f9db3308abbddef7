//! Verifies a token once, in the way that its argument says, with the secret made undefined before: for
//! `tests/taint/run`, which reads what is to be made undefined, does it and lets the program go on.

#[path = "../../../benches/timing/chance.rs"]
mod chance;
mod control;
mod count;
mod driver;
mod found;
mod host;
mod issue;
#[path = "../../../benches/timing/issuer.rs"]
mod issuer;
#[path = "../../../benches/timing/pair.rs"]
mod pair;
mod scenario;
#[path = "../../../benches/timing/store.rs"]
mod store;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

// Only so that its feature counts.
use rustix as _;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    match std::env::args().nth(1).as_deref() {
        Some("control/branch") => control::branch(),
        Some("control/index") => control::index(),
        Some("control/digest") => control::digest(),
        Some("count") => count::run(),
        Some("issue/generate") => issue::generate(),
        Some(name) if name.starts_with("found") => found::run(name),
        Some(name) => scenario::run(name),
        None => {
            let names = scenario::names().chain(found::names());
            names.chain(["issue/generate".to_owned()]).for_each(|name| println!("{name}"));
            ["branch", "index", "digest"].iter().for_each(|name| println!("control/{name}"));
            Ok(())
        }
    }
}

/// The result of a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a store in memory does not wait"),
    }
}
