// SPDX-License-Identifier: GPL-2.0

//! A file by which many threads go deep at the same time, each in its own system call.

use crate::{
    command::{
        depth,
        number, //
    },
    descent::descend,
    fault::Fault,
    frame::pattern,
    report::{
        Counter,
        Tally, //
    },
    stack, //
};
use kernel::{
    fmt,
    prelude::*,
    task::Task,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

const MOST_NAP_MS: usize = 10_000;

/// What all who wrote the file did.
#[derive(Default)]
pub(crate) struct Deep {
    tally: Tally,
    /// Threads that went down.
    down: Counter,
    /// Of them, those that are up again and found all as they had left it.
    up: Counter,
}

impl Deep {
    /// Takes the running thread down as `line` says, `[BYTES [NAP]]`, lets it sleep there, and
    /// verifies its stack on the way up.
    pub(crate) fn go(&self, line: &str) -> Result {
        let mut words = line.split_ascii_whitespace();
        let bytes = depth(words.next(), stack::DEEPEST)?;
        let nap = number("nap", words.next(), 0, 0..=MOST_NAP_MS)?;

        if let Some(word) = words.next() {
            pr_err!("unexpected '{word}', expected [BYTES [NAP in milliseconds]]\n");
            return Err(EINVAL);
        }
        self.down.add(1);
        match self.descend(bytes, nap) {
            Ok(()) => {
                self.up.add(1);
                Ok(())
            }
            Err(fault) => {
                pr_err!("FAIL: deep: {fault}\n");
                Err(EIO)
            }
        }
    }

    fn descend(&self, bytes: usize, nap: usize) -> Result<(), Fault> {
        let seed = pattern(Task::current_raw().addr() as u64, bytes);

        descend(bytes, seed, &self.tally, &|| Ok(()), &|| {
            fsleep(Delta::from_millis(nap as i64));
            Ok(())
        })
    }

    pub(crate) fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "down {}\nup {}", self.down.get(), self.up.get())
    }
}
