//! The mistakes that are planted in the library, to see that they are found.

use std::cell::Cell;

/// One way to get it wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// A change marks no read that is under way.
    MarksNoRead,
    /// A marked read can be joined, and who joined uses what it brought.
    JoinsAMarkedRead,
    /// Between looking at the mark and putting the row into the cache the lock is let go.
    ChecksAndPutsApart,
    /// A change is told to the cache before it is committed, and not after.
    NamesBeforeTheCommit,
    /// A row is removed and the generation stays.
    NeverTurns,
    /// The deadline moves before the rows go.
    PublishesBeforeItRemoves,
    /// A verification reads the deadline after it has found its row.
    ReadsTheDeadlineLast,
    /// A lease is counted from when the answer came, not from when it was asked for.
    CountsFromTheAnswer,
    /// Without a feed, a row's own lease is counted from when it came.
    CountsFromTheRow,
    /// At limit zero a verification joins the read of another.
    JoinsAtZero,
    /// Nobody who waits for an answer is woken.
    WakesNoOne,
}

thread_local! {
    static MADE: Cell<Option<Mistake>> = const { Cell::new(None) };
}

/// Whether this mistake is being made. All scheduled threads share the one of the test that runs them.
pub(crate) fn is(mistake: Mistake) -> bool {
    MADE.get() == Some(mistake)
}

/// Makes a mistake, if any, while `f` runs.
pub fn make<T>(mistake: Option<Mistake>, f: impl FnOnce() -> T) -> T {
    struct Unmade;
    impl Drop for Unmade {
        fn drop(&mut self) {
            MADE.set(None);
        }
    }
    MADE.set(mistake);
    let _unmade = Unmade;
    f()
}
