//! The ways in which a token is verified, each with what must come of it.

use access_keys::{Denial, Verifier};
use pollster::block_on;

use crate::Failure;
use crate::driver::{undefine, undefine_digests};
use crate::host::{Host, SECRET, sealed};

/// What is presented, and what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presented {
    WrongSecret,
    RightSecret,
    UnknownId,
    WrongSecretInGrace,
    OlderSecret,
    WrongSecretRevoked,
    RightSecretRevoked,
    /// The right secret, and its grant again.
    Recheck,
    WrongChecksum,
    OtherCharacter,
}

use Presented::{
    OlderSecret, OtherCharacter, Recheck, RightSecret, RightSecretRevoked, UnknownId, WrongChecksum,
    WrongSecret, WrongSecretInGrace, WrongSecretRevoked,
};

const PRESENTED: [(&str, Presented); 10] = [
    ("wrong_secret", WrongSecret),
    ("right_secret", RightSecret),
    ("unknown_id", UnknownId),
    ("wrong_secret_in_grace", WrongSecretInGrace),
    ("older_secret", OlderSecret),
    ("wrong_secret_revoked", WrongSecretRevoked),
    ("right_secret_revoked", RightSecretRevoked),
    ("recheck", Recheck),
    ("wrong_checksum", WrongChecksum),
    ("other_character", OtherCharacter),
];
const PATHS: [&str; 4] = ["warm", "cold", "warm_peppered", "cold_peppered"];

/// `PATH/PRESENTED` of each.
pub(crate) fn names() -> impl Iterator<Item = String> {
    PATHS.into_iter().flat_map(|path| PRESENTED.map(|(presented, _)| format!("{path}/{presented}")))
}

/// Verifies in this way, and fails where anything else comes of it than must.
pub(crate) fn run(name: &str) -> Result<(), Failure> {
    let (path, presented) = name.split_once('/').ok_or("PATH/PRESENTED?")?;
    let (_, kind) = PRESENTED.into_iter().find(|(name, _)| *name == presented).ok_or("what is presented?")?;
    let is_warm = path.starts_with("warm");
    let host = Host::new(path.ends_with("peppered"))?;
    match kind {
        WrongSecretInGrace | OlderSecret => host.rotate()?,
        WrongSecretRevoked | RightSecretRevoked => host.revoke()?,
        _ => {}
    }
    let verifier = host.verifier(!is_warm)?;
    let token = token(&host, kind);
    // Whatever is made of them from now on, the rows of the cache among it, is undefined too.
    undefine_digests(&host.stored()?)?;
    if is_warm {
        // The thread puts a row aside when it comes twice.
        let defined = token.clone();
        (0..3).for_each(|_| drop(block_on(verifier.verify(&defined, &host.production))));
    }
    undefine(&token.as_bytes()[SECRET.start..])?;
    let before = verifier.stats().hits;
    let answered = answer(&verifier, &host, &token, kind == Recheck);
    let hits = verifier.stats().hits - before;

    let (expected, asks) = match kind {
        RightSecret | OlderSecret => ("good", 1),
        Recheck => ("good", 2),
        RightSecretRevoked => ("revoked", 1),
        WrongChecksum | OtherCharacter => ("malformed", 0),
        UnknownId | WrongSecret | WrongSecretInGrace | WrongSecretRevoked => ("unrecognized", 1),
    };
    // A malformed token counts as a hit on either path.
    if answered != expected || hits != if is_warm || asks == 0 { asks.max(1) } else { 0 } {
        return Err(format!("{answered} with {hits} hits").into());
    }
    println!("{answered}");
    Ok(())
}

fn answer(verifier: &Verifier, host: &Host, token: &str, again: bool) -> &'static str {
    let answer = block_on(async {
        let grant = verifier.verify(token, &host.production).await?;
        if again { verifier.recheck(&grant).await } else { Ok(grant) }
    });
    match answer {
        Ok(_) => "good",
        Err(Denial::Unrecognized { .. }) => "unrecognized",
        Err(Denial::Revoked { .. }) => "revoked",
        Err(Denial::Malformed { .. }) => "malformed",
        Err(_) => "something else",
    }
}

fn token(host: &Host, kind: Presented) -> String {
    let token = host.good.token.expose();
    match kind {
        RightSecret | OlderSecret | RightSecretRevoked | Recheck => token.to_owned(),
        UnknownId => sealed(&host.good, |text| text[5..21].reverse()),
        WrongSecret | WrongSecretInGrace | WrongSecretRevoked => {
            sealed(&host.good, |text| text[SECRET].reverse())
        }
        WrongChecksum => {
            let other = if token.ends_with('0') { '1' } else { '0' };
            format!("{}{other}", &token[..token.len() - 1])
        }
        OtherCharacter => sealed(&host.good, |text| text[SECRET.start + 7] = b'-'),
    }
}
