// SPDX-License-Identifier: GPL-2.0

//! The file `histogram`: a header line, then a row for each number of pages that a thread can own.
//!
//! | column | value |
//! |---|---|
//! | `owned_pages` | from 1 to the number of slots |
//! | `threads` | how many threads own that many pages; idle threads are not counted |

use kernel::{
    debugfs::Writer,
    dynamic_stack::{
        TaskStack,
        Threads,
        SLOTS, //
    },
    fmt, //
};

/// The contents of the file.
pub(crate) struct Histogram;

impl Writer for Histogram {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut threads_by_pages = [0u32; SLOTS + 1];

        for (_pid, task) in Threads::new() {
            if let Some(stack) = TaskStack::try_get(&task) {
                if let Some(threads) = threads_by_pages.get_mut(stack.owned_pages() as usize) {
                    *threads += 1;
                }
            }
        }

        writeln!(f, "owned_pages threads")?;
        for (owned_pages, threads) in threads_by_pages.iter().enumerate().skip(1) {
            writeln!(f, "{owned_pages} {threads}")?;
        }
        Ok(())
    }
}
