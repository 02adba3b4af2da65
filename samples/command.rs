// SPDX-License-Identifier: GPL-2.0

//! The command `NAME [bytes [threads [rounds]]]`.

use crate::{
    stack,
    test::{
        self,
        Test, //
    }, //
};
use core::ops::RangeInclusive;
use kernel::{
    fmt,
    prelude::*, //
};

const ROUNDS: RangeInclusive<usize> = 1..=1_000_000;

/// A command that was checked.
#[derive(Clone, Copy)]
pub(crate) struct Command {
    pub(crate) test: &'static Test,
    /// The depth to go to, a multiple of the word size.
    pub(crate) bytes: usize,
    /// How many threads work at the same time.
    pub(crate) threads: usize,
    /// How often each does it.
    pub(crate) rounds: usize,
}

impl Command {
    /// Reads a command; one that cannot be run is explained in the kernel log.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut words = text.split_ascii_whitespace();
        let name = words.next().unwrap_or("");
        let Some(test) = test::all().find(|test| test.name == name) else {
            pr_err!("unknown test '{}', expected one of:{}\n", name, Names);
            return Err(EINVAL);
        };
        let command = Self {
            test,
            bytes: depth(words.next(), test.deepest)?,
            threads: number("threads", words.next(), test.threads, 1..=test.most_threads)?,
            rounds: number("rounds", words.next(), test.rounds, ROUNDS)?,
        };

        if let Some(word) = words.next() {
            pr_err!("unexpected '{word}', expected NAME [bytes [threads [rounds]]]\n");
            return Err(EINVAL);
        }
        Ok(command)
    }
}

/// Reads a depth; one that is not allowed is explained in the kernel log.
pub(crate) fn depth(word: Option<&str>, deepest: usize) -> Result<usize> {
    let bytes = number("bytes", word, deepest, stack::SHALLOWEST..=deepest)?;

    if bytes % size_of::<u64>() != 0 {
        pr_err!("bytes must be a multiple of 8, not {bytes}\n");
        return Err(EINVAL);
    }
    Ok(bytes)
}

/// Reads a number; one that is not allowed is explained in the kernel log.
pub(crate) fn number(
    what: &str,
    word: Option<&str>,
    default: usize,
    allowed: RangeInclusive<usize>,
) -> Result<usize> {
    let Some(word) = word else {
        return Ok(default);
    };

    match word.parse() {
        Ok(number) if allowed.contains(&number) => Ok(number),
        _ => {
            pr_err!(
                "{what} must be a number from {} to {}, not '{word}'\n",
                allowed.start(),
                allowed.end()
            );
            Err(EINVAL)
        }
    }
}

/// The names of all tests, each after a space.
struct Names;

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for test in test::all() {
            write!(f, " {}", test.name)?;
        }
        Ok(())
    }
}
