//! Recording when secrets were last used.

use std::time::{Duration, Instant};

use access_keys::AccessKeys;
use pollster::block_on;

use super::file::File;
use super::host::{Keys, checkout, verify};
use crate::Done;
use crate::figure::{at_least, median};

const SECONDS: usize = 30;

/// Verifies warm keys by a node that records uses, and by one that does not, in turn. In each second every key has a
/// use to be noted, and what was noted is written in the middle of it, which `follow` does every ten seconds. Half of
/// the keys, since each node has half of the time; and other nodes each second, since where their memory lies is chance.
pub(crate) fn measure(file: &File) -> Done {
    let tokens = &file.tokens[..file.tokens.len() / 2];
    let node = |records| -> Result<Keys, access_keys::Error> {
        let keys = AccessKeys::builder(file.store.clone()).prefix("acme").record_uses(records).build()?;
        verify(&keys, tokens);
        Ok(keys)
    };
    let timed = |keys: &Keys| {
        let start = Instant::now();
        verify(keys, tokens);
        start.elapsed().as_secs_f64()
    };
    let mut ratios = Vec::new();
    for second in 0..SECONDS {
        let (on, off) = if second % 2 == 0 {
            let on = node(true)?;
            (on, node(false)?)
        } else {
            let off = node(false)?;
            (node(true)?, off)
        };
        let ratio = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(500));
                block_on(on.flush_uses()).expect("the file takes them");
            });
            let (start, mut with, mut without) = (Instant::now(), 0.0, 0.0);
            while start.elapsed() < Duration::from_secs(1) {
                with += timed(&on);
                without += timed(&off);
                without += timed(&off);
                with += timed(&on);
            }
            without / with
        });
        ratios.push(ratio);
        block_on(on.flush_uses())?;
        let noted = block_on(checkout(&on).last_used(&file.ids))?;
        assert_eq!(noted.len(), tokens.len(), "a use is missing");
    }
    // Of both orders together: the node that was made first is quicker or slower, whichever it is.
    let ratios = ratios.chunks(2).map(|both| (both[0] * both[1]).sqrt()).collect();
    at_least("uses_overhead", median(ratios), "x", 0.97);
    Ok(())
}
