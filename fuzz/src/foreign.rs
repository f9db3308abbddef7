//! Tokens of another system, described by an input, and a key that was imported with the digest of one.
//!
//! A line each: the system, how its tokens begin, their lengths, how they are digested, the separator, the secret, what
//! is digested before and after, a token, and another text to present.

use std::sync::LazyLock;

use access_keys::lifecycle::{ImportRow, Imported};
use access_keys::store::MemoryStore;
use access_keys::token::{ForeignDigest, ForeignTokens};
use access_keys::{AccessKeys, Actor, Draft, FakeClock, Invalid, KeyId, KeyInfo, ProjectId, Scope};
use hmac::{Hmac, KeyInit, Mac};
use pollster::block_on;
use sha2::{Digest, Sha256};

use crate::answer::{CANARY, Checked, Difference, Target, outcome, quiet, quiet_debug, same};
use crate::host::environment;
use crate::mistake::{self, Mistake};
use crate::random::SplitMix;

/// What is run.
pub static TARGET: Target = Target {
    name: "foreign",
    check,
    samples: LazyLock::new(samples),
    words: &["sk-", "own_", "\n", "_", "8 1024", "16 64", "7 16", "h", "a", "i", "s", "acme_", TOKEN, CANARY],
    is_json: false,
    mistakes: &[Mistake::AnyCase, Mistake::TrimsTokens, Mistake::LastByteIsAny],
};

const TOKEN: &str = "sk-Zk3v9QpLw2Xn8TrB5YdM";

/// What an input describes.
struct Given<'d> {
    source: &'d str,
    head: &'d str,
    lengths: Option<(usize, usize)>,
    how: &'d str,
    separator: char,
    secret: &'d str,
    around: [&'d str; 2],
    token: &'d str,
    other: &'d str,
}

/// A token as the reference reads it.
struct Known<'d> {
    identifier: Option<&'d str>,
    digest: [u8; 32],
}

/// Compares whether it can be so described, what the digest is, and what a library says that has imported it.
pub fn check(data: &[u8]) -> Checked {
    let text = String::from_utf8_lossy(data);
    let given = Given::read(&text);
    let tokens = match given.describe() {
        Ok(tokens) => tokens,
        Err(invalid) => {
            same("whether it can be described", &false, &given.is_allowed())?;
            quiet(invalid)?;
            return Ok(outcome(false));
        }
    };
    same("whether it can be described", &true, &given.is_allowed())?;
    let known = [given.token, given.other].map(|token| given.known(token));
    for (token, known) in [given.token, given.other].into_iter().zip(&known) {
        let expected = known.as_ref().map(|known| ForeignDigest::new(known.digest));
        let digest = digest(&tokens, token);
        same("whether it is a token", &digest.is_some(), &expected.is_some())?;
        same("whether that is its digest", &(digest == expected), &true)?;
        quiet_debug(digest)?;
    }
    // What takes long is asked of a part.
    if let [Some(known), _] = &known
        && data.len().is_multiple_of(8)
    {
        goes_on(&given, &tokens, known, data)?;
    }
    Ok(outcome(known[0].is_some()))
}

fn digest(tokens: &ForeignTokens, token: &str) -> Option<ForeignDigest> {
    let digest = tokens.digest(token);
    match digest {
        None if mistake::is(Mistake::AnyCase) => tokens.digest(&token.to_ascii_lowercase()),
        None if mistake::is(Mistake::TrimsTokens) => tokens.digest(token.trim()),
        _ => digest,
    }
}

impl<'d> Given<'d> {
    fn read(text: &'d str) -> Self {
        let mut lines = text.splitn(10, '\n');
        let mut line = || lines.next().unwrap_or_default();
        let (source, head, lengths, how, separator) = (line(), line(), line(), line(), line());
        let number = |text: &str| text.parse::<usize>().ok();
        Self {
            source,
            head,
            lengths: lengths.split_once(' ').and_then(|(min, max)| Some((number(min)?, number(max)?))),
            how,
            separator: separator.chars().next().unwrap_or(' '),
            secret: line(),
            around: [line(), line()],
            token: line(),
            other: line(),
        }
    }

    fn does(&self, way: char) -> bool {
        self.how.contains(way)
    }

    fn has_identifiers(&self) -> bool {
        self.does('i') || self.does('s')
    }

    fn describe(&self) -> Result<ForeignTokens, Invalid> {
        let mut tokens = ForeignTokens::new(self.source)?.beginning_with(self.head)?;
        if let Some((min, max)) = self.lengths {
            tokens = tokens.of_length(min..=max)?;
        }
        if self.does('h') {
            tokens = tokens.hmac_sha256(self.secret);
        }
        if self.has_identifiers() {
            tokens = tokens.identified_before(self.separator, self.does('s'))?;
        }
        if self.does('a') {
            tokens = tokens.digested_after_beginning();
        }
        let [before, after] = self.around;
        Ok(tokens.digested_between(before, after))
    }

    fn is_allowed(&self) -> bool {
        let named = |c| matches!(c, 'a'..='z' | '0'..='9' | '-');
        let visible = |c: char| c > ' ' && c < '\u{7f}';
        let (min, max) = self.lengths.unwrap_or((16, 512));
        !self.source.is_empty()
            && [self.source, self.head].iter().all(|text| text.len() <= 64)
            && self.source.chars().all(named)
            && self.head.chars().all(visible)
            && 8 <= min
            && min <= max
            && max <= 1_024
            && (visible(self.separator) || !self.has_identifiers())
    }

    fn known(&self, token: &'d str) -> Option<Known<'d>> {
        let (min, max) = self.lengths.unwrap_or((16, 512));
        let rest = token.strip_prefix(self.head).filter(|_| min <= token.len() && token.len() <= max)?;
        let parts = rest.rsplit_once(self.separator).filter(|_| self.has_identifiers());
        if parts.is_none() && self.has_identifiers() {
            return None;
        }
        let digested = match parts {
            _ if self.does('a') => rest,
            Some((_, secret)) if self.does('s') => secret,
            _ => token,
        };
        let [before, after] = self.around;
        let hashed = format!("{before}{digested}{after}");
        let digest = if self.does('h') {
            let mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).ok()?;
            mac.chain_update(hashed).finalize().into_bytes().into()
        } else {
            Sha256::digest(hashed).into()
        };
        Some(Known { identifier: parts.map(|(identifier, _)| identifier), digest })
    }
}

/// A key that is imported by the digest that the reference computed is opened by its token and by nothing else.
fn goes_on(
    given: &Given<'_>,
    tokens: &ForeignTokens,
    known: &Known<'_>,
    data: &[u8],
) -> Result<(), Difference> {
    let clock = FakeClock::default();
    let builder = AccessKeys::builder(MemoryStore::new()).prefix("acme").random(SplitMix(7)).clock(clock.clone());
    let keys = builder.foreign_tokens(tokens.clone()).build().expect("a library");
    let project = keys.project(ProjectId::new("checkout").expect("an id"), Actor::user("ada").expect("an id"));
    let info = KeyInfo::new("Mobile app", environment("production")).expect("a name");
    let draft = Draft::at(access_keys::Clock::wall(&clock)).info(info).agents(Scope::All);
    let row = ImportRow::new(ForeignDigest::new(known.digest), draft.prompts(Scope::All).expect("a key"));
    let row = known.identifier.iter().fold(row, |row, identifier| row.identifier(*identifier));
    let mut import = project.import(tokens);
    let imported = block_on(import.row(1, Ok(row)));
    let Ok(Some(Imported::New(key))) = imported else {
        return same("whether it is imported", &false, &true);
    };
    let opened = |text: &str| opens(&keys, given.token, text);
    same("whether the token opens it", &opened(given.token), &Some(key.id))?;
    let hex: String = known.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    for text in [given.other, &hex, given.token.trim(), &given.token.to_ascii_lowercase()] {
        let expected = (text == given.token).then_some(key.id);
        same("whether another text opens it", &opened(text), &expected)?;
    }
    let mut chance = SplitMix(u64::from(known.digest[0]) + data.len() as u64);
    let places = [chance.below(given.token.len()), 0, given.token.len() - 1];
    for place in places {
        let mut changed = given.token.as_bytes().to_vec();
        changed[place] ^= 1 << chance.below(7);
        if let Ok(changed) = String::from_utf8(changed) {
            same("whether one byte of it may differ", &opened(&changed), &None)?;
        }
    }
    Ok(())
}

/// The key that a text opens, asked for twice: the second answer may be a cached one.
fn opens(keys: &AccessKeys<MemoryStore>, token: &str, text: &str) -> Option<KeyId> {
    let production = environment("production");
    let is_near = text.len() == token.len() && text.as_bytes()[1..text.len() - 1] == token.as_bytes()[1..text.len() - 1];
    let text = if mistake::is(Mistake::LastByteIsAny) && is_near && text[..1] == token[..1] { token } else { text };
    let verify = || block_on(keys.verify(text, &production)).ok().map(|grant| grant.key().id);
    let (first, second) = (verify(), verify());
    if first == second { first } else { None }
}

fn samples() -> Vec<Vec<u8>> {
    let salted = "own\nown_\n8 1024\nhi\n.\ntheir secret\nbefore c4nary\nafter\nown_ada.Zk3v9QpLw2Xn8TrB\nown_ada.Zk3v9QpLw2Xn8TrC";
    let samples = [
        format!("litellm\nsk-\n\n\n\n\n\n\n{TOKEN}\n{TOKEN}x"),
        format!("litellm\nsk-\n10 128\na\n\n\n\nsalt\n{TOKEN}\nSK-Zk3v9QpLw2Xn8TrB5YdM"),
        salted.to_owned(),
        "k\nk_\n16 64\nsh\n_\nc4nary, and a long secret\n\n\nk_a_b_Zk3v9QpLw2Xn8TrB5YdM\n k_a_b_Zk3v9QpLw2Xn8TrB5YdM ".to_owned(),
        "k\n\n16 16\nsa\n:\n\n\n\nc4nary:Zk3v9QpLw\nc4nary:Zk3v9QpLx".to_owned(),
        "all\n\n\nh\n\nsecret\n\n\nanything of this length\nacme_7Hq2LkP9sTz4WcX1".to_owned(),
    ];
    samples.into_iter().map(String::into_bytes).collect()
}
