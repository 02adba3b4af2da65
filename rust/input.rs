// SPDX-License-Identifier: GPL-2.0

//! What is written to a file in debugfs.

use core::str;
use kernel::{
    fmt,
    prelude::*,
    str::BStr,
    uaccess::UserSliceReader, //
};

/// No file here takes more than a number.
const MOST_BYTES: usize = 32;

/// Returns what `parse` makes of the text that was written to `file`, spaces around it left out.
///
/// What it makes nothing of is refused with [`EINVAL`] and a line in the kernel log.
pub(crate) fn read<T>(
    reader: &mut UserSliceReader,
    file: &str,
    expected: fmt::Arguments<'_>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T> {
    let mut buf = [0; MOST_BYTES];
    let len = reader.len().min(buf.len());
    let input = &mut buf[..len];

    reader.read_slice(input)?;

    let input = input.trim_ascii();
    let text = str::from_utf8(input).ok().filter(|_| reader.is_empty());

    text.and_then(parse).ok_or_else(|| {
        pr_err!(
            "{file}: expected {expected}, got '{}'\n",
            BStr::from_bytes(input)
        );
        EINVAL
    })
}
