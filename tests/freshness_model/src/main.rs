//! Prints what comes of one configuration, or the shortest way to what a wrong reading breaks: in the configuration
//! that catches it, or in the one that is named after it.

use freshness_model::{Configuration, configurations, readings};

fn main() {
    let deep = std::env::var_os("ACCESS_KEYS_DEEP").is_some_and(|value| value == "1");
    let mut names = std::env::args().skip(1);
    let Some(name) = names.next() else {
        println!("configurations:");
        configurations(deep).iter().for_each(|it| println!("  {}", it.name));
        println!("wrong readings:");
        readings().iter().for_each(|it| println!("  {}", it.name));
        return;
    };
    let within = |name: &str| configurations(deep).into_iter().find(|it| it.name == name);
    if let Some(reading) = readings().into_iter().find(|it| it.name == name) {
        let elsewhere = names.next().and_then(|name| within(&name));
        let wrong = reading.configuration.wrong;
        let elsewhere = elsewhere.map(|it| Configuration { wrong, ..it });
        print(&name, &elsewhere.unwrap_or(reading.configuration), reading.variant);
    } else if let Some(configuration) = within(&name) {
        print(&name, &configuration, "right");
    } else {
        println!("there is neither a configuration nor a wrong reading called {name}");
    }
}

fn print(name: &str, configuration: &Configuration, variant: &str) {
    let outcome = configuration.explore(variant);
    let (states, depth) = (outcome.states, outcome.depth);
    println!("{name} in {}: {states} states, depth {depth}, {:.1} s", configuration.name, outcome.seconds);
    if let Some((promise, trace)) = outcome.broken {
        trace.iter().for_each(|line| println!("{line}"));
        println!("{promise}");
        return;
    }
    for witness in configuration.witnesses.iter().filter(|it| !outcome.witnessed(**it)) {
        println!("never seen: {witness:?}");
    }
}
