//! A token has no `Display`: showing it takes the word `expose`.

use access_keys::Token;

pub fn show(token: &Token) {
    println!("{}", token);
}

fn main() {}
