//! Settling: a file that is being written is left alone, and holds up no other.
//!
//! Invariant: a difference counts only once further looks agree on it. A file that goes on changing
//! in place has to be quiet for longer. A folder that replaces another counts together with its
//! content, so nothing is missing while it moves.
//!
//! Example: a copy into `orders.wasm` changes the file at every look. Ten looks after the last
//! change, the file counts, and only then is it loaded.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::app::look::{Look, Stamp};

/// The files that changed lately.
pub(super) struct Settling {
    last: Look,
    settings: Waits<PathBuf>,
    tools: Waits<String>,
    folder: u32,
}

/// The number of further looks that must agree, for each file.
type Waits<K> = BTreeMap<K, u32>;

impl Settling {
    /// Begins with a look at files that are taken to be settled.
    pub(super) fn new(first: Look) -> Self {
        Self {
            last: first,
            settings: Waits::new(),
            tools: Waits::new(),
            folder: 0,
        }
    }

    /// Takes a new look at the files, and returns what has settled. The rest looks as it was
    /// `seen`.
    pub(super) fn take(&mut self, now: Look, seen: &Look) -> Look {
        let of_settings = |look: &Look, path: &PathBuf| look.settings.get(path).copied().flatten();
        compare(
            &mut self.settings,
            [&self.last, &now],
            |look| look.settings.keys(),
            of_settings,
        );
        compare(
            &mut self.tools,
            [&self.last, &now],
            |look| look.tools.keys(),
            |look, name| look.tools.get(name).copied(),
        );
        self.folder = if now.folder == self.last.folder {
            self.folder.saturating_sub(1)
        } else {
            QUIET
        };
        self.last = now;
        self.view(seen)
    }

    /// Returns true if the file of this component has not settled.
    pub(super) fn moves(&self, name: &str) -> bool {
        self.tools.contains_key(name)
    }

    fn view(&self, seen: &Look) -> Look {
        // Settings are read together, so they settle together. Components are read after them.
        if !self.settings.is_empty() {
            return seen.clone();
        }
        let mut view = self.last.clone();
        // A component that is missing in another folder is not removed until that folder has
        // settled with all of its content.
        if self.last.is_elsewhere(seen) && (self.folder > 0 || !self.tools.is_empty()) {
            view.folder.clone_from(&seen.folder);
            view.tools.clone_from(&seen.tools);
            return view;
        }
        for name in self.tools.keys() {
            match seen.tools.get(name) {
                Some(stamp) => view.tools.insert(name.clone(), *stamp),
                None => view.tools.remove(name),
            };
        }
        if self.folder > 0 {
            view.folder.clone_from(&seen.folder);
        }
        view
    }
}

fn compare<'l, K: Ord + Clone + 'l, I: Iterator<Item = &'l K>>(
    waits: &mut Waits<K>,
    [last, now]: [&'l Look; 2],
    keys: impl Fn(&'l Look) -> I,
    stamp: impl Fn(&Look, &K) -> Option<Stamp>,
) {
    waits.retain(|key, left| {
        let rests = stamp(last, key) == stamp(now, key);
        *left = left.saturating_sub(u32::from(rests));
        *left > 0
    });
    for key in keys(last).chain(keys(now)) {
        let (before, after) = (stamp(last, key), stamp(now, key));
        if before != after {
            let in_place = before
                .zip(after)
                .is_some_and(|(before, after)| before.is_same_file(&after));
            let again = in_place && waits.contains_key(key);
            waits.insert(key.clone(), if again { RESTLESS } else { QUIET });
        }
    }
}

/// The further looks that have to agree on a change.
const QUIET: u32 = 2;
/// The same for a file that was being written from one look to the next.
const RESTLESS: u32 = 10;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{self, Write as _};
    use std::path::Path;

    use super::*;
    use crate::app::look::Choice;

    fn look(folder: &Path) -> Look {
        Look::now(
            std::iter::once(folder.join("settings")),
            folder,
            &Choice::all(),
        )
    }

    /// Returns the number of looks that change nothing before one does as `wanted`.
    fn looks(
        settling: &mut Settling,
        seen: &Look,
        folder: &Path,
        wanted: impl Fn(&Look) -> bool,
    ) -> Option<u32> {
        (0..20).find(|_| wanted(&settling.take(look(folder), seen)))
    }

    fn append(path: &Path, text: &str) -> io::Result<()> {
        fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)?
            .write_all(text.as_bytes())
    }

    #[test]
    fn a_new_file_counts_once_further_looks_agree() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let seen = look(folder.path());
        let mut settling = Settling::new(seen.clone());
        fs::write(folder.path().join("a.wasm"), "a")?;
        assert_eq!(
            looks(&mut settling, &seen, folder.path(), |view| view
                .tools
                .contains_key("a")),
            Some(QUIET)
        );
        Ok(())
    }

    #[test]
    fn a_file_that_grows_holds_up_no_other_and_counts_once_it_is_quiet() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let seen = look(folder.path());
        let mut settling = Settling::new(seen.clone());
        for step in 0..20_u32 {
            append(&folder.path().join("slow.wasm"), "x")?;
            if step == 10 {
                fs::write(folder.path().join("quick.wasm"), "q")?;
            }
            let view = settling.take(look(folder.path()), &seen);
            assert!(!view.tools.contains_key("slow"), "taken while it grows");
            assert_eq!(
                view.tools.contains_key("quick"),
                step >= 10 + QUIET,
                "look {step}"
            );
        }
        let counts = looks(&mut settling, &seen, folder.path(), |view| {
            view.tools.contains_key("slow")
        });
        assert_eq!(counts, Some(RESTLESS - 1), "looks until it counts");
        Ok(())
    }

    #[test]
    fn a_file_that_is_replaced_again_and_again_counts_as_soon_as_it_rests() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let seen = look(folder.path());
        let mut settling = Settling::new(seen.clone());
        for text in ["a", "b", "a", "b"] {
            fs::write(folder.path().join("new"), text)?;
            fs::rename(folder.path().join("new"), folder.path().join("x.wasm"))?;
            assert_eq!(settling.take(look(folder.path()), &seen), seen);
        }
        let counts = looks(&mut settling, &seen, folder.path(), |view| {
            view.tools.contains_key("x")
        });
        assert_eq!(counts, Some(QUIET - 1), "looks until it counts");
        Ok(())
    }

    #[test]
    fn a_setting_that_moves_holds_up_everything() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let seen = look(folder.path());
        let mut settling = Settling::new(seen.clone());
        fs::write(folder.path().join("a.wasm"), "a")?;
        for text in ["1", "12"] {
            fs::write(folder.path().join("settings"), text)?;
            assert_eq!(settling.take(look(folder.path()), &seen), seen);
        }
        let now = look(folder.path());
        let counts = looks(&mut settling, &seen, folder.path(), |view| *view == now);
        assert_eq!(counts, Some(RESTLESS - 1), "looks until both count");
        Ok(())
    }

    #[test]
    fn a_folder_in_the_place_of_another_counts_together_with_what_is_in_it() -> io::Result<()> {
        let place = tempfile::tempdir()?;
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("tools"))?;
        fs::write(at("tools/a.wasm"), "a")?;
        let seen = look(&at("tools"));
        let mut settling = Settling::new(seen.clone());
        let mut take = |count: usize| {
            (0..count)
                .map(|_| settling.take(look(&at("tools")), &seen))
                .collect::<Vec<_>>()
        };
        fs::rename(at("tools"), at("away"))?;
        assert!(
            take(2).iter().all(|view| *view == seen),
            "gone for a moment"
        );
        fs::create_dir(at("tools"))?;
        assert!(
            take(2).iter().all(|view| *view == seen),
            "an empty one in its place"
        );
        for step in 0..10_u32 {
            append(&at("tools/b.wasm"), "b")?;
            assert!(
                take(1).iter().all(|view| *view == seen),
                "filled slowly, look {step}"
            );
        }
        fs::remove_dir_all(at("tools"))?;
        fs::rename(at("away"), at("tools"))?;
        assert!(take(12).iter().all(|view| *view == seen), "back");
        fs::rename(at("tools"), at("away"))?;
        fs::create_dir(at("tools"))?;
        fs::write(at("tools/b.wasm"), "b")?;
        assert_eq!(
            take(2),
            [seen.clone(), seen.clone()],
            "another one, filled at once"
        );
        assert_eq!(
            take(1).pop().map(|view| view.tools.into_keys().collect()),
            Some(vec!["b".to_owned()])
        );
        Ok(())
    }

    #[test]
    fn what_is_removed_counts_as_removed() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("a.wasm"), "a")?;
        let seen = look(folder.path());
        let mut settling = Settling::new(seen.clone());
        fs::remove_file(folder.path().join("a.wasm"))?;
        assert_eq!(
            looks(&mut settling, &seen, folder.path(), |view| view
                .tools
                .is_empty()),
            Some(QUIET)
        );
        Ok(())
    }
}
