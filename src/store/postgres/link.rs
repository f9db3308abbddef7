//! A connection that is made anew when it is lost or hangs.

use std::pin::{Pin, pin};
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

type Answer = Result<Vec<Row>, Failed>;

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
        let end = SystemClock.boot().saturating_add(self.connector.time_limit);
        let used = Used::default();
        let send = || self.send(ask, text, parameters, &used);
        let mut first = pin!(send());
        let outcome = self.outcome(first.as_mut(), end).await;
        if let Some(Ok(rows)) = outcome {
            return Ok(rows);
        }
        let attempts = FuturesUnordered::new();
        if outcome.is_none() {
            attempts.push(Either::Left(first));
        }
        self.insist(attempts, outcome, end, &used, send).await
    }

    /// Goes on sending it, after what became of the first attempt.
    async fn insist<F, A: Future<Output = Answer>>(
        &self,
        mut attempts: FuturesUnordered<Either<F, A>>,
        mut outcome: Option<Answer>,
        end: Duration,
        used: &Used,
        send: impl Fn() -> A,
    ) -> Result<Vec<Row>, Problem>
    where
        F: Future<Output = Answer>,
    {
        let no_answer = || Err(Problem::NoAnswer { waited: self.connector.time_limit });
        let mut again = true;
        loop {
            match outcome {
                Some(Ok(rows)) => return Ok(rows),
                // A connection that was lost while nobody used it, or with the answer, says so once.
                Some(Err(Failed::Unknown(_))) if again => {
                    again = false;
                    attempts.push(Either::Right(send()));
                }
                Some(Err(failed)) => return Err(failed.into_problem()),
                None if SystemClock.boot() >= end => {
                    used.take().iter().for_each(|session| self.leave(session));
                    return no_answer();
                }
                // Who still connects has patience of its own.
                None => {
                    if let Some(session) = used.take() {
                        self.leave(&session);
                        attempts.push(Either::Right(send()));
                    }
                }
            }
            let next = async { attempts.next().await.unwrap_or_else(|| no_answer().map_err(Failed::Undone)) };
            outcome = self.outcome(pin!(next), end).await;
        }
    }

    /// What becomes of an attempt: nothing when patience, or the time, is over before.
    async fn outcome(
        &self,
        attempt: Pin<&mut impl Future<Output = Answer>>,
        end: Duration,
    ) -> Option<Answer> {
        let patience = SystemClock.boot().saturating_add(PATIENCE).min(end);
        match select(attempt, pin!(self.connector.until(patience))).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        }
    }

    /// Sends a statement once.
    pub(super) async fn write(&self, ask: Ask, text: &str, parameters: &[Parameter<'_>]) -> Answer {
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

    async fn send(&self, ask: Ask, text: &str, parameters: &[Parameter<'_>], used: &Used) -> Answer {
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
