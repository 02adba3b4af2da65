// SPDX-License-Identifier: GPL-2.0

//! Recursion, awake and asleep.

use crate::{
    command::Command,
    descent::descend,
    fault::Fault,
    frame::pattern,
    kthread::run_together,
    report::{
        Counter,
        Numbers,
        Tally, //
    },
    sched,
    stack,
    test::Test,
    Bench, //
};

/// Recursion without sleep.
pub(crate) const RECURSE: Test = Test {
    name: "RECURSE",
    deepest: stack::DEEPEST,
    threads: 4,
    rounds: 100,
    run: run_awake,
};

/// The same with a context switch in every frame.
pub(crate) const RECURSE_SLEEP: Test = Test {
    name: "RECURSE_SLEEP",
    deepest: stack::DEEPEST,
    threads: 4,
    rounds: 10,
    run: run_asleep,
};

fn run_awake(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let tally = Tally::default();

    run(command, &tally, &|| Ok(()))?;
    tally.numbers(&[])
}

fn run_asleep(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let tally = Tally::default();
    let switches = Counter::default();

    run(command, &tally, &|| {
        switches.add(stack::sleep()?);
        Ok(())
    })?;
    tally.numbers(&[("switches", switches.get())])
}

fn run(
    command: &Command,
    tally: &Tally,
    at_level: &(dyn Fn() -> Result<(), Fault> + Sync),
) -> Result<(), Fault> {
    run_together(command.threads, &|thread| {
        for round in 0..command.rounds {
            let seed = pattern(thread as u64, round);

            descend(command.bytes, seed, tally, at_level, &|| Ok(()))?;
            sched::yield_now();
        }
        Ok(())
    })?;
    Ok(())
}
