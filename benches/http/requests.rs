//! Requests that are let through, over those to routes without the layer, and refused ones.

use std::time::Duration;

use crate::Done;
use crate::client::{rate, request};
use crate::figure::{at_least, median};
use crate::host::Host;

const ROUNDS: usize = 31;
const LONG: Duration = Duration::from_millis(200);

pub(crate) async fn measure(host: &Host) -> Done {
    let token = host.good.token.expose();
    let [malformed, unknown] = host.refused().await?;
    let asked = [
        (request("/bare/hello", token), "200"),
        (request("/kept/hello", token), "200"),
        (request("/kept/hello", &malformed), "401"),
        (request("/kept/hello", &unknown), "401"),
    ];
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let mut rates = [0.0; 4];
        for step in 0..4 {
            let place = (round + step) % 4;
            let (request, status) = &asked[place];
            rates[place] = rate(host.port, request, status, LONG).await?;
        }
        rounds.push(rates);
    }
    let of = |value: fn(&[f64; 4]) -> f64| median(rounds.iter().map(value).collect());
    println!(
        "requests a second: {:.0} without the layer, {:.0} let through, {:.0} malformed, {:.0} unknown",
        of(|rates| rates[0]),
        of(|rates| rates[1]),
        of(|rates| rates[2]),
        of(|rates| rates[3])
    );
    at_least("http_overhead", of(|rates| rates[1] / rates[0]), "x", 0.95);
    at_least("http_refusals", of(|rates| rates[2].min(rates[3]) / rates[1]), "x", 1.0);
    Ok(())
}
