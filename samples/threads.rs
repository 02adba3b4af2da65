// SPDX-License-Identifier: GPL-2.0

//! Many short lives: each thread is created, goes deep, migrates there, and exits.

use crate::{
    command::Command,
    descent::descend,
    fault::Fault,
    frame::pattern,
    kthread::run_rounds,
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
use kernel::cpu::CpuId;

/// Many short lives, `threads` at a time.
pub(crate) const THREADS: Test = Test {
    name: "THREADS",
    deepest: stack::DEEPEST,
    threads: 200,
    most_threads: MANY_THREADS,
    rounds: 10,
    run,
};

fn run(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let tally = Tally::default();
    let descents = Counter::default();
    let migrations = Counter::default();
    let switches = Counter::default();
    let kept = Counter::default();
    let created = (command.threads * command.rounds) as u64;
    let exited = run_rounds(command.threads, command.rounds, &|thread, round| {
        let seed = pattern(thread as u64, round);
        let owned_before = stack::owned_pages()?;

        descend(command.bytes, seed, &tally, &|| Ok(()), &|| {
            // There and back again.
            for _ in 0..2 {
                migrations.add(sched::move_off(CpuId::current())?.into());
                switches.add(stack::sleep()?);
            }
            Ok(())
        })?;
        kept.add(stack::owned_pages()? - owned_before);
        descents.add(1);
        Ok(())
    })?;

    Fault::unless_equal("threads that went deep", created, descents.get())?;
    tally.numbers(&[
        ("created", created),
        ("exited", exited),
        ("migrations", migrations.get()),
        ("switches", switches.get()),
        ("kept_pages", kept.get()),
    ])
}
