//! The cache and the compiler, with fakes in place of the workers.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod shared;
mod varied;

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bailiwick_journal::MacKey;
use tempfile::TempDir;

use super::frame::Frame;
use super::*;
use crate::owned::Trust;
use crate::sandbox::compile_config;

/// Compiles in this process and counts how often.
#[derive(Default)]
struct Counting(Arc<AtomicUsize>);

impl Compile for Counting {
    fn compile<'a>(&'a self, tier: Tier, bytes: &'a [u8], _: CompileLimits) -> Compiling<'a> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { compile_here(tier, bytes) })
    }
}

/// A compilation that never ends.
struct Endless;

impl Compile for Endless {
    fn compile<'a>(&'a self, _: Tier, _: &'a [u8], _: CompileLimits) -> Compiling<'a> {
        Box::pin(std::future::pending())
    }
}

struct Place {
    folder: TempDir,
    engine: Engine,
}

impl Place {
    fn new() -> Self {
        let engine = Engine::new(&compile_config(Tier::Compact)).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            engine,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn cache(&self, key: u8) -> Cache {
        Cache::open(
            &self.path(),
            MacKey::new(vec![key; 32].into()).unwrap(),
            &Trust::default(),
        )
        .unwrap()
    }

    fn identity(&self, digest: &str) -> CodeIdentity {
        CodeIdentity::new(&self.engine, digest)
    }

    fn code() -> MachineCode {
        MachineCode::from_worker(compile_here(Tier::Compact, &component()).unwrap())
    }

    /// Returns a cache with one file in it.
    fn filled(&self) -> (Cache, PathBuf) {
        let (cache, identity) = (self.cache(1), self.identity(DIGEST));
        cache.keep(&identity, &Self::code());
        let file = self.path().join(identity.name());
        assert!(file.is_file());
        (cache, file)
    }
}

fn component() -> Vec<u8> {
    let text = r#"(component (core module $m (func (export "f") (result i32) i32.const 7)) (core instance (instantiate $m)))"#;
    wat::parse_str(text).unwrap()
}

/// Returns the file that this code is kept as.
fn file_of(code: &MachineCode) -> Vec<u8> {
    let (key, place) = (MacKey::new(vec![1; 32].into()), Place::new());
    let mut file = Vec::new();
    code.write(&key.unwrap(), &place.identity(DIGEST), &mut file)
        .unwrap();
    file
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_is_kept_is_found_again_and_loads() {
    let place = Place::new();
    let (cache, file) = place.filled();
    let found = cache.find(&place.identity(DIGEST)).unwrap();
    assert!(file_of(&found) == file_of(&Place::code()));
    found.load(&place.engine).unwrap();
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o7777,
        0o400
    );
    assert_eq!(
        fs::metadata(place.path()).unwrap().permissions().mode() & 0o7777,
        0o700
    );
    let again = place.cache(1);
    assert!(
        again.find(&place.identity(DIGEST)).is_some(),
        "after a restart"
    );
}

#[test]
fn code_of_another_component_engine_or_host_is_not_found() {
    let place = Place::new();
    let (cache, file) = place.filled();
    assert!(
        cache.find(&place.identity("sha256:other")).is_none(),
        "another component"
    );
    let mut other = compile_config(Tier::Compact);
    let other = Engine::new(other.epoch_interruption(false)).unwrap();
    let other = CodeIdentity::new(&other, DIGEST);
    assert!(cache.find(&other).is_none(), "another engine");
    fs::rename(&file, place.path().join(other.name())).unwrap();
    assert!(
        cache.find(&other).is_none(),
        "under the name for another engine"
    );
    let (_, file) = place.filled();
    assert!(
        place.cache(2).find(&place.identity(DIGEST)).is_none(),
        "another host's key"
    );
    assert!(!file.exists(), "it is removed");
}

#[test]
fn a_file_that_is_not_as_it_was_written_is_removed() {
    let place = Place::new();
    let (_, file) = place.filled();
    let good = fs::read(&file).unwrap();
    let flip = |at: usize| {
        let mut bytes = good.clone();
        *bytes.get_mut(at).unwrap() ^= 1;
        bytes
    };
    // Every byte of the header, and some bytes of the code.
    let flipped = (0..64)
        .chain((64..good.len()).step_by(997))
        .chain([good.len() - 1])
        .map(flip);
    let cut = [0, 1, 16, 48, good.len() - 1].map(|length| good.get(..length).unwrap().to_vec());
    let longer = [good.clone(), vec![0]].concat();
    let foreign = compile_here(Tier::Compact, &component()).unwrap();
    for bytes in flipped.chain(cut).chain([longer, foreign]) {
        let cache = place.cache(1);
        let _ = fs::remove_file(&file);
        fs::write(&file, bytes).unwrap();
        mode(&file, 0o400);
        assert!(cache.find(&place.identity(DIGEST)).is_none());
        assert!(!file.exists());
    }
}

#[test]
fn a_file_that_others_could_touch_is_removed() {
    let changes: [(&str, Change); 5] = [
        ("readable by others", |file, _| mode(file, 0o440)),
        ("writable", |file, _| mode(file, 0o600)),
        ("set-user-id", |file, _| mode(file, 0o4400)),
        ("a link", |file, elsewhere| {
            fs::rename(file, elsewhere).unwrap();
            symlink(elsewhere, file).unwrap();
        }),
        ("another user's", |file, _| {
            // Only the superuser can give files away; for other users there is nothing to test.
            if std::os::unix::fs::chown(file, Some(65_534), None).is_err() {
                mode(file, 0o440);
            }
        }),
    ];
    for (what, change) in changes {
        let place = Place::new();
        let (cache, file) = place.filled();
        change(&file, &place.folder.path().join("elsewhere"));
        assert!(cache.find(&place.identity(DIGEST)).is_none(), "{what}");
        assert!(fs::symlink_metadata(&file).is_err(), "{what}: it stays");
    }
}

#[test]
fn a_folder_that_others_could_touch_is_not_used() {
    let place = Place::new();
    place.filled();
    let open = |path: &Path| {
        Cache::open(
            path,
            MacKey::new(vec![1; 32].into()).unwrap(),
            &Trust::default(),
        )
        .is_some()
    };
    assert!(open(&place.path()));
    mode(&place.path(), 0o750);
    assert!(!open(&place.path()), "readable by others");
    mode(&place.path(), 0o700);
    let link = place.folder.path().join("link");
    symlink(place.path(), &link).unwrap();
    assert!(!open(&link), "a link");
    let file = place.folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(!open(&file), "a file");
}

#[test]
fn the_least_used_goes_when_there_is_no_room() {
    let place = Place::new();
    let (mut cache, first) = place.filled();
    fs::write(place.path().join("README"), "not the cache's").unwrap();
    let unfinished = place
        .path()
        .join(format!("{}.new", place.identity(DIGEST).name()));
    fs::write(&unfinished, "half").unwrap();
    let size = fs::metadata(&first).unwrap().len();
    cache.most = size * 2 + size / 2;
    let digests = ["sha256:2", "sha256:3", "sha256:4"];
    for digest in digests {
        assert!(cache.find(&place.identity(DIGEST)).is_some(), "{digest}");
        cache.keep(&place.identity(digest), &Place::code());
        // The file system distinguishes times by milliseconds only.
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_712_000);
        File::open(place.path().join(place.identity(digest).name()))
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
    }
    let there = |digest| place.path().join(place.identity(digest).name()).exists();
    assert!(there("sha256:4"), "the newest");
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        3,
        "two files of the cache and the other"
    );
    assert!(!unfinished.exists() && place.path().join("README").exists());
}

#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let place = Place::new();
    let (cache, file) = place.filled();
    fs::remove_file(&file).unwrap();
    // A folder in the way of the new file.
    fs::create_dir(file.with_file_name(format!("{}.new", place.identity(DIGEST).name()))).unwrap();
    cache.keep(&place.identity(DIGEST), &Place::code());
    assert!(cache.find(&place.identity(DIGEST)).is_none());
}

fn compact<'b>(digest: &'b str, bytes: &'b [u8]) -> Uncompiled<'b> {
    Uncompiled {
        tier: Tier::Compact,
        digest,
        bytes,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_is_compiled_once_for_all_starts() {
    let place = Place::new();
    let count = Arc::new(AtomicUsize::new(0));
    for start in 0..3 {
        let compiler = Compiler::new(Counting(Arc::clone(&count))).keeping(Some(place.cache(1)));
        let kept = compiler.kept(&place.engine, DIGEST);
        assert_eq!(
            kept.as_ref().map(|kept| kept.cached),
            (start > 0).then_some(true)
        );
        if kept.is_none() {
            let compiled = compiler
                .compile(&place.engine, compact(DIGEST, &component()), LIMITS)
                .await
                .unwrap();
            assert!(!compiled.cached);
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
    assert!(
        Compiler::new(Counting(count))
            .kept(&place.engine, DIGEST)
            .is_none(),
        "without a cache"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_compile_or_is_not_for_the_engine_is_a_typed_error() {
    let place = Place::new();
    let other = Engine::new(compile_config(Tier::Compact).epoch_interruption(false)).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let compiler = Compiler::new(Counting(Arc::clone(&count))).keeping(Some(place.cache(1)));
    for _ in 0..2 {
        let junk = compiler.compile(
            &place.engine,
            compact("sha256:junk", b"\0asm\x0d\0\x01\0junk"),
            LIMITS,
        );
        assert!(matches!(junk.await.err(), Some(CompileError::Refused(_))));
        assert_eq!(count.load(Ordering::Relaxed), 1, "it is tried once");
    }
    let error = compiler
        .compile(&other, compact(DIGEST, &component()), LIMITS)
        .await
        .err();
    assert!(matches!(error, Some(CompileError::Unusable(_))));
    place
        .cache(1)
        .keep(&CodeIdentity::new(&other, DIGEST), &Place::code());
    assert!(
        compiler.kept(&other, DIGEST).is_none(),
        "authentic, and not for this engine"
    );
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        0,
        "what was kept"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_what_is_being_compiled() {
    let place = Place::new();
    let compiler = Arc::new(Compiler::new(Endless));
    let (engine, same) = (place.engine.clone(), Arc::clone(&compiler));
    let waiting = tokio::spawn(async move {
        same.compile(&engine, compact(DIGEST, b""), LIMITS)
            .await
            .err()
    });
    tokio::task::yield_now().await;
    compiler.stop();
    assert!(matches!(
        waiting.await.unwrap(),
        Some(CompileError::Unavailable(_))
    ));
}

#[tokio::test]
async fn frames_are_bounded_and_whole() {
    let mut wire = Vec::new();
    Frame::new(7, *b"hello").write(&mut wire).await.unwrap();
    let frame = Frame::read(&mut wire.as_slice(), 5).await.unwrap().unwrap();
    assert_eq!(
        (frame.kind, frame.bytes.as_slice()),
        (7, b"hello".as_slice())
    );
    let request = Frame::request(Tier::Script, LIMITS, b"component");
    assert_eq!(request.asked(), Some((LIMITS, b"component".as_slice())));
    assert!(Frame::new(0, *b"too short").asked().is_none());
    assert!(
        Frame::read(&mut [].as_slice(), 5).await.unwrap().is_none(),
        "the end"
    );
    assert!(
        Frame::read(&mut wire.as_slice(), 4).await.is_err(),
        "too long"
    );
    for length in 1..wire.len() {
        let Some(mut part) = wire.get(..length) else {
            panic!("it is that long")
        };
        assert!(
            Frame::read(&mut part, 5).await.is_err(),
            "{length} bytes of it"
        );
    }
}

/// A change to a file; the second path is elsewhere.
type Change = fn(&Path, &Path);

const DIGEST: &str = "sha256:0123";
const LIMITS: CompileLimits = CompileLimits {
    address_space: 4 << 30,
    cpu: 60,
};
