//! Aligned columns.

use std::io;

use super::page::{Page, Tone, visible};

/// Rows under one header. A column that is empty in every row is left out.
pub struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<(Tone, String)>>,
}

impl Table {
    /// Makes a table without rows.
    pub fn new(header: &[&'static str]) -> Self {
        Self {
            header: header.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, with one cell for each column.
    pub fn row(&mut self, cells: Vec<(Tone, String)>) {
        let visible = |(tone, text): (Tone, String)| (tone, visible(&text));
        self.rows.push(cells.into_iter().map(visible).collect());
    }

    /// Writes the table.
    pub fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| self.width(column))
            .collect();
        let header = self
            .header
            .iter()
            .map(|name| (Tone::Faint, (*name).to_owned()))
            .collect();
        for row in std::iter::once(&header).chain(&self.rows) {
            let cells = row.iter().zip(&widths).filter(|(_, width)| **width > 0);
            let padded: Vec<_> = cells
                .map(|((tone, text), width)| (*tone, pad(text, *width)))
                .collect();
            let spans: Vec<_> = padded
                .iter()
                .map(|(tone, text)| (*tone, text.as_str()))
                .collect();
            page.say(&spans)?;
        }
        Ok(())
    }

    /// Returns the width of a column; none if it is empty.
    fn width(&self, column: usize) -> usize {
        let texts = self.rows.iter().filter_map(|row| row.get(column));
        match texts.map(|(_, text)| text.chars().count()).max() {
            None | Some(0) => 0,
            Some(widest) => widest.max(self.header.get(column).map_or(0, |name| name.len())),
        }
    }
}

fn pad(text: &str, width: usize) -> String {
    format!("{text:<width$}  ")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn columns_stand_under_each_other_and_empty_ones_are_left_out() {
        let mut table = Table::new(&["NAME", "NOTHING", "WHAT"]);
        for (name, what) in [("é", "short"), ("a\nlonger", "")] {
            table.row(vec![
                (Tone::Plain, name.to_owned()),
                (Tone::Plain, String::new()),
                (Tone::Plain, what.to_owned()),
            ]);
        }
        let mut bytes = Vec::new();
        table.write(&mut Page::new(&mut bytes, false)).unwrap();
        let expected = "NAME          WHAT\né             short\na\\u{a}longer\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
