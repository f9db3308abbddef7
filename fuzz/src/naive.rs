//! Rules of the library once more, written as plainly as can be and without looking at how it does them.

use chrono::{DateTime, NaiveDateTime, Utc};

/// The id of a token of this prefix, if `given` is one.
pub(crate) fn token(given: &[u8], prefix: &str) -> Option<String> {
    given.strip_prefix(prefix.as_bytes())?;
    let given = std::str::from_utf8(given).ok()?;
    let rest = given.strip_prefix(prefix)?.strip_prefix('_')?;
    let (id, rest) = rest.split_once('_')?;
    let is_base62 = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let shaped = id.len() == 16 && rest.len() == 38 && is_base62(id) && is_base62(rest);
    (shaped && checksum(&given.as_bytes()[..given.len() - 6]) == given[given.len() - 6..])
        .then(|| id.to_owned())
}

/// CRC-32 as zip has it, in six digits of base 62.
pub(crate) fn checksum(body: &[u8]) -> String {
    let next = |sum: u32, byte: &u8| (sum >> 8) ^ SUMS[usize::from(sum.to_le_bytes()[0] ^ byte)];
    let mut left = !body.iter().fold(u32::MAX, next);
    let mut digits = [' '; 6];
    for digit in digits.iter_mut().rev() {
        let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        *digit = char::from(letters[left as usize % 62]);
        left /= 62;
    }
    digits.iter().collect()
}

/// What each byte comes to, bit by bit.
const SUMS: [u32; 256] = {
    let mut sums = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut bit) = (byte, 0);
        while bit < 8 {
            sum = if sum % 2 == 1 { (sum / 2) ^ 0xEDB8_8320 } else { sum / 2 };
            bit += 1;
        }
        sums[byte as usize] = sum;
        byte += 1;
    }
    sums
};

/// Whether a host may choose this id.
pub(crate) fn is_host_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte > 32 && byte < 127)
}

/// Whether it is an id that is drawn.
pub(crate) fn is_random_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A key's name as it is kept.
pub(crate) fn name(given: &str) -> Option<String> {
    let text = given.trim();
    let seen = text.chars().any(|c| !c.is_whitespace() && !is_ignorable(c));
    (seen && text.chars().count() <= 100 && !text.chars().any(misleads)).then(|| text.to_owned())
}

/// A description as it is kept.
pub(crate) fn description(given: &str) -> Option<String> {
    let text = given.trim().split("\r\n").collect::<Vec<_>>().join("\n");
    let whole = text.chars().count() <= 1_000 && !text.chars().any(|c| c != '\n' && misleads(c));
    whole.then_some(text)
}

/// Controls, bidirectional ones and separators of lines.
fn misleads(c: char) -> bool {
    let bidirectional =
        [0x61C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069];
    c.is_control() || bidirectional.contains(&u32::from(c)) || ['\u{2028}', '\u{2029}'].contains(&c)
}

/// Default_Ignorable_Code_Point, as DerivedCoreProperties.txt of Unicode lists it.
fn is_ignorable(c: char) -> bool {
    const RANGES: [(u32, u32); 17] = [
        (0xAD, 0xAD),
        (0x34F, 0x34F),
        (0x61C, 0x61C),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180D),
        (0x180E, 0x180F),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8),
        (0x1BCA0, 0x1D17A),
        (0xE0000, 0xE0FFF),
    ];
    let code = u32::from(c);
    let between = (0x1BCA4..0x1D173).contains(&code);
    !between && RANGES.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

const SECOND: i64 = 1_000_000;

/// The microseconds of a time that can be written and read again, in the years 0 to 9999.
pub(crate) fn time(given: &str) -> Option<i64> {
    let time = DateTime::parse_from_rfc3339(given).ok()?.with_timezone(&Utc);
    Some(time.timestamp_micros()).filter(|micros| is_writable(*micros))
}

pub(crate) fn is_writable(micros: i64) -> bool {
    let (first, last) = (time_of("0000-01-01T00:00:00Z"), time_of("9999-12-31T23:59:59Z"));
    micros >= first && micros < last + SECOND
}

fn time_of(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).map_or(0, |time| time.timestamp_micros())
}

/// The same in a form: also without a zone, as a browser sends it, and with spaces around.
pub(crate) fn time_in_form(given: &str) -> Option<i64> {
    let local = |form| NaiveDateTime::parse_from_str(given, form).ok();
    time(given).or_else(|| {
        let time = local("%Y-%m-%dT%H:%M:%S%.f").or_else(|| local("%Y-%m-%dT%H:%M"))?;
        Some(time.and_utc().timestamp_micros()).filter(|micros| is_writable(*micros))
    })
}

/// How a time is written.
pub(crate) fn written(micros: i64) -> String {
    let time = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// A whole number as it is written in a form: digits, perhaps a plus before them.
pub(crate) fn revision(given: &str) -> Option<u64> {
    let given = given.trim();
    let digits = given.strip_prefix('+').unwrap_or(given);
    let digits =
        Some(digits).filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let significant = digits.trim_start_matches('0');
    let number = significant.parse().ok().filter(|number: &u64| *number < 1 << 63);
    number.filter(|_| !significant.is_empty())
}
