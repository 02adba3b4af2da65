// SPDX-License-Identifier: GPL-2.0

//! Frames in which no check foresees what they take of the stack.
//!
//! The stack is there all the same, but for the method `probe`: that stops the machine.

use crate::{
    command::Command,
    fault::Fault,
    kthread::run_together,
    report::Numbers,
    stack,
    test::Test,
    Bench, //
};
use kernel::prelude::*;

unsafe extern "C" {
    fn stack_stress_go_down(bytes: usize, checks: bool);
    safe fn stack_stress_has_checks() -> bool;
}

/// A thread that goes down by frames of 1 KiB without checks, and returns.
pub(crate) const NO_CHECK: Test = Test {
    name: "NO_CHECK",
    deepest: stack::DEEPEST,
    threads: 1,
    most_threads: 1,
    rounds: 1,
    run,
};

fn run(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    run_together(1, &|_| {
        // SAFETY: The place is on the stack of this thread, and far from its end.
        unsafe { stack_stress_go_down(command.bytes - stack::depth(), false) };
        Ok(())
    })?;
    Fault::unless_equal(
        "threads that got beyond the margin",
        0,
        stack_stress_has_checks().into(),
    )?;
    Ok(Numbers::new())
}
