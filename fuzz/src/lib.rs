//! Whatever is given, the library answers as a plain reference does, tells nothing of it, and does not panic.
//!
//! Each target is one file with a `check`, some valid samples, the words of its language, and mistakes that can be
//! planted to see that they are found. To add one: write its file, name it in `targets!` below, give it its four lines
//! in `fuzz_targets/` and its `[[bin]]` in `Cargo.toml`. `tests/seeded.rs` runs all of them by seeds on stable,
//! `fuzz/deep` by libFuzzer; both change inputs by [`mutate`], so that what is tried is nearly right.

mod answer;
mod foreign_keys;
mod host;
mod json;
mod mistake;
mod mutate;
mod naive;
#[path = "../../tests/support/random.rs"]
mod random;

pub use answer::{Checked, Difference, Outcome, Target};
#[cfg(feature = "libfuzzer")]
#[doc(hidden)]
pub use libfuzzer_sys;
pub use mistake::{Mistake, make};
pub use mutate::{mutate, seeded};

macro_rules! targets {
    ($($name:ident)*) => {
        $(pub mod $name;)*

        /// All of them.
        pub static TARGETS: &[&Target] = &[$(&$name::TARGET),*];
    };
}

targets! { token scan header stored form edit cursor rows csv foreign report history }

/// The entry of libFuzzer for one target: half of the changes are ours, half its own.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! libfuzzer {
    ($target:ident) => {
        use $crate::libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

        fuzz_target!(|data: &[u8]| $crate::$target::TARGET.insist(data));

        fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            if seed % 2 == 0 {
                return fuzzer_mutate(data, size, max_size);
            }
            let changed = $crate::mutate(&$crate::$target::TARGET, &data[..size], u64::from(seed));
            let len = changed.len().min(max_size);
            data[..len].copy_from_slice(&changed[..len]);
            len
        });
    };
}
