//! A form cannot choose the project: the handle that generates does.

use access_keys::KeyForm;

pub fn fill(form: &mut KeyForm, text: String) {
    form.project = text;
}

fn main() {}
