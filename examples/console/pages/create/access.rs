//! Steps 2 and 3: which agents and which prompts the key may call.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::{CHECK, FIELDS, checked, go, open, step_address, step_page};
use crate::host::catalogue::Kind;
use crate::host::drafts::Access;
use crate::host::fields::{Asked, Fields, address};
use crate::host::member::Member;
use crate::pages::shown;
use crate::parts::mistakes::Mistakes;
use crate::parts::picker::picker;
use crate::{Console, Failure};

type At = Path<(String, String)>;
type Shared = State<Arc<Console>>;

pub(crate) async fn agents(state: Shared, who: Member, at: At, asked: Asked) -> Result<Response, Failure> {
    show(&state, &who, &at.1, &asked.0, Kind::Agents)
}

pub(crate) async fn prompts(state: Shared, who: Member, at: At, asked: Asked) -> Result<Response, Failure> {
    show(&state, &who, &at.1, &asked.0, Kind::Prompts)
}

pub(crate) async fn save_agents(
    state: Shared,
    who: Member,
    at: At,
    fields: Fields,
) -> Result<Redirect, Failure> {
    save(&state, &who, &at.1, &fields, Kind::Agents)
}

pub(crate) async fn save_prompts(
    state: Shared,
    who: Member,
    at: At,
    fields: Fields,
) -> Result<Redirect, Failure> {
    save(&state, &who, &at.1, &fields, Kind::Prompts)
}

const fn step(kind: Kind) -> usize {
    match kind {
        Kind::Agents => 1,
        Kind::Prompts => 2,
    }
}

fn show(
    console: &Console,
    member: &Member,
    draft: &str,
    asked: &Fields,
    kind: Kind,
) -> Result<Response, Failure> {
    let step = step(kind);
    let mut kept = match open(console, member, draft, step)? {
        Ok(kept) => kept,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    let check = asked.has(CHECK);
    let mistakes = if check { checked(member, &kept).1.only(FIELDS[step]) } else { Mistakes::default() };
    // Of the steps only the later one can know what the other came to.
    let other = (kind == Kind::Prompts).then(|| kept.agents.clone());
    let fields = picker(kind, kept.access(kind), other.as_ref(), asked.one("q"), &mistakes);
    Ok(shown(step_page(member, draft, &kept, step, &mistakes, &fields)).into_response())
}

fn save(
    console: &Console,
    member: &Member,
    draft: &str,
    fields: &Fields,
    kind: Kind,
) -> Result<Redirect, Failure> {
    let step = step(kind);
    let mut kept = match open(console, member, draft, step)? {
        Ok(kept) => kept,
        Err(elsewhere) => return Ok(elsewhere),
    };
    *kept.access(kind) = Access::read(fields, kind);
    let (go_to, plural) = (fields.one("go"), kind.plural());
    if go_to == format!("search-{plural}") {
        console.host.drafts.put(&member.owned(draft), kept);
        let here = step_address(member, draft, step);
        let found = address(&here, &[("q", fields.one(&format!("{plural}_q")))]);
        return Ok(Redirect::to(&format!("{found}#{plural}-catalogue")));
    }
    Ok(go(console, member, draft, kept, step, go_to))
}
