// SPDX-License-Identifier: GPL-2.0

//! What a run of a test found.

use crate::{
    command::Command,
    fault::Fault,
    frame::Frame, //
};
use kernel::{
    fmt,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// Named numbers, in the order in which they are shown.
pub(crate) type Numbers = KVec<(&'static str, u64)>;

/// What the threads of a test have verified together.
#[derive(Default)]
pub(crate) struct Tally {
    bytes: Counter,
    frames: Counter,
    checksum: Counter,
}

impl Tally {
    /// Verifies that `frame` holds the pattern of `seed`, counts it, and returns its checksum.
    pub(crate) fn verify(&self, frame: &Frame, seed: u64) -> Result<u64, Fault> {
        let checksum = frame.verify(seed)?;

        self.bytes.add(frame.bytes() as u64);
        self.frames.add(1);
        self.checksum.add(checksum);
        Ok(checksum)
    }

    /// Returns the sums, followed by `events`.
    pub(crate) fn numbers(&self, events: &[(&'static str, u64)]) -> Result<Numbers, Fault> {
        let mut numbers = Numbers::new();

        numbers.extend_from_slice(
            &[
                ("verified_bytes", self.bytes.get()),
                ("verified_frames", self.frames.get()),
                ("checksum", self.checksum.get()),
            ],
            GFP_KERNEL,
        )?;
        numbers.extend_from_slice(events, GFP_KERNEL)?;
        Ok(numbers)
    }
}

/// A number that all threads of a test add to.
pub(crate) struct Counter(Atomic<u64>);

impl Default for Counter {
    fn default() -> Self {
        Self(Atomic::new(0))
    }
}

impl Counter {
    /// Adds `number`; the sum wraps.
    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Relaxed);
    }

    /// Returns the sum. It is complete once the threads have exited.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The result of one run.
pub(crate) struct Report {
    command: Command,
    result: Result<Numbers, Fault>,
}

impl Report {
    pub(crate) fn new(command: Command, result: Result<Numbers, Fault>) -> Self {
        Self { command, result }
    }

    /// Returns whether the test found a mistake; a test that could not run did not.
    pub(crate) fn is_failure(&self) -> bool {
        !matches!(self.result, Ok(_) | Err(Fault::Missing(_)))
    }

    /// Returns the first line, which also goes to the kernel log.
    pub(crate) fn headline(&self) -> Headline<'_> {
        Headline(self)
    }
}

/// The first line of a [`Report`].
pub(crate) struct Headline<'a>(&'a Report);

impl fmt::Display for Headline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.command.test.name;

        match &self.0.result {
            Ok(_) => write!(f, "ok: {name}"),
            Err(fault @ Fault::Missing(_)) => f.write_fmt(fmt!("XFAIL: {name}: {fault}")),
            Err(fault) => f.write_fmt(fmt!("FAIL: {name}: {fault}")),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Command {
            bytes,
            threads,
            rounds,
            ..
        } = self.command;

        f.write_fmt(fmt!("{}\n", self.headline()))?;
        writeln!(f, "bytes {bytes}\nthreads {threads}\nrounds {rounds}")?;
        for (name, number) in self.result.iter().flatten() {
            writeln!(f, "{name} {number}")?;
        }
        Ok(())
    }
}
