//! A store that is wrong on purpose, and how the kit meets it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use access_keys::store::conformance::{
    Failure, Faults, Fixture, HeldCommit, Opens, RawWrites, Rule, SlowCommits, Verdict,
};
use access_keys::store::{KeyStore, StoredKey};
use pollster::block_on;

use crate::plain::{Broken, Plain, Wrong};

type Open = Box<dyn Fn(Arc<Plain>) -> Arc<dyn KeyStore> + Send + Sync>;

/// One wrong store: the rule that must catch it, and words that its message must have.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) says: &'static str,
    open: Open,
    /// What a write past the store does to a revoked key.
    raw: fn(&Plain, &StoredKey),
    /// Whether a commit takes its place in the feed when it begins.
    early: bool,
}

pub(crate) fn case<W: Wrong>(
    name: &'static str,
    rule: &'static str,
    says: &'static str,
    wrong: impl Fn() -> W + Send + Sync + 'static,
) -> Case {
    let open = move |right: Arc<Plain>| {
        let wrong = wrong();
        wrong.opened(&right);
        Arc::new(Broken { right, wrong }) as Arc<dyn KeyStore>
    };
    Case { name, rule, says, open: Box::new(open), raw: |_, _| {}, early: false }
}

impl Case {
    pub(crate) fn raw(self, raw: fn(&Plain, &StoredKey)) -> Self {
        Self { raw, ..self }
    }

    pub(crate) fn early(self) -> Self {
        Self { early: true, ..self }
    }

    /// Every rule that caught it.
    pub(crate) fn caught(&self) -> Vec<Failure> {
        Rule::all().filter_map(|rule| self.failure(rule)).collect()
    }

    /// How it breaks one rule, as two handles on the same data or as a store of its own each time.
    pub(crate) fn failure(&self, rule: Rule) -> Option<Failure> {
        [Opens::SameData, Opens::OwnData].into_iter().find_map(|opens| {
            let fixture = Meets { case: self, right: Arc::default(), opens };
            match block_on(rule.check(&fixture)) {
                Verdict::Failed(failure) => Some(failure),
                _ => None,
            }
        })
    }

    pub(crate) fn not_asked(&self) -> Vec<Rule> {
        let asked = |rule: &Rule, opens| {
            let fixture = Meets { case: self, right: Arc::default(), opens };
            !matches!(block_on(rule.check(&fixture)), Verdict::NotAsked { .. })
        };
        Rule::all().filter(|rule| !asked(rule, Opens::SameData) && !asked(rule, Opens::OwnData)).collect()
    }
}

async fn fail(right: Arc<Plain>, fails: bool) {
    right.failing.store(fails, Ordering::SeqCst);
}

struct Meets<'a> {
    case: &'a Case,
    right: Arc<Plain>,
    opens: Opens,
}

impl Fixture for Meets<'_> {
    type Store = Arc<dyn KeyStore>;

    async fn open(&self) -> Arc<dyn KeyStore> {
        let right = match self.opens {
            Opens::SameData => Arc::clone(&self.right),
            _ => Arc::default(),
        };
        (self.case.open)(right)
    }

    fn opens(&self) -> Opens {
        self.opens
    }

    fn raw_writes(&self) -> Option<RawWrites> {
        let (right, raw) = (Arc::clone(&self.right), self.case.raw);
        Some(RawWrites::new().attempt("set the status to active", move |key| {
            raw(&right, &key);
            std::future::ready(Ok(()))
        }))
    }

    fn slow_commits(&self) -> Option<SlowCommits> {
        let (right, early) = (Arc::clone(&self.right), self.case.early);
        let in_time = self.opens == Opens::SameData;
        in_time.then(|| {
            SlowCommits::new(move |key, event| {
                if early {
                    right.contents().feed.push((event.id, event.key));
                }
                let right = Arc::clone(&right);
                std::future::ready(Ok(HeldCommit::new(async move {
                    let mut contents = right.contents();
                    if !early {
                        contents.feed.push((event.id, event.key));
                    }
                    contents.events.push(event);
                    contents.keys.insert(key.key().id, key);
                    Ok(())
                })))
            })
        })
    }

    fn faults(&self) -> Option<Faults> {
        let [begins, ends] = [Arc::clone(&self.right), Arc::clone(&self.right)];
        let shared = self.opens == Opens::SameData;
        shared.then(|| Faults::new(move || fail(begins.clone(), true), move || fail(ends.clone(), false)))
    }
}
