//! Where the keys are, for the gateway and for the commands that manage them.

use std::env::{self, VarError};
use std::sync::Arc;

use access_keys::store::{KeyStore, PostgresStore, SqliteStore};
use access_keys::{AccessKeys, EnvironmentId, Pepper};

use crate::Result;
use crate::arguments::Arguments;

const PREFIX: &str = "gw";

pub(crate) async fn open(arguments: &mut Arguments) -> Result<AccessKeys> {
    let store: Arc<dyn KeyStore> = match (arguments.one("--postgres")?, arguments.one("--sqlite")?) {
        (Some(address), None) => Arc::new(PostgresStore::connect(&address).await?),
        (None, file) => Arc::new(SqliteStore::open(file.as_deref().unwrap_or("keys.db")).await?),
        (Some(_), Some(_)) => return Err("--sqlite and --postgres exclude each other".into()),
    };
    let mut builder = AccessKeys::builder(store).prefix(PREFIX);
    match env::var("GATEWAY_PEPPER") {
        Ok(secret) => builder = builder.pepper(Pepper::new(1, secret)?),
        Err(VarError::NotPresent) => {}
        Err(VarError::NotUnicode(_)) => return Err("GATEWAY_PEPPER is not UTF-8".into()),
    }
    Ok(builder.build()?)
}

/// The one environment of this gateway.
pub(crate) fn environment() -> Result<EnvironmentId> {
    Ok(EnvironmentId::new("production")?)
}
