//! Streams that are watched: what a chunk costs, and how soon they end.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::Done;
use crate::client::{connect, request};
use crate::figure::{at_least, at_most, median};
use crate::host::{Host, generate};

const ROUNDS: usize = 41;
const CUT_OFFS: usize = 100;

/// The rate of chunks of a stream that is watched, over one that is not.
pub(crate) async fn measure_chunks(host: &Host) -> Done {
    let (alone, took) = compare(host, "chunks", 5_000).await?;
    let (burst, at_once) = compare(host, "burst", 50_000).await?;
    println!(
        "a chunk takes {took:.0} ns without being watched, and {at_once:.0} where many are sent at once: {burst:.2} x"
    );
    at_least("stream_overhead", alone, "x", 0.98);
    Ok(())
}

/// How fast chunks come that are watched, over those that are not; and the nanoseconds of one of these.
async fn compare(host: &Host, kind: &str, count: u32) -> Result<(f64, f64), std::io::Error> {
    let (mut ratios, mut bare) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mut took = [0.0; 2];
        for step in 0..2 {
            let place = (round + step) % 2;
            took[place] =
                read_whole(host, &format!("{}/{kind}/{count}", ["/kept", "/watched"][place])).await?;
        }
        ratios.push(took[0] / took[1]);
        bare.push(took[0] / f64::from(count) * 1e9);
    }
    Ok((median(ratios), median(bare)))
}

/// The seconds until the last chunk has come.
async fn read_whole(host: &Host, path: &str) -> Result<f64, std::io::Error> {
    let mut stream = connect(host.port).await?;
    let start = Instant::now();
    stream.write_all(&request(path, host.good.token.expose())).await?;
    let (mut buffer, mut end) = (vec![0; 1 << 18], Vec::new());
    while end != b"0\r\n\r\n" {
        let read = stream.read(&mut buffer).await?;
        assert!(read > 0, "it was cut off");
        end.extend_from_slice(&buffer[..read]);
        end.drain(..end.len().saturating_sub(5));
    }
    Ok(start.elapsed().as_secs_f64())
}

/// How long after another node has acknowledged a revocation the last event of a stream comes.
pub(crate) async fn measure_cut_offs(host: &Host) -> Done {
    let (mut late, mut announced) = (Vec::new(), Duration::MAX);
    for _ in 0..CUT_OFFS {
        let issued = generate(&host.project).await?;
        let mut stream = connect(host.port).await?;
        stream.write_all(&request("/watched/ticks", issued.token.expose())).await?;
        let mut text = String::new();
        let mut buffer = [0; 4096];
        while text.matches("word").count() < 3 {
            let read = stream.read(&mut buffer).await?;
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        let revoked = host.project.revoke(issued.key.id, "measured").await?;
        let acknowledged = Instant::now();
        announced = announced.min(revoked.holds_everywhere_in());
        while !text.contains("\"invalid_token\"") {
            let read = stream.read(&mut buffer).await?;
            assert!(read > 0, "it ends with an event");
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        late.push(acknowledged.elapsed().as_secs_f64() * 1e3);
    }
    let worst = late.iter().copied().fold(0.0, f64::max);
    println!("{CUT_OFFS} streams were cut off by a revocation elsewhere");
    at_most("stream_cutoff_median", median(late), "ms", 50.0);
    at_most("stream_cutoff_worst", worst, "ms", announced.as_secs_f64() * 1e3);
    Ok(())
}
