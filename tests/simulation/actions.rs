//! Verifications: who verifies what, and when.

use std::sync::Arc;

use access_keys::{AccessKeys, Grant};

use crate::planned::{planned, production};
use crate::tasks::Event;
use crate::trips::SimStore;
use crate::world::{State, World};

/// A token to show, and what is known of it.
struct Shown {
    key: Option<usize>,
    secret: Option<u32>,
    text: String,
}

/// A node verifies something now, and again soon.
pub(crate) fn verify_something(world: &Arc<World>) {
    let (node, shown, times) = {
        let mut state = world.lock();
        let gap = state.setting.pace / 8;
        let next = state.now + state.chance.below(gap);
        state.push(next, Event::Verify);
        let node = {
            let nodes = state.nodes.len();
            state.chance.place(nodes)
        };
        let shown = state.draw_token();
        (node, shown, if state.chance.percent(20) { state.chance.between(2, 4) } else { 1 })
    };
    for _ in 0..times {
        verify(world, node, &shown);
    }
}

/// A node verifies this key now.
pub(crate) fn ask(world: &Arc<World>, node: usize, key: usize) {
    let shown = world.lock().token_of(key);
    verify(world, node, &shown);
}

/// A node is asked about many keys that nobody has, and about some that someone has.
pub(crate) fn flood(world: &Arc<World>, node: usize) {
    let count = world.lock().chance.between(10, 40);
    for _ in 0..count {
        let shown = {
            let mut state = world.lock();
            if state.chance.percent(80) { state.unknown_token() } else { state.draw_token() }
        };
        verify(world, node, &shown);
    }
}

fn verify(world: &Arc<World>, node: usize, shown: &Shown) {
    let (keys, kind) = {
        let mut state = world.lock();
        let kind = state.chance.weighted(&[
            (14, Kind::Verify),
            (3, Kind::Cached),
            (2, Kind::Recheck),
            (1, Kind::Both),
        ]);
        let Some(keys) = state.nodes[node].keys.clone() else { return };
        (keys, kind)
    };
    let Shown { key, secret, text } = shown;
    let work = verification(Arc::clone(world), keys, node, (*key, *secret), text.clone(), kind);
    let task = world.spawn(node, None, Box::pin(work));
    let state = &mut *world.lock();
    state.verifications.push(task);
    if state.chance.one_in(state.setting.chances.cancelled * 4) {
        let longest = state.setting.delay * 3;
        let at = state.now + state.chance.below(longest);
        state.tally.count("verification given up");
        state.push(at, Event::Cancel(task));
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Verify,
    Cached,
    Recheck,
    /// A verification, and a recheck of what it gave.
    Both,
}

async fn verification(
    world: Arc<World>,
    keys: AccessKeys<SimStore>,
    node: usize,
    (key, secret): (Option<usize>, Option<u32>),
    token: String,
    kind: Kind,
) {
    let verifier = keys.verifier();
    let begun = world.begin(node, key, secret);
    match kind {
        Kind::Cached => {
            if let Some(answer) = verifier.verify_cached(&token, &production()) {
                world.lock().tally.count("verify_cached answers");
                world.judge(&begun, &answer);
            }
        }
        Kind::Recheck => {
            let grant = world.lock().old_grant(key);
            if let Some((secret, grant)) = grant {
                let begun = world.begin(node, key, Some(secret));
                let answer = verifier.recheck(&grant).await;
                world.lock().tally.count("recheck");
                world.judge(&begun, &answer);
            }
        }
        Kind::Verify | Kind::Both => {
            let answer = verifier.verify(&token, &production()).await;
            world.judge(&begun, &answer);
            let (Ok(grant), Some(key), Some(secret)) = (answer, key, secret) else { return };
            world.lock().keep_grant(key, secret, &grant);
            if matches!(kind, Kind::Both) {
                let begun = world.begin(node, Some(key), Some(secret));
                let answer = verifier.recheck(&grant).await;
                world.judge(&begun, &answer);
            }
        }
    }
}

impl State {
    /// A token to show: mostly a good one.
    fn draw_token(&mut self) -> Shown {
        let opened = self.history.keys.len();
        match self.chance.below(20) {
            0 => self.unknown_token(),
            // The next one, asked for before it is made.
            1 if opened < planned().keys.len() => wrong_token(opened, None),
            2 if opened > 0 => {
                let key = self.chance.place(opened);
                wrong_token(key, Some(key))
            }
            _ if opened == 0 => self.unknown_token(),
            kind => {
                let first = if kind < 6 { 0 } else { opened.saturating_sub(self.setting.keys) };
                let key = first + self.chance.place(opened - first);
                self.token_of(key)
            }
        }
    }

    /// A token of this key, mostly its newest.
    fn token_of(&mut self, key: usize) -> Shown {
        let count = self.history.keys[key].tokens.len();
        if count == 0 {
            return wrong_token(key, Some(key));
        }
        let back = if self.chance.percent(70) { 0 } else { self.chance.place(count.min(3)) };
        let (secret, text) = self.history.keys[key].tokens[count - 1 - back].clone();
        Shown { key: Some(key), secret: Some(secret), text }
    }

    fn unknown_token(&mut self) -> Shown {
        let text = planned().unknown[self.chance.place(planned().unknown.len())].clone();
        Shown { key: None, secret: None, text }
    }

    fn keep_grant(&mut self, key: usize, secret: u32, grant: &Grant) {
        self.grants.push((key, secret, grant.clone()));
        if self.grants.len() > 20 {
            let place = self.chance.place(20);
            drop(self.grants.swap_remove(place));
        }
    }

    /// A grant of this key that was given before, on whatever node.
    fn old_grant(&mut self, key: Option<usize>) -> Option<(u32, Grant)> {
        let of_key = self.grants.iter().filter(|(of, ..)| Some(*of) == key);
        let found: Vec<_> = of_key.map(|(_, secret, grant)| (*secret, grant.clone())).collect();
        if found.is_empty() {
            return None;
        }
        let place = self.chance.place(found.len());
        found.into_iter().nth(place)
    }
}

/// A token of a planned key, with a secret that it never has.
fn wrong_token(place: usize, key: Option<usize>) -> Shown {
    Shown { key, secret: None, text: planned().keys[place].2.clone() }
}
