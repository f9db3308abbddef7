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
//! # What time tells
//!
//! Comparing takes the same work whether the secret was almost right or wrong, for a key with one secret or
//! two, and for a key that does not exist, which is met with a digest that nothing has. With several peppers
//! every one of them is computed each time. Not constant: a store may answer sooner for an id that it does
//! not have than for one that it has, and a text that is no token at all is refused without asking it. Key
//! ids are public.
//!
//! `cargo bench --bench timing` measures it, with a leak of its own as control. Over a store whose reads take
//! equal work, refusals of secrets that are wrong in different places differ by less than a tenth of a
//! nanosecond; an unknown id and a wrong secret still differ by one or two, of about three hundred.
//!
//! # How fresh it is
//!
//! Every verification reads the store with a `get` that begins after it was called. A change therefore holds
//! on every node for each verification begun after the change was acknowledged, and management calls
//! announce zero. Nothing is kept between verifications, and a store that fails makes them
//! [`Denial::Unavailable`].

mod cache;
mod changing;
mod cold;
mod decide;
mod denial;
mod flight;
mod follow;
mod freshness;
mod grant;
mod line;
mod near;
mod packed;
mod race;
mod row;
mod stats;
mod uses;
mod verdict;
mod verification;
mod verifier;

pub use denial::Denial;
pub use grant::Grant;
pub use stats::Stats;
pub use verifier::Verifier;

pub(crate) use changing::Announced;
pub(crate) use uses::Uses;
pub(crate) use verifier::Setup;
