//! Lines that say what was measured, and against which goal.

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn at_most(name: &str, value: f64, unit: &str, goal: f64) {
    println!(
        "figure {name} {value:.2} {unit} goal <= {goal} {}",
        if value <= goal { "met" } else { "missed" }
    );
}

pub(crate) fn at_least(name: &str, value: f64, unit: &str, goal: f64) {
    println!(
        "figure {name} {value:.2} {unit} goal >= {goal} {}",
        if value >= goal { "met" } else { "missed" }
    );
}
