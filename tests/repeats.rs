//! Sixty-four repeats at once of one operation, and a revocation of many keys, on two nodes over one store in memory.

#[path = "support/repeats.rs"]
mod repeats;

use std::sync::Arc;

use access_keys::AccessKeys;
use access_keys::store::MemoryStore;
use pollster::block_on;
use repeats::{Wait, of_a_bulk_revocation, of_a_generate, of_a_rotation};

struct Here;

impl Wait for Here {
    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        block_on(future)
    }
}

fn nodes() -> [AccessKeys<Arc<MemoryStore>>; 3] {
    let store = Arc::new(MemoryStore::new());
    [(); 3].map(|()| AccessKeys::builder(Arc::clone(&store)).prefix("acme").build().unwrap())
}

#[test]
fn sixty_four_generates_of_one_operation_end_with_one_key_and_one_usable_value() {
    let [one, other, cold] = nodes();
    of_a_generate(&Here, &[one, other], &cold);
}

#[test]
fn sixty_four_rotations_of_one_operation_keep_the_old_value_and_end_with_one_new_one() {
    let [one, other, cold] = nodes();
    of_a_rotation(&Here, &[one, other], &cold);
}

#[test]
fn all_keys_are_revoked_once_those_too_that_another_node_generates_meanwhile() {
    let [one, other, cold] = nodes();
    of_a_bulk_revocation(&Here, &[one, other], &cold);
}
