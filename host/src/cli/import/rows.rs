//! The table of an import: what becomes of each operation or remote tool.

use bailiwick::import::{ImportPlan, ImportRow};

use crate::cli::page::{Page, Tone};

/// Prints a line for each chosen operation, and below it what is not as in the description.
pub(super) fn show(plan: &ImportPlan, page: &mut Page<'_>) -> anyhow::Result<()> {
    let wide = |row: &ImportRow| row.tool.chars().count();
    let width = plan.rows().iter().map(wide).max().unwrap_or_default();
    for row in plan.rows() {
        let (tone, does) = match (&row.outcome, row.reads) {
            (Err(_), _) => (Tone::Bad, "left out"),
            (Ok(_), true) => (Tone::Good, "reads"),
            (Ok(_), false) => (Tone::Warning, "writes"),
        };
        let tool = format!("{:width$}  ", row.tool);
        page.say(&[
            (tone, &format!("{does:<8}  ")),
            (Tone::Strong, &tool),
            (Tone::Plain, &row.operation),
        ])?;
        match &row.outcome {
            Ok(notes) => {
                for note in notes {
                    page.say(&[(Tone::Faint, &format!("            {note}"))])?;
                }
            }
            Err(why) => page.line(&format!("            {why}"))?,
        }
    }
    let left_out = plan.rows().len() - plan.tools();
    page.heading(&format!(
        "{} of {} chosen {} can be imported, {left_out} cannot; {} are not chosen",
        plan.tools(),
        plan.rows().len(),
        plan.word(),
        plan.unchosen
    ))?;
    Ok(())
}
