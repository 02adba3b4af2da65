// SPDX-License-Identifier: GPL-2.0

//! Threads that ask for their stack before they use it.

use crate::{
    command::Command,
    descent::descend,
    expand,
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
    dynamic_stack::{
        expand_stack,
        expand_stack_atomic, //
    },
    page::PAGE_SIZE,
    prelude::*, //
};

/// New threads each time, since a thread keeps what it owns.
pub(crate) const EXPAND: Test = Test {
    name: "EXPAND",
    deepest: stack::DEEPEST - FRAMES,
    threads: 4,
    most_threads: MANY_THREADS,
    rounds: 50,
    run,
};

/// What the functions that ask may use themselves.
const FRAMES: usize = 1024;

/// What happened.
#[derive(Default)]
struct Events {
    tally: Tally,
    asked: Counter,
    refused: Counter,
    switches: Counter,
}

fn run(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let events = Events::default();

    for round in 0..command.rounds {
        run_together(command.threads, &|thread| {
            let seed = pattern(thread as u64, round);

            if thread % 2 == 0 {
                visit(command.bytes, seed, &events, expand_stack)
            } else {
                visit(command.bytes, seed, &events, expand_stack_atomic)
            }
        })?;
    }
    events.tally.numbers(&[
        ("asked_pages", events.asked.get()),
        ("refused", events.refused.get()),
        ("switches", events.switches.get()),
    ])
}

/// Asks for all that the descent to `bytes` takes, and verifies that nothing else is taken.
fn visit(bytes: usize, seed: u64, events: &Events, ask: fn(usize) -> Result) -> Result<(), Fault> {
    let owned_first = stack::owned_pages()?;
    // All of the stack is more than there is below any frame.
    let refused = [stack::SIZE, usize::MAX].map(|bytes| u64::from(ask(bytes) == Err(E2BIG)));
    let refused = refused.iter().sum();

    Fault::unless_equal("refused requests for too much", 2, refused)?;
    events.refused.add(refused);
    ask(0).map_err(|error| Fault::Call("the request for 0 bytes", error))?;
    Fault::unless_equal(
        "pages after requests for nothing and too much",
        owned_first,
        stack::owned_pages()?,
    )?;

    let deepest = bytes + stack::MARGIN;
    let below = deepest - stack::depth();

    ask(below).map_err(|error| Fault::Call("the request for stack", error))?;

    let pages = stack::owned_pages()?;

    unless_owned(deepest, pages as usize * PAGE_SIZE)?;
    events.asked.add(pages - owned_first);
    ask(below).map_err(|error| Fault::Call("the second request for stack", error))?;
    Fault::unless_equal("pages asked for twice", pages, stack::owned_pages()?)?;

    expand::with_stack(below - FRAMES, |reserved| {
        let depth = stack::depth();
        let owned = expand::owned_below().map_err(|error| Fault::Call("owned_below", error))?;

        unless_owned(depth + reserved.remaining(), depth + owned)?;
        descend(bytes, seed, &events.tally, &|| Ok(()), &|| {
            events.switches.add(stack::sleep()?);
            Ok(())
        })
    })
    .map_err(|error| Fault::Call("the request for a call", error))??;
    // Had the thread used a page that it did not own, it would own it now.
    Fault::unless_equal("pages after they were used", pages, stack::owned_pages()?)
}

/// Compares what a thread has asked for with what it owns, both counted from the top.
fn unless_owned(deepest: usize, owned: usize) -> Result<(), Fault> {
    if owned < deepest {
        return Err(Fault::Reserved { deepest, owned });
    }
    Ok(())
}
