//! The text of a prompt, with places for variables.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Text with `{name}` where a variable stands.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(crate) struct Template {
    /// Each variable with the text before it.
    parts: Vec<(String, String)>,
    end: String,
}

/// A request gives no value to this variable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing<'a>(pub(crate) &'a str);

impl Template {
    /// The text, in which no variable's value is taken for a place.
    pub(crate) fn render(&self, values: &BTreeMap<String, String>) -> Result<String, Missing<'_>> {
        let mut text = String::new();
        for (before, variable) in &self.parts {
            text += before;
            text += values.get(variable).ok_or(Missing(variable))?;
        }
        Ok(text + &self.end)
    }
}

impl TryFrom<String> for Template {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let (mut parts, mut rest) = (Vec::new(), &*text);
        while let Some((before, after)) = rest.split_once('{') {
            let (variable, end) = after.split_once('}').ok_or("a { without its }")?;
            if variable.is_empty()
                || !variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                return Err("a variable is named by letters, digits and _");
            }
            parts.push((before.to_owned(), variable.to_owned()));
            rest = end;
        }
        let end = rest.to_owned();
        Ok(Self { parts, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_values_in_their_places_once() {
        let template = Template::try_from("Greet {name} in {language}.".to_owned()).unwrap();
        let mut values = BTreeMap::from([("name".to_owned(), "{language}".to_owned())]);
        assert_eq!(template.render(&values), Err(Missing("language")));
        values.insert("language".to_owned(), "Latin".to_owned());
        assert_eq!(template.render(&values).unwrap(), "Greet {language} in Latin.");
    }

    #[test]
    fn refuses_what_is_no_place() {
        for text in ["{", "{}", "{a b}", "a { b"] {
            assert!(Template::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
