//! How soon a running stream ends after a revocation in another process.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use postgres_tests::Server;

use crate::curl::chat;
use crate::world::{Key, World};

const CUT_OFFS: usize = 20;

#[test]
fn streams_are_cut_off_over_sqlite() {
    measure("SQLite", &World::new());
}

#[test]
fn streams_are_cut_off_over_postgres() {
    let server = Server::start("");
    measure("PostgreSQL", &World::over(&server.address()));
}

fn measure(store: &str, world: &World) {
    let mut took: Vec<f64> = (0..CUT_OFFS).map(|_| cut_off(world)).collect();
    took.sort_by(f64::total_cmp);
    println!(
        "{store}: {CUT_OFFS} streams ended after a revocation in another process: median {:.1} ms, worst {:.1} ms",
        took[CUT_OFFS / 2],
        took[CUT_OFFS - 1]
    );
}

/// How many milliseconds it took.
fn cut_off(world: &World) -> f64 {
    let key = world.key("Mobile app", &["--agent", "support-bot"]);
    assert_eq!(chat(world, Some(&key.token), "support-bot", false).status, 200);
    let mut stream = begin(world, &key);
    read_until(&mut stream, "\"content\":\" 3\"");
    let ended = std::thread::spawn(move || read_until(&mut stream, "event: error"));
    let change = world.revoke(&key);
    let took = ended.join().unwrap() - change.at;
    let within = chrono::TimeDelta::from_std(change.within).unwrap();
    assert!(took <= within, "a stream ended {took} after the acknowledgement");
    // The command says when it was told, which may be later than the gateway was.
    took.num_microseconds().unwrap().max(0) as f64 / 1e3
}

fn begin(world: &World, key: &Key) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(&world.gateway.address).unwrap();
    let body =
        r#"{"model":"support-bot","stream":true,"messages":[{"role":"user","content":"talk for minutes"}]}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        key.token,
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    BufReader::new(stream)
}

/// When a line came that has this.
fn read_until(stream: &mut BufReader<TcpStream>, text: &str) -> DateTime<Utc> {
    let (mut line, began) = (String::new(), Instant::now());
    while began.elapsed() < Duration::from_secs(60) {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended without {text}");
        if line.contains(text) {
            return Utc::now();
        }
    }
    panic!("the stream goes on without {text}");
}
