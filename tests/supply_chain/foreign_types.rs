//! The types and traits of other crates in the public names are these and no others: each is a promise to follow
//! another crate's versions.
//!
//! rustdoc knows them all, whatever macro or re-export they stand behind, and writes them down as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use supply_chain_tests::{cargo, root, target};

/// By crate, without those of the standard library. Those of `http` on are there with their features alone.
const KNOWN: [(&str, &[&str]); 13] = [
    ("async_trait", &["async_trait"]),
    ("chrono", &["DateTime", "Utc"]),
    ("rand_core", &["TryCryptoRng", "TryRng"]),
    // Which `serde` gives out.
    ("serde_core", &["Deserialize", "DeserializeOwned", "Deserializer", "Serialize", "Serializer"]),
    ("zeroize", &["ZeroizeOnDrop"]),
    ("http", &["Extensions", "HeaderName", "InvalidHeaderValue", "Parts", "Request", "Response"]),
    ("http_body", &["Body", "Frame", "SizeHint"]),
    // A trait that its macro implements for what cannot be moved; nobody can name it.
    ("pin_project_lite", &["PinnedFieldsOf"]),
    ("tower_layer", &["Layer"]),
    ("tower_service", &["Service"]),
    ("axum_core", &["FromRequestParts", "IntoResponse", "Response"]),
    ("deadpool_postgres", &["Pool"]),
    ("rustls", &["ClientConfig"]),
];

#[test]
fn no_other_foreign_type_is_in_the_public_names() {
    let found = foreign(&documented());
    for (package, types) in &found {
        println!("{package}: {}", types.iter().cloned().collect::<Vec<_>>().join(", "));
    }
    let known = KNOWN.map(|(package, types)| {
        (package.to_owned(), types.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>())
    });
    assert_eq!(found, BTreeMap::from(known));
}

/// What rustdoc writes of the crate with all features. That it may be asked for on a stable toolchain takes the
/// variable; nothing is compiled that a host would get.
fn documented() -> Value {
    let arguments = [
        "rustdoc",
        "--quiet",
        "--lib",
        "--all-features",
        "--",
        "-Z",
        "unstable-options",
        "--output-format",
        "json",
    ];
    cargo(&root(), &arguments, &[("RUSTC_BOOTSTRAP", "access_keys".as_ref())]);
    let text = std::fs::read(target().join("doc/access_keys.json")).expect("rustdoc has written it");
    serde_json::from_slice(&text).expect("it is JSON")
}

/// Every path of another crate that an item of this one names, by crate.
fn foreign(docs: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for item in docs["index"].as_object().expect("items").values().filter(|item| item["crate_id"] == 0) {
        // What every type gets from somewhere else is not ours to promise.
        let of_all = &item["inner"]["impl"];
        if of_all["blanket_impl"].is_null() && of_all["is_synthetic"] != true {
            named(&item["inner"], &mut ids);
        }
    }
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for id in ids {
        let path = &docs["paths"][&id];
        let Some(parts) = path["path"].as_array() else { continue };
        let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
        let [package, .., name] = parts.as_slice() else { continue };
        if path["crate_id"] != 0 && !["std", "core", "alloc"].contains(package) {
            found.entry((*package).to_owned()).or_default().insert((*name).to_owned());
        }
    }
    found
}

/// The ids of what is named anywhere in this part of an item.
fn named(part: &Value, ids: &mut BTreeSet<String>) {
    match part {
        Value::Array(parts) => parts.iter().for_each(|part| named(part, ids)),
        Value::Object(fields) => {
            let is_path = fields.contains_key("path") || fields.contains_key("source");
            if let (true, Some(Value::Number(id))) = (is_path, fields.get("id")) {
                ids.insert(id.to_string());
            }
            fields.values().for_each(|part| named(part, ids));
        }
        _ => {}
    }
}
