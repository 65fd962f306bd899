//! Output for people: plain lines, with colour on a terminal.

use std::io::{IsTerminal as _, Stdout, Write as _, stdout};

use crate::terminal::shown;

/// Prints the story, and remembers whether every check held.
pub(crate) struct Teller {
    out: Stdout,
    colour: bool,
    failed: u32,
    passed: u32,
}

/// The ANSI colours of an output.
#[derive(Clone, Copy)]
pub(crate) enum Paint {
    Bold,
    Dim,
    Green,
    Red,
}

impl Teller {
    /// Uses colour on a terminal or with `CLICOLOR_FORCE`, never with `NO_COLOR`.
    pub(crate) fn from_environment() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let forced =
            set("CLICOLOR_FORCE") && std::env::var_os("CLICOLOR_FORCE") != Some("0".into());
        let out = stdout();
        Self {
            colour: !set("NO_COLOR") && (forced || out.is_terminal()),
            out,
            failed: 0,
            passed: 0,
        }
    }

    /// Prints the heading of a part.
    pub(crate) fn heading(&mut self, text: &str) {
        let text = self.paint(Paint::Bold, text);
        self.write(&format!("\n{text}"));
    }

    /// Prints a step, and what it expects.
    pub(crate) fn step(&mut self, title: &str, expectation: &str) {
        let expectation = self.paint(Paint::Dim, expectation);
        self.write(&format!(
            "\n  {}\n    expected: {expectation}",
            shown(title)
        ));
    }

    /// Prints whether a check held, with the evidence.
    pub(crate) fn check(&mut self, what: &str, held: bool, seen: &str) {
        let mark = if held {
            self.passed += 1;
            self.paint(Paint::Green, "✓")
        } else {
            self.failed += 1;
            self.paint(Paint::Red, "✗")
        };
        let seen = if seen.is_empty() {
            String::new()
        } else {
            self.paint(Paint::Dim, &format!(" ({seen})"))
        };
        self.write(&format!("    {mark} {}{seen}", shown(what)));
    }

    /// Prints a remark.
    pub(crate) fn aside(&mut self, text: &str) {
        let text = self.paint(Paint::Dim, text);
        self.write(&format!("    {text}"));
    }

    /// Prints text as it is.
    pub(crate) fn lines(&mut self, text: &str) {
        self.write(&shown(text));
    }

    fn write(&mut self, text: &str) {
        let text = text.trim_end();
        if !text.is_empty() {
            // The output may be closed; the story goes on.
            let _unheard = writeln!(self.out, "{text}");
        }
    }

    /// Prints the last line.
    pub(crate) fn verdict(&mut self) {
        let text = format!(
            "{} of {} checks held",
            self.passed,
            self.passed + self.failed
        );
        let paint = if self.all_well() {
            Paint::Green
        } else {
            Paint::Red
        };
        let text = self.paint(paint, &text);
        self.write(&format!("\n{text}"));
    }

    /// Returns whether every check held.
    pub(crate) fn all_well(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        let text = shown(text);
        if !self.colour {
            return text;
        }
        let code = match paint {
            Paint::Bold => 1,
            Paint::Dim => 2,
            Paint::Green => 32,
            Paint::Red => 31,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
