//! 32 bytes as hexadecimal digits.

pub(crate) fn of(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `None` unless all 64 are digits, the letters among them small.
pub(crate) fn read(hex: &str) -> Option<[u8; 32]> {
    // What is no digit shows in the high half.
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => 0xF0,
    };
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else { return None };
    let pairs: &[[u8; 2]; 32] = pairs.try_into().ok()?;
    let (mut bytes, mut wrong) = ([0; 32], 0);
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (high, low) = (digit(*high), digit(*low));
        wrong |= (high | low) & 0xF0;
        *byte = high << 4 | low;
    }
    (wrong == 0).then_some(bytes)
}
