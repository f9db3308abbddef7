//! The Access Keys page of a project: guided creation, the token shown once, edit, rotate, revoke, history.
//!
//! `host` is what the host has of its own, `parts` are shared pieces of pages, `pages` has one file a page. Everything
//! about keys goes through the public interface of `access_keys`.

mod failure;
mod host;
mod pages;
mod parts;
mod routes;

use access_keys::AccessKeys;
use access_keys::lifecycle::Builder;
use access_keys::store::KeyStore;
use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use failure::Failure;
use host::Host;
use host::environments::ENVIRONMENTS;

/// What every page is given.
#[derive(Debug)]
struct Console {
    keys: AccessKeys,
    host: Host,
}

/// The pages over these keys. `secure` is for a host that is reached over TLS: its cookie is then sent over nothing
/// else.
pub fn router(keys: AccessKeys, secure: bool) -> Router {
    routes::routes(Console { keys, host: Host::new(secure) })
}

/// Answers whoever connects, until `end`.
///
/// # Errors
/// When nobody can connect any more.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    end: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let listener = listener.tap_io(|connection| {
        // The rows of a list follow its head in small pieces: each would wait for the one before it to be acknowledged.
        let _ = connection.set_nodelay(true);
    });
    axum::serve(listener, router).with_graceful_shutdown(end).await
}

/// Keys in `store`, with a prefix for each environment of this host.
///
/// # Errors
/// When an environment or a prefix is none.
pub fn builder<S: KeyStore>(store: S) -> Result<Builder<S>, access_keys::Error> {
    ENVIRONMENTS.iter().try_fold(AccessKeys::builder(store), |builder, environment| {
        Ok(builder.environment_prefix(access_keys::EnvironmentId::new(environment.id)?, environment.prefix))
    })
}

/// The environments of this host, and the agents, for whoever fills a store to try it.
#[must_use]
pub fn catalogue() -> (Vec<&'static str>, Vec<&'static str>, Vec<&'static str>) {
    let ids = |items: &'static [host::catalogue::Item]| items.iter().map(|item| item.id).collect();
    let environments = ENVIRONMENTS.iter().map(|environment| environment.id).collect();
    (environments, ids(host::agents::AGENTS), ids(host::prompts::PROMPTS))
}
