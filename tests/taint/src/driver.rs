//! What the one who runs this program under valgrind is asked for.

use access_keys::store::StoredKey;

use crate::Failure;

/// Has this piece of memory made undefined.
pub(crate) fn undefine(bytes: &[u8]) -> Result<(), Failure> {
    ask(&format!("undefine {:p} {}", bytes.as_ptr(), bytes.len()))
}

/// Has the digests of a key made undefined, wherever in its record they stand.
pub(crate) fn undefine_digests(stored: &StoredKey) -> Result<(), Failure> {
    let form = serde_json::to_value(stored)?;
    let records = stored.digests();
    for place in 0..records.len() {
        let digest = form["digests"][place]["digest"].as_str().ok_or("no digest")?;
        let (_, bytes) = digest.split_once(':').ok_or("no scheme")?;
        ask(&format!("undefine {bytes} in {:p} {}", records.as_ptr(), size_of_val(records)))?;
    }
    Ok(())
}

/// Says what is needed, and waits for the file of the second argument, in which is said whether it was done.
///
/// Awake: valgrind can make nothing undefined for a program that waits in the system.
fn ask(what: &str) -> Result<(), Failure> {
    let answer = std::env::args().nth(2).ok_or("where is the answer?")?;
    println!("{what}");
    while !std::fs::exists(&answer)? {}
    let done = std::fs::read_to_string(&answer)? == "done";
    std::fs::remove_file(&answer)?;
    if done { Ok(()) } else { Err("nobody made it undefined".into()) }
}
