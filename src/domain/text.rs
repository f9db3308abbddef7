//! The rules for text that people write, and the one way in which text is read from serde.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::quiet::Quiet;
use super::{Field, Invalid, Rule, Unit};

pub(crate) const NAME_MAX: usize = 100;
pub(crate) const TEXT_MAX: usize = 1_000;

/// A key's name: trimmed, one line, something to see.
pub(crate) fn name(text: &str) -> Result<String, Invalid> {
    if is_plain(text) && (1..=NAME_MAX).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    let text = text.trim();
    let given = text.chars().count();
    if given > 0 && text.chars().all(|c| is_invisible(c) || c.is_whitespace()) {
        return Err(Invalid::new(Field::Name, Rule::Invisible { given }));
    }
    if given == 0 || given > NAME_MAX {
        let rule = Rule::Length { min: 1, max: NAME_MAX, unit: Unit::Characters, given };
        return Err(Invalid::new(Field::Name, rule));
    }
    check_characters(Field::Name, text, "plain text on one line", is_unprintable)?;
    Ok(text.to_owned())
}

/// A description or a reason: trimmed, possibly empty, possibly of several lines.
pub(crate) fn paragraph(field: Field, text: &str) -> Result<String, Invalid> {
    if is_plain(text) && text.len() <= TEXT_MAX {
        return Ok(text.to_owned());
    }
    let text = text.trim().replace("\r\n", "\n");
    let given = text.chars().count();
    if given > TEXT_MAX {
        let rule = Rule::Length { min: 0, max: TEXT_MAX, unit: Unit::Characters, given };
        return Err(Invalid::new(field, rule));
    }
    check_characters(field, &text, "plain text", |c| c != '\n' && is_unprintable(c))?;
    Ok(text)
}

/// Whether it is one line of ASCII that no rule changes or refuses, whatever its length: most texts are, and this
/// is quick to see.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inside = bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    inside && bytes.first() != Some(&b' ') && bytes.last() != Some(&b' ')
}

fn check_characters(
    field: Field,
    text: &str,
    allowed: &'static str,
    refused: impl Fn(char) -> bool,
) -> Result<(), Invalid> {
    match text.chars().position(refused) {
        None => Ok(()),
        Some(before) => Err(Invalid::new(field, Rule::Character { position: before + 1, allowed })),
    }
}

/// Control, bidirectional and line-separator characters: they make a text show as what it is not.
///
/// The bidirectional ones are the characters of Unicode's property Bidi_Control (UAX #9, 3.1).
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            | '\u{2028}' | '\u{2029}')
}

/// Characters that take no room of their own, so that a name of them alone shows as nothing: those of
/// Unicode's property Default_Ignorable_Code_Point (UAX #44), which a renderer leaves out, and the three marks of
/// interlinear annotations (U+FFF9 to FFFB), which few renderers know.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Reads a value that is written as text. The message of a failure never repeats the text.
pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = Invalid>,
{
    struct Text<T>(PhantomData<T>);

    impl<T: FromStr<Err = Invalid>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(PhantomData))
}

/// Reads a value that is written as a number.
pub(crate) fn deserialize_number<'de, D, T>(
    deserializer: D,
    check: impl FnOnce(u64) -> Result<T, Invalid>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    let Quiet(number) = Quiet::<u64>::deserialize(deserializer)?;
    check(number).map_err(de::Error::custom)
}

/// Serde as plain text, through `Display` and `FromStr`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::domain::text::deserialize(deserializer)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// An enum whose variants are written as one word each.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident ($field:expr, $expected:literal) {
        $($(#[$doc:meta])* $variant:ident = $word:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// The word that it is written as.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::Invalid;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::domain::Invalid::new(
                        $field,
                        $crate::domain::Rule::Unreadable { expected: $expected, given: text.len() },
                    )),
                }
            }
        }

        $crate::domain::text::serde_as_text!($name);
    };
}
pub(crate) use words;
