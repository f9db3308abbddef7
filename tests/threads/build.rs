//! Copies sources of the library, with the locks, atomics and thread locals of another scheduler in place of the
//! standard ones, and with planted mistakes. A replacement that finds nothing to replace fails the build.

#[path = "build/copy.rs"]
mod copy;
#[path = "build/library.rs"]
mod library;
#[path = "build/parts.rs"]
mod parts;
#[path = "build/planted.rs"]
mod planted;

fn main() {
    for watched in ["build.rs", "build", "../../src"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    parts::write();
    library::write();
}
