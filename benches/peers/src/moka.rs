//! A `moka` cache whose entries live for 5 seconds, in front of a slower table: how one usually bounds the age of
//! what is cached.
//!
//! It lacks what [`dashmap`](crate::dashmap) lacks, except that a change elsewhere is seen after 5 seconds; one that
//! is made here too.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use moka::sync::Cache;

use crate::dashmap::{Record, parse};
use crate::fixture::{ENVIRONMENT, Fixture, foreign_agent};
use crate::peer::{Case, Check, Peer};

struct Cached {
    cache: Cache<String, Arc<Record>>,
    /// Stands for the database.
    table: RwLock<HashMap<String, Arc<Record>>>,
}

impl Cached {
    fn verify(&self, token: &str, environment: &str, agent: &str) -> Option<Arc<Record>> {
        let presented = parse(token)?;
        let read = || self.table.read().ok()?.get(presented.id).cloned();
        let record = self.cache.optionally_get_with_by_ref(presented.id, read)?;
        record.allows(&presented, environment, agent).then_some(record)
    }
}

impl Check for Cached {
    const NAME: &'static str = "moka";
    type Agent = String;

    fn accepts(&self, token: &str, agent: &String) -> bool {
        black_box(self.verify(token, ENVIRONMENT, agent)).is_some()
    }
}

pub(crate) fn peer(fixture: &Fixture) -> Box<dyn Peer> {
    let table = Record::all(fixture).map(|(id, record)| (id, Arc::new(record))).collect();
    let cache = Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(5)).build();
    let check = Cached { cache, table: RwLock::new(table) };
    let case = Case { check, good: fixture.good(), agent: fixture.agents[3].clone() };
    case.proved(&foreign_agent(), &fixture.bad_in_a_table())
}
