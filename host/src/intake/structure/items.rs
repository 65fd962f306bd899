//! The items of one section, one by one.

use wasmparser::{BinaryReaderError, FromReader, SectionLimited};

use super::{StructureError, malformed};

/// Calls `check` with every item of a section and its offset.
pub(super) fn each<'a, T: FromReader<'a>>(
    section: &SectionLimited<'a, T>,
    mut check: impl FnMut(u64, T) -> Result<(), StructureError>,
) -> Result<(), StructureError> {
    section.clone().into_iter_with_offsets().try_for_each(
        |item: Result<(u64, T), BinaryReaderError>| {
            let (offset, item) = item.map_err(|error| malformed(&error))?;
            check(offset, item)
        },
    )
}
