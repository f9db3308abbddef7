//! The mistakes that are planted in what the library answers, to see that they are found.

use std::cell::Cell;

/// One way to get it wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The last digit of a checksum is not looked at.
    ChecksumOfFive,
    /// A key of another environment is let in where the prefix is the same.
    AnyEnvironment,
    /// A token that follows another at once is not found.
    MissesNeighbours,
    /// A damaged token is found too.
    FindsDamaged,
    /// Two spaces after the scheme are one.
    TwoSpaces,
    /// Of several credentials the first counts.
    FirstOfSeveral,
    /// A key without an expiry never expires.
    NoExpiryIsNever,
    /// A field that is given twice counts once.
    TwiceIsOnce,
    /// An error repeats the text that it is about.
    RepeatsText,
    /// A third secret is let through.
    ThreeSecrets,
    /// A scope that was not chosen is all.
    UnansweredIsAll,
    /// An item with a space inside is an id.
    SpaceInId,
    /// A form with a field that it does not have is read without it.
    ForgivesUnknown,
    /// A revision with a sign is none.
    NoSign,
    /// The expiry that is stored already is a mistake once it is past.
    PastStaysPast,
    /// A number with zeros before it is the same place.
    LeadingZeros,
    /// The largest number of microseconds is a time.
    AnyTime,
    /// A row that cannot be read is left out.
    LosesRows,
    /// Base64 with bits left over is a digest.
    BitsLeftOver,
    /// The mistake of a row repeats the row.
    RepeatsRow,
    /// A key that is paused there is active here.
    PausedIsActive,
    /// An expiry that is there and empty is never.
    EmptyIsNever,
    /// A line with too few values is filled.
    FillsLines,
    /// A column that is given twice counts once.
    FirstColumn,
    /// The beginning of a token may be in capitals.
    AnyCase,
    /// Spaces around a token are no part of it.
    TrimsTokens,
    /// The last byte of a token is not looked at.
    LastByteIsAny,
    /// An entry that cannot be read is left out.
    LosesEntries,
    /// A token with a full stop behind it is none.
    KeepsPunctuation,
    /// A long address is cut and kept.
    CutsAddresses,
    /// Who did it is not sealed.
    AnyActor,
    /// Events are put in order before they are looked at.
    AnyOrder,
    /// An event without a seal is passed over.
    SkipsUnsealed,
}

thread_local! {
    static MADE: Cell<Option<Mistake>> = const { Cell::new(None) };
}

/// Whether this mistake is being made.
pub(crate) fn is(mistake: Mistake) -> bool {
    MADE.get() == Some(mistake)
}

/// Makes a mistake while `f` runs.
pub fn make<T>(mistake: Mistake, f: impl FnOnce() -> T) -> T {
    MADE.set(Some(mistake));
    let made = f();
    MADE.set(None);
    made
}
