//! The pages as Chromium shows them: each script in `chromium` is a topic, with a console of its own.
//!
//! `cargo test -p console --test chromium`. It needs Debian's `chromium`, and `node` with `npm` (20 or later), and
//! installs Playwright and axe below the target directory the first time. With `ACCESS_KEYS_DEEP=1` axe looks at the
//! pages in the dark and on a telephone too; `--nocapture` tells where their pictures are. With
//! `ACCESS_KEYS_PICTURES="$PWD/src/docs/page_pictures.md"` those of the guide are taken anew.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::thread;

const CHROMIUM: &str = "/usr/bin/chromium";
const NODE: &str = "this test needs node 20 or later with npm: install the packages nodejs and npm";
const PACKAGES: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];

#[test]
fn the_whole_life_of_a_key_by_mouse() {
    run("life");
}

#[test]
fn no_page_that_chromium_keeps_to_go_back_to_holds_a_token() {
    run("back");
}

#[test]
fn creation_and_revocation_by_keyboard_alone() {
    run("keyboard");
}

#[test]
fn what_is_sent_twice_is_done_once_and_two_editors_meet() {
    run("double");
}

#[test]
fn other_projects_foreign_forms_and_typed_scripts_come_to_nothing() {
    run("safety");
}

#[test]
fn no_page_breaks_a_rule_of_axe() {
    run("axe");
}

#[test]
fn creation_edit_and_revocation_without_scripts() {
    run("nojs");
}

#[test]
fn a_token_is_in_its_one_answer_and_nowhere_else() {
    run("canary");
}

#[test]
fn the_pictures_of_the_guide_can_be_taken_anew() {
    run("pictures");
}

/// One script against a console with an empty database.
fn run(topic: &str) {
    let packages = &*INSTALLED;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console").join(topic);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    let console = Console::start(&folder);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/chromium/{topic}.mjs"));
    let mut node = Command::new("node");
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        node.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = node
        .arg(script)
        .current_dir(packages)
        .env("CHROMIUM", CHROMIUM)
        .env("CONSOLE", &console.address)
        .env("DATABASE", folder.join(DATABASE))
        .env("LOG", folder.join(LOG))
        .env("PICTURES", folder.join("pictures"))
        .output()
        .expect(NODE);
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    let log = fs::read_to_string(folder.join(LOG)).unwrap();
    assert!(output.status.success(), "{topic}.mjs ({}):\n{said}\nThe console said:\n{log}", output.status);
    if topic == "axe" {
        println!("The pictures of the pages are in {}", folder.join("pictures").display());
    }
}

const DATABASE: &str = "keys.db";
const LOG: &str = "log";

struct Console {
    process: Child,
    address: String,
}

impl Console {
    /// Returns once it listens; all that it says goes to the log.
    fn start(folder: &Path) -> Self {
        let mut log = File::create(folder.join(LOG)).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_console"))
            .args(["--listen", "127.0.0.1:0", "--log", "trace", "--sqlite"])
            .arg(folder.join(DATABASE))
            .stdout(Stdio::piped())
            .stderr(log.try_clone().unwrap())
            .spawn()
            .unwrap();
        let mut says = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        says.read_line(&mut line).unwrap();
        let Some((_, address)) = line.trim().split_once(" at http://") else {
            panic!("the console does not listen: {}", fs::read_to_string(folder.join(LOG)).unwrap());
        };
        let address = format!("http://{address}");
        thread::spawn(move || io::copy(&mut says, &mut log));
        Self { process, address }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The folder in which node finds the packages, installed once for each version.
static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| {
    assert!(Path::new(CHROMIUM).exists(), "this test needs {CHROMIUM}: install the package chromium");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chromium");
    let installed = folder.join("installed");
    let wanted = PACKAGES.join(" ");
    // What was begun and not ended, or is another version, is begun anew.
    if fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        return folder;
    }
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    let npm =
        ["install", "--no-package-lock", "--no-save", "--no-audit", "--no-fund", "--silent", "--prefix"];
    let status = Command::new("npm").args(npm).arg(&folder).args(PACKAGES).status().expect(NODE);
    assert!(status.success(), "npm could not install {wanted} ({status})");
    fs::write(installed, wanted).unwrap();
    folder
});
