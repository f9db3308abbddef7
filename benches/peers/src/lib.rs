//! Ways to check a presented key, to be compared with this library in one run.
//!
//! `cargo bench -p peers-bench` measures them. Each peer is a file that shows what a host would write; a peer
//! that lacks a check which the others make says so at the top of its file.

mod access_keys;
mod api_keys_simplified;
mod biscuit;
mod dashmap;
mod dashmap_tuned;
mod fixture;
mod jwt;
mod moka;
mod peer;
mod prefixed_api_key;
mod tuned_agents;
mod tuned_token;
mod two_threads;

pub use peer::Peer;
pub use two_threads::two_over_one;

/// Every peer, each of which has accepted a good token and refused bad ones.
///
/// # Errors
/// What kept a peer from being set up.
pub fn peers() -> Result<Vec<Box<dyn Peer>>, Box<dyn std::error::Error>> {
    let fixture = fixture::Fixture::new()?;
    Ok(vec![
        access_keys::peer(&fixture)?,
        access_keys::peer_with_ticks()?,
        dashmap::peer(&fixture),
        dashmap::peer_of_arcs(&fixture),
        dashmap_tuned::peer(&fixture),
        dashmap_tuned::peer_with_clock_last(&fixture),
        dashmap_tuned::peer_with_coarse_clock(&fixture),
        moka::peer(&fixture),
        jwt::peer(&fixture)?,
        biscuit::peer(&fixture)?,
        prefixed_api_key::peer()?,
        api_keys_simplified::peer()?,
    ])
}

/// The 49 bytes of a token that are hashed to check it.
#[must_use]
pub fn hashed() -> [u8; 49] {
    *b"7Hq2LkP9sTz4WcX1_k3J9dPq0ZrT8vYbN5mWc7XfGh2LsQa4E"
}
