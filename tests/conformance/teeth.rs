//! Stores that break the contract on purpose: each is caught, by a rule whose message says what is wrong.

mod broken;
mod case;
mod plain;

use std::collections::BTreeSet;
use std::sync::Mutex;

use access_keys::store::conformance::Rule;
use case::{Case, case};
use plain::Nothing;

#[test]
fn what_the_wrong_stores_are_made_of_is_right() {
    let right = case("right", "", "", || Nothing);
    let caught: Vec<_> = right.caught().iter().map(ToString::to_string).collect();
    assert!(caught.is_empty(), "{caught:#?}");
    let not_asked: Vec<_> = right.not_asked().iter().map(|rule| rule.name()).collect();
    assert_eq!(not_asked, ["changed_wakes_who_waits"], "every ability is offered");
}

#[test]
fn every_wrong_store_is_caught_by_a_rule_that_says_what_is_wrong() {
    let cases = broken::all();
    let names: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "two have the same name");
    // Most of what a rule takes is waiting.
    let (next, rows) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let Some(case) = next.lock().unwrap().next() else { break };
                    let row = row(case);
                    rows.lock().unwrap().push(row);
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|row| (row.rule, row.name));
    rows.iter().for_each(|row| println!("{row}"));
    let caught: BTreeSet<_> = rows.iter().flat_map(|row| &row.caught).map(|rule| rule.name()).collect();
    let toothless: Vec<_> = Rule::all().map(Rule::name).filter(|rule| !caught.contains(rule)).collect();
    println!("{} wrong stores, {} rules, {} of them needed", rows.len(), Rule::all().count(), caught.len());
    let missed: Vec<_> = rows.iter().filter_map(|row| row.fault.as_deref()).collect();
    assert!(missed.is_empty(), "\n{}", missed.join("\n"));
    assert_eq!(toothless, [""; 0], "nothing is wrong that these rules would catch");
}

struct Row {
    name: &'static str,
    rule: Option<Rule>,
    /// Every rule that was asked and caught it.
    caught: Vec<Rule>,
    fault: Option<String>,
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rule = self.rule.map_or("no such rule".to_owned(), |rule| rule.to_string());
        write!(f, "{:52} {rule}", self.name)?;
        let others = self.caught.iter().filter(|caught| Some(**caught) != self.rule).count();
        if others > 0 { write!(f, ", and {others} more") } else { Ok(()) }
    }
}

/// Asks the rule that must catch it; every rule, where there is time.
fn row(case: &Case) -> Row {
    let rule = Rule::named(case.rule);
    let caught = if std::env::var_os("ACCESS_KEYS_DEEP").is_some_and(|deep| !deep.is_empty()) {
        case.caught()
    } else {
        rule.and_then(|rule| case.failure(rule)).into_iter().collect()
    };
    let by = caught.iter().find(|failure| failure.rule.name() == case.rule);
    let fault = match by {
        Some(failure) if failure.to_string().contains(case.says) => None,
        Some(failure) => Some(format!("{}: {failure}\n  does not say {:?}", case.name, case.says)),
        None => Some(format!("{}: {} did not catch it", case.name, case.rule)),
    };
    Row { name: case.name, rule, caught: caught.iter().map(|failure| failure.rule).collect(), fault }
}
