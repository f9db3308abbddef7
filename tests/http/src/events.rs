//! Everything that is told to `tracing`, as text.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry;

/// What was told on this thread, of every level. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Events(Arc<Mutex<Vec<(Level, String)>>>);

impl Events {
    /// Listens on this thread until the guard is dropped.
    #[must_use]
    pub fn listen(&self) -> DefaultGuard {
        tracing::subscriber::set_default(registry().with(self.clone()))
    }

    /// Listens on every thread of the process, for good.
    ///
    /// # Panics
    /// If someone listens already.
    pub fn listen_everywhere(&self) {
        tracing::subscriber::set_global_default(registry().with(self.clone())).unwrap();
    }

    /// All of it so far, which is forgotten with this.
    #[must_use]
    pub fn take(&self) -> Vec<(Level, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, level: Level, name: &str, record: impl FnOnce(&mut Text)) {
        let mut text = Text(name.to_owned());
        record(&mut text);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((level, text.0));
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl<S: Subscriber> Layer<S> for Events {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let about = attributes.metadata();
        self.note(*about.level(), about.name(), |text| attributes.record(text));
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.note(Level::TRACE, "recorded", |text| values.record(text));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        self.note(*about.level(), about.target(), |text| event.record(text));
    }
}
