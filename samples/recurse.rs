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
    test::{
        Test,
        MANY_THREADS, //
    },
    Bench, //
};

/// Recursion without sleep.
pub(crate) const RECURSE: Test = Test {
    name: "RECURSE",
    deepest: stack::DEEPEST,
    threads: 4,
    most_threads: MANY_THREADS,
    rounds: 100,
    run: run_awake,
};

/// The same with a context switch in every frame.
pub(crate) const RECURSE_SLEEP: Test = Test {
    name: "RECURSE_SLEEP",
    deepest: stack::DEEPEST,
    threads: 4,
    most_threads: MANY_THREADS,
    rounds: 10,
    run: run_asleep,
};

/// The same in the thread that gave the command, which takes what it came to own back to user
/// mode.
pub(crate) const CALLER: Test = Test {
    name: "CALLER",
    deepest: stack::DEEPEST,
    threads: 1,
    most_threads: 1,
    rounds: 10,
    run: run_in_caller,
};

fn run_awake(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let tally = Tally::default();

    run_together(command.threads, &|thread| {
        repeat(command, thread, &tally, &|| Ok(()))
    })?;
    tally.numbers(&[])
}

fn run_asleep(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let tally = Tally::default();
    let switches = Counter::default();

    run_together(command.threads, &|thread| {
        repeat(command, thread, &tally, &|| {
            switches.add(stack::sleep()?);
            Ok(())
        })
    })?;
    tally.numbers(&[("switches", switches.get())])
}

fn run_in_caller(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let tally = Tally::default();
    let switches = Counter::default();
    let owned_before = stack::owned_pages()?;

    repeat(command, 0, &tally, &|| {
        switches.add(stack::sleep()?);
        Ok(())
    })?;
    tally.numbers(&[
        ("switches", switches.get()),
        ("kept_pages", stack::owned_pages()? - owned_before),
    ])
}

/// The part of one thread.
fn repeat(
    command: &Command,
    thread: usize,
    tally: &Tally,
    at_level: &dyn Fn() -> Result<(), Fault>,
) -> Result<(), Fault> {
    for round in 0..command.rounds {
        let seed = pattern(thread as u64, round);

        descend(command.bytes, seed, tally, at_level, &|| Ok(()))?;
        sched::yield_now();
    }
    Ok(())
}
