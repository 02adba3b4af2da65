// SPDX-License-Identifier: GPL-2.0

//! The file `threads`: a header line, then a row for each of the deepest threads, deepest first.
//!
//! | column | value |
//! |---|---|
//! | `pid` | of the thread, in the initial PID namespace |
//! | `owned_pages` | pages of the stack that the thread owns |
//! | `depth_bytes` | how deep the stack has ever been, from its top |
//! | `comm` | name of the thread, up to the end of the line; unprintable bytes are escaped |
//!
//! Threads of the same depth are in the order of their PIDs; idle threads are not shown.
//!
//! Writing a number from 1 to 1000 sets how many threads are shown; it is 20 at first. Anything
//! else is refused with `EINVAL` and a line in the kernel log.

use crate::input;
use kernel::{
    debugfs::{
        Reader,
        Writer, //
    },
    dynamic_stack::{
        self,
        TaskStack, //
    },
    fmt,
    new_mutex,
    prelude::*,
    sync::Mutex,
    task::{
        Pid,
        TaskComm, //
    },
    uaccess::UserSliceReader, //
};

const DEFAULT_ROWS: usize = 20;
const MAX_ROWS: usize = 1000;

/// One thread of the table.
struct Row {
    pid: Pid,
    owned_pages: u32,
    depth: usize,
    comm: TaskComm,
}

/// A table of limited length.
///
/// It is allocated when its length is set, so that reading the file allocates nothing.
///
/// # Invariants
///
/// `max_rows` is not 0. `rows` is sorted by falling depth; it has a capacity of at least, and a
/// length of at most `max_rows`.
struct Deepest {
    max_rows: usize,
    rows: KVVec<Row>,
}

impl Deepest {
    fn new(max_rows: usize) -> Result<Self> {
        // INVARIANT: An empty table is sorted.
        Ok(Self {
            max_rows,
            rows: KVVec::with_capacity(max_rows, GFP_KERNEL)?,
        })
    }

    /// Puts `row` at its place, unless the table is full of deeper ones.
    fn offer(&mut self, row: Row) -> Result {
        let at = self.rows.partition_point(|other| other.depth >= row.depth);

        if at == self.max_rows {
            return Ok(());
        }
        self.rows.truncate(self.max_rows - 1);
        // INVARIANT: All rows before `at` are as deep or deeper, all from `at` on less deep, and
        // the line above left room for one.
        self.rows.insert_within_capacity(at, row)?;
        Ok(())
    }

    /// Fills the table with the threads that exist now.
    fn collect(&mut self) -> Result {
        self.rows.clear();
        for (pid, task) in dynamic_stack::Threads::new() {
            let Some(stack) = TaskStack::try_get(&task) else {
                continue;
            };

            self.offer(Row {
                pid,
                owned_pages: stack.owned_pages(),
                depth: stack.depth(),
                comm: task.comm(),
            })?;
        }
        Ok(())
    }
}

/// The contents of the file.
#[pin_data]
pub(crate) struct Threads {
    #[pin]
    deepest: Mutex<Deepest>,
}

impl Threads {
    /// Creates the table with its default length.
    pub(crate) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            deepest <- new_mutex!(Deepest::new(DEFAULT_ROWS)?),
        })
    }
}

impl Writer for Threads {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut deepest = self.deepest.lock();

        deepest.collect().map_err(|_| fmt::Error)?;
        writeln!(f, "pid owned_pages depth_bytes comm")?;
        for row in &deepest.rows {
            f.write_fmt(fmt!(
                "{} {} {} {}\n",
                row.pid,
                row.owned_pages,
                row.depth,
                row.comm
            ))?;
        }
        Ok(())
    }
}

impl Reader for Threads {
    fn read_from_slice(&self, reader: &mut UserSliceReader) -> Result {
        let max_rows = input::read(
            reader,
            "threads",
            fmt!("a number from 1 to {MAX_ROWS}"),
            parse_rows,
        )?;
        let deepest = Deepest::new(max_rows)?;
        *self.deepest.lock() = deepest;
        Ok(())
    }
}

fn parse_rows(text: &str) -> Option<usize> {
    let number = text.parse().ok()?;

    (1..=MAX_ROWS).contains(&number).then_some(number)
}
