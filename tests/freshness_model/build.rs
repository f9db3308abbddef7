//! Writes each wrong reading of the core beside the model, from the very source of the library.

#[path = "build/variants.rs"]
mod variants;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use variants::{VARIANTS, Variant};

fn main() {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("a folder of the package"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("a folder to write to"));
    let core = package.join("../../src/verify/freshness").canonicalize().expect("the core");
    let world = package.join("src/world/mod.rs");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/variants.rs");
    println!("cargo::rerun-if-changed={}", core.display());

    let mut modules = String::new();
    let mut arms = String::new();
    for variant in VARIANTS {
        let folder = out.join(variant.name);
        copy(&core, &folder, variant);
        let name = variant.name;
        let freshness = folder.join("mod.rs");
        write!(
            modules,
            "pub(crate) mod {name} {{\n    \
             #[allow(dead_code, unused_imports, clippy::all)]\n    \
             #[path = {freshness:?}]\n    pub(crate) mod freshness;\n    \
             #[allow(clippy::duplicate_mod)]\n    \
             #[path = {world:?}]\n    pub(crate) mod world;\n}}\n"
        )
        .expect("text is written");
        writeln!(arms, "        {name:?} => {name}::world::explore(configuration),")
            .expect("text is written");
    }
    let text = format!(
        "{modules}\npub(crate) fn explore(variant: &str, configuration: &crate::Configuration) -> crate::Outcome \
         {{\n    match variant {{\n        \"right\" => crate::world::explore(configuration),\n{arms}        \
         _ => panic!(\"there is no variant {{variant}}\"),\n    }}\n}}\n"
    );
    fs::write(out.join("variants.rs"), text).expect("the variants are written");
}

/// Copies the core, without the tests beside it, with the changes of a variant, each of which must fit at exactly one
/// place.
fn copy(core: &Path, folder: &Path, variant: &Variant) {
    fs::create_dir_all(folder).expect("a folder for the variant");
    for entry in fs::read_dir(core).expect("the files of the core") {
        let path = entry.expect("a file of the core").path();
        let file = path.file_name().and_then(|name| name.to_str()).expect("a name in letters").to_owned();
        let mut text = fs::read_to_string(&path).expect("the text of the core");
        if let Some(tests) = text.find("\n#[cfg(test)]\nmod tests {") {
            text.truncate(tests + 1);
        }
        for change in variant.changes.iter().filter(|change| change.file == file) {
            let places = text.matches(change.right).count();
            assert!(
                places == 1,
                "the wrong reading {} no longer fits {file}: {places} places read\n{}",
                variant.name,
                change.right,
            );
            text = text.replace(change.right, change.wrong);
        }
        fs::write(folder.join(file), text).expect("the variant is written");
    }
    let known = |file: &str| core.join(file).is_file();
    assert!(variant.changes.iter().all(|change| known(change.file)), "{}: no such file", variant.name);
}
