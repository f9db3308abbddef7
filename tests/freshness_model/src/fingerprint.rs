//! A number for each state, the same for two states that differ only in what time it is.

use std::hash::Hasher;

/// Deadline times lie in this range, in nanoseconds, and no other number of 64 bits does.
const DEADLINE_TIMES: std::ops::Range<u64> = 500_000_000_000..1_000_000_000_000_000;
/// So do the times of the store, in microseconds ...
const STORE_TIMES: std::ops::Range<i64> = 1_000_000_000..1_000_000_000_000;
/// ... and how far they are ahead of deadline times.
const STORE_OFFSETS: std::ops::Range<i64> = 100_000_000..1_000_000_000;

/// What the deadline clocks read when the exploration begins, in nanoseconds.
pub(crate) const BOOT: u64 = 1_000_000_000_000;
/// How far wall time is ahead of deadline time at first, in microseconds.
pub(crate) const WALL: i64 = 1_000_000_000_000_000;
/// What the store's clock reads when the exploration begins, in microseconds.
pub(crate) const STORE: i64 = 1_300_000_000;

/// Hashes times by how long ago they are.
///
/// What the core keeps is private to it, so that times are told from other numbers by their size.
pub(crate) struct Fingerprint {
    state: u64,
    boot: u64,
    store: i64,
    /// Times before this long ago are all alike, in nanoseconds.
    oldest: u64,
}

impl Fingerprint {
    pub(crate) const fn new(oldest: u64) -> Self {
        Self { state: 0x9e37_79b9_7f4a_7c15, boot: 0, store: 0, oldest }
    }

    /// What the clocks read by which the times that follow are measured.
    pub(crate) const fn measured_by(&mut self, boot: u64, store: i64) {
        (self.boot, self.store) = (boot, store);
    }

    /// What the fingerprint would be with this in addition.
    pub(crate) fn of(&self, value: &impl std::hash::Hash) -> u64 {
        let mut hasher = Self { ..*self };
        value.hash(&mut hasher);
        hasher.finish()
    }

    const fn mix(&mut self, number: u64) {
        let product = (self.state ^ number) as u128 * 0xa076_1d64_78bd_642f_u128;
        let (high, low) = ((product >> 64) as u64, (product & 0xffff_ffff_ffff_ffff) as u64);
        self.state = (high ^ low).wrapping_add(0xe703_7ed1_a0b4_28db).rotate_left(23);
    }
}

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        let mut last = Self { ..*self };
        last.mix(0x8ebc_6af0_9c88_c6e3);
        last.mix(0x5899_65cc_7537_4cc3);
        last.state
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut number = [0; 8];
            number[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(number));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.mix(number.cast_unsigned() as u64);
    }

    fn write_u64(&mut self, number: u64) {
        if DEADLINE_TIMES.contains(&number) {
            let since = number.cast_signed() - self.boot.cast_signed();
            self.mix(0x7469_6d65);
            self.mix(since.max(-self.oldest.cast_signed()).cast_unsigned());
        } else {
            self.mix(number);
        }
    }

    fn write_i64(&mut self, number: i64) {
        if STORE_TIMES.contains(&number) {
            self.mix((number - self.store).max(-(self.oldest / 1_000).cast_signed()).cast_unsigned());
        } else if STORE_OFFSETS.contains(&number) {
            // By this is judged when a key expires, which no key does here.
            self.mix(0x6168_6561_6400);
        } else {
            self.mix(number.cast_unsigned());
        }
    }
}
