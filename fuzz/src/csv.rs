//! A file of comma-separated values. Its reference knows no quotes; where there are some, what was read is written
//! and read once more.

use std::io;
use std::sync::LazyLock;

use access_keys::import::{ForeignKey, csv};
use access_keys::token::ForeignDigest;
use serde_json::{Value, json};

use crate::answer::{CANARY, Checked, Difference, Target, outcome, same};
use crate::foreign_keys::{self, Expected, Shown, Time, can_be_kept, compare, shown, taken};
use crate::mistake::{self, Mistake};
use crate::naive;

/// What is run.
pub static TARGET: Target = Target {
    name: "csv",
    check,
    samples: LazyLock::new(samples),
    words: WORDS,
    is_json: false,
    mistakes: &[Mistake::EmptyIsNever, Mistake::FillsLines, Mistake::FirstColumn],
};

const COLUMNS: [&str; 10] = [
    "digest", "identifier", "name", "description", "owner", "expires_at", "state", "labels", "agents", "prompts",
];
const HEX: &str = "71d25bd4dfa6b1c6b2c0ec5a79e68d4ec6a54fdbf9a8fc28fd9a9f3d4c5b0d4f";

const WORDS: &[&str] = &[
    ",", ",", "\n", "\r", "digest", "identifier", "name", "description", "owner", "expires_at", "state", "labels",
    "agents", "prompts", "all", "none", "never", "active", "inactive", "revoked", "2030-01-31T12:00:00Z",
    "2030-01-31 12:00:00+00", HEX, "cdJb1N+mscaywOxaeeaNTsalT9v5qPwo/ZqfPUxbDU8=", "\"\"", CANARY,
];

/// Compares every row, or what holds of any.
pub fn check(data: &[u8]) -> Checked {
    let keys = taken(csv::read(io::Cursor::new(given(data))), data)?;
    for key in keys.iter().flatten() {
        can_be_kept(key)?;
        if data.len().is_multiple_of(8) {
            once_more(key)?;
        }
    }
    if data.contains(&b'"') {
        let lines = data.split(|byte| b"\r\n".contains(byte)).count();
        same("whether there are more rows than lines", &(keys.len() > lines), &false)?;
        return Ok(outcome(keys.iter().any(Option::is_some)));
    }
    compare(&keys, &expected(data)).map(outcome)
}

/// The cells of each line that is not empty.
fn lines(data: &[u8]) -> Vec<Vec<&[u8]>> {
    let data = data.strip_prefix("\u{feff}".as_bytes()).unwrap_or(data);
    let lines = data.split(|byte| b"\r\n".contains(byte)).filter(|line| !line.is_empty());
    lines.map(|line| line.split(|byte| *byte == b',').collect()).collect()
}

fn given(data: &[u8]) -> Vec<u8> {
    let mut lines = lines(data);
    let planted = [Mistake::EmptyIsNever, Mistake::FillsLines, Mistake::FirstColumn];
    if data.contains(&b'"') || lines.is_empty() || !planted.into_iter().any(mistake::is) {
        return data.to_vec();
    }
    let columns = lines[0].clone();
    let kept: Vec<bool> = columns
        .iter()
        .enumerate()
        .map(|(i, column)| !mistake::is(Mistake::FirstColumn) || !columns[..i].contains(column))
        .collect();
    for line in &mut lines {
        for (cell, column) in line.iter_mut().zip(&columns) {
            if mistake::is(Mistake::EmptyIsNever) && *column == b"expires_at" && cell.is_empty() {
                *cell = b"never";
            }
        }
        if mistake::is(Mistake::FillsLines) {
            line.resize(line.len().max(columns.len()), b"");
        }
        let mut place = 0..;
        line.retain(|_| place.next().and_then(|at: usize| kept.get(at)).copied().unwrap_or(true));
    }
    lines.iter().map(|line| line.join(&b',')).collect::<Vec<_>>().join(&b'\n')
}

fn expected(data: &[u8]) -> Vec<Option<Expected>> {
    let lines = lines(data);
    let Some((columns, rows)) = lines.split_first() else { return Vec::new() };
    let known = |column: &&[u8]| {
        let twice = columns.iter().filter(|other| *other == column).count() > 1;
        COLUMNS.iter().any(|known| known.as_bytes() == *column) && !twice
    };
    let whole = columns.iter().all(known);
    let row = |cells: &Vec<&[u8]>| {
        let cells: Vec<&str> = cells.iter().map(|cell| std::str::from_utf8(cell).ok()).collect::<Option<_>>()?;
        let named = |name: &str| columns.iter().position(|column| *column == name.as_bytes());
        let cell = |name: &str| named(name).map(|at| cells[at].trim());
        (whole && cells.len() == columns.len()).then(|| key(&cell)).flatten()
    };
    rows.iter().map(row).collect()
}

fn key<'c>(cell: &impl Fn(&str) -> Option<&'c str>) -> Option<Expected> {
    let text = |name| cell(name).unwrap_or("");
    let expires_at = match cell("expires_at") {
        None | Some("never") => Time::Never,
        Some(text) => foreign_keys::time(text),
    };
    let state = cell("state").unwrap_or("active");
    let rest = Shown {
        identifier: cell("identifier").filter(|text| !text.is_empty()).map(str::to_owned),
        name: text("name").to_owned(),
        description: text("description").to_owned(),
        owner: text("owner").to_owned(),
        state: ["active", "inactive", "revoked"].into_iter().find(|known| *known == state)?,
        labels: text("labels").split_ascii_whitespace().map(str::to_owned).collect(),
        agents: scope(text("agents"))?,
        prompts: scope(text("prompts"))?,
    };
    Some(Expected { digest: foreign_keys::digest(text("digest"))?, expires_at, revoked_at: Time::Never, rest })
}

fn scope(text: &str) -> Option<Option<Value>> {
    let mut ids: Vec<&str> = text.split_ascii_whitespace().collect();
    ids.sort_unstable();
    ids.dedup();
    match text {
        "" => Some(None),
        "all" => Some(Some(json!("all"))),
        "none" => Some(Some(json!([]))),
        _ => ids.iter().all(|id| naive::is_host_id(id)).then(|| Some(json!(ids))),
    }
}

/// A key that is written with every cell in quotes is read as the same.
fn once_more(key: &ForeignKey) -> Result<(), Difference> {
    let shown = shown(key);
    let quote = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let scope = |scope: &Option<Value>| match scope {
        Some(Value::Array(ids)) if ids.is_empty() => "none".to_owned(),
        Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        scope => scope.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    let expires_at = key.expires_at.map_or("never".to_owned(), |time| naive::written(time.timestamp_micros()));
    let (labels, agents, prompts) = (shown.labels.join(" "), scope(&shown.agents), scope(&shown.prompts));
    let identifier = shown.identifier.as_deref().unwrap_or_default();
    // In the order of the columns.
    let cells: [&str; 10] = [
        HEX, identifier, &shown.name, &shown.description, &shown.owner, &expires_at, shown.state, &labels, &agents, &prompts,
    ];
    let file = format!("{}\r\n{}", COLUMNS.join(","), cells.map(quote).join(","));
    let mut expected = key.clone();
    expected.digest = ForeignDigest::new(foreign_keys::digest(HEX).unwrap_or_default());
    let read: Vec<_> = csv::read(io::Cursor::new(file.into_bytes())).map(|(_, read)| read.ok()).collect();
    same("read again", &(read == [Some(expected)]), &true)
}

fn samples() -> Vec<Vec<u8>> {
    let base64 = "cdJb1N-mscaywOxaeeaNTsalT9v5qPwo_ZqfPUxbDU8";
    let all = COLUMNS.join(",");
    let samples = [
        format!("digest,name,agents,prompts,expires_at\n{HEX},Mobile app,support-bot triage,all,never\n"),
        format!("{all}\r\n{base64},ci,CI,it runs,ada,2030-01-31T12:00:00Z,inactive,read write,none,p\r\n"),
        format!("name,digest\n,{HEX}\n c4nary,{HEX}\n\nthird,\n"),
        format!("digest,expires_at,state\n{HEX},,active\n{HEX},2030-01-31 12:00:00+00,revoked\n{HEX},never,\n"),
        format!("digest,name\n{HEX},\"of \"\"two\"\"\nlines, c4nary\"\n"),
        format!("digest,name,name\n{HEX},c4nary,other\n"),
        format!("digest,owner,labels\n{HEX}\n{HEX},,,\n{HEX},c4nary,a  b\n"),
    ];
    samples.into_iter().map(String::into_bytes).collect()
}
