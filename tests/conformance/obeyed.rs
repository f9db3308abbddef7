//! The conformance kit over stores that obey the contract.

mod counted;

use std::sync::Arc;

use access_keys::store::conformance::{self, Fixture};
use access_keys::store::{KeyStore, MemoryStore};
use counted::Counted;

mod memory {
    use access_keys::store::MemoryStore;

    access_keys::conformance_tests!(|| async { MemoryStore::new() });
}

mod shared {
    use super::Shared;

    access_keys::conformance_tests!(Shared::default());
}

/// With the test attribute of the host.
mod of_tokio {
    use access_keys::store::MemoryStore;

    access_keys::conformance_tests!(#[tokio::test(flavor = "multi_thread")], || async { MemoryStore::new() });
}

mod wrapped {
    use super::counted::Counted;
    use access_keys::store::MemoryStore;

    access_keys::conformance_tests!(|| async { Counted::new(MemoryStore::new()) });
}

/// Two handles on the same data.
#[derive(Default)]
struct Shared(Arc<MemoryStore>);

impl Fixture for Shared {
    type Store = Arc<MemoryStore>;

    async fn open(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.0)
    }
}

#[test]
fn the_report_of_a_store_in_memory_has_no_failure() {
    let report = pollster::block_on(conformance::run(Shared::default()));
    println!("{report}");
    assert!(report.failures().is_empty(), "{report}");
}

#[test]
fn a_trait_object_is_proved_as_the_store_behind_it() {
    let shared = || async { Arc::new(MemoryStore::new()) as Arc<dyn KeyStore> };
    let report = pollster::block_on(conformance::run(shared));
    assert!(report.failures().is_empty(), "{report}");
}

#[test]
fn a_wrapper_is_proved_with_the_store_in_it() {
    let store = Arc::new(Counted::new(MemoryStore::new()));
    let report = pollster::block_on(conformance::run(|| async { Arc::clone(&store) }));
    assert!(report.failures().is_empty(), "{report}");
    assert!(store.calls() > 1_000, "the kit calls the wrapper, not what is in it");
}
