//! The gateway as its clients meet it: curl, and OpenAI's own packages for Python and for JavaScript, against processes
//! on ports of their own.
//!
//! `cargo test -p gateway`. It needs `curl`, `python3` with `venv`, `node` with `npm` (20 or later) and PostgreSQL, and
//! installs the two packages below the target directory the first time.

mod answers;
mod curl;
mod ending;
mod errors;
mod measure;
mod official;
mod packages;
mod process;
mod swap;
mod unavailable;
mod world;
