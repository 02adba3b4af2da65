// SPDX-License-Identifier: GPL-2.0

//! Sleeps that begin while other threads use the CPU, and its pages, and must not end early.

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
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    },
    time::{
        delay::fsleep,
        msecs_to_jiffies,
        Delta, //
    }, //
};

unsafe extern "C" {
    fn stack_stress_doze(jiffies: c_long, preempted: &mut bool) -> c_long;
}

/// Short lives, `threads` at a time: half of them sleep first, while the others go deep.
pub(crate) const DOZE: Test = Test {
    name: "DOZE",
    deepest: stack::DEEPEST,
    threads: 40,
    most_threads: MANY_THREADS,
    rounds: 5,
    run,
};

/// Longer than a thread waits for pages that are there again soon.
const DOZE_MS: u32 = 500;
/// The others begin while the sleepers are on their way, from 0 to less than this later.
const LATEST_MS: usize = 32;

fn doze(preempted: &Counter, early: &Counter) {
    let mut on_the_way = false;
    // SAFETY: Threads of a job run in process context and hold no lock.
    let left = unsafe { stack_stress_doze(msecs_to_jiffies(DOZE_MS) as c_long, &mut on_the_way) };

    preempted.add(on_the_way.into());
    early.add((left > 0).into());
}

/// Waits until `all` threads have come here.
///
/// What they locked when they were started they have unlocked then, and have woken whom they had
/// to. A thread that got the mutex by itself may be woken for it later on: that is a wake-up like
/// any other, and would end its sleep.
fn meet(arrived: &Atomic<usize>, all: usize) {
    arrived.fetch_add(1, Release);
    while arrived.load(Acquire) < all {
        fsleep(Delta::from_millis(1));
    }
}

fn run(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let tally = Tally::default();
    let arrived = Atomic::new(0);
    let preempted = Counter::default();
    let early = Counter::default();
    let exited = run_rounds(command.threads, command.rounds, &|thread, round| {
        let seed = pattern(thread as u64, round);

        meet(&arrived, command.threads * (round + 1));
        if thread % 2 == 0 {
            doze(&preempted, &early);
        } else {
            fsleep(Delta::from_millis((thread % LATEST_MS) as i64));
        }
        descend(command.bytes, seed, &tally, &|| Ok(()), &|| {
            stack::sleep().map(drop)
        })
    })?;

    Fault::unless_equal("sleeps that ended early", 0, early.get())?;
    tally.numbers(&[("created", exited), ("preempted", preempted.get())])
}
