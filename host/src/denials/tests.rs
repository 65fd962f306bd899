#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::slice;

use bailiwick_envelope::PriorActor;
use tempfile::TempDir;

use super::*;
use crate::owned::Trust;

const CORP: &str = "https://idp.corp.example";
const AGENTS: &str = "https://agents.example";
const PARTNER: &str = "https://idp.partner.example";
const DESKS: &str = "https://desks.example";
const CODE: &str = "sha256:00000000000000000000000000000000000000000000000000000000000000aa";

struct At(u64);

impl Clock for At {
    fn now_ms(&self) -> u64 {
        self.0
    }
}

fn denial(of: DenialOf, issuer: Option<&str>, name: &str) -> Denial {
    Denial {
        id: "d1".into(),
        of,
        issuer: issuer.map(String::from),
        name: name.into(),
        reason: "a test".into(),
        added: 0,
        until: None,
    }
}

fn list(serial: u64, denials: &[Denial]) -> DenialList {
    DenialList {
        serial,
        denials: denials.to_vec(),
    }
}

/// Alice of the tenant acme, through the agent `clerk` that acts for `desk`, with a tool.
fn alice(prior: &[PriorActor]) -> Requester<'_> {
    Requester {
        issuer: CORP,
        subject: "alice",
        tenant: Some("acme"),
        agent: "clerk",
        agent_issuer: Some(AGENTS),
        prior,
        client: "app",
        tool: Some("get_order"),
        component: Some(CODE),
    }
}

fn stops(denial: &Denial, asking: &Requester<'_>, now_ms: u64) -> bool {
    let denials = Denials::none(Arc::new(At(now_ms)));
    denials.adopt([&list(1, slice::from_ref(denial))]);
    let stop = denials.stop(asking);
    stop.is_some_and(|stop| stop.id() == Some(&denial.id))
}

#[test]
fn a_denial_stops_exactly_what_it_names() {
    use DenialOf::{Agent, Client, Component, Subject, Tenant, Tool};
    let desk = [PriorActor {
        sub: "desk".into(),
        iss: Some(DESKS.into()),
    }];
    for (of, issuer, name, expected) in [
        (Subject, Some(CORP), "alice", true),
        (Subject, Some(PARTNER), "alice", false),
        (Subject, Some(CORP), "Alice", false),
        (Subject, Some(CORP), "clerk", false),
        (Agent, None, "clerk", true),
        (Agent, None, "desk", true),
        (Agent, Some(CORP), "clerk", true),
        (Agent, Some(AGENTS), "clerk", true),
        (Agent, Some(DESKS), "clerk", false),
        (Agent, Some(PARTNER), "clerk", false),
        (Agent, Some(CORP), "desk", true),
        (Agent, Some(DESKS), "desk", true),
        (Agent, Some(AGENTS), "desk", false),
        (Agent, Some(PARTNER), "desk", false),
        (Agent, None, "app", false),
        (Subject, Some(AGENTS), "alice", false),
        (Client, Some(AGENTS), "app", false),
        (Tenant, Some(AGENTS), "acme", false),
        (Client, None, "app", true),
        (Client, Some(CORP), "app", true),
        (Client, None, "clerk", false),
        (Tenant, None, "acme", true),
        (Tenant, Some(PARTNER), "acme", false),
        (Tool, None, "get_order", true),
        (Tool, None, "get_orders", false),
        (Component, None, CODE, true),
    ] {
        let one = denial(of, issuer, name);
        assert_eq!(stops(&one, &alice(&desk), 0), expected, "{one}");
        assert_eq!(one.covers(&alice(&desk)), expected, "{one}");
    }
    let nobody = Requester {
        tenant: None,
        tool: None,
        component: None,
        ..alice(&[])
    };
    for (of, name) in [
        (Tenant, "acme"),
        (Tool, "get_order"),
        (Component, CODE),
        (Agent, "desk"),
    ] {
        assert!(!stops(&denial(of, None, name), &nobody, 0), "{of}");
    }
}

#[test]
fn a_denial_ends_at_its_time_and_comes_back_if_the_clock_does() {
    let one = Denial {
        until: Some(5_000),
        ..denial(DenialOf::Subject, Some(CORP), "alice")
    };
    for (now_ms, expected) in [(0, true), (4_999, true), (5_000, false), (4_000, true)] {
        assert_eq!(stops(&one, &alice(&[]), now_ms), expected, "at {now_ms}");
    }
    // One that has expired hides no other one.
    let denials = Denials::none(Arc::new(At(5_000)));
    let other = Denial {
        id: "d2".into(),
        until: None,
        ..one.clone()
    };
    denials.adopt([&list(1, &[one, other])]);
    assert_eq!(denials.stop(&alice(&[])).unwrap().id(), Some("d2"));
}

#[test]
fn what_is_not_known_stops_everyone() {
    let denials = Denials::unknown(Arc::new(At(0)));
    assert_eq!(denials.stop(&alice(&[])), Some(Stop::Unknown));
    denials.adopt([&DenialList::default()]);
    assert_eq!(denials.stop(&alice(&[])), None);
    denials.forget();
    let stop = denials.stop(&alice(&[])).unwrap();
    assert_eq!(stop.reason(), RefusalReason::DenialsUnavailable);
}

struct Files {
    folder: TempDir,
    file: DenialFile,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = DenialFile::new(
            folder.path().join("denials.json"),
            folder.path(),
            Trust::default(),
        );
        Self { folder, file }
    }

    fn add(&self, name: &str) -> u64 {
        let add = |list: &mut DenialList| {
            list.denials.push(Denial {
                id: format!("d{}", list.serial),
                ..denial(DenialOf::Tool, None, name)
            });
            Ok(list.serial)
        };
        self.file.change(add).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn error(&self) -> String {
        let error = self.file.read(0).unwrap_err();
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", cause.unwrap_or_default())
    }
}

#[test]
fn a_folder_for_the_list_is_made_only_by_the_owner_of_the_hosts_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (memory, place) = (folder.path().join("memory"), folder.path().join("list"));
    fs::create_dir(&memory).unwrap();
    let file = DenialFile::new(place.join("denials.json"), &memory, Trust::default());
    let change = || file.change(|_| Ok(()));
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&memory, Some(12345), None).unwrap();
        let error = change().unwrap_err();
        assert!(
            matches!(error, DenialsError::Owner { owner: 12345, .. }),
            "{error}"
        );
        assert!(!place.exists(), "it is made all the same");
        std::os::unix::fs::chown(&memory, Some(0), None).unwrap();
    }
    change().unwrap();
    assert!(place.join("denials.json").exists());
}

#[test]
fn many_changes_at_once_lose_none() {
    let files = Files::new();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let files = &files;
            scope.spawn(move || {
                for n in 0..8 {
                    files.add(&format!("t{thread}_{n}"));
                }
            });
        }
    });
    let list = files.file.read(0).unwrap();
    assert_eq!((list.serial, list.denials.len()), (64, 64));
}

#[test]
fn a_list_that_is_missing_older_or_changed_by_another_hand_is_not_relied_on() {
    let files = Files::new();
    let path = files.file.path().to_owned();
    assert_eq!(
        files.file.read(0).unwrap(),
        DenialList::default(),
        "there never was one"
    );
    files.add("a");
    let old = fs::read_to_string(&path).unwrap();
    files.add("b");
    let good = fs::read_to_string(&path).unwrap();

    files.write("denials.json", &old);
    assert!(
        files
            .error()
            .contains("change 1, but change 2 was there before")
    );
    fs::remove_file(&path).unwrap();
    assert!(files.error().contains("is missing"));
    // The host's own copy remembers it, too, and so does the running host.
    let last = files.folder.path().join("denials.json.last");
    let number = fs::read(&last).unwrap();
    fs::remove_file(&last).unwrap();
    assert!(files.file.read(0).is_ok() && files.file.read(2).is_err());
    files.file.remember(&list(2, &[])).unwrap();
    assert!(files.error().contains("is missing"));
    fs::write(&last, number).unwrap();

    let twice = good.replace("\"d2\"", "\"d1\"");
    let unknown = good.replace("\"reason\"", "\"why\"");
    let hidden = good.replace("\"a test\"", "\"a\\u202etest\"");
    let forever = good.replace("\"added\": \"1970", "\"added\": \"never");
    for (text, expected) in [
        (&*good.replace('{', ""), "not in the form"),
        ("", "not in the form"),
        ("null", "not in the form"),
        (&*twice, "two of its denials have the id d1"),
        (&*unknown, "not in the form"),
        (&*hidden, "its denial d1 cannot be relied on"),
        (&*forever, "not in the form"),
        (&*" ".repeat((16 << 20) + 1), "larger than"),
    ] {
        files.write("denials.json", text);
        let error = files.error();
        assert!(error.contains(expected), "{error}");
    }
    files.write("denials.json", &good);
    for mode in [0o666, 0o620] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert!(files.error().contains("is refused"), "{mode:o}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(files.file.read(0).unwrap().denials.len(), 2);
    files.write("denials.json.last", "x");
    assert!(files.error().contains("not in the form"));
    assert_eq!(files.file.adopt().unwrap().list.denials.len(), 2);
    assert_eq!(files.file.read(0).unwrap().serial, 3);
}

#[test]
fn what_a_killed_process_leaves_is_in_nobodys_way() {
    let files = Files::new();
    files.write("denials.json.new", "{\"serial\":");
    files.write("denials.json.last.new", "");
    files.write("denials.json.lock", "");
    assert_eq!(files.file.read(0).unwrap(), DenialList::default());
    assert_eq!(files.add("a"), 1);
    // Killed between the list and the number of its change.
    files.write("denials.json.last", "0\n");
    assert_eq!(files.file.read(0).unwrap().serial, 1);
    assert_eq!(files.add("b"), 2);
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let files = Files::new();
    files.add("a");
    let before = fs::read(files.file.path()).unwrap();
    let refused = files.file.change(|list| {
        list.denials.clear();
        Err::<(), _>(DenialsError::Change("no".into()))
    });
    assert!(refused.is_err());
    let too_many = files.file.change(|list| {
        let many = (10..5000).map(|n| Denial {
            id: format!("d{n}"),
            ..denial(DenialOf::Tool, None, "t")
        });
        list.denials.extend(many);
        Ok(())
    });
    assert!(matches!(too_many, Err(DenialsError::List(_))));
    // RFC 3339 has no year 10000.
    let unreadable = files.file.change(|list| {
        let until = Some(253_402_300_800_000);
        list.denials.iter_mut().for_each(|one| one.until = until);
        Ok(())
    });
    assert!(matches!(unreadable, Err(DenialsError::List(_))));
    assert_eq!(fs::read(files.file.path()).unwrap(), before);
}

#[test]
fn the_difference_of_two_lists_is_what_came_and_what_went() {
    let [a, b] = ["a", "b"].map(|name| denial(DenialOf::Tool, None, name));
    let changes = list(1, slice::from_ref(&a)).changes_to(&list(2, slice::from_ref(&b)));
    assert_eq!((changes.added, changes.lifted), (vec![b], vec![a.clone()]));
    // An entry that is another one under the same id came and went.
    let mut changed = a.clone();
    changed.until = Some(1);
    let unchanged = Denial {
        id: "d2".into(),
        ..a.clone()
    };
    let old = list(1, &[a.clone(), unchanged.clone()]);
    let new = list(2, &[unchanged, changed.clone()]);
    let changes = old.changes_to(&new);
    assert_eq!((changes.added, changes.lifted), (vec![changed], vec![a]));
}
