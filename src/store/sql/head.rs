//! Where a change feed stands.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Columns, Unreadable, Values, breaks};
use crate::domain::{EventId, KeyId, time};
use crate::store::limit::check_limit;
use crate::store::{ChangeCursor, Changes, FeedState};

/// More changes behind than this, and it is cheaper to forget all.
pub(crate) const BEHIND_MAX: usize = 10_000;
pub(crate) const INCARNATION_LEN: usize = 32;
/// As long as any limit can take to be followed no more: 1.1 times the longest.
pub(crate) const DRAINED_IN_MAX: Duration = Duration::from_secs(66);

/// Where the feed stands, and the limit, as of one snapshot.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Head {
    incarnation: String,
    limit: Duration,
    drained_at: DateTime<Utc>,
    /// The last event; `None` before the first.
    last: Option<(i64, EventId)>,
}

impl Head {
    /// Read from the incarnation, the limit, the time at which an earlier one ends, and number and id of the last
    /// event.
    pub(crate) fn of<R: Values>(columns: &mut Columns<'_, R>) -> Result<Self, Unreadable> {
        let incarnation = columns.text("incarnation")?.to_owned();
        // A store may put more after it that tells cursors apart.
        if incarnation.len() < INCARNATION_LEN || !incarnation.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Unreadable::new("settings", "incarnation", "it is not 32 letters and digits"));
        }
        let limit = columns.number("max_staleness")?;
        let limit = Duration::from_micros(limit.try_into().unwrap_or(u64::MAX));
        check_limit(limit).map_err(breaks("settings", "max_staleness"))?;
        let drained_at =
            time::of_micros(columns.number("drained_at")?).map_err(breaks("settings", "drained_at"))?;
        let seq = columns.optional_number("seq")?;
        // An id that cannot be read is none that a cursor could name: whoever asks is told to forget all.
        let id = columns.optional_text("id").ok().flatten().and_then(|id| id.parse().ok());
        let last = seq.map(|seq| (seq, id.unwrap_or(EventId::ZERO)));
        Ok(Self { incarnation, limit, drained_at, last })
    }

    #[cfg(feature = "sqlite-system")]
    pub(crate) const fn limit(&self) -> Duration {
        self.limit
    }

    pub(crate) fn cursor(&self) -> ChangeCursor {
        let mut bytes = self.incarnation.clone().into_bytes();
        if let Some((seq, id)) = self.last {
            bytes.extend(seq.to_be_bytes());
            bytes.extend(id.bytes());
        }
        ChangeCursor::new(bytes)
    }

    pub(crate) fn state(&self, now: DateTime<Utc>) -> FeedState {
        // A clock that was set back makes nothing last longer than it could.
        let drained_in = time::until(self.drained_at, now).min(DRAINED_IN_MAX);
        FeedState::new(Some(now), self.limit, drained_in)
    }

    pub(crate) fn since(&self, ids: Vec<KeyId>, now: DateTime<Utc>) -> Changes {
        Changes::Since { ids, next: self.cursor(), state: self.state(now) }
    }

    pub(crate) fn everything(&self, now: DateTime<Utc>) -> Changes {
        Changes::Everything { next: self.cursor(), state: self.state(now) }
    }

    /// The event that a cursor of this incarnation names: `Some(None)` for one from before the first event.
    pub(crate) fn place(&self, cursor: &ChangeCursor) -> Option<Option<(i64, EventId)>> {
        let place = cursor.as_bytes().strip_prefix(self.incarnation.as_bytes())?;
        if place.is_empty() {
            return Some(None);
        }
        let (seq, id) = place.split_first_chunk::<8>()?;
        let id = EventId::from_base62(id.try_into().ok()?)?;
        Some(Some((i64::from_be_bytes(*seq), id)))
    }
}

/// One event of the feed.
pub(crate) struct Entry {
    seq: i64,
    id: EventId,
    key: KeyId,
}

impl Entry {
    /// The keys of the events that come after a place, which is the first of the entries; `None` if that is not known
    /// here or too far behind.
    pub(crate) fn after(
        place: Option<(i64, EventId)>,
        entries: impl IntoIterator<Item = Result<Self, Unreadable>>,
    ) -> Option<Vec<KeyId>> {
        let mut entries = entries.into_iter();
        if let Some(place) = place {
            let first = entries.next()?.ok()?;
            if (first.seq, first.id) != place {
                return None;
            }
        }
        // One event that cannot be read would else make every key unavailable for good.
        let ids = entries.map(|entry| entry.ok().map(|entry| entry.key)).collect::<Option<Vec<_>>>()?;
        (ids.len() <= BEHIND_MAX).then_some(ids)
    }
}

impl<R: Values> Columns<'_, R> {
    pub(crate) fn entry(mut self) -> Result<Entry, Unreadable> {
        let seq = self.number("seq")?;
        let id = self.text("id")?.parse().map_err(breaks("events", "id"))?;
        let key = self.text("key")?.parse().map_err(breaks("events", "key"))?;
        Ok(Entry { seq, id, key })
    }
}
