//! The keys that had another name in an earlier version. Such a key is refused with its new name.

/// Returns the new name of a key that was renamed.
///
/// `key` is a whole path, such as `components.orders.approve_changes`.
pub(super) fn now(key: &str) -> Option<String> {
    RENAMED.iter().find_map(|(old, new)| renamed(key, old, new))
}

fn renamed(key: &str, old: &str, new: &str) -> Option<String> {
    let Some((before, after)) = old.split_once(ANY) else {
        return (key == old).then(|| new.to_owned());
    };
    // The name of a component may contain dots, so the path cannot be compared part by part.
    let name = key.strip_prefix(before)?.strip_suffix(after)?;
    (!name.is_empty()).then(|| new.replace(ANY, name))
}

/// Stands for one name that the operator chooses, such as a component's.
const ANY: &str = "*";

/// Renamed keys, old and new.
pub(super) const RENAMED: &[(&str, &str)] = &[
    ("server.approvals", "server.accepted"),
    ("server.approve_changes", "server.require_acceptance"),
    (
        "components.*.approve_changes",
        "components.*.require_acceptance",
    ),
];
