//! Refreshes.

use std::time::Duration;

use access_keys::store::{ChangeCursor, FeedState};

use super::freshness::{Answer, Refreshed};
use super::node::{Refresh, Said};
use super::{Model, World};
use crate::{Witness, Wrong};

impl World {
    pub(super) fn refresh_sent(&mut self, model: &Model<'_>, node: usize) {
        let asked = self.core(model, node, |core, board, now| core.refresh_sent(board, now));
        self.node(node).refreshes.push(Refresh { asked, answer: None });
    }

    /// The store answers, in one snapshot.
    pub(super) fn refresh_sees(&mut self, model: &Model<'_>, node: usize, which: usize, forgotten: bool) {
        let numbered = model.is_wrong(Wrong::NumberedCursor);
        let half = model.is_wrong(Wrong::TwoSnapshots);
        let said = self.said();
        let store = self.store.clone();
        let refresh = &mut self.node(node).refreshes[which];
        if let Some(said) = &mut refresh.answer {
            // Only a store that reads its limit on its own is asked twice.
            *said = Said { limit: store.limit, half: false, ..*said };
            return;
        }
        let since = refresh.asked.since.as_ref().filter(|_| !forgotten).map(ChangeCursor::as_bytes);
        let since = since.and_then(|bytes| bytes.try_into().ok());
        let named = since.and_then(|cursor| store.changed_since(cursor, numbered));
        refresh.answer = Some(Said { named, cursor: store.cursor(numbered), half, ..said });
    }

    /// What the store says of its state now.
    fn said(&self) -> Said {
        let drained_in = (self.store.drained_at - self.store_time).max(0).cast_unsigned();
        let keys = self.store.content.keys;
        let events = [keys[0].event, keys[1].event];
        let (limit, now) = (self.store.limit, self.store_time);
        Said { named: None, cursor: [0; 2], events, limit, drained_in, now, half: false }
    }

    pub(super) fn state(&self, model: &Model<'_>, said: Option<&Said>) -> FeedState {
        let said = said.copied().unwrap_or_else(|| self.said());
        let now =
            model.configuration.store_clock.and_then(|_| chrono::DateTime::from_timestamp_micros(said.now));
        FeedState::new(now, Duration::from_millis(said.limit), Duration::from_micros(said.drained_in))
    }

    /// The answer arrives.
    pub(super) fn refresh_arrives(&mut self, model: &Model<'_>, node: usize, which: usize) {
        let Refresh { mut asked, answer } = self.node(node).refreshes.remove(which);
        let Some(said) = answer else { return };
        if model.is_wrong(Wrong::TimeOfArrival) {
            let since = asked.since;
            asked = self.core(model, node, |core, board, now| core.refresh_sent(board, now));
            asked.since = since;
        }
        if model.is_wrong(Wrong::AnnouncesEarlierAnswer) {
            self.node(node).last_limit = said.limit;
        }
        let ids = model.ids.iter().enumerate();
        let named = said.named.map(|named| {
            ids.filter(|(bit, _)| named & (1 << bit) != 0).map(|(_, id)| *id).collect::<Vec<_>>()
        });
        let has_rows = self.nodes[node].visible.rows.iter().flatten().count() > 0;
        match &named {
            None if has_rows => model.witness(Witness::EverythingFlushes),
            Some(named) if has_rows && !named.is_empty() => model.witness(Witness::RefreshNames),
            _ => {}
        }
        let answer = if model.configuration.feed {
            let (next, state) = (ChangeCursor::new(said.cursor), self.state(model, Some(&said)));
            Answer::Feed { named, next, state }
        } else {
            Answer::NoFeed
        };
        let jumped = self.wall[node] != 0;
        let came =
            self.core(model, node, |core, board, now| core.changes_arrived(board, &asked, answer, now));
        if came == Refreshed::Late {
            model.witness(Witness::Late);
            if jumped {
                model.witness(Witness::JumpVoidsAnswer);
            }
        }
        for key in 0..2 {
            if said.named.is_none_or(|named| named & (1 << key) != 0) {
                self.told(model, node, key, said.events[usize::from(key)]);
            }
        }
    }

    pub(super) fn refresh_lost(&mut self, node: usize, which: usize) {
        self.node(node).refreshes.remove(which);
    }
}
