//! A client that costs less than the server: it sends bytes that are ready and looks for the end of the answer.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 16;

pub(crate) fn request(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

pub(crate) async fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// How many requests a second are answered in so long, over some connections that stay, each with this status.
pub(crate) async fn rate(port: u16, request: &[u8], status: &str, long: Duration) -> std::io::Result<f64> {
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for _ in 0..CONNECTIONS {
        let (request, expected) = (request.to_vec(), format!("HTTP/1.1 {status}"));
        tasks.spawn(async move {
            let mut stream = connect(port).await?;
            let (mut answer, mut length, mut count) = ([0; 4096], 0, 0_u32);
            while start.elapsed() < long {
                stream.write_all(&request).await?;
                let mut read = 0;
                loop {
                    read += stream.read(&mut answer[read..]).await?;
                    if length == 0 && answer[..read].windows(4).any(|end| end == b"\r\n\r\n") {
                        length = whole(&answer[..read]);
                        let begin = String::from_utf8_lossy(&answer[..read]).into_owned();
                        assert!(begin.starts_with(&expected), "{begin}");
                    }
                    if read == 0 || length > 0 && read >= length {
                        break;
                    }
                }
                // All answers are alike: after the first, their length alone counts.
                assert_eq!(read, length, "an answer is like the one before");
                count += 1;
            }
            Ok::<_, std::io::Error>(count)
        });
    }
    let mut count = 0;
    while let Some(answered) = tasks.join_next().await {
        count += answered.expect("a client ends")?;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// How long an answer is, by its head.
fn whole(answer: &[u8]) -> usize {
    let text = String::from_utf8_lossy(answer).to_lowercase();
    let head = text.find("\r\n\r\n").map_or(0, |end| end + 4);
    let length =
        text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
    head + length.unwrap_or(0)
}
