//! What the time of a refusal tells, as a leakage test in the manner of dudect (Reparaz, Balasch and
//! Verbauwhede, 2017).
//!
//! `cargo bench --bench timing` times refusals of two classes in random order, over a store whose reads take
//! equal work, and prints Welch's t of each pair: below 4.5 no difference is found, however many samples are
//! taken. A comparison that ends at the first difference is the control, and must be found. The number of
//! samples a class is the argument after `--`, 1,000,000 unless given.

use std::hint::black_box;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use access_keys::store::{
    ChangeCursor, Changes, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey, async_trait,
};
use access_keys::{
    AccessKey, AccessKeys, Actor, AuditEvent, AuditQuery, EnvironmentId, KeyId, KeyInfo, KeyQuery, Page,
    ProjectId, Revision, Scope,
};

const SAMPLES: usize = 1_000_000;
/// Samples beyond these percentiles are cut off, one after the other: interrupts are no leak.
const CROPS: [usize; 4] = [50, 80, 95, 100];

/// Reads every key with the same work, whether it is there or not.
#[derive(Debug, Default)]
struct EvenStore {
    inner: MemoryStore,
    always: OnceLock<StoredKey>,
}

#[async_trait]
impl KeyStore for EvenStore {
    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let Some(always) = self.always.get() else { return self.inner.get(id).await };
        Ok(Some(black_box(always.clone())).filter(|stored| stored.key().id == id))
    }

    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.inner.insert(key, event).await
    }

    async fn update(&self, key: &StoredKey, at: Revision, event: &AuditEvent) -> Result<(), StoreError> {
        self.inner.update(key, at, event).await
    }

    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        self.inner.list(project, query).await
    }

    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        self.inner.history(project, query).await
    }

    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.inner.record_use(uses).await
    }

    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        self.inner.last_uses(ids).await
    }

    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        self.inner.changes(since).await
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let samples = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(SAMPLES);
    let production = EnvironmentId::new("production")?;
    let keys = AccessKeys::builder(EvenStore::default()).prefix("acme").build()?;
    let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    let review = |name: &str| -> Result<_, access_keys::Invalid> {
        project
            .draft()
            .info(KeyInfo::new(name, EnvironmentId::new("production")?)?)
            .agents(Scope::All)
            .prompts(Scope::All)
    };
    let good = ready(project.generate(review("good")?))?;
    // Wrong in its first and in its last character, wrong throughout, and of a key that does not exist.
    let other = ready(project.generate(review("other")?))?;
    let secret = 5 + 17..5 + 17 + 32;
    let wrong = |edit: &dyn Fn(&mut [u8])| seal(good.token.expose(), edit);
    let turn = |byte: &mut u8| *byte = if *byte == b'x' { b'y' } else { b'x' };
    let throughout = wrong(&|text| text[secret.clone()].reverse());
    let first = wrong(&|text| turn(&mut text[secret.start]));
    let last = wrong(&|text| turn(&mut text[secret.end - 1]));
    let unknown = seal(other.token.expose(), &|_| {});
    let stored = ready(keys.store().inner.get(good.key.id))?.ok_or("the key is gone")?;
    keys.store().always.set(stored).map_err(|_| "set twice")?;

    let refuse = |token: &str| {
        assert!(ready(keys.verify(black_box(token), black_box(&production))).is_err());
    };
    for (name, class) in [("first_byte", &first), ("last_byte", &last), ("unknown_id", &unknown)] {
        let t = leak(samples, [&throughout, class], refuse);
        figure(&format!("timing_{name}"), t, "abs_t", "<=", 4.5, t <= 4.5);
    }

    // What ends at the first difference tells where that is.
    let digest = [7_u8; 32];
    let mut late = digest;
    late[31] = 0;
    let control = [String::from_utf8(vec![0; 32])?, String::from_utf8(late.to_vec())?];
    let t = leak(samples, [&control[0], &control[1]], |guess| {
        for (a, b) in black_box(digest).iter().zip(guess.as_bytes()) {
            if black_box(a != b) {
                break;
            }
        }
    });
    figure("timing_control", t, "abs_t", ">=", 100.0, t >= 100.0);
    Ok(())
}

/// `token` with its body edited and a checksum that fits.
fn seal(token: &str, edit: &dyn Fn(&mut [u8])) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut body = token.as_bytes()[..token.len() - 6].to_vec();
    edit(&mut body);
    let mut rest = crc32fast::hash(&body);
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    body.extend(digits);
    String::from_utf8(body).expect("a token is ASCII")
}

/// A text at the beginning of a cache line.
#[repr(align(64))]
struct Place([u8; 64], usize);

impl Place {
    fn of(text: &str) -> Self {
        let mut place = Self([0; 64], text.len());
        place.0[..text.len()].copy_from_slice(text.as_bytes());
        place
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.0[..self.1]).expect("it was text")
    }
}

/// The largest |t| between the times of both classes, over all crops.
fn leak(samples: usize, classes: [&str; 2], work: impl Fn(&str)) -> f64 {
    let mut times = [Vec::with_capacity(samples), Vec::with_capacity(samples)];
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    // Both classes are presented in one and the same buffer, copied from places alike: an address is no leak.
    let mut buffer = String::with_capacity(classes[0].len());
    let places = classes.map(Place::of);
    for _ in 0..2 * samples {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let class = (random >> 33 & 1) as usize;
        buffer.clear();
        buffer.push_str(black_box(places[class].text()));
        // By then the copy is done.
        black_box(crc32fast::hash(buffer.as_bytes()));
        let start = Instant::now();
        work(&buffer);
        times[class].push(start.elapsed().as_nanos() as f64);
    }
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let crops = CROPS.map(|percent| all[(all.len() - 1) * percent / 100]);
    crops.into_iter().map(|most| welch(&times, most).abs()).fold(0.0, f64::max)
}

/// Welch's t of the times of both classes up to `most`.
fn welch(times: &[Vec<f64>; 2], most: f64) -> f64 {
    let [a, b] = times.each_ref().map(|times| {
        let kept: Vec<f64> = times.iter().copied().filter(|time| *time <= most).collect();
        let n = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / n;
        let variance = kept.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, variance / n)
    });
    (a.0 - b.0) / (a.1 + b.1).sqrt()
}

fn figure(name: &str, value: f64, unit: &str, op: &str, goal: f64, met: bool) {
    println!("figure {name} {value:.2} {unit} goal {op} {goal} {}", if met { "met" } else { "missed" });
}

/// The result of a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("a store in memory does not wait"),
    }
}
