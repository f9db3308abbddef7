//! Builds the wizard example, as it is now.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The built example. Asked of cargo itself, since profile and target directory are whoever's who runs this.
pub(crate) fn wizard() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--example",
                "wizard",
                "-p",
                "access-keys",
                "--message-format",
                "json",
                "--quiet",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(built.status.success(), "the example does not build");
        let messages = serde_json::Deserializer::from_slice(&built.stdout).into_iter::<serde_json::Value>();
        let example = messages.map(Result::unwrap).find(|message| message["target"]["name"] == "wizard");
        example.unwrap()["executable"].as_str().unwrap().into()
    })
}
