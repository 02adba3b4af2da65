// SPDX-License-Identifier: GPL-2.0

//! An object on a deep and sleeping stack that a thread on another CPU writes to and completes.

use crate::{
    command::Command,
    descent::descend,
    fault::Fault,
    frame::{
        checksum,
        pattern, //
    },
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
use core::ptr::NonNull;
use kernel::{
    cpu::CpuId,
    new_condvar,
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Completion,
        CondVar,
        Mutex, //
    },
    types::ScopeGuard, //
};
use pin_init::stack_pin_init;

/// `threads` sleepers, each with a waker of its own.
pub(crate) const SHARED_OBJECT: Test = Test {
    name: "SHARED_OBJECT",
    deepest: stack::DEEPEST,
    threads: 4,
    most_threads: MANY_THREADS,
    rounds: 50,
    run,
};

const WORDS: usize = 32;

/// What lies on the stack of the sleeper.
#[pin_data]
struct Object {
    sleeper_cpu: CpuId,
    seed: u64,
    payload: [Atomic<u64>; WORDS],
    #[pin]
    done: Completion,
}

impl Object {
    fn new(seed: u64) -> impl PinInit<Self> {
        pin_init!(Self {
            sleeper_cpu: CpuId::current(),
            seed,
            payload: [const { Atomic::new(0) }; WORDS],
            done <- Completion::new(),
        })
    }

    /// The waker's part.
    fn write(&self) {
        for (index, word) in self.payload.iter().enumerate() {
            word.store(pattern(self.seed, index), Relaxed);
        }
    }

    /// The sleeper's part, after it was woken.
    fn verify(&self) -> Result<(), Fault> {
        let mut wrote = 0;
        let mut read = 0;

        for (index, word) in self.payload.iter().enumerate() {
            wrote = checksum(wrote, pattern(self.seed, index));
            read = checksum(read, word.load(Relaxed));
        }
        Fault::unless_same_sum("a shared object", wrote, read)
    }
}

/// What is in the hands of the waker.
enum Slot {
    Empty,
    Posted(Posted),
    Closed,
}

/// An object that was posted.
///
/// # Invariants
///
/// The object is valid until it is completed.
struct Posted(NonNull<Object>);

// SAFETY: An `Object` is only used through shared references, and is `Sync`.
unsafe impl Send for Posted {}

/// The way from a sleeper to its waker.
#[pin_data]
struct Exchange {
    #[pin]
    content: Mutex<Slot>,
    #[pin]
    changed: CondVar,
}

impl Exchange {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            content <- new_mutex!(Slot::Empty),
            changed <- new_condvar!(),
        })
    }

    fn put(&self, slot: Slot) {
        *self.content.lock() = slot;
        self.changed.notify_one();
    }

    /// Posts `object` and sleeps until it is completed.
    fn post(&self, object: &Object) {
        // INVARIANT: The borrow does not end before the object is completed.
        self.put(Slot::Posted(Posted(NonNull::from(object))));
        object.done.wait_for_completion();
    }

    /// Waits for an object; none comes after the exchange was closed.
    fn take(&self) -> Option<Posted> {
        let mut slot = self.content.lock();

        loop {
            match core::mem::replace(&mut *slot, Slot::Empty) {
                Slot::Posted(posted) => return Some(posted),
                Slot::Closed => return None,
                Slot::Empty => self.changed.wait(&mut slot),
            }
        }
    }
}

/// What happened.
#[derive(Default)]
struct Events {
    raised: Counter,
    seen: Counter,
    cross_cpu: Counter,
}

fn run(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let tally = Tally::default();
    let events = Events::default();
    let mut exchanges = KVVec::with_capacity(command.threads, GFP_KERNEL)?;

    for _ in 0..command.threads {
        let exchange = KBox::pin_init(Exchange::new(), GFP_KERNEL)
            .map_err(|error| Fault::Call("the allocation of memory", error))?;

        exchanges.push(exchange, GFP_KERNEL)?;
    }
    run_together(2 * command.threads, &|thread| {
        let exchange = &exchanges[thread / 2];

        if thread % 2 == 0 {
            wake(exchange, &events)
        } else {
            // The waker must end too if this ends early.
            let _close = ScopeGuard::new(|| exchange.put(Slot::Closed));

            for round in 0..command.rounds {
                let seed = pattern(thread as u64, round);

                descend(command.bytes, seed, &tally, &|| Ok(()), &|| {
                    sleep(exchange, seed, &events)
                })?;
            }
            Ok(())
        }
    })?;

    let posted = (command.threads * command.rounds) as u64;

    Fault::unless_equal("completions raised", posted, events.raised.get())?;
    Fault::unless_equal("completions seen", posted, events.seen.get())?;
    tally.numbers(&[
        ("raised", events.raised.get()),
        ("seen", events.seen.get()),
        ("cross_cpu", events.cross_cpu.get()),
    ])
}

/// The sleeper's part of one round, at the bottom of its descent.
fn sleep(exchange: &Exchange, seed: u64, events: &Events) -> Result<(), Fault> {
    stack_pin_init!(let object = Object::new(seed));
    exchange.post(&object);
    events.seen.add(1);
    stack::sleep()?;
    object.verify()
}

/// The waker's part of all rounds.
fn wake(exchange: &Exchange, events: &Events) -> Result<(), Fault> {
    let mut result = Ok(());

    while let Some(Posted(object)) = exchange.take() {
        // SAFETY: By the type invariant the object is valid until it is completed, below.
        let object = unsafe { object.as_ref() };

        // Whatever goes wrong, the sleeper must be woken.
        match sched::move_off(object.sleeper_cpu) {
            Ok(moved) => events.cross_cpu.add(moved.into()),
            Err(fault) => result = Err(fault),
        }
        // Give the sleeper the time to fall asleep.
        sched::switch_away();
        object.write();
        events.raised.add(1);
        object.done.complete_all();
    }
    result
}
