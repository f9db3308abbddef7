//! The process that makes keys and revokes them, and its server.

use std::error::Error;
use std::thread;
use std::time::Duration;

use access_keys::clock::{Clock, SystemClock};
use access_keys::store::{Changes, KeyStore, PostgresStore};
use access_keys::{AccessKeys, Actor, EnvironmentId, Issued, KeyId, KeyInfo, ProjectId, ProjectKeys, Scope};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::NoTls;

use crate::server::Server;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) struct Host {
    runtime: Runtime,
    project: ProjectKeys<PostgresStore>,
    store: PostgresStore,
    server: Server,
}

pub(crate) fn production() -> EnvironmentId {
    EnvironmentId::new("production").expect("an id of 10 letters")
}

pub(crate) fn now() -> Duration {
    SystemClock.boot()
}

impl Host {
    pub(crate) fn start() -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let server = Server::start("");
        let store = runtime.block_on(PostgresStore::connect(&server.address()))?;
        let keys = AccessKeys::builder(store.clone()).prefix("acme").build()?;
        let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
        Ok(Self { runtime, project, store, server })
    }

    pub(crate) fn address(&self) -> String {
        self.server.address()
    }

    /// The address of another port that leads to the server.
    pub(crate) fn address_by(port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }

    pub(crate) const fn port(&self) -> u16 {
        self.server.port()
    }

    pub(crate) fn generate(&self) -> Result<Issued> {
        let info = KeyInfo::new("Mobile app", production())?;
        let review = self.project.draft().info(info).agents(Scope::All).prompts(Scope::All)?;
        Ok(self.runtime.block_on(self.project.generate(review))?)
    }

    /// When the revocation was acknowledged, and how long after that it holds everywhere.
    pub(crate) fn revoke(&self, id: KeyId) -> Result<(Duration, Duration)> {
        let change = self.runtime.block_on(self.project.revoke(id, "leaked in a public repository"));
        let acknowledged = now();
        Ok((acknowledged, change?.holds_everywhere_in()))
    }

    /// Returns once every node follows the lower limit.
    pub(crate) fn lower_limit(&self, limit: Duration) -> Result<()> {
        let changes = self.runtime.block_on(async {
            self.store.set_max_staleness(limit).await?;
            self.store.changes(None).await
        });
        let Changes::Everything { state, .. } = changes? else {
            return Err("a feed begins with everything".into());
        };
        thread::sleep(state.drained_in);
        Ok(())
    }

    /// When the server stopped: when a connection ended that was open meanwhile.
    pub(crate) fn stop_server(&mut self) -> Result<Duration> {
        let Self { runtime, server, .. } = self;
        // Dropped only after, or the connection would end by itself.
        let (client, connection) = runtime.block_on(tokio_postgres::connect(&server.address(), NoTls))?;
        let stopped = thread::scope(|scope| {
            let stopped = scope.spawn(|| {
                drop(runtime.block_on(connection));
                now()
            });
            server.stop();
            stopped.join()
        });
        drop(client);
        stopped.map_err(|_| "a connection did not end as it should".into())
    }

    /// When the server that was started again first took a connection.
    pub(crate) fn start_server(&mut self) -> Duration {
        self.server.go();
        let address = self.address();
        self.runtime.block_on(async {
            while tokio_postgres::connect(&address, NoTls).await.is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        now()
    }
}
