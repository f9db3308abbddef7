//! Nodes over one store, threads on each, in random orders: after a change was acknowledged it holds.
//!
//! What runs is the whole library, from its own source. The scheduler decides who goes on at every lock of the
//! verifier, of the memory store and of who waits for whom; at every number of the face; at every step of the map of
//! rows, each of which is one step of this map; and at every store call. What a thread has put aside is that of the
//! scheduled thread. Two deadlines are compared by a clock that any verification may move.
//!
//! Not under the scheduler: counters, notes of uses, randomness, and the inside of the map. Nor that a load may be
//! late: here every number is as if it were sequentially consistent. `exhausted` beside this is about that.

mod mistakes;
mod nodes;
mod orders;
mod promises;
mod world;
