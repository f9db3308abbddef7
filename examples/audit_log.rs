//! The history of a project as JSON Lines, one event a line, and a check of such a file without a database.
//!
//! `cargo run --example audit_log` writes `audit.jsonl` and `checkpoint.json` of a small project into a folder of its
//! own, checks them, and checks them again after someone has changed a line.
//! `PEPPER_1=… cargo run --example audit_log -- check audit.jsonl [checkpoint.json]` checks files that there are, by the
//! peppers in `PEPPER_1`, `PEPPER_2` and so on; it ends with 1 where a history is broken.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use access_keys::lifecycle::history::{HistoryChecker, HistoryReport};
use access_keys::store::{KeyStore, MemoryStore};
use access_keys::{
    AccessKeys, Actor, AuditQuery, Edit, EnvironmentId, KeyInfo, Pepper, ProjectId, ProjectKeys, Scope,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Writes every event of the project, newest first.
async fn export<S: KeyStore>(project: &ProjectKeys<S>, path: &Path) -> Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut lines = 0;
    let mut query = AuditQuery::default().limit(1_000);
    loop {
        let page = project.history(query.clone()).await?;
        for event in &page.items {
            serde_json::to_writer(&mut file, event)?;
            file.write_all(b"\n")?;
            lines += 1;
        }
        match page.next {
            Some(next) => query = query.after(next),
            None => break,
        }
    }
    file.flush()?;
    Ok(lines)
}

/// Reads a file line by line; of each key one event is kept.
fn check(
    path: &Path,
    checkpoint: Option<&Path>,
    peppers: impl IntoIterator<Item = Pepper>,
) -> Result<HistoryReport> {
    let mut checker = HistoryChecker::new(peppers)?;
    if let Some(checkpoint) = checkpoint {
        checker.expect(&serde_json::from_slice(&fs::read(checkpoint)?)?)?;
    }
    for line in BufReader::new(File::open(path)?).lines() {
        checker.event(&serde_json::from_str(&line?)?);
    }
    Ok(checker.finish())
}

fn peppers_of_the_environment() -> Result<Vec<Pepper>> {
    let secrets =
        (1..).map_while(|version| Some((version, std::env::var(format!("PEPPER_{version}")).ok()?)));
    Ok(secrets
        .map(|(version, secret)| Pepper::new(version, secret))
        .collect::<std::result::Result<_, _>>()?)
}

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let report = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => return pollster::block_on(show()),
        ["check", file] => check(file.as_ref(), None, peppers_of_the_environment()?)?,
        ["check", file, checkpoint] => {
            check(file.as_ref(), Some(checkpoint.as_ref()), peppers_of_the_environment()?)?
        }
        _ => return Err("usage: audit_log [check FILE [CHECKPOINT]]".into()),
    };
    println!("{report}");
    Ok(if report.is_intact() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn show() -> Result<ExitCode> {
    let pepper = || Pepper::new(1, [7; 32]); // from the host's secret manager
    let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").pepper(pepper()?).build()?;
    let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    for name in ["Mobile app", "Nightly report"] {
        let info = KeyInfo::new(name, EnvironmentId::new("production")?)?;
        let review = project.draft().info(info).agents(Scope::All).prompts(Scope::All)?;
        let key = project.generate(review).await?.key;
        project.edit(key.id, Edit::new().name(format!("{name} 2"))?).await?;
        drop(project.rotate(key.id, Duration::from_secs(60)).await?);
        project.revoke(key.id, "no longer sold").await?;
    }

    let folder = tempfile::tempdir()?;
    let (file, checkpoint) = (folder.path().join("audit.jsonl"), folder.path().join("checkpoint.json"));
    // Before the events: what is changed in between is then among them, and nothing of the checkpoint is missing there.
    fs::write(&checkpoint, serde_json::to_vec(&project.checkpoint().await?)?)?;
    println!("{} events in {}", export(&project, &file).await?, file.display());

    let intact = check(&file, Some(&checkpoint), [pepper()?])?;
    println!("as it was written: {intact}");

    let forged = fs::read_to_string(&file)?.replacen("user:ada", "user:eve", 1);
    fs::write(&file, forged)?;
    let changed = check(&file, Some(&checkpoint), [pepper()?])?;
    println!("with another actor in its first line: {changed}");

    let found = intact.is_intact() && changed.breaks().len() == 1;
    Ok(if found { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
