//! A read beside all verifications, of which nothing is remembered.

use super::Core;
use super::reads::{Kind, Read};
use crate::clock::Moment;
use crate::domain::KeyId;

impl Core {
    /// Takes one of the places for reads, until it is abandoned; `None` when there are too many.
    ///
    /// Nobody joins the read, and its row is never shown to the core: what may be remembered is for verifications to
    /// learn.
    pub(crate) fn read_alone(&mut self, id: KeyId, now: Moment) -> Option<usize> {
        self.reads.begin(Read { id, sent: now.boot(), kind: Kind::Own })
    }
}
