//! The settings in force: those of the file as it is now.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::Result;
use crate::settings::Settings;

/// How often the file is looked at.
const PACE: Duration = Duration::from_millis(200);

#[derive(Clone)]
pub(crate) struct Catalog(watch::Receiver<Arc<Settings>>);

impl Catalog {
    /// Reads the file, and again whenever it changes, as long as a clone of this is held.
    pub(crate) async fn open(file: PathBuf) -> Result<Self> {
        let text = tokio::fs::read_to_string(&file)
            .await
            .map_err(|error| format!("the settings in {} cannot be read: {error}", file.display()))?;
        let (sender, receiver) = watch::channel(Arc::new(Settings::read(&text)?));
        tokio::spawn(keep(file, text, sender));
        Ok(Self(receiver))
    }

    /// What a request goes by from its beginning to its end.
    pub(crate) fn now(&self) -> Arc<Settings> {
        Arc::clone(&self.0.borrow())
    }
}

async fn keep(file: PathBuf, mut in_force: String, sender: watch::Sender<Arc<Settings>>) {
    let mut seen = in_force.clone();
    while !sender.is_closed() {
        tokio::time::sleep(PACE).await;
        let Ok(text) = tokio::fs::read_to_string(&file).await else { continue };
        // A file that is being written may be read halfway: only what stays as it is counts.
        if text != seen {
            seen = text;
        } else if seen != in_force {
            in_force.clone_from(&seen);
            match Settings::read(&in_force) {
                Ok(settings) => {
                    sender.send_replace(Arc::new(settings));
                    tracing::info!("the settings were read again");
                }
                Err(error) => tracing::warn!(%error, "the settings stay as they were"),
            }
        }
    }
}
