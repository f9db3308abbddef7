//! Three nodes over one PostgreSQL, each a process of its own, and this one, which revokes keys: how many milliseconds
//! until every other node refuses them.
//!
//! `cargo run -p many-nodes` starts its own throwaway server. A number asks for so many keys, and `--picture FILE` for
//! a picture of what came out.

mod node;
mod picture;
mod report;

use std::error::Error;
use std::time::Duration;

use access_keys::clock::{Clock, SystemClock};
use access_keys::store::PostgresStore;
use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope};
use node::Node;
use postgres_tests::Server;
use report::{Report, milliseconds};

const NODES: usize = 3;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, address] = &arguments[..]
        && word == "node"
    {
        return node::run(address).await;
    }
    let (mut count, mut picture) = (200_usize, None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match &*argument {
            "--picture" => picture = Some(arguments.next().ok_or("--picture needs a file")?),
            number => count = number.parse::<usize>()?.max(1),
        }
    }

    println!("Starting a PostgreSQL of its own, and {NODES} nodes.");
    let server = tokio::task::spawn_blocking(|| Server::start("")).await?;
    let keys =
        AccessKeys::builder(PostgresStore::connect(&server.address()).await?).prefix("acme").build()?;
    let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        nodes.push(Node::start(&server.address())?);
    }

    println!("Revoking {count} keys, one after the other.\n");
    let mut of_nodes = vec![Vec::new(); NODES];
    let mut announced = Duration::ZERO;
    for _ in 0..count {
        let info = KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?;
        let issued =
            project.generate(project.draft().info(info).agents(Scope::All).prompts(Scope::All)?).await?;
        for node in &mut nodes {
            node.accept(issued.token.expose())?;
        }
        let change = project.revoke(issued.key.id, "leaked in a public repository").await?;
        let acknowledged = SystemClock.boot();
        announced = change.holds_everywhere_in();
        for (node, took) in nodes.iter_mut().zip(&mut of_nodes) {
            let late = node.last_accept()?.saturating_sub(acknowledged);
            assert!(late <= announced, "a node accepted {late:?} after the revocation");
            took.push(milliseconds(late));
        }
    }

    let report = Report::new(of_nodes, announced);
    report.print();
    if let Some(file) = picture {
        std::fs::write(&file, picture::draw(&report))?;
        println!("\nDrawn in {file}.");
    }
    assert_eq!(report.all.len(), count * NODES);
    assert!(report.all.iter().all(|took| *took <= milliseconds(announced)));
    println!("\nEvery node refused every key within the time that was announced.");
    Ok(())
}
