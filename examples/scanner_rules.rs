//! Rules by which secret scanners find the tokens of a host: for gitleaks, for trufflehog, and as custom pattern of GitHub.
//!
//! `cargo run --example scanner_rules -- acme_live acme_test` prints all three, each behind a line that says where it
//! goes; without prefixes, for `acme`. `-- --gitleaks acme` prints one alone, to be sent to a file (likewise
//! `--trufflehog`, `--github`).

use std::error::Error;

use access_keys::token::Prefix;

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let mut prefixes = names.iter().map(Prefix::new).collect::<Result<Vec<_>, _>>()?;
    if prefixes.is_empty() {
        prefixes.push(Prefix::new("acme")?);
    }
    match flags.first().map(String::as_str) {
        None => {
            println!("# gitleaks: .gitleaks.toml\n{}", gitleaks(&prefixes));
            println!("# trufflehog: --config trufflehog.yaml\n{}", trufflehog(&prefixes));
            println!("# GitHub: Settings, Advanced Security, Custom patterns\n{}", github(&prefixes));
        }
        Some("--gitleaks") => print!("{}", gitleaks(&prefixes)),
        Some("--trufflehog") => print!("{}", trufflehog(&prefixes)),
        Some("--github") => print!("{}", github(&prefixes)),
        Some(other) => return Err(format!("{other} is none of --gitleaks, --trufflehog, --github").into()),
    }
    Ok(())
}

/// A token ends where no further letter or digit follows; a `_` may, as in `acme_…_OLD`. What stands before it is left
/// open, since a token may follow any text, as in `%3Dacme_…`. The token is the first group, since a `_` behind it is
/// met as well.
const END: &str = "(?:\\b|_)";

/// A configuration of gitleaks, with the rules that it has anyway.
pub(crate) fn gitleaks(prefixes: &[Prefix]) -> String {
    let rules = prefixes.iter().map(|prefix| {
        format!(
            "\n[[rules]]\n\
             id = \"{id}-access-key\"\n\
             description = \"Access key token {prefix}_…\"\n\
             regex = '''({pattern}){END}'''\n\
             secretGroup = 1\n\
             keywords = [\"{prefix}_\"]\n",
            id = prefix.as_str().replace('_', "-"),
            pattern = prefix.pattern(),
        )
    });
    "[extend]\nuseDefault = true\n".to_owned() + &rules.collect::<String>()
}

/// A configuration of trufflehog with a detector for each prefix. Without `verify` it reports each find as unverified.
pub(crate) fn trufflehog(prefixes: &[Prefix]) -> String {
    let detectors = prefixes.iter().map(|prefix| {
        format!(
            "  - name: {id}-access-key\n\
             \x20   keywords:\n\
             \x20     - {prefix}_\n\
             \x20   regex:\n\
             \x20     token: '({pattern}){END}'\n",
            id = prefix.as_str().replace('_', "-"),
            pattern = prefix.pattern(),
        )
    });
    "detectors:\n".to_owned() + &detectors.collect::<String>()
}

/// What is entered for a custom pattern of GitHub, field by field.
pub(crate) fn github(prefixes: &[Prefix]) -> String {
    let patterns = prefixes.iter().map(|prefix| {
        format!(
            "Pattern name:  Access key token {prefix}_…\n\
             Secret format: {pattern}\n\
             Before secret: \\A|[^0-9A-Za-z]|%[0-9A-F]{{2}}\n\
             After secret:  \\z|[^0-9A-Za-z]\n",
            pattern = prefix.pattern(),
        )
    });
    patterns.collect::<Vec<_>>().join("\n")
}
