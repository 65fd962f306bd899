//! Secrets, and folders that are the host's alone.

use super::*;

#[test]
fn a_secret_is_refused_if_everyone_may_read_it() {
    let place = Place::new();
    mode(&place.at(""), 0o755);
    let (folder, file) = (place.folder("etc", 0o755), place.file("etc/secret", 0o644));
    // The folder of temporary files decides whether everyone can reach it.
    let reached = folder
        .ancestors()
        .skip(1)
        .all(|above| fs::metadata(above).unwrap().mode() & 0o001 != 0);
    assert_eq!(
        who(read_secret(&file, 5, &no_one())),
        reached.then_some(Others::ReadByAll)
    );
    assert_eq!(
        who(read_secret(&file, 5, &no_one().and_folder(&folder))),
        None
    );
    mode(&folder, 0o750);
    assert_eq!(
        who(read_secret(&file, 5, &no_one())),
        None,
        "no one else comes into the folder"
    );
    mode(&folder, 0o755);
    mode(&file, 0o640);
    assert_eq!(who(read_secret(&file, 5, &no_one())), None);
    mode(&file, 0o602);
    assert_eq!(who(read_secret(&file, 5, &no_one())), Some(Others::All));
}

#[test]
fn what_is_private_is_made_so_and_refused_if_others_have_any_access() {
    let place = Place::new();
    let keys = place.at("deep/keys");
    private_folder(&keys, &no_one()).unwrap();
    assert_eq!(
        fs::metadata(&keys).unwrap().permissions().mode() & 0o7777,
        0o700
    );
    let key = place.file("deep/keys/key", 0o600);
    assert_eq!(read_private(&key, 5, &no_one()).unwrap(), b"12345");
    for open in [0o604, 0o601, 0o640, 0o620] {
        mode(&key, open);
        assert!(who(read_private(&key, 5, &no_one())).is_some(), "{open:o}");
        mode(&keys, open | 0o700);
        assert!(who(private_folder(&keys, &no_one())).is_some(), "{open:o}");
        mode(&keys, 0o700);
    }
}

#[test]
fn a_folder_whose_contents_are_not_believed_is_closed_unless_the_way_or_the_owner_is_wrong() {
    let place = Place::new();
    let (outer, audit) = (
        place.folder("outer", 0o755),
        place.folder("outer/audit", 0o777),
    );
    closed_folder(&audit, &no_one()).unwrap();
    assert_eq!(
        fs::metadata(&audit).unwrap().permissions().mode() & 0o7777,
        0o700
    );
    mode(&outer, 0o777);
    assert_eq!(
        who(closed_folder(&audit, &no_one())),
        Some(Others::AllAbove)
    );
    mode(&outer, 0o755);
    if is_root() {
        chown(&audit, Some(12345), None).unwrap();
        assert_eq!(
            who(closed_folder(&audit, &no_one())),
            Some(Others::Owner(12345))
        );
    }
}
