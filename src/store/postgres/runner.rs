//! Sending statements, by the store's own connections or by those of the host's pool.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use futures_util::future::{Either, select};
use tokio_postgres::Row;

use super::ask::{Ask, Lane};
use super::connector::Connector;
use super::link::Link;
use super::problem::{Failed, Problem};
use super::session::{Parameter, rows_unnamed};
use crate::clock::{Clock, SystemClock};
use crate::store::StoreError;
use crate::store::sql::{Columns, Values};

/// How many columns come before what a read asks for.
pub(super) const SEAL: usize = 2;

/// What every read begins with: the number of the question, so that no answer to another is taken for one to it, and
/// whether the server is a replica.
macro_rules! sealed {
    () => {
        "SELECT $1::int8, pg_is_in_recovery()::int4::int8, "
    };
}
pub(super) use sealed;

pub(super) struct Runner {
    pub(super) connector: Arc<Connector>,
    texts: Vec<String>,
    way: Way,
    questions: AtomicI64,
}

enum Way {
    Links(Box<Links>),
    Pool(Pool),
}

struct Links {
    reads: Link,
    feed: Link,
    writes: Link,
    bulk: Link,
}

impl Links {
    const fn of(&self, ask: Ask) -> &Link {
        match ask.lane() {
            Lane::Reads => &self.reads,
            Lane::Feed => &self.feed,
            Lane::Writes => &self.writes,
            Lane::Bulk => &self.bulk,
        }
    }
}

impl Runner {
    pub(super) fn new(
        connector: Arc<Connector>,
        pool: Option<Pool>,
        schema: &str,
        first_question: i64,
    ) -> Self {
        let texts = Ask::ALL.iter().map(|ask| ask.text(schema)).collect();
        let way = match pool {
            Some(pool) => Way::Pool(pool),
            None => {
                let [reads, feed, writes, bulk] = [(); 4].map(|()| Link::new(&connector));
                Way::Links(Box::new(Links { reads, feed, writes, bulk }))
            }
        };
        Self { connector, texts, way, questions: AtomicI64::new(first_question) }
    }

    /// Asks what changes nothing. The parameters come after the number of the question.
    pub(super) async fn read(&self, ask: Ask, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, StoreError> {
        let question = self.questions.fetch_add(1, Ordering::Relaxed);
        let mut all: Vec<Parameter<'_>> = Vec::with_capacity(parameters.len() + 1);
        all.push(&question);
        all.extend(parameters);
        let rows = match &self.way {
            Way::Pool(pool) => self.pooled(pool, ask, &all).await.map_err(Failed::into_problem),
            Way::Links(links) => links.of(ask).read(ask, self.text(ask), &all).await,
        };
        let rows = rows.map_err(StoreError::backend)?;
        for row in &rows {
            check_seal(row, question).map_err(StoreError::backend)?;
        }
        Ok(rows)
    }

    /// Changes something, and says how many rows the statement returns, each of which repeats the number of the question:
    /// that comes after the parameters. It waits for others within the time limit.
    pub(super) async fn write(&self, ask: Ask, parameters: &[Parameter<'_>]) -> Result<usize, StoreError> {
        let end = SystemClock.boot().saturating_add(self.time_limit());
        let question = self.questions.fetch_add(1, Ordering::Relaxed);
        let all: Vec<Parameter<'_>> =
            parameters.iter().copied().chain([&question as Parameter<'_>]).collect();
        let repeats = |row: &Row| row.try_get::<_, i64>(0).is_ok_and(|asked| asked == question);
        loop {
            let answer = match &self.way {
                Way::Pool(pool) => self.pooled(pool, ask, &all).await,
                Way::Links(links) => links.of(ask).write(ask, self.text(ask), &all).await,
            };
            match answer {
                Ok(rows) if !rows.iter().all(repeats) => {
                    return Err(StoreError::outcome_unknown(Problem::Replayed));
                }
                Ok(rows) => return Ok(rows.len()),
                Err(Failed::Busy(_)) if SystemClock.boot() < end => {}
                Err(failed) => return Err(failed.of_write()),
            }
        }
    }

    pub(super) fn time_limit(&self) -> Duration {
        self.connector.time_limit
    }

    fn text(&self, ask: Ask) -> &str {
        self.texts.get(ask.place()).map_or("", String::as_str)
    }

    async fn pooled(&self, pool: &Pool, ask: Ask, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Failed> {
        let waited = self.time_limit();
        let end = pin!(self.connector.until(SystemClock.boot().saturating_add(waited)));
        let object = match select(pin!(pool.get()), end).await {
            Either::Left((Ok(object), _)) => object,
            Either::Left((Err(error), _)) => {
                let words = match &error {
                    deadpool_postgres::PoolError::Backend(error) => Problem::not_connected(error).to_string(),
                    other => other.to_string(),
                };
                return Err(Failed::Undone(Problem::NoneOfPool { words }));
            }
            Either::Right(_) => return Err(Failed::Undone(Problem::NoAnswer { waited })),
        };
        let end = pin!(self.connector.until(SystemClock.boot().saturating_add(waited)));
        let answer = match select(pin!(self.sent(&object, ask, parameters)), end).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(_) => None,
        };
        answer.unwrap_or_else(|| {
            // With a question that it never answered, it is of no use to others.
            drop(Object::take(object));
            Err(Failed::Unknown(Problem::NoAnswer { waited }))
        })
    }

    async fn sent(
        &self,
        object: &Object,
        ask: Ask,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failed> {
        let text = self.text(ask);
        let answer = if self.connector.through_pooler {
            rows_unnamed(object, ask, text, parameters).await
        } else {
            let statement = object.prepare_typed_cached(text, ask.types()).await;
            // Nothing of it was sent yet.
            let statement = statement.map_err(|error| Failed::Undone(Problem::of(&error)))?;
            object.query(&statement, parameters).await
        };
        answer.map_err(|error| Failed::of(&error))
    }
}

fn check_seal(row: &impl Values, question: i64) -> Result<(), Problem> {
    let mut columns = Columns::new(row, "an answer");
    match (columns.number("question"), columns.number("replica")) {
        (Ok(asked), Ok(0)) if asked == question => Ok(()),
        (Ok(asked), Ok(_)) if asked == question => Err(Problem::Replica),
        _ => Err(Problem::Replayed),
    }
}
