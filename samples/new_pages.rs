// SPDX-License-Identifier: GPL-2.0

//! Pages of a stack that nobody has written yet.

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
    stack,
    test::{
        Test,
        MANY_THREADS, //
    },
    Bench, //
};
use core::ptr::with_exposed_provenance;
use kernel::{
    interrupt::local_interrupt_disable,
    page::PAGE_SIZE, //
};

/// Threads that enter one page of their stacks after another, and look for the data of others there.
pub(crate) const NEW_PAGES: Test = Test {
    name: "NEW_PAGES",
    deepest: stack::DEEPEST,
    threads: 200,
    most_threads: MANY_THREADS,
    rounds: 1,
    run,
};

/// How far into a page a thread goes. The descent to the page before, and an interrupt on the way,
/// do not get there.
const ENTERED: usize = PAGE_SIZE - stack::MARGIN;

/// What is between the stack pointer in [`look`] and the words that nobody has written, at most.
const OWN_FRAMES: usize = 256;

fn run(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    if command.bytes < PAGE_SIZE + ENTERED {
        return Err(Fault::Missing("bytes does not reach into the second page"));
    }
    let tally = Tally::default();
    let pages = Counter::default();
    let words = Counter::default();

    run_rounds(command.threads, command.rounds, &|thread, round| {
        let places = (PAGE_SIZE + ENTERED..=command.bytes).step_by(PAGE_SIZE);

        for place in places {
            // What an interrupt leaves on the stack is not the data of others.
            let _no_interrupts = local_interrupt_disable();

            descend(
                place,
                pattern(thread as u64, round),
                &tally,
                &|| Ok(()),
                &|| {
                    words.add(look()?);
                    pages.add(1);
                    Ok(())
                },
            )?;
        }
        Ok(())
    })?;
    tally.numbers(&[("new_pages", pages.get()), ("new_words", words.get())])
}

/// Returns how many words are left of the page that the stack pointer is in, all of them zero.
fn look() -> Result<u64, Fault> {
    let depth = stack::depth() + OWN_FRAMES;
    // The last word of the stack is `STACK_END_MAGIC`.
    let end = depth
        .next_multiple_of(PAGE_SIZE)
        .min(stack::SIZE - size_of::<u64>());
    let depths = (depth.next_multiple_of(size_of::<u64>())..=end).step_by(size_of::<u64>());
    let mut words = 0;

    for depth in depths {
        let word = with_exposed_provenance::<u64>(stack::address_at(depth));
        // SAFETY: The word is on the stack of this thread, in a page that is there since a frame is
        // in it.
        let read = unsafe { word.read_volatile() };

        if read != 0 {
            return Err(Fault::Stale { depth, read });
        }
        words += 1;
    }
    Ok(words)
}
