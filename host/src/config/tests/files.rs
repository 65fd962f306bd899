//! Which files and folders a configuration may name.

use super::*;

#[test]
fn files_that_others_could_have_written_are_refused_and_each_is_named() {
    let folder = Folder::new();
    let open = |name: &str, mode: u32| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(folder.0.path().join(name), mode).expect("another mode");
    };
    std::fs::write(folder.0.path().join("jwks.json"), "{}").expect("a key set");
    assert!(folder.load(GOOD).is_ok());
    for name in ["bailiwick.toml", "secret", "jwks.json"] {
        open(name, 0o666);
        let error = folder.load(GOOD).err().unwrap_or_default();
        assert!(
            error.contains(&format!(
                "{name} may be changed by other users; run: chmod go-w"
            )),
            "{name}: {error}"
        );
        open(name, 0o600);
    }
    assert!(folder.load(GOOD).is_ok());
}

#[test]
fn what_the_operator_trusts_is_read_and_relied_on() {
    let folder = Folder::new();
    let trusting = "[server]\ntrusted_users = [1000]\ntrusted_groups = [0, 2_000]\ntrusted_folders = [\"tools\"]\n";
    let config = folder
        .load(&GOOD.replacen("[server]\n", trusting, 1))
        .unwrap_or_else(|errors| panic!("{errors}"));
    let trust = &config.server.trust;
    assert_eq!((trust.users.len(), trust.groups.len()), (1, 2));
    assert_eq!(trust.folders, [folder.0.path().join("tools")]);
    assert_eq!(config.terms().of("orders").trust, *trust);
}

#[test]
fn folders_that_overlap_past_a_link_are_found_before_they_are_made() {
    let folder = Folder::new();
    let tools = folder.0.path().join("tools");
    std::fs::create_dir(&tools).expect("a tools folder");
    std::os::unix::fs::symlink(&tools, folder.0.path().join("elsewhere")).expect("a link");
    for (key, told) in [
        (
            "accepted = \"elsewhere/accepted.json\"",
            "server.accepted lies in server.tools",
        ),
        (
            "cache = \"elsewhere/cache/deep\"",
            "server.tools and server.cache overlap",
        ),
    ] {
        let text = GOOD.replacen("tools = \"tools\"", &format!("tools = \"tools\"\n{key}"), 1);
        let said = folder.load(&text).err().unwrap_or_default();
        assert!(said.contains(told), "{key}: {said}");
    }
}
