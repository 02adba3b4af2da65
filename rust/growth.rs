// SPDX-License-Identifier: GPL-2.0

//! The file `growth`: a header line, then a row for each function that made stacks grow, those
//! with the most events first, then a row for the events that the kernel had no room to record.
//!
//! | column | value |
//! |---|---|
//! | `events` | how often it made a stack grow, on all CPUs |
//! | `pages` | by how many pages in all; `-` in the last row |
//! | `symbol` | name of the function and its module, up to the end of the line; `(lost)` in the last row |
//!
//! Functions with as many events are in the order of their pages, then of their names.
//!
//! Writing 1 or 0 starts or stops the recording; what was recorded stays. Anything else is refused
//! with `EINVAL` and a line in the kernel log.

use crate::input;
use core::cmp::Reverse;
use kernel::{
    debugfs::{
        Reader,
        Writer, //
    },
    dynamic_stack::{
        growth_lost,
        record_growth,
        GrowthRecord, //
    },
    fmt,
    prelude::*,
    str::BStr,
    uaccess::UserSliceReader, //
};

/// As long as a symbol and the name of a module can be.
const NAME_BYTES: usize = 512 + 64;

/// One function of the table.
struct Row {
    events: usize,
    pages: usize,
    symbol: KVec<u8>,
}

/// Adds up what belongs to the same function. Sorted by name.
fn collect() -> Result<KVVec<Row>> {
    let mut rows: KVVec<Row> = KVVec::new();
    let mut name = KVec::from_elem(0, NAME_BYTES, GFP_KERNEL)?;

    for (_cpu, record) in GrowthRecord::all() {
        let symbol: &[u8] = record.symbol(&mut name);

        match rows.binary_search_by(|row| row.symbol.as_slice().cmp(symbol)) {
            Ok(at) => {
                rows[at].events += record.events;
                rows[at].pages += record.pages;
            }
            Err(at) => {
                let mut copy = KVec::new();

                copy.extend_from_slice(symbol, GFP_KERNEL)?;
                rows.reserve(1, GFP_KERNEL)?;
                rows.insert_within_capacity(
                    at,
                    Row {
                        events: record.events,
                        pages: record.pages,
                        symbol: copy,
                    },
                )?;
            }
        }
    }
    Ok(rows)
}

/// The contents of the file.
pub(crate) struct Growth;

impl Writer for Growth {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = collect().map_err(|_| fmt::Error)?;

        rows.sort_unstable_by(|a, b| {
            let key = |row: &Row| (Reverse(row.events), Reverse(row.pages));

            key(a).cmp(&key(b)).then_with(|| a.symbol.cmp(&b.symbol))
        });
        writeln!(f, "events pages symbol")?;
        for row in &rows {
            f.write_fmt(fmt!(
                "{} {} {}\n",
                row.events,
                row.pages,
                BStr::from_bytes(&row.symbol)
            ))?;
        }
        writeln!(f, "{} - (lost)", growth_lost())
    }
}

impl Reader for Growth {
    fn read_from_slice(&self, reader: &mut UserSliceReader) -> Result {
        let on = input::read(reader, "growth", fmt!("0 or 1"), |text| match text {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        })?;

        record_growth(on);
        Ok(())
    }
}
