//! The server is stopped, killed, stalled, cut off, out of connections or out of disk while keys are verified and
//! changed: verifications go on from what is known until the lease ends, then they are unavailable and nothing else;
//! they are back soon after it is; and no change is reported that was not made.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use access_keys::clock::{Clock, SystemClock};
use access_keys::store::{PostgresAccess, PostgresStore};
use access_keys::{AccessKeys, AuditQuery, Denial, Edit, Issued};
use postgres_tests::{Proxy, RUNTIME, Server, checkout, generate, keys_of, open, production, raw, run};
use tokio::task::JoinHandle;

const LIMIT: Duration = Duration::from_secs(1);
const SCHEMA: &str = "access_keys";
const OUTAGE: Duration = Duration::from_secs(3);

/// A node under load, and what came of it.
struct Node {
    keys: AccessKeys<PostgresStore>,
    issued: Issued,
    seen: Arc<Mutex<Seen>>,
    over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    /// When each verification began and ended, and whether it accepted.
    verified: Vec<(Duration, Duration, bool)>,
    /// The names that were acknowledged.
    named: Vec<String>,
    failed: usize,
}

fn now() -> Duration {
    SystemClock.boot()
}

/// The limit, before any node is there that follows another.
async fn prepare(server: &Server) {
    drop(open(server, SCHEMA).await);
    let set = format!("UPDATE {SCHEMA}.settings SET max_staleness = {}", LIMIT.as_micros());
    raw(&server.address()).await.batch_execute(&set).await.unwrap();
}

impl Node {
    async fn start(address: &str) -> Self {
        let options = PostgresStore::options(address).time_limit(Duration::from_secs(1));
        let keys = keys_of(options.open().await.unwrap());
        let issued = generate(&checkout(&keys), "Mobile app").await;
        let (seen, over) = (Arc::<Mutex<Seen>>::default(), Arc::<AtomicBool>::default());
        let mut node = Self { keys, issued, seen, over, tasks: Vec::new() };
        node.tasks.push(RUNTIME.spawn(node.keys.verifier().follow(tokio::time::sleep)));
        node.verify();
        node.change();
        tokio::time::sleep(Duration::from_millis(300)).await;
        node
    }

    fn verify(&mut self) {
        let (keys, seen, over) = (self.keys.clone(), Arc::clone(&self.seen), Arc::clone(&self.over));
        let token = self.issued.token.expose().to_owned();
        self.tasks.push(RUNTIME.spawn(async move {
            while !over.load(Ordering::SeqCst) {
                let began = now();
                let verified = keys.verify(&token, &production()).await;
                match &verified {
                    Ok(_) | Err(Denial::Unavailable { .. }) => {}
                    Err(denial) => panic!("a good key was refused: {denial:?}"),
                }
                seen.lock().unwrap().verified.push((began, now(), verified.is_ok()));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }));
    }

    fn change(&mut self) {
        let (keys, seen, over) = (self.keys.clone(), Arc::clone(&self.seen), Arc::clone(&self.over));
        self.tasks.push(RUNTIME.spawn(async move {
            let key = generate(&checkout(&keys), "Changed").await.key.id;
            let mut count = 0;
            while !over.load(Ordering::SeqCst) {
                count += 1;
                let name = format!("Changed {count}");
                let edited = checkout(&keys).edit(key, Edit::new().name(&name).unwrap()).await;
                {
                    let mut seen = seen.lock().unwrap();
                    match edited {
                        Ok(_) => seen.named.push(name),
                        Err(_) => seen.failed += 1,
                    }
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }));
    }

    /// Whether keys are accepted again, soon.
    async fn is_back(&self) {
        let begin = now();
        while !self
            .seen
            .lock()
            .unwrap()
            .verified
            .last()
            .is_some_and(|(began, _, good)| *good && *began > begin)
        {
            assert!(now() < begin + Duration::from_secs(20), "it does not come back");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }

    /// After an outage that began and ended at these times, and from which the server was back at another.
    async fn check(mut self, what: &str, [begin, end, up]: [Duration; 3]) {
        self.over.store(true, Ordering::SeqCst);
        for task in self.tasks.drain(1..) {
            task.await.unwrap();
        }
        self.tasks.remove(0).abort();
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        let during = seen.verified.iter().filter(|(began, ended, _)| *began >= begin && *ended < end);
        let accepted =
            during.clone().filter(|(_, _, good)| *good).map(|(began, _, _)| began.saturating_sub(begin));
        let last = accepted.max().unwrap_or_default();
        let refused = during.filter(|(_, _, good)| !good).count();
        let back = seen.verified.iter().find(|(_, ended, good)| *good && *ended >= up);
        let back = back.map(|(_, ended, _)| ended.saturating_sub(up)).unwrap();
        println!(
            "{what}: the last accept after {last:.0?}, {refused} refused, back after {back:.0?}, \
             {} changes, {} failed",
            seen.named.len(),
            seen.failed
        );
        assert!(last > LIMIT / 10, "what was known was of no use");
        assert!(last <= LIMIT, "accepted {last:?} after the outage began");
        assert!(refused > 0, "the outage was none");
        // Of every change that was acknowledged there is an event.
        let (mut query, mut told) = (AuditQuery::default().limit(1_000), Vec::new());
        loop {
            let page = checkout(&self.keys).history(query.clone()).await.unwrap();
            told.extend(page.items.iter().map(|event| serde_json::to_string(&event.changes).unwrap()));
            match page.next {
                Some(next) => query = query.after(next),
                None => break,
            }
        }
        assert!(!seen.named.is_empty() && seen.failed > 0, "nothing was changed, or nothing failed");
        for name in &seen.named {
            assert!(told.iter().any(|changes| changes.contains(&format!("\"{name}\""))), "{name} is lost");
        }
    }
}

/// An outage that `begin` makes and `end` takes away.
fn outage(what: &str, mut server: Server, begin: impl Fn(&mut Server), end: impl Fn(&mut Server)) {
    run(prepare(&server));
    let node = run(Node::start(&server.address()));
    begin(&mut server);
    let began = now();
    thread::sleep(OUTAGE);
    let ended = now();
    end(&mut server);
    let up = now();
    run(node.is_back());
    run(node.check(what, [began, ended, up]));
}

#[test]
fn the_server_is_stopped() {
    outage("stopped", Server::start(""), Server::stop, Server::restart);
}

#[test]
fn the_server_is_killed() {
    outage("killed", Server::start(""), Server::kill, Server::restart);
}

#[test]
fn the_server_is_stalled() {
    outage("stalled", Server::start(""), |server| server.stall(), |server| server.go_on());
}

#[test]
fn the_way_to_the_server_swallows_everything() {
    let server = Server::start("");
    let proxy = Proxy::start(server.port());
    run(async {
        prepare(&server).await;
        let node = Node::start(&proxy.address()).await;
        proxy.swallow(true);
        let began = now();
        tokio::time::sleep(OUTAGE).await;
        let ended = now();
        proxy.swallow(false);
        node.is_back().await;
        node.check("swallowed", [began, ended, ended]).await;
    });
}

#[test]
fn the_server_has_no_connection_left() {
    let server = Server::start("");
    run(async {
        prepare(&server).await;
        let owner = raw(&server.address()).await;
        owner.batch_execute("CREATE ROLE node LOGIN").await.unwrap();
        owner.batch_execute(&PostgresAccess::Manage.grants(SCHEMA, "node").unwrap()).await.unwrap();
        let node = Node::start(&server.address_of("node", "postgres")).await;
        owner.batch_execute("ALTER ROLE node CONNECTION LIMIT 0").await.unwrap();
        let terminate = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'node'";
        owner.batch_execute(terminate).await.unwrap();
        let began = now();
        tokio::time::sleep(OUTAGE).await;
        let ended = now();
        owner.batch_execute("ALTER ROLE node CONNECTION LIMIT -1").await.unwrap();
        let up = now();
        node.is_back().await;
        node.check("no connection left", [began, ended, up]).await;
    });
}
