//! How fresh a verification is, and what it asks of the store for that: the cache, the lease, the limit, the
//! clocks, grants and counts, as a user can see them.

#[path = "../support/mod.rs"]
mod support;

mod absences;
mod announced;
mod cached;
mod counts;
mod elsewhere;
mod following;
mod grants;
mod here;
mod limits;
mod near;
mod no_feed;
mod nodes;
mod outages;
mod reads;
mod room;
mod several;
mod store_clock;
mod streams;
mod waits;
mod wall_clock;
mod watched;
