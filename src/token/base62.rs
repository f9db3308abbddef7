//! The alphabet, and the checksum that is written in it.

use crate::domain::id::is_base62;

/// Digits, upper case, lower case: the order of ASCII.
pub(super) const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(super) const CHECKSUM_LEN: usize = 6;

/// CRC-32/ISO-HDLC of `body` as six digits, most significant first; 62⁶ is more than 2³².
pub(super) fn checksum(body: &[u8]) -> [u8; CHECKSUM_LEN] {
    digits(crc32fast::hash(body))
}

fn digits(mut rest: u32) -> [u8; CHECKSUM_LEN] {
    let mut digits = [b'0'; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = character(rest % 62);
        rest /= 62;
    }
    digits
}

/// The character of a value below 62.
pub(super) fn character(value: u32) -> u8 {
    usize::try_from(value).ok().and_then(|i| ALPHABET.get(i)).copied().unwrap_or(b'0')
}

/// Whether `digits` are those of `sum`: the other way round, which needs no division.
pub(super) fn says(digits: [u8; CHECKSUM_LEN], sum: u32) -> bool {
    let all_digits = is_base62(&digits);
    let [a, b, c, d, e, f] = digits.map(value);
    // In two halves, of which neither waits for the other.
    let (high, low) = ((a * 62 + b) * 62 + c, (d * 62 + e) * 62 + f);
    (high * (62 * 62 * 62) + low == u64::from(sum)) & all_digits
}

/// The value of a character of the alphabet, without a branch.
fn value(character: u8) -> u64 {
    let letter = u64::from(character >= b'A') * 7;
    let small = u64::from(character >= b'a') * 6;
    u64::from(character).wrapping_sub(48 + letter + small) & 0xFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zip_in_base_62() {
        // The check value of CRC-32/ISO-HDLC over "123456789" is CBF43926, 3421780262.
        let digits = checksum(b"123456789");
        let value = digits
            .iter()
            .fold(0, |sum, digit| sum * 62 + ALPHABET.iter().position(|c| c == digit).unwrap_or(99));
        assert_eq!(value, 0xCBF4_3926);
        assert_eq!(checksum(b""), *b"000000");
    }

    #[test]
    fn digits_say_one_sum_and_no_other() {
        for sum in (0..=u32::MAX).step_by(65_521).chain([1, 61, 62, u32::MAX]) {
            let written = digits(sum);
            assert!(says(written, sum));
            assert!(!says(written, sum.wrapping_add(1)));
            for (place, other) in
                (0..CHECKSUM_LEN).flat_map(|place| (0..=255).map(move |other| (place, other)))
            {
                let mut changed = written;
                changed[place] = other;
                assert_eq!(says(changed, sum), changed == written, "{changed:?} for {sum}");
                if sum % 7 != 0 {
                    break;
                }
            }
        }
        // One more than the largest sum, which wraps to zero.
        assert!(!says(*b"4gfFC4", 0));
    }
}
