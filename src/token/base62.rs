//! The alphabet, and the checksum that is written in it.

/// Digits, upper case, lower case: the order of ASCII.
pub(super) const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(super) const CHECKSUM_LEN: usize = 6;

/// CRC-32/ISO-HDLC of `body` as six digits, most significant first; 62⁶ is more than 2³².
pub(super) fn checksum(body: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut rest = crc32fast::hash(body);
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

/// Whether all are characters of the alphabet, in a time that does not tell which of them are.
pub(super) fn is_base62(bytes: &[u8]) -> bool {
    let is_base62 = |b: &u8| b.is_ascii_digit() | b.is_ascii_uppercase() | b.is_ascii_lowercase();
    bytes.iter().fold(true, |all, byte| all & is_base62(byte))
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
}
