//! Deciding whether a presented token is good.
//!
//! [`Verifier`] answers with a [`Grant`], the proof that a token was good together with the scope to ask,
//! or with a [`Denial`]. A token is read by its form first, which needs no secret and asks no store; then
//! its key is fetched and its secret compared in constant time; and only after the secret has matched is
//! anything else looked at, in this order:
//!
//! 1. a secret whose grace has ended: [`Denial::Unrecognized`], as if it had never been
//! 2. [`Denial::Revoked`]
//! 3. [`Denial::WrongEnvironment`]
//! 4. [`Denial::Expired`]
//! 5. [`Denial::Inactive`]
//!
//! # How fresh it is
//!
//! A key that was verified lately is answered from a cache. What is promised of that:
//!
//! - **On this node** (the same [`AccessKeys`](crate::AccessKeys), its clones and its verifiers), a change holds
//!   once its call returns: the very next verification sees it. A change whose future was dropped may be stored later,
//!   and then holds here as on every other node.
//! - **On every other node**, a change holds no later than it announced: no verification there *decides* to accept
//!   past [`holds_everywhere_in`](crate::Change::holds_everywhere_in), whatever is lost, delayed, restarted or slow.
//!   That is the limit, 5 seconds unless it was set on the store
//!   ([`set_max_staleness`](crate::store::MemoryStore::set_max_staleness)), and longer only just after that was
//!   lowered. It holds for a revocation, a pause, an earlier expiry, a narrower scope and the end of a grace.
//! - With [`Verifier::follow`] running it takes milliseconds in the usual case.
//! - A node that cannot learn the truth in time refuses, and says that it is [unavailable](Denial::Unavailable),
//!   never that the key is bad.
//!
//! The one exception: a machine whose own clocks *all* stood still, such as a virtual machine that was paused, may
//! accept for at most one lease of its own running time after it resumes. A lease is 0.8 of the limit.
//!
//! A store without a change feed ([`Changes::NoFeed`](crate::store::Changes::NoFeed)) has a limit of 5 seconds, which
//! a node can only lower for itself. At a limit of zero every verification reads the store, with a read that begins
//! after it was called: a change then holds for each verification begun after the acknowledgement, and one that began
//! before may take as long as its read does. So it is too while a limit of zero is being raised, or drains.
//!
//! What a key may do is asked of the [`Grant`], which is as fresh as the verification that made it; for longer work,
//! [`Verifier::recheck`] it, or let [`Verifier::ended`] tell when it ends.
//!
//! Expiry and the ends of graces are stamped and judged by the store's clock where it has one: at most a round trip
//! or a quarter of a lease early, and a quarter of a lease late; at a limit of zero, a quarter of the time that the
//! verification and the question before it took. Elsewhere this node's wall clock counts.
//!
//! What is in the cache is bounded, by keys and by the memory that their scopes take
//! ([`cache_capacity`](crate::lifecycle::Builder::cache_capacity)), and so are the reads under way
//! ([`concurrent_reads`](crate::lifecycle::Builder::concurrent_reads)). Ids of keys that do not exist are remembered
//! apart, until the feed names them: a flood of tokens that nobody has pushes out no key and asks the store once for
//! each id.
//!
//! # What time tells
//!
//! A refusal takes the same work whether the secret was almost right or wrong, for a key with one secret or two, in
//! any state and environment, and for a key that does not exist, which is met with a digest that nothing has. With
//! several peppers every one of them is computed each time. `cargo bench --bench timing` measures it and
//! `tests/taint/run` counts instructions and follows every branch and index that depends on a secret; both with leaks
//! of their own as control.
//!
//! Not constant, and so to be seen from outside:
//!
//! - an answer from the cache comes sooner than one that needs the store: whether a key was used lately shows
//! - a store may answer sooner for an id that it does not have than for one that it has, and what it answers takes
//!   longer to be put into the cache the larger it is: long names, large scopes, a second secret. Whenever the store is
//!   read, whatever it is, whether it answered with a key and whether that was seen revoked before is worth a
//!   nanosecond or two: there is nothing to free without a key, and what was seen revoked is looked up
//! - a text that is no token at all is refused without asking anyone, at the first of these that is wrong: its length,
//!   its characters and prefix, looked at all at once, its checksum
//! - a token that is good takes another way than one that is refused, and so does each of the denials that only who
//!   presents the right secret is given
//!
//! A token that was found and is presented to have its key revoked
//! ([`revoke_presented`](crate::AccessKeys::revoke_presented)) is compared in the same way, always with what the store
//! has.
//!
//! Key ids are public.

mod cache;
mod changing;
mod cold;
mod decide;
mod denial;
mod flight;
mod follow;
mod freshness;
mod grant;
mod identify;
mod line;
mod many;
mod near;
mod packed;
mod parts;
mod race;
mod row;
mod scope_uses;
mod stats;
mod trace;
mod uses;
mod verdict;
mod verification;
mod verifier;

pub use denial::Denial;
pub use grant::Grant;
pub use stats::Stats;
pub use verifier::Verifier;

pub(crate) use changing::Announced;
pub(crate) use identify::Identified;
pub(crate) use uses::Uses;
pub(crate) use verifier::Setup;
