//! Waiting for what a store is asked.

/// How a call is waited for.
pub(crate) trait Wait {
    fn on<F: Future>(&self, call: F) -> F::Output;
}

/// On this thread alone.
#[cfg(feature = "sqlite")]
pub(crate) struct Here;

#[cfg(feature = "sqlite")]
impl Wait for Here {
    fn on<F: Future>(&self, call: F) -> F::Output {
        pollster::block_on(call)
    }
}

#[cfg(feature = "postgres")]
impl Wait for tokio::runtime::Runtime {
    fn on<F: Future>(&self, call: F) -> F::Output {
        self.block_on(call)
    }
}
