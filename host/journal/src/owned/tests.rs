//! Files and folders that count as the operator's own, and those that do not.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod private;

use std::os::unix::fs::{chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use rustix::fs::{CWD, FileType, mknodat};

use super::*;

/// A folder that only this user can reach, with its real path.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    /// Makes a folder of that mode.
    fn folder(&self, name: &str, of: u32) -> PathBuf {
        fs::create_dir_all(self.at(name)).unwrap();
        mode(&self.at(name), of);
        self.at(name)
    }

    /// Makes a file of that mode.
    fn file(&self, name: &str, of: u32) -> PathBuf {
        fs::write(self.at(name), "12345").unwrap();
        mode(&self.at(name), of);
        self.at(name)
    }

    fn link(&self, name: &str, to: &str) -> PathBuf {
        symlink(to, self.at(name)).unwrap();
        self.at(name)
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn no_one() -> Trust {
    Trust::default()
}

fn who(result: Result<impl Sized, OwnedError>) -> Option<Others> {
    match result {
        Ok(_) => None,
        Err(OwnedError::Open(open) | OwnedError::LinkToOpen(open)) => Some(open.others),
        Err(other) => panic!("{other}"),
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn what_is_not_a_regular_file_is_refused_and_never_waited_for() {
    let place = Place::new();
    place.folder("folder", 0o700);
    mknodat(CWD, place.at("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let _socket = UnixListener::bind(place.at("socket")).unwrap();
    for name in ["folder", "pipe", "socket"] {
        assert!(
            matches!(
                read(&place.at(name), 10, &no_one()),
                Err(OwnedError::NotAFile)
            ),
            "{name}"
        );
        let link = place.link(&format!("to-{name}"), name);
        assert!(
            matches!(read(&link, 10, &no_one()), Err(OwnedError::LinkToNoFile)),
            "{name}"
        );
    }
    assert!(matches!(
        read(&place.link("device", "/dev/zero"), 10, &no_one()),
        Err(OwnedError::LinkToNoFile)
    ));
    assert!(matches!(
        read(Path::new("/dev/zero"), 10, &no_one()),
        Err(OwnedError::NotAFile)
    ));
    assert!(matches!(
        read(&place.link("round", "round"), 10, &no_one()),
        Err(OwnedError::Links)
    ));
    assert!(matches!(
        read(&place.link("nowhere", "absent"), 10, &no_one()),
        Err(OwnedError::Read(_))
    ));
    assert!(matches!(
        read(&place.at("absent"), 10, &no_one()),
        Err(OwnedError::Read(_))
    ));
    assert!(matches!(
        folder(&place.file("file", 0o600), &no_one()),
        Err(OwnedError::NotAFolder)
    ));
}

#[test]
fn a_file_is_read_only_if_no_one_else_can_have_written_it() {
    let place = Place::new();
    for (open, good) in [
        (0o600, true),
        (0o644, true),
        (0o444, true),
        (0o664, false),
        (0o606, false),
    ] {
        let file = place.file("file", open);
        assert_eq!(read(&file, 5, &no_one()).is_ok(), good, "{open:o}");
    }
    let file = place.file("file", 0o600);
    assert!(matches!(
        read(&file, 4, &no_one()),
        Err(OwnedError::TooLarge(4))
    ));
    mode(&file, 0o000);
    assert_eq!(
        read(&file, 5, &no_one()).is_ok(),
        is_root(),
        "without permission only root reads"
    );
    if is_root() {
        chown(&file, Some(12345), None).unwrap();
        assert_eq!(who(read(&file, 5, &no_one())), Some(Others::Owner(12345)));
        let trust = Trust {
            users: [12345].into(),
            ..no_one()
        };
        assert_eq!(read(&file, 5, &trust).unwrap(), b"12345");
    }
}

#[test]
fn a_folder_is_used_only_if_no_one_else_can_replace_it_or_what_is_in_it() {
    let place = Place::new();
    let (outer, tools) = (
        place.folder("outer", 0o700),
        place.folder("outer/tools", 0o700),
    );
    let linked = place.link("linked", "outer/tools");
    for (of_outer, of_tools, expected) in [
        (0o755, 0o700, None),
        (0o1777, 0o755, None),
        (0o777, 0o700, Some((&outer, Others::AllAbove))),
        (0o757, 0o700, Some((&outer, Others::AllAbove))),
        (0o755, 0o777, Some((&tools, Others::All))),
        (0o755, 0o1777, Some((&tools, Others::All))),
    ] {
        mode(&outer, of_outer);
        mode(&tools, of_tools);
        let expected = expected.map(|(path, others)| (path.clone(), others));
        for path in [&tools, &linked] {
            let found = match folder(path, &no_one()) {
                Ok(()) => None,
                Err(OwnedError::Open(open) | OwnedError::LinkToOpen(open)) => {
                    Some((open.path, open.others))
                }
                Err(other) => panic!("{other}"),
            };
            assert_eq!(
                found,
                expected,
                "{of_outer:o} {of_tools:o} {}",
                path.display()
            );
        }
    }
    mode(&tools, 0o775);
    assert!(matches!(
        who(folder(&tools, &no_one())),
        Some(Others::Group(_))
    ));
    assert!(folder(&place.at("absent"), &no_one()).is_err());
}

/// Lays out a volume with configuration as an orchestrator does: `name -> ..data/name`,
/// `..data -> ..DATE`.
fn volume(place: &Place, root: u32) -> PathBuf {
    place.folder("volume", root);
    place.folder("volume/..2026", 0o755);
    place.file("volume/..2026/a.wasm", 0o644);
    place.link("volume/..data", "..2026");
    place.link("volume/a.wasm", "..data/a.wasm")
}

#[test]
fn links_are_followed_where_no_one_else_can_make_them_lead_elsewhere() {
    let place = Place::new();
    let file = volume(&place, 0o755);
    assert_eq!(read(&file, 5, &no_one()).unwrap(), b"12345");
    mode(&place.at("volume/..2026"), 0o777);
    assert_eq!(who(read(&file, 5, &no_one())), Some(Others::AllAbove));
    mode(&place.at("volume/..2026"), 0o755);
    mode(&place.at("volume/..2026/a.wasm"), 0o666);
    let said = read(&file, 5, &no_one()).unwrap_err().to_string();
    assert!(
        said.starts_with("it is a symbolic link, and ") && said.contains("run: chmod go-w"),
        "{said}"
    );
    mode(&place.at("volume/..2026/a.wasm"), 0o644);
    if is_root() {
        // In a sticky folder anyone may leave a link.
        mode(&place.at("volume"), 0o1777);
        std::os::unix::fs::lchown(place.at("volume/..data"), Some(12345), None).unwrap();
        assert_eq!(who(read(&file, 5, &no_one())), Some(Others::Owner(12345)));
    }
}

#[test]
fn a_folder_that_the_operator_answers_for_is_taken_and_what_is_in_it_is_checked() {
    let place = Place::new();
    let file = volume(&place, 0o777);
    place.folder("elsewhere", 0o777);
    place.file("elsewhere/b.wasm", 0o644);
    let volume = place.at("volume");
    assert_eq!(who(read(&file, 5, &no_one())), Some(Others::AllAbove));
    let trust = no_one().and_folder(&volume);
    assert_eq!(read(&file, 5, &trust).unwrap(), b"12345");
    assert!(folder(&volume, &trust).is_ok());
    let out = place.link("volume/b.wasm", "../elsewhere/b.wasm");
    assert_eq!(
        who(read(&out, 5, &trust)),
        Some(Others::AllAbove),
        "a link out of it"
    );
    let into = place.link("elsewhere/a.wasm", "../volume/a.wasm");
    assert_eq!(
        who(read(&into, 5, &trust)),
        Some(Others::AllAbove),
        "a link into it"
    );
    mode(&place.at("volume/..2026/a.wasm"), 0o666);
    assert_eq!(
        who(read(&file, 5, &trust)),
        Some(Others::All),
        "a file in it"
    );
    mode(&place.at("volume/..2026/a.wasm"), 0o644);
    mode(&place.at("volume/..2026"), 0o777);
    assert_eq!(
        who(read(&file, 5, &trust)),
        Some(Others::AllAbove),
        "a folder in it"
    );
}

#[test]
fn a_group_may_write_only_where_the_operator_trusts_it() {
    if !is_root() {
        return;
    }
    let place = Place::new();
    let (tools, file) = (
        place.folder("tools", 0o2770),
        place.file("tools/a.wasm", 0o660),
    );
    let (above, keys) = (
        place.folder("above", 0o2775),
        place.folder("above/keys", 0o2770),
    );
    for path in [&tools, &file, &above, &keys] {
        chown(path, None, Some(4711)).unwrap();
    }
    // Changing the group clears that bit.
    mode(&tools, 0o2770);
    assert_eq!(who(folder(&tools, &no_one())), Some(Others::Group(4711)));
    assert_eq!(
        who(read(
            &file,
            5,
            &Trust {
                users: [4711].into(),
                ..no_one()
            }
        )),
        Some(Others::Group(4711))
    );
    assert_eq!(
        who(private_folder(&keys, &no_one())),
        Some(Others::Group(4711))
    );
    let trust = Trust {
        groups: [4711].into(),
        ..no_one()
    };
    assert_eq!(who(folder(&tools, &trust)), None);
    assert_eq!(who(read(&file, 5, &trust)), None);
    assert_eq!(who(private_folder(&keys, &trust)), None);
    mode(&keys, 0o2771);
    assert_eq!(who(private_folder(&keys, &trust)), Some(Others::Touch));
    chown(&above, Some(12345), None).unwrap();
    mode(&keys, 0o2770);
    assert_eq!(
        who(private_folder(&keys, &trust)),
        Some(Others::Owner(12345)),
        "a folder above"
    );
}

#[test]
fn the_cause_names_the_path_and_what_mends_it() {
    let open = |others, read_only| {
        Open {
            path: "/srv/tools".into(),
            others,
            read_only,
        }
        .to_string()
    };
    for (others, mend) in [
        (
            Others::Owner(1000),
            "run: chown it to this user or root; or trust that user: server.trusted_users = [1000]",
        ),
        (
            Others::Group(5),
            "run: chmod g-w /srv/tools; or trust that group: server.trusted_groups = [5]",
        ),
        (
            Others::All,
            "run: chmod go-w /srv/tools; or name the folder in server.trusted_folders",
        ),
        (
            Others::ReadByAll,
            "run: chmod o-r /srv/tools; or name the folder",
        ),
        (
            Others::Touch,
            "run: chmod go= /srv/tools; or name the folder",
        ),
    ] {
        let said = open(others, false);
        assert!(
            said.starts_with("/srv/tools ") && said.contains(mend),
            "{said}"
        );
        let said = open(others, true);
        assert!(
            !said.contains("chmod") && said.contains("read only here"),
            "{said}"
        );
    }
}

#[test]
fn a_file_is_replaced_whole_whatever_lies_beside_it() {
    let place = Place::new();
    let path = place.at("list");
    for text in ["one", "two"] {
        // A process that was killed left this, open to all.
        fs::write(place.at("list.new"), "half").unwrap();
        mode(&place.at("list.new"), 0o666);
        replace(&path, text.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o022, 0);
        assert!(!place.at("list.new").exists());
    }
    let folder = place.at("list.new");
    fs::create_dir(&folder).unwrap();
    assert!(replace(&path, b"three").is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "two");
}
