//! Each target for a number of seeds, as it is and with each planted mistake.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fuzz_targets::{Mistake, Outcome, TARGETS, Target, make, seeded};

/// How many seeds; ACCESS_KEYS_INPUTS gives another number.
fn inputs() -> u64 {
    std::env::var("ACCESS_KEYS_INPUTS").map_or(100_000, |text| text.parse().expect("a number"))
}

/// What came of so many seeds: how many were accepted and refused, or the first difference.
fn run(target: &Target, inputs: u64) -> Result<(u64, u64), String> {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..inputs {
        let data = seeded(target, seed);
        let checked = catch_unwind(AssertUnwindSafe(|| (target.check)(&data)));
        let shown = || format!("seed {seed}, {}", data.escape_ascii());
        match checked {
            Ok(Ok(Outcome::Accepted)) => accepted += 1,
            Ok(Ok(Outcome::Refused)) => refused += 1,
            Ok(Err(difference)) => return Err(format!("{difference}\n({})", shown())),
            Err(_) => return Err(format!("panics ({})", shown())),
        }
    }
    Ok((accepted, refused))
}

fn each(test: impl Fn(&'static Target) + Sync) {
    let test = &test;
    std::thread::scope(|scope| {
        let threads: Vec<_> = TARGETS.iter().map(|target| scope.spawn(move || test(target))).collect();
        let failed = threads.into_iter().filter_map(|thread| thread.join().err()).count();
        assert_eq!(failed, 0, "of {} targets", TARGETS.len());
    });
}

#[test]
fn the_library_answers_as_the_references_do() {
    each(|target| {
        let (accepted, refused) =
            run(target, inputs()).unwrap_or_else(|found| panic!("{}: {found}", target.name));
        println!("{}: {accepted} accepted, {refused} refused", target.name);
        // What accepts nothing, or everything, looks at nothing.
        let least = inputs() / 50;
        assert!(
            accepted >= least && refused >= least,
            "{}: {accepted} accepted, {refused} refused",
            target.name
        );
    });
}

#[test]
fn every_sample_is_of_use() {
    for target in TARGETS {
        let outcomes: Vec<_> = target.samples.iter().map(|sample| (target.check)(sample).unwrap()).collect();
        assert!(outcomes.contains(&Outcome::Accepted), "{target:?}: {outcomes:?}");
    }
}

#[test]
fn each_planted_mistake_is_found() {
    each(|target| {
        assert!(!target.mistakes.is_empty(), "{target:?} has none");
        for mistake in target.mistakes {
            let found = make(*mistake, || run(target, inputs()));
            let Err(found) = found else { panic!("{}: {mistake:?} survives", target.name) };
            let (name, seed) =
                (target.name, found.rsplit("(seed ").next().and_then(|rest| rest.split(',').next()));
            assert!(!found.starts_with("panics"), "{name}: {mistake:?}: {found}");
            println!("{name}: {mistake:?} found by seed {}", seed.unwrap_or_default());
        }
    });
}

#[test]
fn each_target_has_its_program_and_each_mistake_its_target() {
    let manifest = include_str!("../Cargo.toml");
    for Target { name, .. } in TARGETS {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name} is not in Cargo.toml"
        );
        let program =
            std::fs::read_to_string(format!("{}/fuzz_targets/{name}.rs", env!("CARGO_MANIFEST_DIR")));
        assert!(program.unwrap().contains(&format!("fuzz_targets::libfuzzer!({name});")));
    }
    let planted: Vec<Mistake> = TARGETS.iter().flat_map(|target| target.mistakes).copied().collect();
    let named = include_str!("../src/mistake.rs").lines().filter(|line| line.starts_with("    /// ")).count();
    assert_eq!(planted.len(), named, "{planted:?}");
}
