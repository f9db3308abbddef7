//! A token cannot be copied by accident.

use access_keys::Token;

pub fn copy(token: Token) -> (Token, String) {
    let copy = token.clone();
    (token, copy)
}

fn main() {}
