//! The report of a run: a line for each class, and one for each fault.

use std::fmt;

/// What a run tried of one kind.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its name.
    pub name: &'static str,
    /// The calls or cases.
    pub tried: usize,
    /// The faults, each in words.
    pub wrong: Vec<String>,
    /// The cases that showed nothing, because the gateway asked for no token.
    pub not_tried: Vec<&'static str>,
}

impl Class {
    pub(super) fn named(name: &'static str) -> Self {
        Self {
            name,
            tried: 0,
            wrong: Vec::new(),
            not_tried: Vec::new(),
        }
    }
}

/// The outcome of a run. As text, a line for each class and each fault.
#[derive(Clone, Debug)]
pub struct Report {
    /// Calls of many users, in turns and at once.
    pub mix_ups: Class,
    /// Answers of the authorization server that must not be believed.
    pub lies: Class,
    /// Answers without a token, after which nothing may reach the service.
    pub fallbacks: Class,
}

impl Report {
    /// Returns the classes.
    pub fn classes(&self) -> [&Class; 3] {
        [&self.mix_ups, &self.lies, &self.fallbacks]
    }

    /// Returns true if every class was tried and nothing was wrong.
    pub fn is_good(&self) -> bool {
        let mut classes = self.classes().into_iter();
        classes.all(|class| class.tried > 0 && class.wrong.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for class in self.classes() {
            let (name, tried, wrong) = (class.name, class.tried, class.wrong.len());
            writeln!(to, "{name:12} tried {tried:5}   wrong {wrong:5}")?;
        }
        for class in self.classes() {
            for fault in &class.wrong {
                writeln!(to, "wrong      {}: {fault}", class.name)?;
            }
            for case in &class.not_tried {
                writeln!(to, "not tried  {}: {case}", class.name)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As docs/delegation-suite.md shows it.
    const TOLD: &str = "\
mix-up       tried    92   wrong     0
lies         tried    26   wrong     1
no fallback  tried     6   wrong     0
wrong      lies: another audience: the service got a token exchanged for user-27
";

    #[test]
    fn a_report_has_a_line_for_each_class_and_each_fault() {
        let class = |name, tried| Class {
            tried,
            ..Class::named(name)
        };
        let mut report = Report {
            mix_ups: class("mix-up", 92),
            lies: class("lies", 26),
            fallbacks: class("no fallback", 6),
        };
        assert!(report.is_good(), "{report}");
        let fault = "another audience: the service got a token exchanged for user-27";
        report.lies.wrong.push(fault.to_owned());
        assert_eq!(report.to_string(), TOLD);
        assert!(!report.is_good(), "{report}");
        report.lies.wrong.clear();
        report.fallbacks.tried = 0;
        assert!(!report.is_good(), "nothing was tried");
    }
}
