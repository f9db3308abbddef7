//! The alphabet, and the checksum that is written in it.

/// Digits, upper case, lower case: the order of ASCII.
pub(super) const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(super) const CHECKSUM_LEN: usize = 6;

/// CRC-32/ISO-HDLC of `body` as six digits, most significant first; 62⁶ is more than 2³².
pub(super) fn checksum(body: &[u8]) -> [u8; CHECKSUM_LEN] {
    digits(crc32fast::hash(body))
}

/// A number as six digits, all characters at once.
#[inline]
pub(super) fn digits(number: u32) -> [u8; CHECKSUM_LEN] {
    const PAIR: u32 = 62 * 62;
    let (first, last) = (number / PAIR, number % PAIR);
    let pairs = [first / PAIR, first % PAIR, last];
    // One value below 62 in each byte.
    let values = pairs
        .into_iter()
        .rev()
        .fold(0, |values: u64, pair| values << 16 | u64::from(pair % 62) << 8 | u64::from(pair / 62));
    const ONES: u64 = 0x0101_0101_0101;
    // The highest bit of each byte says whether its value is as large as the first letter.
    let letters = (values + (128 - 10) * ONES) >> 7 & ONES;
    let small = (values + (128 - 36) * ONES) >> 7 & ONES;
    let characters = values + u64::from(b'0') * ONES + letters * 7 + small * 6;
    let [digits @ .., _, _] = characters.to_le_bytes();
    digits
}

/// The character of a value below 62, without a table: which place of one is read could be seen in the cache.
pub(super) fn character(value: u8) -> u8 {
    b'0' + value + u8::from(value > 9) * 7 + u8::from(value > 35) * 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zip_in_base_62() {
        // The check value of CRC-32/ISO-HDLC over "123456789" is CBF43926, 3421780262.
        let value = checksum(b"123456789")
            .iter()
            .fold(0, |sum, digit| sum * 62 + ALPHABET.iter().position(|c| c == digit).unwrap_or(99));
        assert_eq!(value, 0xCBF4_3926);
        assert_eq!(checksum(b""), *b"000000");
    }

    #[test]
    fn six_digits_are_a_number_in_the_order_of_the_alphabet() {
        for number in (0..=u32::MAX).step_by(9_973).chain([1, 9, 10, 35, 36, 61, 62, u32::MAX]) {
            let value = digits(number).iter().fold(0, |sum, digit| {
                sum * 62 + ALPHABET.iter().position(|c| c == digit).map_or(u64::MAX, |place| place as u64)
            });
            assert_eq!(value, u64::from(number));
        }
        assert_eq!((&digits(0), &digits(u32::MAX)), (b"000000", b"4gfFC3"));
    }
}
