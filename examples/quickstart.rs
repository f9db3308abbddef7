//! The whole life of an access key, told step by step.
//!
//! Run it with `cargo run --example quickstart`. It needs nothing but this crate.

use std::error::Error;
use std::time::Duration;

use access_keys::domain::Action;
use access_keys::store::MemoryStore;
use access_keys::{
    AccessKeys, Actor, AgentId, AuditQuery, Edit, EnvironmentId, FakeClock, Grant, KeyForm, KeyInfo,
    KeyQuery, ProjectId, PromptId, Scope,
};

fn main() -> Result<(), Box<dyn Error>> {
    pollster::block_on(life())
}

async fn life() -> Result<(), Box<dyn Error>> {
    // A clock that can be turned forward, so that ninety days pass in no time. Leave `.clock` out in earnest.
    let clock = FakeClock::default();
    let keys = AccessKeys::builder(MemoryStore::new())
        .prefix("acme")
        .environment_prefix(EnvironmentId::new("production")?, "acme_live")
        .clock(clock.clone())
        .build()?;
    let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    let production = EnvironmentId::new("production")?;
    let in_90_days = days(&clock, 90);

    title("Ada creates a key in four steps, and reads the review before she generates it");
    let review = project
        .draft()
        .info(
            KeyInfo::new("Mobile app", production.clone())?
                .description("iOS and Android")?
                .expires_at(in_90_days),
        )
        .agents(Scope::parse(["support-bot", "triage"])?)
        .prompts(Scope::All)?;
    println!("{review}");

    title("The token is shown once; what is stored of it cannot be used as a key");
    let issued = project.generate(review).await?;
    let (id, token) = (issued.key.id, issued.token.expose());
    println!("{token}   (key {id})");

    title("On every request: is the token good here, and may it call this?");
    let grant = keys.verify(token, &production).await?;
    say("agent support-bot", grant.require_agent(&AgentId::new("support-bot")?));
    say("agent billing", grant.require_agent(&AgentId::new("billing")?));
    say("prompt made-next-year", grant.require_prompt(&PromptId::new("made-next-year")?));
    say("token with its last character missing", keys.verify(&token[..token.len() - 1], &production).await);
    say("token in staging", keys.verify(token, &EnvironmentId::new("staging")?).await);

    title("An edit says what it widens and narrows before it is saved");
    let edit = Edit::new().name("Mobile app 2")?.agents(Scope::parse(["triage", "billing"])?);
    println!("{}", edit.preview(&issued.key));
    project.edit(id, edit.if_revision(issued.key.revision)).await?;
    let late = Edit::new().name("Too late")?.if_revision(issued.key.revision);
    say("Bob's edit of what he saw before", project.edit(id, late).await.map(drop));
    say(
        "support-bot, rechecked",
        keys.verifier().recheck(&grant).await?.require_agent(&agent("support-bot")?),
    );

    title("A key can be paused");
    let change = project.deactivate(id).await?;
    println!("paused, on every node in {:?}", change.holds_everywhere_in());
    say("the token while paused", keys.verify(token, &production).await);
    project.activate(id).await?;
    say("the token when active again", keys.verify(token, &production).await);

    title("A rotation gives a new token and lets the old one live for a day");
    let rotated = project.rotate(id, Duration::from_secs(86_400)).await?;
    let new_token = rotated.token.expose();
    println!("{new_token}   (still key {id})");
    say("the old token within its day", keys.verify(token, &production).await);
    clock.advance(Duration::from_secs(86_400));
    say("the old token a day later", keys.verify(token, &production).await);
    say("the new token", keys.verify(new_token, &production).await);
    for used in project.last_used(&[id]).await? {
        println!("secret number {} was last used at {}", used.generation, used.at);
    }

    title("A key ends at its expiry, and an edit can revive it");
    clock.advance(Duration::from_secs(89 * 86_400));
    say("the new token after 90 days", keys.verify(new_token, &production).await);
    project.edit(id, Edit::new().expires_at(days(&clock, 30))).await?;
    say("the new token with a later expiry", keys.verify(new_token, &production).await);

    title("A revoked key is refused for ever, and stays for the record");
    project.revoke(id, "leaked in a public repository").await?;
    say("the new token", keys.verify(new_token, &production).await);
    say("an attempt to activate it", project.activate(id).await.map(drop));

    title("Another project does not even see it");
    let other = keys.project(ProjectId::new("warehouse")?, Actor::user("mallory")?);
    say("a look from another project", other.get(id).await.map(drop));

    title("A form tells all its mistakes at once");
    let mut form = KeyForm::default();
    form.environment = "pro duction".to_owned();
    form.agents = ["support-bot", ""].into_iter().collect();
    for mistake in project.review(&form).unwrap_err() {
        println!("- {mistake}");
    }

    title("Who did what");
    let history = project.history(AuditQuery::default().key(id)).await?;
    for event in history.items.iter().rev() {
        println!("{} {event}", event.at.format("%Y-%m-%d"));
    }

    let actions: Vec<Action> = history.items.iter().rev().map(|event| event.action).collect();
    use Action::{Activated, Created, Deactivated, Edited, Revoked, Rotated};
    assert_eq!(actions, [Created, Edited, Deactivated, Activated, Rotated, Edited, Revoked]);
    assert_eq!(project.list(KeyQuery::default()).await?.items.len(), 1);
    assert!(keys.verify(new_token, &production).await.is_err());
    println!("\nAll of it as expected.");
    Ok(())
}

fn title(text: &str) {
    println!("\n== {text}");
}

fn say<T: Outcome, E: Error>(what: &str, outcome: Result<T, E>) {
    match outcome {
        Ok(_) => println!("{what}: yes"),
        Err(why) => println!("{what}: no, {why}"),
    }
}

/// What is left out when an outcome is told.
trait Outcome {}
impl Outcome for () {}
impl Outcome for Grant {}

fn agent(id: &str) -> Result<AgentId, access_keys::Invalid> {
    AgentId::new(id)
}

fn days(clock: &FakeClock, days: i64) -> chrono::DateTime<chrono::Utc> {
    access_keys::Clock::wall(clock) + chrono::TimeDelta::days(days)
}
