use std::path::Path;

use super::*;

const LIST: &str = "# The host\n\n## Order of modules\n\nLow to high.\n\n```text\nlow middle # the waist\nhigh\n```\n";

/// Returns the faults of a host with a module each for `low`, `middle` and `high`, and more files.
fn faults(low: &str, middle: &str, high: &str, more: &[(&str, &str)]) -> Vec<String> {
    let mut texts = vec![
        ("lib.rs", "mod low;\nmod middle;\nmod high;"),
        ("low.rs", low),
        ("middle.rs", middle),
        ("high.rs", high),
    ];
    texts.extend(more);
    let host = match Host::new(LIST, &Sources::of_texts(&texts)) {
        Ok(host) => host,
        Err(error) => return vec![format!("{error:#}")],
    };
    let mut faults = host.ranks.differences(&host.modules);
    faults.extend(ranking::backwards(&host.ranks, &host.imports));
    faults.extend(host.cycles_of_siblings(&[]));
    faults.extend(names::repeated(&host.modules, &[]));
    faults
}

#[test]
fn the_modules_of_the_host_are_in_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let faults = root
        .context("xtask lies in the workspace")
        .and_then(Host::read)
        .map(|host| host.faults());
    let told = faults.unwrap_or_else(|error| vec![format!("{error:#}")]);
    assert!(told.is_empty(), "{}", told.join("\n\n"));
}

#[test]
fn imports_that_run_forwards_are_in_order() {
    let high = "use crate::middle::A;\nfn f() { crate::low::g() }";
    assert!(faults("pub fn g() {}", "pub struct A;", high, &[]).is_empty());
}

#[test]
fn an_edge_that_runs_backwards_is_shown_with_its_lines_and_its_place() {
    let found = faults("\nuse crate::middle::{self, A};", "pub struct A;", "", &[]);
    assert_eq!(
        found,
        ["low imports middle, which stands after it\
          \n  host/src/low.rs:2: middle\
          \n  ARCHITECTURE.md:8: is where middle stands"]
    );
}

#[test]
fn a_cycle_is_shown_with_one_line_for_each_way() {
    let found = faults(
        "",
        "use crate::high::B;",
        "fn f() {}\nuse crate::middle::A;",
        &[],
    );
    assert_eq!(
        found,
        ["middle imports high, which stands after it\
          \n  host/src/middle.rs:1: high::B\
          \n  host/src/high.rs:2: while high imports middle::A"]
    );
}

#[test]
fn an_import_is_seen_however_it_is_written() {
    let inner = [("low/inner.rs", "use super::super::high::B;")];
    for (low, more) in [
        ("use crate::high::B;", &[][..]),
        ("use crate::{high::{deep::{B, C as D}}};", &[]),
        ("use crate::high::*;", &[]),
        ("use super::high;", &[]),
        ("pub use crate::high::B as C;", &[]),
        ("fn f() -> u8 { crate::high::g() }", &[]),
        ("fn f(_: &super::high::B) {}", &[]),
        ("impl crate::high::T for u8 {}", &[]),
        ("fn f() { m!(x => { a: crate::high::g(1) }) }", &[]),
        (
            "#[derive(E)] enum E { #[error(\"{}\", crate::high::g())] A }",
            &[],
        ),
        ("#[cfg(not(test))] use crate::high::B;", &[]),
        ("mod inner { use super::super::high::B; }", &[]),
        ("mod inner;", &inner),
    ] {
        let found = faults(low, "", "", more).join("\n");
        assert!(found.starts_with("low imports high,"), "{low}: {found}");
    }
}

#[test]
fn what_leads_out_of_no_module_is_no_import() {
    let inner = [
        ("low/inner.rs", "use super::other::A;\nuse super::G;"),
        (
            "low/other.rs",
            "pub struct A;\npub(in super::super) fn f() {}",
        ),
    ];
    for low in [
        "mod inner;\nmod other;\nuse inner::high;\nstruct G;",
        "mod inner;\nmod other;\nuse crate::low::other::A;\nuse std::high;\nuse high::B;",
        "mod inner;\nmod other;\nfn high() { self::high() }",
    ] {
        assert_eq!(faults(low, "", "", &inner), [""; 0], "{low}");
    }
}

#[test]
fn code_for_tests_alone_is_exempt() {
    for low in [
        "#[cfg(test)] use crate::high::B;",
        "#[cfg(test)] mod tests { use crate::high::B; }",
        "#[cfg(test)] mod absent;",
        "#[cfg(any(test, fuzzing))] mod absent;",
        "#[test] fn f() { crate::high::g() }",
        "struct A; impl A { #[cfg(test)] fn f() { crate::high::g() } }",
    ] {
        assert_eq!(faults(low, "", "", &[]), [""; 0], "{low}");
    }
}

#[test]
fn every_module_is_listed_and_every_listed_one_exists() {
    let sources = Sources::of_texts(&[
        ("lib.rs", "mod low; mod new;"),
        ("low.rs", ""),
        ("new.rs", ""),
    ]);
    let found = Host::new(LIST, &sources).map(|host| host.ranks.differences(&host.modules));
    assert_eq!(
        found.unwrap_or_default(),
        [
            "host/src/new.rs: the module new is not listed in ARCHITECTURE.md",
            "ARCHITECTURE.md:8: there is no module middle",
            "ARCHITECTURE.md:9: there is no module high",
        ]
    );
    for (list, why) in [
        ("", "no heading"),
        ("## Order of modules\n", "no fenced list"),
        ("## Order of modules\n```\n```\n", "is empty"),
        ("## Order of modules\n```\na a\n```\n", "listed twice"),
    ] {
        let told = Ranks::read(list).err().map(|error| error.to_string());
        assert!(told.is_some_and(|told| told.contains(why)), "{why}");
    }
}

#[test]
fn files_of_one_module_that_import_each_other_are_shown() {
    let direct = [
        ("low/a.rs", "use super::b::B;"),
        ("low/b.rs", "pub struct B;\nfn f() { crate::low::a::g() }"),
    ];
    let through_the_parent = [
        ("low/a.rs", "use super::B;"),
        ("low/b.rs", "pub struct B;\nuse super::a::g;"),
    ];
    let nested = [
        ("low/a.rs", "mod deep;"),
        ("low/a/deep.rs", "use super::super::b::B;"),
        ("low/b.rs", "pub struct B;\nuse super::a::g;"),
    ];
    for more in [&direct[..], &through_the_parent, &nested] {
        let found = faults("mod a;\nmod b;\npub use b::B;", "", "", more).join("\n");
        assert!(
            found.starts_with("files of low import each other: a, b"),
            "{found}"
        );
        assert!(found.contains("low/b.rs:2: b imports a"), "{found}");
    }
}

#[test]
fn a_type_name_that_is_defined_twice_is_shown() {
    let found = faults(
        "struct Entry;\ntrait T { type Out; }",
        "enum Entry {}\nimpl super::low::T for u8 { type Out = u8; }",
        "#[cfg(test)] mod tests { struct Entry; }\nmod inner { type Out = u8; }",
        &[],
    );
    assert_eq!(
        found,
        ["the type name Entry is defined more than once\
          \n  host/src/low.rs:1\
          \n  host/src/middle.rs:1"]
    );
    let shared = Host::new(LIST, &Sources::of_texts(&[("lib.rs", "struct A;")]))
        .map(|host| names::repeated(&host.modules, &["A"]).join(""));
    assert!(shared.is_ok_and(|told| told.contains("A is defined once")));
}
