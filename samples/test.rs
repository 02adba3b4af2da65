// SPDX-License-Identifier: GPL-2.0

//! The table of tests.

use crate::{
    command::Command,
    fault::Fault,
    page_boundary,
    real_paths,
    recurse,
    report::Numbers,
    shared_object,
    threads,
    Bench, //
};

/// A test, and what it is run with if the command does not say.
pub(crate) struct Test {
    pub(crate) name: &'static str,
    /// The deepest that this test may go.
    pub(crate) deepest: usize,
    pub(crate) threads: usize,
    /// As many threads as it can have.
    pub(crate) most_threads: usize,
    pub(crate) rounds: usize,
    pub(crate) run: fn(&Command, &Bench) -> Result<Numbers, Fault>,
}

/// For tests that make their threads.
pub(crate) const MANY_THREADS: usize = 4096;

/// All tests.
pub(crate) static TESTS: [Test; 7] = [
    recurse::RECURSE,
    recurse::RECURSE_SLEEP,
    recurse::CALLER,
    shared_object::SHARED_OBJECT,
    page_boundary::PAGE_BOUNDARY,
    threads::THREADS,
    real_paths::REAL_PATHS,
];
