// SPDX-License-Identifier: GPL-2.0

//! Sleeps that begin while other threads use the CPU, and its pages, and must not end early.

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
    stack,
    test::{
        Test,
        MANY_THREADS, //
    },
    Bench, //
};
use kernel::{
    prelude::*,
    time::msecs_to_jiffies, //
};

unsafe extern "C" {
    fn stack_stress_doze(jiffies: c_long, preempted: &mut bool) -> c_long;
}

/// Short lives that sleep before they go deep, `threads` at a time.
pub(crate) const DOZE: Test = Test {
    name: "DOZE",
    deepest: stack::DEEPEST,
    threads: 20,
    most_threads: MANY_THREADS,
    rounds: 5,
    run,
};

/// Longer than a thread waits for pages that are there again soon.
const DOZE_MS: u32 = 500;

fn run(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let tally = Tally::default();
    let preempted = Counter::default();
    let early = Counter::default();
    let created = (command.threads * command.rounds) as u64;
    let mut exited = 0;

    for round in 0..command.rounds {
        exited += run_together(command.threads, &|thread| {
            let mut on_the_way = false;
            // SAFETY: Threads of a job run in process context and hold no lock.
            let left =
                unsafe { stack_stress_doze(msecs_to_jiffies(DOZE_MS) as c_long, &mut on_the_way) };

            preempted.add(on_the_way.into());
            early.add((left > 0).into());
            descend(
                command.bytes,
                pattern(thread as u64, round),
                &tally,
                &|| Ok(()),
                &|| Ok(()),
            )
        })?;
    }
    Fault::unless_equal("threads that exited", created, exited)?;
    Fault::unless_equal("sleeps that ended early", 0, early.get())?;
    tally.numbers(&[("slept", created), ("preempted", preempted.get())])
}
