//! What must be seen to happen, lest a promise holds because nothing ever does.

/// One of the things that a right core must be seen to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum Witness {
    /// A key was accepted that was in the cache.
    AcceptedWarm,
    /// A key was accepted by a reader without a lock.
    AcceptedHot,
    /// A key was accepted after it was read.
    AcceptedFill,
    /// A key was accepted by a verification that joined the read of another.
    AcceptedJoin,
    /// A key was accepted after a read for one verification alone.
    AcceptedOwn,
    /// A row arrived that was outdated, and was fenced.
    LateFillFenced,
    /// A refresh named a key that was in the cache.
    RefreshNames,
    /// Everything was to be forgotten, and something was.
    EverythingFlushes,
    /// An answer came too late to give a lease.
    Late,
    /// A jump of a clock voided a deadline that had not passed.
    JumpVoids,
    /// A jump of a clock voided an answer under way.
    JumpVoidsAnswer,
    /// Too many reads were under way.
    Busy,
    /// It was found in the cache that there is no such key.
    AbsenceFound,
    /// A key was made after its absence had been remembered, and was accepted.
    AbsenceNamed,
    /// A key was accepted after an outage of the store.
    AcceptedAfterOutage,
    /// A key was refused by a node that had seen it revoked, when the store said that it is good.
    RevokedStays,
    /// A key was accepted after the store went back to a backup.
    AcceptedAfterRestore,
    /// A key was accepted on a node that had the key at a higher revision before the store went back.
    AcceptedAtLowerRevision,
    /// A key was accepted after its node started again.
    AcceptedAfterRestart,
    /// A key was accepted after a clock had jumped.
    AcceptedAfterJump,
    /// A key was accepted after its change was acknowledged and before the cut-off.
    AcceptedBeforeCutOff,
}

impl Witness {
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u32
    }
}
