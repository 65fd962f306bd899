//! A journal that is changed without any key while the host is down: the next start signs none of
//! it.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::journal::text;
use bailiwick_tests::{Remains, World, count, ensure_eq};
use serde_json::Value;

/// Copies the files of one folder to another, which is emptied.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        fs::copy(&path, to.join(path.file_name().context("a name")?))?;
    }
    Ok(())
}

fn segments(audit: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(audit)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("journal-") && name.ends_with(".jsonl") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn rewrite(audit: &Path, change: impl Fn(&str) -> Result<String>) -> Result<()> {
    for segment in segments(audit)? {
        fs::write(&segment, change(&fs::read_to_string(&segment)?)?)?;
    }
    Ok(())
}

fn without_checkpoints(audit: &Path) -> Result<()> {
    fs::remove_file(audit.join("checkpoint"))?;
    Ok(fs::remove_file(audit.join("checkpoints.jsonl"))?)
}

fn list(audit: &Path) -> Result<Vec<String>> {
    Ok(fs::read_to_string(audit.join("checkpoints.jsonl"))?
        .split_inclusive('\n')
        .map(str::to_owned)
        .collect())
}

/// Returns the text without the lines of one call. What follows is renumbered, batches too; `gone`
/// counts the lines over all segments.
fn without_call(text: &str, call: &str, gone: &Cell<u64>) -> Result<String> {
    let (mut out, mut first, mut in_batch) = (String::new(), 0, 0);
    for line in text.lines() {
        let value: Value = serde_json::from_str(line)?;
        let rest = line.split_once(',').context("one member")?.1;
        if let Some(seq) = value.get("seq").and_then(Value::as_u64) {
            if value.get("call").and_then(Value::as_str) == Some(call) {
                gone.set(gone.get() + 1);
                continue;
            }
            let seq = seq - gone.get();
            first = if in_batch == 0 { seq } else { first };
            in_batch += 1;
            writeln!(out, "{{\"seq\":{seq},{rest}")?;
        } else if in_batch > 0 {
            let mac = value.get("mac").context("no mac")?;
            writeln!(
                out,
                "{{\"batch\":{first},\"records\":{in_batch},\"mac\":{mac}}}"
            )?;
            in_batch = 0;
        }
    }
    Ok(out)
}

/// Checks that a start on the folder's contents is refused with this message, and that nothing is
/// signed.
async fn refuses(remains: &Remains, what: &str, said: &str) -> Result<()> {
    let audit = remains.folder.audit();
    let before = fs::read(audit.join("checkpoints.jsonl")).ok();
    let remembered = || fs::read(memory(&remains.folder.path().join("keys"))).ok();
    let memory_before = remembered();
    let found = remains.refused().await.context(what.to_owned())?;
    ensure!(found.contains(said), "{what}: {found}");
    ensure!(
        fs::read(audit.join("checkpoints.jsonl")).ok() == before,
        "{what}: something was signed"
    );
    ensure!(remembered() == memory_before, "{what}: it was remembered");
    Ok(())
}

fn memory(keys: &Path) -> PathBuf {
    keys.join("journal-test.example%2Faudit.memory")
}

/// A deed against an audit folder.
type Deed = fn(&Path) -> Result<()>;

/// What is done to the folder, and what the host says to it.
fn deeds() -> [(&'static str, Deed, &'static str); 5] {
    [
        (
            "another user in every record, no checkpoints",
            |audit| {
                rewrite(audit, |text| Ok(text.replace("alice", "carol")))?;
                without_checkpoints(audit)
            },
            "is damaged",
        ),
        (
            "the list cut to its first line, everything after that rewritten",
            |audit| {
                let first = list(audit)?.first().context("an empty list")?.clone();
                let entry: Value = serde_json::from_str(&first)?;
                fs::write(audit.join("checkpoint"), text(&entry, "note"))?;
                fs::write(audit.join("checkpoints.jsonl"), first)?;
                rewrite(audit, |text| Ok(text.replace("alice", "carol")))
            },
            "is damaged",
        ),
        (
            "one call taken out and the rest renumbered",
            |audit| {
                let records = bailiwick_dev::journal::read(audit)?;
                let opened = records
                    .iter()
                    .find(|record| text(record, "event") == "call.opened")
                    .context("no call")?;
                let call = text(opened, "call").to_owned();
                let gone = Cell::new(0);
                rewrite(audit, |text| without_call(text, &call, &gone))?;
                without_checkpoints(audit)
            },
            "audit adopt --config FILE",
        ),
        (
            "all moved away",
            |audit| Ok(fs::rename(audit, audit.with_extension("away"))?),
            "--new",
        ),
        (
            "no list",
            |audit| Ok(fs::remove_file(audit.join("checkpoints.jsonl"))?),
            "is damaged",
        ),
    ]
}

#[tokio::test]
async fn a_history_that_does_not_extend_what_was_signed_is_not_signed() -> Result<()> {
    let world = World::start().await?;
    let token = world.token("alice")?;
    for _ in 0..2 {
        ensure!(
            world.order(&token, "A-1001").await?.is_success(),
            "no order"
        );
    }
    let remains = world.stop().await?;
    let (audit, old) = (remains.folder.audit(), remains.folder.path().join("old"));
    copy(&audit, &old)?;
    let kept = old.join("checkpoint").to_string_lossy().into_owned();
    let world = remains.restart().await?;
    ensure!(
        world
            .order(&world.token("alice")?, "A-1001")
            .await?
            .is_success(),
        "no order"
    );
    let remains = world.stop().await?;
    let whole = remains.folder.path().join("whole");
    copy(&audit, &whole)?;

    for (what, deed, said) in deeds() {
        copy(&whole, &audit)?;
        deed(&audit)?;
        refuses(&remains, what, said).await?;
    }
    // An older journal is a good journal too; only a kept checkpoint shows its age without the
    // host.
    copy(&old, &audit)?;
    refuses(&remains, "rolled back", "--checkpoint FILE").await?;
    let (folder, key) = (
        audit.to_string_lossy(),
        old.join("key").to_string_lossy().into_owned(),
    );
    let newest = whole.join("checkpoint").to_string_lossy().into_owned();
    let (content, said) = remains
        .audit(&["verify", &folder, "--key", &key, "--checkpoint", &newest])
        .await?;
    ensure!(
        !content && said.contains("does not extend the kept checkpoint"),
        "{said}"
    );
    // The whole journal goes on.
    copy(&whole, &audit)?;
    let (content, said) = remains
        .audit(&[
            "verify",
            &folder,
            "--key",
            &key,
            "--strict",
            "--checkpoint",
            &kept,
        ])
        .await?;
    ensure!(
        content && said.contains("extends the kept checkpoint"),
        "{said}"
    );
    let remains = remains.restart().await?.stop().await?;
    ensure!(
        remains.verify().await?.0,
        "the whole journal does not verify"
    );
    Ok(())
}

#[tokio::test]
async fn the_operator_adopts_a_journal_by_a_kept_checkpoint_or_begins_a_new_one() -> Result<()> {
    let remains = World::start().await?.stop().await?;
    let (audit, keys) = (remains.folder.audit(), remains.folder.path().join("keys"));
    let config = remains.folder.config().to_string_lossy().into_owned();
    let kept = remains.folder.path().join("kept");
    fs::copy(audit.join("checkpoint"), &kept)?;
    let kept = kept.to_string_lossy().into_owned();
    fs::remove_file(memory(&keys))?;
    let said = remains.refused().await?;
    ensure!(
        said.contains("bailiwick audit adopt --config FILE --checkpoint FILE"),
        "{said}"
    );
    let (adopted, said) = remains
        .audit(&["adopt", "--config", &config, "--checkpoint", &kept])
        .await?;
    ensure!(adopted, "{said}");
    let world = remains.restart().await?;
    ensure_eq(
        count(&world.records()?, "journal.adopted"),
        1,
        "records of the adoption",
    )?;
    let remains = world.stop().await?;

    fs::rename(&audit, audit.with_extension("away"))?;
    let said = remains.refused().await?;
    ensure!(said.contains("this host remembers one of"), "{said}");
    let (begun, said) = remains
        .audit(&["adopt", "--config", &config, "--new"])
        .await?;
    ensure!(begun, "{said}");
    let world = remains.restart().await?;
    let records = world.records()?;
    let first = records.first().context("no record")?;
    ensure_eq(text(first, "event"), "journal.begun", "the first record")?;
    let remembered = first
        .get("previous")
        .and_then(|previous| previous.get("size"));
    ensure!(
        remembered
            .and_then(Value::as_u64)
            .is_some_and(|size| size > 3),
        "{first}"
    );
    ensure!(
        world.stop().await?.verify().await?.0,
        "the new journal does not verify"
    );
    Ok(())
}

#[tokio::test]
async fn neither_a_second_host_nor_a_start_that_fails_leaves_anything_in_the_journal() -> Result<()>
{
    let world = World::start().await?;
    let audit = world.folder.audit();
    fs::remove_file(audit.join("lock"))?;
    let said = world.second_refused().await?;
    ensure!(said.contains("in use by another process"), "{said}");
    // Beside a host that writes, an auditor can be strict.
    let (folder, key) = (
        audit.to_string_lossy(),
        audit.join("key").to_string_lossy().into_owned(),
    );
    world.order(&world.token("alice")?, "A-1001").await?;
    let strict = [
        "verify",
        &folder,
        "--key",
        &key,
        "--strict",
        "--allow-tail",
        "30s",
    ];
    let (content, said) = bailiwick_tests::audit(&strict).await?;
    ensure!(content, "{said}");
    let remains = world.stop().await?;

    let (records, files) = (remains.records()?.len(), segments(&audit)?);
    let checkpoints = list(&audit)?;
    let tools = remains.folder.path().join("tools");
    fs::set_permissions(&tools, fs::Permissions::from_mode(0o777))?;
    for _ in 0..3 {
        remains.refused().await?;
    }
    ensure_eq(remains.records()?.len(), records, "records")?;
    ensure_eq(segments(&audit)?, files, "segments")?;
    ensure_eq(list(&audit)?, checkpoints, "checkpoints")?;
    fs::set_permissions(&tools, fs::Permissions::from_mode(0o700))?;
    if rustix::process::geteuid().is_root() {
        chown(&audit, Some(12345), None)?;
        let said = remains.refused().await?;
        ensure!(said.contains("12345"), "{said}");
        chown(&audit, Some(0), None)?;
    }
    remains.restart().await?.stop().await?;
    Ok(())
}
