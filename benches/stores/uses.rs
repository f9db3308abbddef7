//! Recording when secrets were last used.

use std::time::{Duration, Instant};

use access_keys::AccessKeys;
use pollster::block_on;

use crate::Done;
use crate::figure::{at_least, median};
use crate::file::File;
use crate::host::{Keys, checkout, verify};

const ROUNDS: usize = 15;
/// A verification of each key a hundred times.
const TIMES: usize = 100;

/// Verifies warm keys by a node that records uses, and writes them meanwhile, and by one that does not.
pub(crate) fn measure(file: &File) -> Done {
    let node = |records| -> Result<Keys, access_keys::Error> {
        AccessKeys::builder(file.store.clone()).prefix("acme").record_uses(records).build()
    };
    let (on, off) = (node(true)?, node(false)?);
    let timed = |keys: &Keys| {
        // A use is noted once a second: in each half, then, that of every key.
        std::thread::sleep(Duration::from_millis(1_100));
        let start = Instant::now();
        (0..TIMES).for_each(|_| verify(keys, &file.tokens));
        start.elapsed().as_secs_f64()
    };
    [&on, &off].into_iter().for_each(|keys| verify(keys, &file.tokens));
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let recording = || {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    // What was noted before is written in the middle of it. Follow does so every ten seconds.
                    std::thread::sleep(Duration::from_millis(1_150));
                    block_on(on.flush_uses()).expect("the file takes them");
                });
                timed(&on)
            })
        };
        let (with, without) = if round % 2 == 0 {
            let with = recording();
            (with, timed(&off))
        } else {
            let without = timed(&off);
            (recording(), without)
        };
        ratios.push(without / with);
    }
    let noted = block_on(checkout(&on).last_used(&file.ids))?;
    assert_eq!(noted.len(), file.ids.len(), "a use is missing");
    at_least("uses_overhead", median(ratios), "x", 0.97);
    Ok(())
}
