//! The committed tables and the list of what was tested agree.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_tables_of_the_documents_are_those_of_the_list() {
    let list = lines(&root().join(LIST)).unwrap();
    assert!(!list.is_empty());
    for page in PAGES {
        let text = fs::read_to_string(root().join(page.path)).unwrap();
        let whole = page.with(&text, &list).unwrap();
        assert_eq!(text, whole, "{}: call `cargo xtask tables`", page.path);
        let untested: BTreeSet<String> = BTreeSet::new();
        let without = page.with(&text, &untested).unwrap();
        assert!(without != text && without.contains("| not tested |"));
        assert!(!without.contains("every change"), "{without}");
    }
}

#[test]
fn a_line_that_no_story_wrote_fails_a_whole_run_and_is_replaced_by_what_stories_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for part in ["tests/clients", "docs"] {
        fs::create_dir_all(root.join(part)).unwrap();
    }
    let table = "<!-- Made by `cargo xtask tables`. -->\n<!-- The end of the table. -->\n";
    for page in PAGES {
        fs::write(root.join(page.path), table).unwrap();
    }
    let old = "client\tA\t1\t2025-11-25\tgate\nclient\tA\t0\t2024-11-05\tdeep\n";
    fs::write(root.join(LIST), old).unwrap();
    let written = begin(root).unwrap();
    assert!(check(root, true).is_err());
    assert_eq!(check(root, false).unwrap(), 1);
    fs::write(&written, "client\tA\t2\t2026-07-28\tgate\n").unwrap();
    assert!(check(root, true).is_err());
    write(root).unwrap();
    check(root, true).unwrap();
    let text = fs::read_to_string(root.join("docs/clients.md")).unwrap();
    assert!(
        text.contains("| A | 2 | 2026-07-28 | every change |\n"),
        "{text}"
    );
    assert!(text.contains("| A | 0 | 2024-11-05 | `cargo xtask deep` |\n"));
    assert!(!text.contains("| A | 1 |") && text.contains("| Zed | | not tested | |\n"));
}
