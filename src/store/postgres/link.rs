//! A connection that is made anew when it is lost or hangs.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use tokio_postgres::Row;

use super::ask::Ask;
use super::connector::Connector;
use super::problem::{Failed, Problem};
use super::session::{Parameter, Session, rows_unnamed};
use crate::clock::{Clock, SystemClock};

/// A read that is not answered after this is sent once more, on a new connection: the one before may be cut.
const PATIENCE: Duration = Duration::from_millis(500);

/// Many statements are under way at once on it, and answered in their order.
pub(super) struct Link {
    connector: Arc<Connector>,
    session: Mutex<Option<Arc<Session>>>,
    connecting: tokio::sync::Mutex<()>,
}

impl Link {
    pub(super) fn new(connector: &Arc<Connector>) -> Self {
        Self {
            connector: Arc::clone(connector),
            session: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        }
    }

    /// Sends a statement that changes nothing, as often as it takes within the time limit.
    pub(super) async fn read(
        &self,
        ask: Ask,
        text: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Problem> {
        let time_limit = self.connector.time_limit;
        let end = SystemClock.boot().saturating_add(time_limit);
        let (used, mut attempts) = (Used::default(), FuturesUnordered::new());
        let mut again = true;
        attempts.push(self.send(ask, text, parameters, &used));
        loop {
            let patience = SystemClock.boot().saturating_add(PATIENCE).min(end);
            let over = pin!(self.connector.until(patience));
            match select(attempts.next(), over).await {
                Either::Left((Some(Ok(rows)), _)) => return Ok(rows),
                // A connection that was lost while nobody used it, or with the answer, says so once.
                Either::Left((Some(Err(Failed::Unknown(_))), _)) if again => {
                    again = false;
                    attempts.push(self.send(ask, text, parameters, &used));
                }
                Either::Left((Some(Err(failed)), _)) => return Err(failed.into_problem()),
                Either::Right(_) if patience == end => {
                    used.take().iter().for_each(|session| self.leave(session));
                    return Err(Problem::NoAnswer { waited: time_limit });
                }
                // Who still connects has patience of its own.
                Either::Left((None, _)) => return Err(Problem::NoAnswer { waited: time_limit }),
                Either::Right(_) => {
                    if let Some(session) = used.take() {
                        self.leave(&session);
                        attempts.push(self.send(ask, text, parameters, &used));
                    }
                }
            }
        }
    }

    /// Sends a statement once.
    pub(super) async fn write(
        &self,
        ask: Ask,
        text: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failed> {
        let waited = self.connector.time_limit;
        let used = Used::default();
        let end = pin!(self.connector.until(SystemClock.boot().saturating_add(waited)));
        match select(pin!(self.send(ask, text, parameters, &used)), end).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => match used.take() {
                None => Err(Failed::Undone(Problem::NoAnswer { waited })),
                Some(session) => {
                    self.leave(&session);
                    Err(Failed::Unknown(Problem::NoAnswer { waited }))
                }
            },
        }
    }

    async fn send(
        &self,
        ask: Ask,
        text: &str,
        parameters: &[Parameter<'_>],
        used: &Used,
    ) -> Result<Vec<Row>, Failed> {
        let session = self.session().await.map_err(Failed::Undone)?;
        used.set(&session);
        let answer = if self.connector.through_pooler {
            rows_unnamed(session.client(), ask, text, parameters).await
        } else {
            session.rows(ask, text, parameters).await
        };
        answer.map_err(|error| {
            if error.as_db_error().is_none() || is_stale(&error) {
                self.leave(&session);
            }
            Failed::of(&error)
        })
    }

    async fn session(&self) -> Result<Arc<Session>, Problem> {
        if let Some(session) = self.open_session() {
            return Ok(session);
        }
        let _alone = self.connecting.lock().await;
        if let Some(session) = self.open_session() {
            return Ok(session);
        }
        let ignore: Arc<dyn Fn() + Send + Sync> = Arc::new(|| {});
        let session = Arc::new(self.connector.connect(&ignore).await?);
        *self.slot() = Some(Arc::clone(&session));
        Ok(session)
    }

    fn open_session(&self) -> Option<Arc<Session>> {
        self.slot().as_ref().filter(|session| !session.is_closed()).cloned()
    }

    /// What is asked from now on is asked on another connection. Who still waits for an answer of this one may get it.
    fn leave(&self, session: &Arc<Session>) {
        let mut slot = self.slot();
        let is_held = slot.as_ref().is_some_and(|held| Arc::ptr_eq(held, session));
        let left = if is_held { slot.take() } else { None };
        // Outside the lock.
        drop(slot);
        drop(left);
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connection on which a statement was last sent, if it was.
#[derive(Default)]
struct Used(Mutex<Option<Arc<Session>>>);

impl Used {
    fn set(&self, session: &Arc<Session>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(session));
    }

    fn take(&self) -> Option<Arc<Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Whether the server no longer knows a statement as it was prepared.
fn is_stale(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| ["0A000", "26000"].contains(&code.code()))
}
