//! A form has room for more fields, so it is not written as a literal.

use access_keys::KeyForm;

pub fn fill(form: &mut KeyForm, name: String) {
    *form = KeyForm { name, ..KeyForm::default() };
}

fn main() {}
