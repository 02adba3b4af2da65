// SPDX-License-Identifier: GPL-2.0

//! What growing a stack takes, and an interrupt, in ticks of the time stamp counter.
//!
//! It verifies nothing: `selftests/dynamic_stack/bench.c` compares the numbers, where a tick is an
//! instruction.

use crate::{
    command::Command,
    fault::Fault,
    kthread::run_together,
    report::{
        Counter,
        Numbers, //
    },
    stack,
    test::{
        Test,
        MANY_THREADS, //
    },
    Bench, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};

unsafe extern "C" {
    fn stack_stress_ticks_of_write(below: usize) -> u64;
    safe fn stack_stress_ticks_of_interrupt() -> u64;
}

/// New threads that write to their stacks, first to the slot next to the one in use, then at the
/// deepest place.
pub(crate) const TICKS: Test = Test {
    name: "TICKS",
    deepest: stack::DEEPEST,
    threads: 1,
    most_threads: MANY_THREADS,
    rounds: 1,
    run,
};

fn run(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let [interrupt, first_slot, deepest] = [(); 3].map(|()| Counter::default());

    for _ in 0..command.rounds {
        run_together(command.threads, &|_| {
            let depth = stack::depth();

            interrupt.add(stack_stress_ticks_of_interrupt());
            for (place, ticks) in [(depth + PAGE_SIZE, &first_slot), (command.bytes, &deepest)] {
                // SAFETY: Both places are on the stack of this thread, and below its frames.
                ticks.add(unsafe { stack_stress_ticks_of_write(place - depth) });
            }
            Ok(())
        })?;
    }

    let threads = (command.threads * command.rounds) as u64;
    let mut numbers = Numbers::new();

    for (name, ticks) in [
        ("interrupt_ticks", interrupt),
        ("first_slot_ticks", first_slot),
        ("deepest_ticks", deepest),
    ] {
        numbers.push((name, ticks.get() / threads), GFP_KERNEL)?;
    }
    Ok(numbers)
}
