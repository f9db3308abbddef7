//! Refusals to be counted, instruction by instruction, of the classes whose times the bench `timing` compares.

use std::hint::black_box;

use crate::Failure;
use crate::chance::Chance;
use crate::issuer::CLASSES;
use crate::pair::{Pair, Path};

/// How often each is counted. The fewest are meant: memory is not always to be had at once.
const TIMES: usize = 3;

/// Refuses each class and the wrong secret with which it is compared, and says in which order.
pub(crate) fn run() -> Result<(), Failure> {
    let mut chance = Chance::new();
    for (prefix, path) in [("warm", Path::Warm), ("cold", Path::Cold)] {
        for (name, class) in CLASSES.iter().filter(|(_, class)| class.is_alike(path)) {
            let pair = Pair::new(*class, path, &mut chance)?;
            pair.warm(&mut chance);
            for (token, presented) in pair.tokens.iter().zip(["wrong_secret", name]) {
                // Whatever the other has left behind.
                (0..4).for_each(|_| pair.refuse(token));
                let before = pair.refused();
                for _ in 0..TIMES {
                    // What is done once in a while is done now, not there.
                    pair.refuse(token);
                    counted(&pair, token);
                }
                let after = pair.refused();
                if after[0] - before[0] != 2 * TIMES as u64 || after[1] != before[1] {
                    return Err("it was not refused on this path".into());
                }
                (0..TIMES).for_each(|_| println!("{prefix}/{name} {presented}"));
            }
        }
    }
    Ok(())
}

/// All that is counted.
#[inline(never)]
fn counted(pair: &Pair, token: &str) {
    pair.refuse(black_box(token));
}
