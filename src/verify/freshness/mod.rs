//! The rules by which cached knowledge of keys is used: events in, decisions out.
//!
//! No I/O, no lock, no clock of its own, nothing asynchronous. What happens is told to a [`Core`], which answers
//! what to do and changes what readers see, a [`Board`]. One lock is held around each event; readers take none.
//! The same source runs in production, in the exhaustive model (`tests/freshness_model`), under a scheduler of
//! threads (`tests/threads`) and, within the whole verifier, in the simulation of many nodes (`tests/simulation`).
//!
//! # Why no accept comes past an announced cut-off
//!
//! Let a change be acknowledged at the moment *a*, and let a verification accept a row from before the change.
//! It read a deadline *d* first, found the row then, and read its own clock last, before *d*.
//!
//! 1. **Where *d* comes from.** From an answer of the feed that was asked for at *t*, noted before it was sent:
//!    *d* = *t* + lease. Had *t* been after *a*, the answer would name the change ([`KeyStore`] rule 108), and the
//!    row would have gone before *d* was published. So *t* was before *a*, and *d* is before *a* + lease.
//!    (`Core::changes_arrived` removes, takes the cursor over, publishes, in this order; an answer older than its
//!    own lease publishes nothing; the first answer, and one to a cursor that the store does not know, names all.)
//! 2. **What a late read brings back.** A read that was under way when its key was named may have seen the row of
//!    before. Naming marks that read, not the cache, so that nothing that happens to the cache meanwhile loses
//!    the mark; it takes the read off the index of those that others may join; and looking at the mark and putting
//!    the row into the cache are one event. A read that began after the answer came sees what the answer named
//!    (rule 111). (`Core::name`, `Core::row_arrived`.)
//! 3. **Without a feed** nothing is ever named, so a row ends by itself, one lease after its read was about to be
//!    sent, and an absence is not kept: nothing would tell that the key was made.
//! 4. **Deciding last.** A slow read, a paused task or a stolen processor come between the look-up and the
//!    decision, not between the clock and the decision. And the deadline that counts was read before the row was
//!    found: one that was published since belongs to rows that were found since. ([`Face::allows`].)
//! 5. **The store cannot be asked**: no deadline moves, and when it has passed nothing is accepted.
//! 6. **On the node that made the change** the key is named after the commit and before the call returns, however
//!    the call ends: so a verification that begins later finds no row and joins no read from before.
//! 7. **Sooner.** Asking the store earlier than need be only makes *t* later.
//! 8. **Clocks.** The lease is 0.8 of the limit. Measured by a clock that is 10 % slow it lasts at most 0.889 of it,
//!    and a revoker's clock that is 10 % fast makes 0.978 of that: within the limit that was announced. Deadlines
//!    use time that counts suspension. If it stood still nevertheless, or the wall clock was set, the difference
//!    of both has moved by more than a twentieth of a lease: the deadline and every *t* under way are void.
//!    If the store's clock and ours move apart by a quarter, every verification reads the store.
//! 9. **One limit.** The lease follows the limit that came with the same answer. What was promised under a longer
//!    one is over once that has drained, which is what is announced until then. At zero every verification reads a
//!    row for itself, with a read that begins after it was called: where the limit of all nodes is zero, that is the
//!    promise; where only this node's own is, the read has a lease of that of all nodes, since that is announced. If
//!    that has been lowered since it was heard of, the longer one counts up to a lease after that was asked for, as
//!    in 1, and the shortest there is after that.
//! 10. **The truth only.** What was seen revoked stays revoked, whatever a store says later.
//!
//! Three of the marks are redundant over a store whose reads never go back: that nobody joins a marked read, that
//! no older revision replaces a newer one, and that revocations are remembered. They are there for a store that
//! breaks its contract. `cargo test --release -p freshness-model` takes each rule out, one at a time, and prints
//! the shortest way in which a revoked key is then accepted.
//!
//! [`KeyStore`]: crate::store::KeyStore

mod alone;
mod announce;
mod board;
mod clocks;
mod core;
mod event;
mod reads;
mod revoked;

pub(crate) use announce::{UNKNOWN, WITHOUT_FEED, announced, tolerance};
pub(crate) use board::{Board, Face, Row};
pub(crate) use core::Core;
pub(crate) use event::{Answer, Asked, LookUp, Refreshed, Stamp};
