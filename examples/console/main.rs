//! Starts the Access Keys page of a host.
//!
//! ```sh
//! cargo run -p console                # then open the address that it prints
//! cargo run -p console -- --fill 200  # with keys to look at
//! ```

mod arguments;
mod fill;
mod store;

use std::error::Error;
use std::process::ExitCode;

use arguments::Arguments;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    tracing_subscriber::fmt().with_max_level(arguments.log).with_writer(std::io::stderr).init();
    let keys = console::builder(store::open(&arguments).await?)?.build()?;
    fill::fill(&keys, arguments.fill).await?;
    let listener = TcpListener::bind(arguments.listen).await?;
    println!("The access keys are at http://{}", listener.local_addr()?);
    let end = async {
        // Without a signal handler the process ends at once, which loses nothing either.
        let _ = tokio::signal::ctrl_c().await;
    };
    console::serve(listener, console::router(keys, arguments.secure), end).await?;
    Ok(())
}
