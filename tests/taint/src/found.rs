//! A token that was found is presented to have its key revoked.

use access_keys::Actor;
use pollster::block_on;

use crate::Failure;
use crate::driver::{undefine, undefine_digests};
use crate::host::{Host, SECRET, sealed};

const PRESENTED: [&str; 5] =
    ["wrong_secret", "unknown_id", "wrong_secret_in_grace", "wrong_secret_revoked", "right_secret"];

/// `found/PRESENTED` and `found_peppered/PRESENTED` of each.
pub(crate) fn names() -> impl Iterator<Item = String> {
    let all = |path| PRESENTED.map(|presented| format!("{path}/{presented}"));
    ["found", "found_peppered"].into_iter().flat_map(all)
}

/// Presents in this way, and fails where anything else comes of it than must.
pub(crate) fn run(name: &str) -> Result<(), Failure> {
    let (path, presented) = name.split_once('/').ok_or("PATH/PRESENTED?")?;
    let host = Host::new(path.ends_with("peppered"))?;
    match presented {
        "wrong_secret_in_grace" => host.rotate()?,
        "wrong_secret_revoked" => host.revoke()?,
        _ => {}
    }
    let token = match presented {
        "right_secret" => host.good.token.expose().to_owned(),
        "unknown_id" => sealed(&host.good, |text| text[5..21].reverse()),
        _ => sealed(&host.good, |text| text[SECRET].reverse()),
    };
    let keys = host.keys()?;
    undefine_digests(&host.stored()?)?;
    undefine(&token.as_bytes()[SECRET.start..])?;
    let revoked = block_on(keys.revoke_presented(&token, "in a forum", Actor::user("bob")?))?.is_some();
    if revoked != (presented == "right_secret") {
        return Err("something else came of it".into());
    }
    println!("{}", if revoked { "revoked" } else { "none of ours" });
    Ok(())
}
