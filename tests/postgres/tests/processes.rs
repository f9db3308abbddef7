//! Several processes on one schema: what was announced holds in every one of them, whatever became of the notices, the
//! clocks and the processes themselves.
//!
//! `ACCESS_KEYS_REVOCATIONS` says how many keys are revoked under three followers; 100 unless set.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use access_keys::clock::{Clock, SystemClock};
use access_keys::store::PostgresStore;
use access_keys::{AccessKeys, Edit, Issued, Scope};
use postgres_tests::{Server, checkout, fresh, generate, keys_of, open, raw, run};

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(""));

/// A process that verifies.
struct Node {
    process: Child,
    tokens: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Node {
    fn start(schema: &str, mode: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verifier"));
        command.args([&SERVER.address(), schema, mode]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        Self { tokens: process.stdin.take().unwrap(), process, says }
    }

    /// Returns once it has accepted the token.
    fn accept(&mut self, issued: &Issued) {
        writeln!(self.tokens, "{}", issued.token.expose()).unwrap();
        assert_eq!(self.line(), "ready");
    }

    /// When it began the last verification that accepted. Returns once it refuses.
    fn last_accept(&mut self) -> Duration {
        Duration::from_nanos(self.line().parse().unwrap())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn signal(&self, signal: &str) {
        let mut kill = Command::new("kill");
        assert!(kill.args([signal, &self.process.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A schema with this limit, the library over it, and nodes.
struct Scene {
    keys: AccessKeys<PostgresStore>,
    nodes: Vec<Node>,
}

/// How one key is made to be refused, and when that holds everywhere.
#[derive(Clone, Copy, Debug)]
enum Change {
    Revoked,
    Deactivated,
    Expired,
    Narrowed,
    Rotated,
}

impl Scene {
    fn new(limit: Duration, modes: &[&str]) -> Self {
        let schema = fresh();
        let keys = run(async {
            let keys = keys_of(open(&SERVER, &schema).await);
            // Before any node is there that follows another.
            let set = format!("UPDATE {schema}.settings SET max_staleness = {}", limit.as_micros());
            raw(&SERVER.address()).await.batch_execute(&set).await.unwrap();
            keys
        });
        let nodes = modes.iter().map(|mode| Node::start(&schema, mode)).collect();
        Self { keys, nodes }
    }

    /// Makes a key, and has every node accept it.
    fn key(&mut self) -> Issued {
        let issued = run(generate(&checkout(&self.keys), "Mobile app"));
        self.nodes.iter_mut().for_each(|node| node.accept(&issued));
        issued
    }

    /// From when the change is acknowledged, and from when it holds everywhere.
    fn change(&self, issued: &Issued, change: Change) -> (Duration, Duration) {
        // On a machine with other work a time that is sooner has passed before it is stored.
        const SOON: Duration = Duration::from_secs(1);
        let (project, id) = (checkout(&self.keys), issued.key.id);
        let changed = run(async {
            match change {
                Change::Revoked => {
                    project.revoke(id, "leaked").await.map(|change| change.holds_everywhere_in())
                }
                Change::Deactivated => {
                    project.deactivate(id).await.map(|change| change.holds_everywhere_in())
                }
                Change::Expired => {
                    let edit = Edit::new().expires_at(SystemClock.wall() + SOON);
                    project.edit(id, edit).await.map(|change| change.holds_everywhere_in().max(SOON))
                }
                Change::Narrowed => {
                    let edit = Edit::new().agents(Scope::parse(["triage"]).unwrap());
                    project.edit(id, edit).await.map(|change| change.holds_everywhere_in())
                }
                Change::Rotated => project
                    .rotate(id, Duration::ZERO)
                    .await
                    .map(|issued| issued.old_secret_ends_in().unwrap()),
            }
        });
        let acknowledged = SystemClock.boot();
        (acknowledged, acknowledged + changed.unwrap())
    }

    /// How long after the acknowledgement each node began the last verification that accepted.
    fn late(&mut self, (acknowledged, announced): (Duration, Duration), what: &str) -> Vec<Duration> {
        let late = self.nodes.iter_mut().map(|node| {
            let last = node.last_accept();
            assert!(last <= announced, "{what}: accepted {:?} after the announced time", last - announced);
            last.saturating_sub(acknowledged)
        });
        late.collect()
    }

    fn changes(&mut self, count: usize, change: Change, what: &str) {
        let mut late = Vec::new();
        for _ in 0..count {
            let issued = self.key();
            let times = self.change(&issued, change);
            late.extend(self.late(times, what));
        }
        late.sort();
        println!(
            "{change:?} {count} keys under {} nodes, {what}: the last accept after {:.1?} in the middle, {:.1?} at most",
            self.nodes.len(),
            late[late.len() / 2],
            late[late.len() - 1]
        );
    }
}

const SECOND: Duration = Duration::from_secs(1);
const HALF: Duration = Duration::from_millis(500);

#[test]
fn a_revocation_holds_in_every_process() {
    let count = std::env::var("ACCESS_KEYS_REVOCATIONS").map_or(100, |count| count.parse().unwrap());
    Scene::new(SECOND, &["follow", "follow", "follow"]).changes(count, Change::Revoked, "following");
}

#[test]
fn every_other_change_holds_in_every_process() {
    let mut scene = Scene::new(SECOND, &["follow", "follow", "follow"]);
    for change in [Change::Deactivated, Change::Expired, Change::Narrowed, Change::Rotated] {
        scene.changes(20, change, "following");
    }
}

#[test]
fn a_change_holds_where_nothing_is_heard_of() {
    let mut scene = Scene::new(HALF, &["deaf", "deaf follow", ""]);
    for change in [Change::Revoked, Change::Deactivated, Change::Expired, Change::Narrowed, Change::Rotated] {
        scene.changes(6, change, "deaf");
    }
}

#[test]
fn a_change_holds_where_a_clock_is_off() {
    let modes = ["deaf slow", "deaf fast ahead", "follow slow ahead"];
    let mut scene = Scene::new(HALF, &modes);
    for change in [Change::Revoked, Change::Narrowed, Change::Rotated] {
        scene.changes(6, change, "by clocks that are off");
    }
}

#[test]
fn a_change_holds_in_a_process_that_was_frozen_meanwhile() {
    let mut scene = Scene::new(HALF, &["follow", "follow", "deaf"]);
    for _ in 0..4 {
        let issued = scene.key();
        scene.nodes.iter().for_each(|node| node.signal("-STOP"));
        let (acknowledged, announced) = scene.change(&issued, Change::Revoked);
        thread::sleep(HALF + Duration::from_millis(100));
        scene.nodes.iter().for_each(|node| node.signal("-CONT"));
        let late = scene.late((acknowledged, announced), "frozen");
        println!("frozen: the last accept after {late:.1?}");
    }
}

#[test]
fn a_node_that_goes_on_for_longer_than_the_limit_is_seen_to() {
    let mut scene = Scene::new(3 * SECOND, &["deaf"]);
    let issued = scene.key();
    // What a hand in the table does that does not wait for those who follow the old limit.
    let schema = format!("{:?}", scene.keys.store());
    let schema = schema.split('"').nth(1).unwrap();
    let set = format!("UPDATE {schema}.settings SET max_staleness = 100000");
    run(async { raw(&SERVER.address()).await.batch_execute(&set).await.unwrap() });
    let (_, announced) = scene.change(&issued, Change::Revoked);
    assert!(scene.nodes[0].last_accept() > announced, "a node that accepts too late would not be noticed");
}
