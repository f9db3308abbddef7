//! Where the keys are.

use std::error::Error;
use std::sync::Arc;

use access_keys::store::KeyStore;

use crate::arguments::Arguments;

type Opened = Result<Arc<dyn KeyStore>, Box<dyn Error + Send + Sync>>;

/// The store that was asked for, which one of the features brings.
pub(crate) async fn open(arguments: &Arguments) -> Opened {
    match (&arguments.postgres, &arguments.sqlite) {
        (Some(_), Some(_)) => Err("--sqlite and --postgres exclude each other".into()),
        (Some(address), None) => postgres(address).await,
        (None, file) => sqlite(file.as_deref().unwrap_or("console.db")).await,
    }
}

#[cfg(feature = "sqlite")]
async fn sqlite(file: &str) -> Opened {
    Ok(Arc::new(access_keys::store::SqliteStore::open(file).await?))
}

#[cfg(not(feature = "sqlite"))]
async fn sqlite(_: &str) -> Opened {
    Err("built without the feature sqlite: give --postgres ADDRESS".into())
}

#[cfg(feature = "postgres")]
async fn postgres(address: &str) -> Opened {
    Ok(Arc::new(access_keys::store::PostgresStore::connect(address).await?))
}

#[cfg(not(feature = "postgres"))]
async fn postgres(_: &str) -> Opened {
    Err("built without the feature postgres: cargo run -p console --features postgres".into())
}
