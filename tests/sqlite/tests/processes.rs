//! Several processes on one file: a change holds everywhere once it was announced to, and the feed misses nothing.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use access_keys::KeyId;
use access_keys::clock::{Clock, SystemClock};
use access_keys::store::{Changes, KeyStore};
use pollster::block_on;
use sqlite_tests::{File, checkout, generate, production};

struct Node {
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Node {
    /// Returns once the node has accepted the token.
    fn start(file: &File, token: &str, mode: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verifier"));
        command.arg(file.path()).arg(token).arg(mode).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut says = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        says.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self { process, says }
    }

    /// When it began the last verification that accepted, and how many it refused.
    fn stop(mut self) -> (Duration, u64) {
        drop(self.process.stdin.take());
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        assert!(self.process.wait().unwrap().success());
        let numbers: Vec<u64> = line.trim().split(' ').map(|number| number.parse().unwrap()).collect();
        let [last, _, refused] = numbers[..] else { panic!("{line}") };
        (Duration::from_nanos(last), refused)
    }
}

/// How long after the announced time the last accept of each node began; zero if before it.
fn late_accepts(limit: Duration, modes: &[&str]) -> Vec<Duration> {
    let file = File::new();
    let keys = file.keys();
    // No node was there under the limit before, so that none has to be waited for.
    let set = "UPDATE settings SET max_staleness = ?1";
    file.raw().execute(set, [i64::try_from(limit.as_micros()).unwrap()]).unwrap();
    let project = checkout(&keys);
    let issued = generate(&project, "Mobile app");
    let nodes: Vec<Node> = modes.iter().map(|mode| Node::start(&file, issued.token.expose(), mode)).collect();
    let change = block_on(project.revoke(issued.key.id, "leaked")).unwrap();
    let announced = SystemClock.boot() + change.holds_everywhere_in();
    assert!(block_on(keys.verify(issued.token.expose(), &production())).is_err());
    // Long enough that a node that does not know yet is seen to accept.
    while SystemClock.boot() < announced + limit {
        std::thread::yield_now();
    }
    let late = nodes.into_iter().map(|node| {
        let (last, refused) = node.stop();
        println!(
            "the last accept began {:?} before the announced time, {refused} were refused",
            announced.saturating_sub(last)
        );
        last.saturating_sub(announced)
    });
    late.collect()
}

#[test]
fn a_revocation_holds_in_every_process_once_it_was_announced_to() {
    let late = late_accepts(Duration::from_millis(200), &["", "follow", ""]);
    assert_eq!(late, [Duration::ZERO; 3]);
}

#[test]
fn a_node_that_learns_of_nothing_is_seen_to_accept_too_late() {
    let late = late_accepts(Duration::from_millis(200), &["deaf"]);
    assert!(late[0] > Duration::ZERO, "{late:?}");
}

/// The changes that one of several processes makes.
const CHANGES: usize = 100;

fn feed(processes: i64) {
    let file = File::new();
    let store = file.open();
    let Changes::Everything { mut next, .. } = block_on(store.changes(None)).unwrap() else {
        panic!("there is no cursor yet")
    };
    let mut changers: Vec<Child> = (0..processes)
        .map(|seed| {
            let mut changer = Command::new(env!("CARGO_BIN_EXE_changer"));
            changer.arg(file.path()).arg(seed.to_string()).arg(CHANGES.to_string());
            changer.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let (mut named, mut asked) = (BTreeMap::<KeyId, i64>::new(), 0_u64);
    let mut running = true;
    while running {
        // Once more after all have ended.
        running = changers.iter_mut().any(|changer| changer.try_wait().unwrap().is_none());
        match block_on(store.changes(Some(&next))).unwrap() {
            Changes::Since { ids, next: then, .. } => {
                ids.into_iter().for_each(|id| *named.entry(id).or_default() += 1);
                next = then;
            }
            answer => panic!("{answer:?}"),
        }
        asked += 1;
    }
    assert!(changers.iter_mut().all(|changer| changer.wait().unwrap().success()));
    let raw = file.raw();
    let mut events = raw.prepare("SELECT key, count(*) FROM events GROUP BY key").unwrap();
    let events = events.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).unwrap();
    let events: BTreeMap<KeyId, i64> =
        events.map(Result::unwrap).map(|(id, count)| (KeyId::new(id).unwrap(), count)).collect();
    let count: i64 = events.values().sum();
    println!("{processes} processes, {count} changes, {asked} questions");
    assert!(count > processes * 20, "{count}");
    // Each change is named once, by the answer that covers it.
    assert_eq!(named, events);
}

#[test]
fn the_feed_misses_nothing_of_two_processes() {
    feed(2);
}

#[test]
fn the_feed_misses_nothing_of_four_processes() {
    feed(4);
}

#[test]
fn a_change_in_another_process_wakes_who_waits() {
    let file = File::new();
    let store = file.open();
    drop(block_on(store.changes(None)).unwrap());
    let waiting = std::thread::spawn(move || block_on(store.changed()));
    let mut changer = Command::new(env!("CARGO_BIN_EXE_changer"));
    let changer = changer.arg(file.path()).args(["1", "1"]).stdout(Stdio::null());
    assert!(changer.status().unwrap().success());
    waiting.join().unwrap();
}
