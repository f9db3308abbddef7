//! Sixty-four repeats at once of one operation, and a revocation of many keys, over two handles on one file.

#[path = "../../support/repeats.rs"]
mod repeats;

use pollster::block_on;
use repeats::{Wait, of_a_bulk_revocation, of_a_generate, of_a_rotation};
use sqlite_tests::File;

struct Here;

impl Wait for Here {
    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        block_on(future)
    }
}

#[test]
fn sixty_four_generates_of_one_operation_end_with_one_key_and_one_usable_value() {
    let file = File::new();
    of_a_generate(&Here, &[file.keys(), file.keys()], &file.keys());
}

#[test]
fn sixty_four_rotations_of_one_operation_keep_the_old_value_and_end_with_one_new_one() {
    let file = File::new();
    of_a_rotation(&Here, &[file.keys(), file.keys()], &file.keys());
}

#[test]
fn all_keys_are_revoked_once_those_too_that_another_node_generates_meanwhile() {
    let file = File::new();
    of_a_bulk_revocation(&Here, &[file.keys(), file.keys()], &file.keys());
}
