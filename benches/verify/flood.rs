//! A million tokens that have the right form and that nobody was given.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use access_keys::AccessKeys;
use access_keys::store::MemoryStore;

use crate::Done;
use crate::figure::{at_most, median};
use crate::host::{Host, percentile, ready, well_formed};

const TOKENS: usize = 1_000_000;
const GOOD: usize = 100;
const SAMPLES: usize = 200_000;

pub(crate) fn measure() -> Done {
    let host = Host::of(AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?)?;
    let good: Vec<_> = (0..GOOD).map(|_| host.issue(8)).collect::<Result<_, _>>()?;
    let mut samples = vec![0; SAMPLES];
    let mut p99 = || {
        for (i, sample) in samples.iter_mut().enumerate() {
            let (issued, agents) = &good[i % GOOD];
            *sample = host.verify(1, issued.token.expose(), &agents[4]).as_nanos() as u64;
        }
        percentile(&mut samples, 0.99)
    };
    // The second core is as busy before as during.
    let (flooding, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (mut before, mut during) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let secret = "x".repeat(32);
            while sent.load(Ordering::Relaxed) < TOKENS {
                let i = sent.load(Ordering::Relaxed);
                let token = well_formed(&format!("{i:016}"), &secret);
                if flooding.load(Ordering::Relaxed) {
                    assert!(ready(host.keys.verify(&token, &host.production)).is_err());
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        (0..5).for_each(|_| before.push(p99()));
        flooding.store(true, Ordering::Relaxed);
        while sent.load(Ordering::Relaxed) < TOKENS {
            during.push(p99());
        }
    });
    let stats = host.keys.verifier().stats();
    println!(
        "{} tokens that nobody has were refused beside {} good ones; the cache takes {} bytes and has all {} keys",
        stats.unrecognized, stats.accepted, stats.bytes, stats.keys
    );
    assert_eq!(stats.keys, GOOD, "a good key was pushed out");
    at_most("flood_p99", median(during) / median(before), "x", 2.0);
    Ok(())
}
