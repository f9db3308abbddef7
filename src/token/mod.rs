//! The value that a client presents: how it is drawn, laid out, recognised and stored as a digest.
//!
//! ```text
//! acme_live_7Hq2LkP9sTz4WcX1_nT8…32 characters…Qf03xK9a
//! prefix    id               secret              checksum
//! ```
//!
//! - The **prefix** is the host's, one for all environments or one per environment; see [`Prefix`].
//! - The **id** is the key's public name, 16 base62 characters.
//! - The **secret** is 32 base62 characters, 190 bits, drawn by rejection so that none is likelier.
//! - The **checksum** is the CRC-32 (ISO-HDLC, the one of zip files) of all before it, as 6 base62 digits,
//!   most significant first. It is no defence: it lets a scanner confirm a find, and a typing mistake be
//!   refused, without asking the store.
//!
//! The alphabet is `0-9A-Za-z`, so one double click selects a token, and no character needs escaping.
//! A token is read by position from its end, never by splitting.
//!
//! What is stored is SHA-256 of the 49 characters `{id}_{secret}`, or HMAC-SHA-256 of them under a
//! [`Pepper`]: bound to the id, so that a digest copied to another key matches nothing. A slow password
//! hash would add nothing at 190 random bits, and would cost every request.

mod base62;
mod digest;
mod foreign;
mod pepper;
mod prefix;
mod prefixes;
mod presented;
mod random;
mod secret;

pub use digest::Scheme;
pub use foreign::{ForeignDigest, ForeignTokens};
pub use pepper::Pepper;
pub use prefix::{Found, Prefix, find_tokens};
pub use secret::Token;

pub(crate) use digest::Digest;
pub(crate) use pepper::{PepperRing, Sealing, Turned, Way};
pub(crate) use prefixes::Prefixes;
pub(crate) use presented::{Presented, Signed};
pub(crate) use random::{Random, id_of_operation};
