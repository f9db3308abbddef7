//! Creating, listing, narrowing and revoking keys, in a process of its own.

use access_keys::{
    AccessKeys, Actor, AgentId, Change, Edit, KeyId, KeyInfo, KeyQuery, ProjectId, ProjectKeys, PromptId,
    Scope,
};
use chrono::{SecondsFormat, Utc};

use crate::arguments::Arguments;
use crate::{Result, USAGE, store};

pub(crate) async fn run(mut arguments: Arguments) -> Result<()> {
    let keys: AccessKeys = store::open(&mut arguments).await?;
    let project = keys.project(ProjectId::new("gateway")?, Actor::user("operator")?);
    match arguments.word().as_deref() {
        Some("create") => create(&project, arguments).await,
        Some("list") => list(&project, arguments).await,
        Some("narrow") => narrow(&project, arguments).await,
        Some("revoke") => revoke(&project, arguments).await,
        _ => Err(USAGE.into()),
    }
}

async fn create(project: &ProjectKeys, mut arguments: Arguments) -> Result<()> {
    let name = arguments.one("--name")?.ok_or("a key needs a --name")?;
    let (agents, prompts) = (agents(&mut arguments)?, prompts(&mut arguments)?);
    arguments.end()?;
    let draft = project.draft().info(KeyInfo::new(name, store::environment()?)?);
    let review =
        draft.agents(agents.unwrap_or_else(Scope::none)).prompts(prompts.unwrap_or_else(Scope::none))?;
    println!("{review}\n");
    let issued = project.generate(review).await?;
    println!("key    {}", issued.key.id);
    println!("token  {}   (shown once)", issued.token.expose());
    Ok(())
}

async fn list(project: &ProjectKeys, arguments: Arguments) -> Result<()> {
    arguments.end()?;
    let mut query = KeyQuery::default();
    loop {
        let page = project.list(query).await?;
        for key in &page.items {
            println!("{}  {:?}  {}", key.id, key.state(Utc::now()), key.name);
        }
        let Some(next) = page.next else { return Ok(()) };
        query = KeyQuery::default().after(next);
    }
}

async fn narrow(project: &ProjectKeys, mut arguments: Arguments) -> Result<()> {
    let key = key(&mut arguments)?;
    let mut edit = Edit::new();
    if let Some(agents) = agents(&mut arguments)? {
        edit = edit.agents(agents);
    }
    if let Some(prompts) = prompts(&mut arguments)? {
        edit = edit.prompts(prompts);
    }
    arguments.end()?;
    tell("narrowed", &project.edit(key, edit).await?);
    Ok(())
}

async fn revoke(project: &ProjectKeys, mut arguments: Arguments) -> Result<()> {
    let (key, reason) = (key(&mut arguments)?, arguments.need()?);
    arguments.end()?;
    tell("revoked", &project.revoke(key, reason).await?);
    Ok(())
}

fn tell(what: &str, change: &Change) {
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
    let within = change.holds_everywhere_in().as_secs_f64();
    println!("{what} {} at {now}, on every gateway within {within:.3} s", change.key().id);
}

fn key(arguments: &mut Arguments) -> Result<KeyId> {
    Ok(arguments.need()?.parse()?)
}

fn agents(arguments: &mut Arguments) -> Result<Option<Scope<AgentId>>> {
    match &arguments.all("--agent")[..] {
        [] => Ok(None),
        [all] if all == "all" => Ok(Some(Scope::All)),
        ids => Ok(Some(Scope::parse(ids)?)),
    }
}

fn prompts(arguments: &mut Arguments) -> Result<Option<Scope<PromptId>>> {
    match &arguments.all("--prompt")[..] {
        [] => Ok(None),
        [all] if all == "all" => Ok(Some(Scope::All)),
        ids => Ok(Some(Scope::parse(ids)?)),
    }
}
