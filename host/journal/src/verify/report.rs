//! A report in words.

use std::fmt;

use super::Report;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records", self.records)?;
        if let (Some(first), Some(last)) = (&self.first_time, &self.last_time) {
            write!(f, " from {first} to {last}")?;
        }
        let (signed, checkpoints, unsigned) = (self.signed, self.checkpoints, self.unsigned);
        writeln!(
            f,
            "\n{signed} under {checkpoints} signed checkpoints, {unsigned} not signed yet"
        )?;
        match self.macs {
            Some(batches) => writeln!(f, "the MACs of {batches} batches are right")?,
            None if unsigned > 0 => writeln!(
                f,
                "the MACs of the unsigned records were not checked (--mac-key)"
            )?,
            None => {}
        }
        if let Some(kept) = self.kept {
            writeln!(f, "it extends the kept checkpoint of {kept} records")?;
        }
        writeln!(f, "{} calls are open", self.open_calls)?;
        if let Some(back) = &self.back {
            writeln!(f, "{back}")?;
        }
        if self.torn_bytes > 0 {
            writeln!(
                f,
                "{} bytes of a torn last batch, which was never acknowledged",
                self.torn_bytes
            )?;
        }
        write!(f, "key: {}", self.key)?;
        if self.pinned {
            Ok(())
        } else {
            write!(
                f,
                "\nThe key was not pinned: it was taken from the folder itself"
            )
        }
    }
}
