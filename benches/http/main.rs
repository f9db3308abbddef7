//! What the layer costs in front of routes, and how soon it ends a stream, over real sockets.
//!
//! The server has a thread of its own, and the client the other. Prints one line for each figure: `figure NAME VALUE UNIT
//! goal OP GOAL met|missed`.

mod client;
#[path = "../shared/figure.rs"]
mod figure;
mod host;
mod requests;
mod streams;

type Done = Result<(), Box<dyn std::error::Error>>;

fn main() -> Done {
    let host = host::Host::start()?;
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    client.block_on(async {
        requests::measure(&host).await?;
        streams::measure_chunks(&host).await?;
        streams::measure_cut_offs(&host).await
    })
}
