//! What was issued holds a token, and is answered field by field.

use access_keys::Issued;

fn answer(_: &impl serde::Serialize) {}

pub fn show(issued: &Issued) {
    answer(issued);
}

fn main() {}
