//! The form of an edit page has no environment either.

use access_keys::EditForm;

pub fn fill(form: &mut EditForm, text: String) {
    form.environment = text;
}

fn main() {}
