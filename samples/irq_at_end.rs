// SPDX-License-Identifier: GPL-2.0

//! An interrupt that comes where a stack ends.
//!
//! Nothing can be mapped there: the kernel has to say that the stack is used up.

use crate::{
    command::Command,
    fault::Fault,
    kthread::run_bound,
    report::Numbers,
    sched::OnlineCpus,
    stack,
    test::Test,
    visit::{
        Kind,
        Visits, //
    },
    Bench, //
};

/// What is left of the stack: less than what the CPU pushes for an interrupt.
const LEFT: usize = 16;

/// A thread that is interrupted by a timer at the end of its stack. It does not come back.
pub(crate) const IRQ_AT_END: Test = Test {
    name: "IRQ_AT_END",
    deepest: stack::SIZE - LEFT,
    threads: 1,
    most_threads: 1,
    rounds: 1,
    run,
};

fn run(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let visits = Visits::begin(Kind::Timer)?;
    let cpus = OnlineCpus::lock();

    run_bound(1, &|thread| cpus.nth(thread), &|_| {
        let place = stack::address_at(command.bytes);

        // SAFETY: The place is a word on the stack of this thread, which is bound. Handlers have
        // no room there, and must not get to run: the kernel stops, or kills the thread.
        unsafe { visits.visit(place, place, 0, 0)? };
        Ok(())
    })?;
    Err(Fault::Count {
        what: "threads that outlived the end of their stack",
        wanted: 0,
        got: 1,
    })
}
