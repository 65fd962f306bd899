//! A folder that several processes with one key share.

use super::*;

#[test]
fn a_file_that_another_process_writes_is_left_to_it() {
    let place = Place::new();
    let (cache, file) = place.filled();
    fs::remove_file(&file).unwrap();
    let unfinished = file.with_extension("new");
    fs::write(&unfinished, "half").unwrap();
    let other = File::open(&unfinished).unwrap();
    other.try_lock().unwrap();
    cache.keep(&place.identity(DIGEST), &Place::code());
    assert!(unfinished.exists() && !file.exists());
    place
        .cache(1)
        .keep(&place.identity("sha256:2"), &Place::code());
    assert!(unfinished.exists(), "nor when another file is kept");
    drop(other);
    cache.keep(&place.identity(DIGEST), &Place::code());
    assert!(!unfinished.exists() && file.exists(), "that process ended");
}
