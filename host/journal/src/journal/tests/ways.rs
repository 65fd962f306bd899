//! Every test of this crate, once more: with segments that are appended to.

use std::process::Command;

use crate::testing::{APPENDED, preallocate};

#[test]
fn every_test_passes_whichever_way_segments_are_written() {
    if !preallocate() {
        // This is the other process.
        return;
    }
    let again = Command::new(std::env::current_exe().unwrap())
        .arg("--test-threads=1")
        .env(APPENDED, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success(), "{said}");
    assert!(!said.contains(" 0 passed"), "{said}");
}
