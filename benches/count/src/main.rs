//! Verifies one key as often as its argument says, for `benches/count/run` to count the instructions.

use access_keys::store::MemoryStore;
use access_keys::{AccessKeys, Actor, AgentId, EnvironmentId, KeyInfo, ProjectId, Scope};
// Only so that its feature counts.
use rustix as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let times: u32 = std::env::args().nth(1).ok_or("how often?")?.parse()?;
    let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    let production = EnvironmentId::new("production")?;
    let agents: Vec<AgentId> =
        (0..8).map(|i| AgentId::new(format!("agent-{i:034}"))).collect::<Result<_, _>>()?;
    let review = project
        .draft()
        .info(KeyInfo::new("Mobile app", production.clone())?)
        .agents(Scope::specific(agents.clone())?)
        .prompts(Scope::All)?;
    pollster::block_on(async {
        let token = project.generate(review).await?.token.expose().to_owned();
        for _ in 0..times {
            let grant = keys.verify(&token, &production).await?;
            grant.require_agent(&agents[4])?;
        }
        Ok(())
    })
}
