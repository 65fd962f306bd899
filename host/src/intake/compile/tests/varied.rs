//! Code that is made from other code by writing a source into its room.

use std::fmt::Write as _;

use super::super::super::room;
use super::*;

const BASE: &str = "sha256:base";
const VARIED: &str = "sha256:varied";

/// Returns a component with these bytes in its memory.
fn holding(data: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    for byte in data {
        write!(text, "\\{byte:02x}").unwrap();
    }
    let text = format!(
        "(component (core module $m (memory 9) (data (i32.const 1024) \"{text}\")) (core instance (instantiate $m)))"
    );
    wat::parse_str(text).unwrap()
}

/// Returns a compiler that has compiled `bytes` as the base, and the number of compilations.
async fn compiled(place: &Place, bytes: &[u8]) -> (Compiler, Arc<AtomicUsize>) {
    let counting = Counting::default();
    let count = Arc::clone(&counting.0);
    let compiler = Compiler::new(counting).keeping(Some(place.cache(1)));
    let base = compact(BASE, bytes);
    let limits = CompileLimits {
        address_space: 1 << 32,
        cpu: 10,
    };
    compiler.compile(&place.engine, base, limits).await.unwrap();
    (compiler, count)
}

fn digests() -> [String; 2] {
    [BASE, VARIED].map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_source_is_written_into_the_code_and_nothing_is_compiled() {
    let place = Place::new();
    let (compiler, count) = compiled(&place, &holding(&room::empty())).await;
    assert!(compiler.kept(&place.engine, VARIED).is_none(), "not yet");
    let digests = digests();
    let varied = compiler.vary(&place.engine, digests.each_ref(), b"a source");
    assert!(varied.is_some());
    let kept = compiler.kept(&place.engine, VARIED).unwrap();
    assert!(kept.cached && count.load(Ordering::Relaxed) == 1);
    let file = fs::read(place.path().join(place.identity(VARIED).name())).unwrap();
    assert_eq!(room::source_of(&file), Some(&b"a source"[..]));
    assert!(compiler.has(&place.engine, BASE), "the base stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_with_another_key_never_runs_what_was_written_into_code() {
    let place = Place::new();
    let (compiler, _) = compiled(&place, &holding(&room::empty())).await;
    let digests = digests();
    let varied = compiler.vary(&place.engine, digests.each_ref(), b"a source");
    assert!(varied.is_some() && compiler.has(&place.engine, VARIED));
    let serving = Compiler::new(Endless).keeping(Some(place.cache(2)));
    assert!(serving.kept(&place.engine, VARIED).is_none());
    assert!(
        !place.path().join(place.identity(VARIED).name()).exists(),
        "it removes the file"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn code_without_room_is_not_changed() {
    let place = Place::new();
    let (compiler, _) = compiled(&place, &holding(b"no room")).await;
    let digests = digests();
    let varied = compiler.vary(&place.engine, digests.each_ref(), b"a source");
    assert!(varied.is_none() && compiler.kept(&place.engine, VARIED).is_none());
}
