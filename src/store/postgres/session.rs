//! One connection, with the statements that were prepared on it.

use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

use super::ask::Ask;

pub(super) type Parameter<'p> = &'p (dyn ToSql + Sync);

pub(super) struct Session {
    client: Client,
    prepared: [OnceCell<Statement>; Ask::ALL.len()],
    task: JoinHandle<()>,
}

impl Session {
    /// Of a connection that the task drives.
    pub(super) fn new(client: Client, task: JoinHandle<()>) -> Self {
        Self { client, prepared: [const { OnceCell::const_new() }; Ask::ALL.len()], task }
    }

    pub(super) const fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Returns once the connection has ended.
    pub(super) async fn end(&mut self) {
        drop((&mut self.task).await);
    }

    /// Sends a statement that is prepared once.
    pub(super) async fn rows(
        &self,
        ask: Ask,
        text: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Error> {
        let statement = match self.prepared.get(ask.place()) {
            Some(cell) => cell.get_or_try_init(|| self.client.prepare_typed(text, ask.types())).await?,
            None => &self.client.prepare_typed(text, ask.types()).await?,
        };
        self.client.query(statement, parameters).await
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // One that hangs would not end by itself.
        self.task.abort();
    }
}

/// Sends a statement without a name, which needs nothing that a connection remembers.
pub(super) async fn rows_unnamed(
    client: &Client,
    ask: Ask,
    text: &str,
    parameters: &[Parameter<'_>],
) -> Result<Vec<Row>, Error> {
    let typed: Vec<_> = parameters.iter().copied().zip(ask.types().iter().cloned()).collect();
    client.query_typed(text, &typed).await
}
