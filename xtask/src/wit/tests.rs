#![expect(clippy::panic, reason = "what cannot be read has failed")]

use super::reader::read;
use super::{PAGE, made};
use crate::Project;

#[test]
fn the_reference_is_that_of_the_interface() {
    let project = Project::find().unwrap_or_else(|error| panic!("{error:#}"));
    let page = made(&project.root).unwrap_or_else(|error| panic!("{error:#}"));
    let kept = std::fs::read_to_string(project.root.join(PAGE)).unwrap_or_default();
    assert!(
        kept == page,
        "{PAGE} is out of date: `cargo xtask wit` writes it"
    );
    for word in ["`now: func() -> u64`", "### `tool`", "| `user` | A person"] {
        assert!(page.contains(word), "no {word}");
    }
}

#[test]
fn what_the_reader_does_not_know_is_an_error() {
    let good = "/// A package.\npackage a:b@1.0.0;\n/// One.\ninterface one {\n/// Does.\n\
                f: func(x: u8,\ny: u8) -> u8;\n/// A record.\nrecord r {\n/// A field.\nf: u8,\n}\n}\n\
                world w {\nexport one;\n}\n";
    let package = read(good).unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(package.items.len(), 2);
    for (instead_of, wrong) in [
        ("record r {", "resource r {"),
        ("interface one {", "union one {"),
        ("export one;", "exports one;"),
        ("f: u8,\n}", "f: u8\n}"),
        ("export one;\n}", "export one;\n"),
        ("package a:b@1.0.0;", ""),
    ] {
        let text = good.replace(instead_of, wrong);
        assert_ne!(text, good, "{instead_of}");
        assert!(read(&text).is_err(), "accepted: {wrong}");
    }
}
