//! The rules of freshness keep their promises, and every wrong reading of them is caught.

use std::sync::Mutex;
use std::thread;

use freshness_model::{Configuration, Outcome, Reading, configurations, readings};

#[test]
fn the_promises_hold_and_what_must_happen_does() {
    let deep = std::env::var_os("ACCESS_KEYS_DEEP").is_some_and(|value| value == "1");
    let outcomes = each(configurations(deep), |it| {
        let outcome = it.explore("right");
        let (name, states, seconds) = (it.name, outcome.states, outcome.seconds);
        println!("{name:<26} {states:>9} states, depth {:>2}, {seconds:>6.1} s", outcome.depth);
        outcome
    });
    let failures: Vec<String> = outcomes.iter().flat_map(|(it, outcome)| failures(it, outcome)).collect();
    assert!(outcomes.len() > 20, "only {} configurations", outcomes.len());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_wrong_reading_is_caught() {
    let outcomes = each(readings(), |it| it.configuration.explore(it.variant));
    let wrong: Vec<&str> =
        outcomes.iter().filter(|(it, outcome)| !is_as_said(it, outcome)).map(|it| it.0.name).collect();
    assert!(outcomes.len() > 24, "only {} readings", outcomes.len());
    assert!(wrong.is_empty(), "not as said: {wrong:?}");
}

/// What is wrong with the outcome of a configuration.
fn failures(configuration: &Configuration, outcome: &Outcome) -> Vec<String> {
    let name = configuration.name;
    let unseen = configuration.witnesses.iter().filter(|it| !outcome.witnessed(**it));
    let broken =
        outcome.broken.iter().map(|(promise, trace)| format!("{name}: {promise}\n{}", trace.join("\n")));
    // What lies beyond a broken promise is not explored.
    let unseen = unseen.filter(|_| outcome.broken.is_none());
    let cut_short = (!outcome.complete).then(|| format!("{name}: more than {} states", outcome.states));
    unseen.map(|it| format!("{name}: never seen: {it:?}")).chain(broken).chain(cut_short).collect()
}

/// Whether a wrong reading is caught, or harmless, as is said of it.
fn is_as_said(reading: &Reading, outcome: &Outcome) -> bool {
    let place = reading.configuration.name;
    let (name, states, seconds) = (reading.name, outcome.states, outcome.seconds);
    match &outcome.broken {
        Some((_, trace)) => {
            println!(
                "{name:<30} caught by {place} in {} steps, {states} states, {seconds:.1} s",
                trace.len()
            );
        }
        None => println!("{name:<30} breaks nothing in {place}: {states} states, {seconds:.1} s"),
    }
    outcome.complete && outcome.broken.is_none() == reading.is_harmless
}

/// What comes of each, worked out on every core that there is.
fn each<T: Sync + Send>(all: Vec<T>, explore: impl Fn(&T) -> Outcome + Sync) -> Vec<(T, Outcome)> {
    let rest = Mutex::new(all.into_iter().enumerate());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let next = rest.lock().expect("no thread fails").next();
                    let Some((place, it)) = next else { break };
                    let outcome = explore(&it);
                    done.lock().expect("no thread fails").push((place, it, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread fails");
    done.sort_by_key(|(place, ..)| *place);
    done.into_iter().map(|(_, it, outcome)| (it, outcome)).collect()
}
