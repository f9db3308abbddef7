//! Changing inputs that are nearly right.

use crate::answer::{CANARY, Target};
use crate::json;
use crate::random::SplitMix;

/// What breaks readers of text wherever it stands.
const ODD: [&str; 24] = [
    " ", "\t", "\n", "\r\n", "\0", "\u{7f}", "\u{a0}", "é", "\u{200b}", "\u{202e}", "\u{2028}", "\u{feff}",
    "🔑", "-", "+", "0", "_", ".", ":", "=", "/", "\"", "\\", CANARY,
];

const LEN_MAX: usize = 4_000;

/// The input of a seed: mostly a sample that was changed in a few places, sometimes nonsense, sometimes as it is.
#[must_use]
pub fn seeded(target: &Target, seed: u64) -> Vec<u8> {
    let mut chance = SplitMix(seed);
    let sample = chance.pick(&target.samples).clone();
    match chance.below(16) {
        0 => {
            let len = chance.below(200);
            (0..len).map(|_| byte(&mut chance)).collect()
        }
        1 => sample,
        _ => (0..=chance.below(3)).fold(sample, |data, _| mutate(target, &data, chance.next())),
    }
}

/// `data` with one change.
#[must_use]
pub fn mutate(target: &Target, data: &[u8], seed: u64) -> Vec<u8> {
    let mut chance = SplitMix(seed);
    // libFuzzer begins with nothing.
    if data.is_empty() {
        return chance.pick(&target.samples).clone();
    }
    if target.is_json
        && chance.below(8) > 0
        && let Some(changed) = json::mutate(data, target.words, &mut chance)
    {
        return changed;
    }
    bytes(target, data, &mut chance)
}

fn bytes(target: &Target, data: &[u8], chance: &mut SplitMix) -> Vec<u8> {
    let mut changed = data.to_vec();
    let at = chance.below(changed.len() + 1);
    let until = at + chance.below((changed.len() - at).min(40) + 1);
    match chance.below(8) {
        0 => changed.insert(at, byte(chance)),
        1 => drop(changed.splice(at..until, [])),
        2 => {
            let part = changed[at..until].to_vec();
            let to = chance.below(changed.len() + 1);
            drop(changed.splice(to..to, part));
        }
        3 => drop(changed.splice(at..at, piece(target, chance).bytes())),
        4 => drop(changed.splice(at..until, piece(target, chance).bytes())),
        5 => {
            let other = chance.pick(&target.samples);
            let from = chance.below(other.len() + 1);
            changed.truncate(at);
            changed.extend_from_slice(&other[from..]);
        }
        _ => {
            if let Some(place) = changed.get_mut(at) {
                *place = if chance.below(2) == 0 { *place ^ (1 << chance.below(8)) } else { byte(chance) };
            }
        }
    }
    changed.truncate(LEN_MAX);
    changed
}

fn piece(target: &Target, chance: &mut SplitMix) -> &'static str {
    let words = if chance.below(2) == 0 || target.words.is_empty() { &ODD[..] } else { target.words };
    chance.pick::<&str>(words)
}

fn byte(chance: &mut SplitMix) -> u8 {
    chance.next().to_le_bytes()[0]
}

/// A text with one change, for what is inside of JSON.
pub(crate) fn text(given: &str, words: &'static [&'static str], chance: &mut SplitMix) -> String {
    let mut characters: Vec<char> = given.chars().collect();
    let at = chance.below(characters.len() + 1);
    let until = at + chance.below((characters.len() - at).min(8) + 1);
    let from = if chance.below(2) == 0 { &ODD[..] } else { words };
    match chance.below(6) {
        0 => drop(characters.splice(at..until, [])),
        1 => drop(characters.splice(at..until, chance.pick(from).chars())),
        2 => {
            let repeated = characters.repeat(2 + chance.below(60));
            characters = repeated;
        }
        3 => return (*chance.pick(from)).to_owned(),
        _ => drop(characters.splice(at..at, chance.pick(from).chars())),
    }
    characters.truncate(2_000);
    characters.into_iter().collect()
}
