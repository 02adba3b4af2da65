// SPDX-License-Identifier: GPL-2.0

//! A context switch with the stack pointer at every word, those around page boundaries among them.
//!
//! Each position gets a new thread, which has not used the pages below yet. The thread goes there
//! in one step and touches only the words beside the page boundaries and at the stack pointer, so
//! that there are untouched words, and with large stacks untouched pages, above it.

use crate::{
    command::Command,
    fault::Fault,
    frame::{
        call_at,
        pattern, //
    },
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

/// Every position of the stack pointer, `threads` at a time, down to `bytes`.
pub(crate) const PAGE_BOUNDARY: Test = Test {
    name: "PAGE_BOUNDARY",
    deepest: stack::DEEPEST,
    threads: 8,
    most_threads: MANY_THREADS,
    rounds: 1,
    run,
};

/// How far apart two positions are. Some architectures keep the stack pointer 16-byte aligned.
const STEP: usize = if cfg!(CONFIG_X86_64) { 8 } else { 16 };

fn run(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let positions = (command.bytes - stack::ENTRY) / STEP;
    let tally = Tally::default();
    let offsets = Counter::default();
    let switches = Counter::default();
    let kept = Counter::default();

    for round in 0..command.rounds {
        for first in (0..positions).step_by(command.threads) {
            run_together(command.threads.min(positions - first), &|thread| {
                let depth = stack::ENTRY + (first + thread + 1) * STEP;
                let owned_before = stack::owned_pages()?;

                switches.add(visit(depth, pattern(depth as u64, round), &tally)?);
                kept.add(stack::owned_pages()? - owned_before);
                offsets.add(1);
                Ok(())
            })?;
        }
    }
    Fault::unless_equal(
        "positions of the stack pointer",
        (positions * command.rounds) as u64,
        offsets.get(),
    )?;
    tally.numbers(&[
        ("offsets", offsets.get()),
        ("switches", switches.get()),
        ("kept_pages", kept.get()),
    ])
}

/// Sleeps once at `depth`, and returns the number of context switches.
fn visit(depth: usize, seed: u64, tally: &Tally) -> Result<u64, Fault> {
    call_at(depth, |frame| {
        for edge in frame.edges() {
            edge.write(seed);
        }

        let switches = stack::sleep()?;

        for edge in frame.edges() {
            tally.verify(&edge, seed)?;
        }
        Ok(switches)
    })?
}
