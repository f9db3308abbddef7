//! Keys to try the page with, through the same interface as the page.

use std::error::Error;
use std::time::{Duration, Instant};

use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, ProjectKeys, Scope};
use chrono::{Days, Utc};
use tokio::task::JoinSet;

/// How many keys are made at once.
const AT_ONCE: usize = 32;

const NAMES: [&str; 12] = [
    "Mobile app",
    "Help centre",
    "Order service",
    "Back office",
    "Partner portal",
    "Nightly reports",
    "Chat widget",
    "Seller dashboard",
    "Load test",
    "Search service",
    "Data pipeline",
    "Kiosk",
];

type Filled = Result<(), Box<dyn Error + Send + Sync>>;

/// Makes `n` keys of the project `checkout`: in all environments and states, some of them used.
pub(crate) async fn fill(keys: &AccessKeys, n: usize) -> Filled {
    if n == 0 {
        return Ok(());
    }
    let began = Instant::now();
    let mut making = JoinSet::new();
    for i in 0..n {
        if making.len() == AT_ONCE
            && let Some(made) = making.join_next().await
        {
            made??;
        }
        let person = if i.is_multiple_of(3) { "ben" } else { "ada" };
        let project = keys.project(ProjectId::new("checkout")?, Actor::user(person)?);
        making.spawn(make(keys.clone(), project, i));
    }
    while let Some(made) = making.join_next().await {
        made??;
    }
    keys.flush_uses().await?;
    println!("{n} keys were made in {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

async fn make(keys: AccessKeys, project: ProjectKeys, i: usize) -> Filled {
    let (environments, agents, prompts) = console::catalogue();
    let name = NAMES.get(i % NAMES.len()).copied().unwrap_or_default();
    let name = if i < NAMES.len() { name.to_owned() } else { format!("{name} {}", i / NAMES.len() + 1) };
    let environment =
        EnvironmentId::new(environments.get(i % environments.len()).copied().unwrap_or_default())?;
    let mut info = KeyInfo::new(name, environment.clone())?;
    if i.is_multiple_of(2) {
        info = info.description("Made to try the page with.")?;
    }
    if i % 3 != 2 {
        let days = [3, 30, 90, 365].get(i % 4).copied().unwrap_or(30);
        info = info.expires_at(Utc::now().checked_add_days(Days::new(days)).ok_or("no such time")?);
    }
    let some = |of: &[&'static str], n: usize| of.iter().cycle().skip(i).take(n).copied().collect::<Vec<_>>();
    let agents = if i % 4 == 1 { Scope::All } else { Scope::parse(some(&agents, 1 + i % 6))? };
    let prompts = match i % 5 {
        0 => Scope::All,
        1 => Scope::none(),
        _ => Scope::parse(some(&prompts, i % 7))?,
    };
    let (agents, prompts) =
        if agents.is_none() && prompts.is_none() { (Scope::All, prompts) } else { (agents, prompts) };
    let issued = project.generate(project.draft().info(info).agents(agents).prompts(prompts)?).await?;
    if i.is_multiple_of(3) {
        let _ = keys.verify(issued.token.expose(), &environment).await?;
    }
    match i % 11 {
        4 => drop(project.deactivate(issued.key.id).await?),
        7 => drop(project.revoke(issued.key.id, "No longer needed.").await?),
        9 => drop(project.rotate(issued.key.id, Duration::from_secs(86_400)).await?),
        _ => {}
    }
    Ok(())
}
