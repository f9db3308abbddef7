//! Digests as other systems write them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::unreadable;
use crate::domain::{Field, Invalid};
use crate::token::ForeignDigest;

/// 64 hexadecimal digits, or base64 of 32 bytes of either alphabet, with padding or without.
pub(super) fn of_text(text: &str) -> Result<ForeignDigest, Invalid> {
    if text.len() == 64 {
        return ForeignDigest::of_hex(text);
    }
    let decoded = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    let decoded = decoded.iter().find_map(|engine| engine.decode(text).ok());
    let bytes = decoded.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let wrong = || unreadable(Field::Digest, "32 bytes in hexadecimal digits or base64", text.len());
    bytes.map(ForeignDigest::new).ok_or_else(wrong)
}
