//! Sixty-four repeats at once of one operation, and a revocation of many keys, on two nodes of one server.

#[path = "../../support/repeats.rs"]
mod repeats;

use std::sync::LazyLock;

use access_keys::AccessKeys;
use access_keys::store::PostgresStore;
use postgres_tests::{Server, fresh, keys_of, open, run};
use repeats::{Wait, of_a_bulk_revocation, of_a_generate, of_a_rotation};

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(""));

struct There;

impl Wait for There {
    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        run(future)
    }
}

fn nodes() -> [AccessKeys<PostgresStore>; 3] {
    let schema = fresh();
    [(); 3].map(|()| keys_of(run(open(&SERVER, &schema))))
}

#[test]
fn sixty_four_generates_of_one_operation_end_with_one_key_and_one_usable_value() {
    let [one, other, cold] = nodes();
    of_a_generate(&There, &[one, other], &cold);
}

#[test]
fn sixty_four_rotations_of_one_operation_keep_the_old_value_and_end_with_one_new_one() {
    let [one, other, cold] = nodes();
    of_a_rotation(&There, &[one, other], &cold);
}

#[test]
fn all_keys_are_revoked_once_those_too_that_another_node_generates_meanwhile() {
    let [one, other, cold] = nodes();
    of_a_bulk_revocation(&There, &[one, other], &cold);
}
