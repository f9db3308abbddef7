//! Has the store at the given path, and answers the calls that come as lines.

use access_keys::store::SqliteStore;
use pollster::block_on;

fn main() {
    let path = std::env::args().nth(1).expect("a path");
    let store = block_on(SqliteStore::open(path)).expect("the file opens");
    for line in std::io::stdin().lines() {
        println!("{}", sqlite_tests::answer(&store, &line.expect("a line")));
    }
}
