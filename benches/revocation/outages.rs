//! How long the processes accept while the server is away, and how soon they accept again.

use std::error::Error;
use std::thread;
use std::time::Duration;

use crate::LIMIT;
use crate::host::Host;
use crate::late::milliseconds;
use crate::nodes::Nodes;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// So long between two outages, and for each a part longer: they begin anywhere in a lease.
const BETWEEN: Duration = Duration::from_millis(500);
const LONGER: Duration = Duration::from_millis(130);

/// The latest of the last accepts after the server stopped, and of the first ones after it was back.
pub(crate) fn measure(host: &mut Host, mut nodes: Nodes, count: u32) -> Result<(Duration, Duration)> {
    nodes.accept(host.generate()?.token.expose())?;
    let (mut last, mut first) = (Duration::ZERO, Duration::ZERO);
    println!("{:<24} last    first", "");
    for number in 1..=count {
        thread::sleep(BETWEEN + LONGER * number);
        let stopped = host.stop_server()?;
        let of_last = latest(nodes.last_accepts_before_outage(LIMIT)?, stopped);
        let back = host.start_server();
        let of_first = latest(nodes.first_accepts()?, back);
        println!("outage {number:<13} {:>8.2} {:>8.2}", milliseconds(of_last), milliseconds(of_first));
        (last, first) = (last.max(of_last), first.max(of_first));
    }
    Ok((last, first))
}

/// How long after the beginning the last one was.
fn latest(times: Vec<Duration>, begin: Duration) -> Duration {
    times.into_iter().max().unwrap_or_default().saturating_sub(begin)
}
