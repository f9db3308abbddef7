//! Reading a token and hashing it with as little work as safe Rust allows, for [`dashmap_tuned`](crate::dashmap_tuned).

use sha2::block_api::compress256;

use crate::fixture::PREFIX;

const PREFIX_LEN: usize = PREFIX.len() + 1;
const SIGNED_LEN: usize = 49;
pub(crate) const TOKEN_LEN: usize = PREFIX_LEN + SIGNED_LEN + 6;

/// SHA-256's words in the machine's own order of bytes: both sides of the comparison are.
pub(crate) type Words = [u8; 32];

/// What CRC-32 knows once it has seen the prefix.
pub(crate) struct Reader {
    prefix: [u8; PREFIX_LEN],
    state: u32,
}

impl Reader {
    pub(crate) fn new() -> Self {
        let mut prefix = [b'_'; PREFIX_LEN];
        prefix[..PREFIX.len()].copy_from_slice(PREFIX.as_bytes());
        Self { prefix, state: crc32fast::hash(&prefix) }
    }

    /// The id and `{id}_{secret}` of a token of the right form.
    #[inline]
    pub(crate) fn read<'t>(&self, token: &'t [u8]) -> Option<([u8; 16], &'t [u8; SIGNED_LEN])> {
        let token: &[u8; TOKEN_LEN] = token.try_into().ok()?;
        let (prefix, rest) = token.split_first_chunk::<PREFIX_LEN>()?;
        let (signed, sum) = rest.split_first_chunk::<SIGNED_LEN>()?;
        let (id, secret) = signed.split_first_chunk::<16>()?;
        let (joint, secret) = secret.split_first()?;
        let secret: &[u8; 32] = secret.try_into().ok()?;
        let shaped = (*prefix == self.prefix) & (*joint == b'_') & is_base62(id) & is_base62(secret);
        let mut crc = crc32fast::Hasher::new_with_initial(self.state);
        crc.update(signed);
        (shaped & (value(sum.try_into().ok()?) == u64::from(crc.finalize()))).then_some((*id, signed))
    }
}

/// SHA-256 of 49 bytes: one compression of a block that is prepared in whole 16-byte stores.
#[inline]
pub(crate) fn digest(signed: &[u8; SIGNED_LEN]) -> Words {
    const H: [u32; 8] = [
        0x6A09_E667,
        0xBB67_AE85,
        0x3C6E_F372,
        0xA54F_F53A,
        0x510E_527F,
        0x9B05_688C,
        0x1F83_D9AB,
        0x5BE0_CD19,
    ];
    /// The end mark and the number of bits, around the last byte of what is hashed.
    const LAST: u128 = 0x80 << 8 | (SIGNED_LEN as u128 * 8).swap_bytes();
    let mut block = [0; 64];
    let (whole, last) = signed.as_chunks::<16>();
    let (blocks, _) = block.as_chunks_mut::<16>();
    for (block, whole) in blocks.iter_mut().zip(whole) {
        *block = *whole;
    }
    blocks[3] = (LAST | u128::from(last[0])).to_le_bytes();
    let mut state = H;
    compress256(&mut state, &[block]);
    let mut words = [0; 32];
    let (chunks, _) = words.as_chunks_mut::<4>();
    for (chunk, word) in chunks.iter_mut().zip(state) {
        *chunk = word.to_ne_bytes();
    }
    words
}

/// Vectorised: neither branches nor a table.
#[inline]
fn is_base62<const N: usize>(bytes: &[u8; N]) -> bool {
    bytes.iter().fold(true, |all, byte| {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        all & (letter | (byte.wrapping_sub(b'0') < 10))
    })
}

/// What six digits stand for; above `u32::MAX` if one of them is none.
#[inline]
fn value(digits: &[u8; 6]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 62 + VALUES[usize::from(*digit)])
}

const VALUES: [u64; 256] = {
    let mut values = [1 << 32; 256];
    let mut value = 0;
    while value < 62 {
        let digit = match value {
            0..10 => b'0' + value,
            10..36 => b'A' + value - 10,
            _ => b'a' + value - 36,
        };
        values[digit as usize] = value as u64;
        value += 1;
    }
    values
};
