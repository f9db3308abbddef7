//! How long until an acknowledged change holds everywhere.

use std::time::Duration;

use crate::store::FeedState;

/// The limit over a store without a feed: nodes cannot tell each other of another one.
pub(crate) const WITHOUT_FEED: Duration = Duration::from_secs(5);
/// What is announced when the limit cannot be read: the longest that there is.
pub(crate) const UNKNOWN: Duration = Duration::from_secs(60);

/// How often the feed is asked at limit zero.
pub(super) const ASK_EVERY_AT_ZERO: Duration = Duration::from_secs(1);

/// How long until a change holds on every node, by the feed's state as read after the change was stored.
///
/// Not by this node's own limit, nor by an earlier answer: others follow the limit that is stored.
pub(crate) fn announced(state: &FeedState) -> Duration {
    state.limit.max(state.drained_in)
}

/// How much later than announced a moment in the store's time may come on a node that judges it: by a reading of
/// the store's clock that is a lease old, or a second at limit zero, with a clock of its own that may run a quarter
/// faster or slower.
pub(crate) fn tolerance(announced: Duration) -> Duration {
    super::core::lease(announced).max(ASK_EVERY_AT_ZERO) / 4
}
