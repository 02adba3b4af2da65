// SPDX-License-Identifier: GPL-2.0

//! The tables of tests.

#[cfg(CONFIG_DYNAMIC_STACK)]
use crate::reserve;
use crate::{
    command::Command,
    doze,
    fault::Fault,
    new_pages,
    page_boundary,
    real_paths,
    recurse,
    report::Numbers,
    shared_object,
    threads,
    Bench, //
};
#[cfg(CONFIG_X86_64)]
use crate::{
    events,
    irq_at_end,
    nmi_storm,
    no_check,
    ticks, //
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
    pub(crate) run: Run,
}

/// For tests that make their threads.
pub(crate) const MANY_THREADS: usize = 4096;

/// What a test does.
pub(crate) type Run = fn(&Command, &Bench) -> Result<Numbers, Fault>;

/// Tests that run on every architecture.
static TESTS: [Test; 9] = [
    recurse::RECURSE,
    recurse::RECURSE_SLEEP,
    recurse::CALLER,
    shared_object::SHARED_OBJECT,
    page_boundary::PAGE_BOUNDARY,
    threads::THREADS,
    doze::DOZE,
    new_pages::NEW_PAGES,
    real_paths::REAL_PATHS,
];

/// Tests that need dynamic stacks.
#[cfg(CONFIG_DYNAMIC_STACK)]
static DYNAMIC_TESTS: [Test; 1] = [reserve::EXPAND];

#[cfg(not(CONFIG_DYNAMIC_STACK))]
static DYNAMIC_TESTS: [Test; 0] = [];

/// Tests of which a part is assembly.
#[cfg(CONFIG_X86_64)]
static ARCH_TESTS: [Test; 13] = [
    events::TIMER,
    events::IPI,
    events::CROSS_IPI,
    events::NMI,
    events::USER_FAULT,
    events::INT3,
    events::BREAKPOINT,
    events::WARN,
    events::GP,
    nmi_storm::NMI_STORM,
    no_check::NO_CHECK,
    irq_at_end::IRQ_AT_END,
    ticks::TICKS,
];

#[cfg(not(CONFIG_X86_64))]
static ARCH_TESTS: [Test; 0] = [];

/// Returns all tests.
pub(crate) fn all() -> impl Iterator<Item = &'static Test> {
    TESTS.iter().chain(&DYNAMIC_TESTS).chain(&ARCH_TESTS)
}
