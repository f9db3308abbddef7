//! Making connections.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tokio_postgres::config::SslMode;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::opening::check_version;
use super::problem::Problem;
use super::pulse::Pulse;
use super::session::Session;
use crate::clock::{Clock, SystemClock};

/// A connection that is not there after this is tried for once more beside it: what was sent into the void is sent
/// again only after seconds, and the way may be open by then.
const STAGGER: Duration = Duration::from_millis(400);
/// How long a connection without traffic stays unchecked. The system's own two hours are longer than most firewalls
/// remember it.
const IDLE: Duration = Duration::from_secs(30);
const IDLE_OF_SYSTEM: Duration = Duration::from_secs(2 * 60 * 60);

/// What is called for each notification that a connection brings.
pub(super) type OnNotice = Arc<dyn Fn() + Send + Sync>;

/// All that a connection needs.
pub(super) struct Connector {
    pub(super) config: Config,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) time_limit: Duration,
    pub(super) through_pooler: bool,
    pub(super) handle: Handle,
    pulse: Arc<Pulse>,
}

impl Connector {
    pub(super) fn new(
        mut config: Config,
        tls: Option<Arc<ClientConfig>>,
        time_limit: Duration,
        through_pooler: bool,
        handle: Handle,
    ) -> Result<Self, Problem> {
        if tls.is_none() && config.get_ssl_mode() == SslMode::Require {
            return Err(Problem::NoTls);
        }
        if config.get_keepalives_idle() == IDLE_OF_SYSTEM {
            config.keepalives_idle(IDLE).keepalives_interval(Duration::from_secs(5)).keepalives_retries(3);
        }
        if config.get_application_name().is_none() {
            config.application_name("access-keys");
        }
        let pulse = Pulse::new(handle.clone());
        Ok(Self { config, tls, time_limit, through_pooler, handle, pulse })
    }

    /// Returns once it is so late.
    pub(super) async fn until(&self, late: Duration) {
        while SystemClock.boot() < late {
            self.pulse.beat().await;
        }
    }

    /// A timer that runs out wherever it is waited for.
    fn timer(&self, duration: Duration) -> Sleep {
        let _runtime = self.handle.enter();
        tokio::time::sleep(duration)
    }

    /// A new connection.
    pub(super) async fn connect(self: &Arc<Self>, on_notice: &OnNotice) -> Result<Session, Problem> {
        let mut attempts = JoinSet::new();
        let mut end = pin!(self.timer(self.time_limit));
        loop {
            let (connector, on_notice) = (Arc::clone(self), Arc::clone(on_notice));
            attempts.spawn_on(async move { connector.attempt(on_notice).await }, &self.handle);
            let mut wait = pin!(self.timer(STAGGER));
            let over = select(end.as_mut(), wait.as_mut());
            match select(pin!(attempts.join_next()), over).await {
                Either::Left((Some(Ok(session)), _)) => return session,
                Either::Left((_, _)) => return Err(Problem::NoRuntime),
                Either::Right((Either::Left(_), _)) => {
                    return Err(Problem::NoAnswer { waited: self.time_limit });
                }
                Either::Right((Either::Right(_), _)) => {}
            }
        }
    }

    async fn attempt(&self, on_notice: OnNotice) -> Result<Session, Problem> {
        let session = match &self.tls {
            None => {
                let connected = self.config.connect(NoTls).await;
                let (client, connection) = connected.map_err(|error| Problem::not_connected(&error))?;
                check_version(connection.parameter("server_version"))?;
                self.drive(client, connection, on_notice)
            }
            Some(tls) => {
                let connected = self.config.connect(MakeRustlsConnect::new(ClientConfig::clone(tls))).await;
                let (client, connection) = connected.map_err(|error| Problem::not_connected(&error))?;
                check_version(connection.parameter("server_version"))?;
                self.drive(client, connection, on_notice)
            }
        };
        if !self.through_pooler {
            let settings = self.settings();
            session.client().batch_execute(&settings).await?;
        }
        Ok(session)
    }

    /// What a connection is set to: one plan for each statement, and an end to what takes too long.
    fn settings(&self) -> String {
        let limit = self.time_limit.as_millis();
        format!(
            "SET plan_cache_mode = force_generic_plan; SET statement_timeout = {limit}; \
             SET idle_in_transaction_session_timeout = {limit}; SET default_transaction_isolation = 'read committed'; \
             SET default_transaction_read_only = off; SET search_path = pg_catalog; SET jit = off"
        )
    }

    fn drive<S, T>(&self, client: Client, connection: Connection<S, T>, on_notice: OnNotice) -> Session
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut connection = connection;
        let drive = poll_fn(move |context| {
            let mut connection = Pin::new(&mut connection);
            loop {
                match std::task::ready!(connection.as_mut().get_mut().poll_message(context)) {
                    Some(Ok(AsyncMessage::Notification(_))) => on_notice(),
                    Some(Ok(_)) => {}
                    // Whoever waits for an answer is told.
                    Some(Err(_)) | None => return std::task::Poll::Ready(()),
                }
            }
        });
        Session::new(client, self.handle.spawn(drive))
    }
}
