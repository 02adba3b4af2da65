// SPDX-License-Identifier: GPL-2.0

//! Threads that go deep while another CPU sends them NMIs, one after another.
//!
//! Each frame that a thread writes meets at least one. Some NMIs read the stack of the thread,
//! where it has not been yet.

use crate::{
    command::Command,
    descent::descend,
    fault::Fault,
    frame::pattern,
    kthread::run_bound,
    report::{
        Counter,
        Numbers,
        Tally, //
    },
    sched::{
        self,
        OnlineCpus, //
    },
    stack,
    test::{
        Test,
        MANY_THREADS, //
    },
    visit::NO_APIC,
    Bench, //
};
use core::hint::spin_loop;
use kernel::{
    cpu::CpuId,
    error::to_result,
    prelude::*,
    time::{
        delay::udelay,
        Delta,
        Instant,
        Monotonic, //
    },
    types::ScopeGuard, //
};

unsafe extern "C" {
    fn stack_stress_begin_nmis() -> c_int;
    fn stack_stress_end_nmis();
    safe fn stack_stress_nmis_handled() -> c_ulong;
    safe fn stack_stress_nmis_walked() -> c_ulong;
    safe fn stack_stress_nmis_astray() -> c_ulong;
    safe fn stack_stress_send_nmi(cpu: c_uint);
}

/// `threads` short lives that go deep on one CPU, under a storm of NMIs.
pub(crate) const NMI_STORM: Test = Test {
    name: "NMI_STORM",
    deepest: stack::DEEPEST,
    threads: 4,
    most_threads: MANY_THREADS,
    rounds: 20,
    run,
};

/// The time from the end of one NMI to the next is from 0 to less than this, in turns.
const LONGEST_PAUSE_US: u64 = 16;

/// Sends NMIs that are counted.
///
/// # Invariants
///
/// The handler is registered.
struct Sender;

impl Sender {
    fn new() -> Result<Self, Fault> {
        // SAFETY: Only one test runs at a time, and ends what it began.
        match to_result(unsafe { stack_stress_begin_nmis() }) {
            // INVARIANT: It succeeded.
            Ok(()) => Ok(Self),
            Err(error) if error == ENODEV => Err(NO_APIC),
            Err(error) => Err(Fault::Call("the registration of a handler", error)),
        }
    }

    /// Sends one NMI and returns once it is handled.
    ///
    /// Hence no two of them can merge into one.
    fn send(&self, cpu: CpuId) -> Result<(), Fault> {
        // Enough even for an emulated CPU that has to wait for its turn, or was stopped for long.
        const LIMIT: Delta = Delta::from_secs(5);
        const TURNS: usize = 100_000;

        let before = handled();
        let mut turns = 0;
        let start = Instant::<Monotonic>::now();

        stack_stress_send_nmi(cpu.as_u32());
        while handled() == before {
            turns += 1;
            if turns > TURNS && start.elapsed() > LIMIT {
                return Err(Fault::Count {
                    what: "NMIs handled of the last one sent",
                    wanted: 1,
                    got: 0,
                });
            }
            sched::yield_now();
        }
        Ok(())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the handler is registered.
        unsafe { stack_stress_end_nmis() };
    }
}

/// What was counted since the module was loaded.
struct Counts {
    handled: u64,
    /// A walk of the stack came to its end.
    walked: u64,
    /// It did not, although the thread was on its own stack.
    astray: u64,
}

impl Counts {
    fn now() -> Self {
        Self {
            handled: handled(),
            walked: stack_stress_nmis_walked() as u64,
            astray: stack_stress_nmis_astray() as u64,
        }
    }
}

fn handled() -> u64 {
    stack_stress_nmis_handled() as u64
}

fn run(command: &Command, _: &Bench) -> Result<Numbers, Fault> {
    let sender = Sender::new()?;
    let tally = Tally::default();
    let descents = Counter::default();
    let sent = Counter::default();
    let before = Counts::now();

    for round in 0..command.rounds {
        let ended = Counter::default();
        let stopped = Counter::default();
        let cpus = OnlineCpus::lock();

        if cpus.count() < 2 {
            return Err(Fault::Missing("there is no second CPU"));
        }
        // All descend on the first CPU; the last thread sends from the second.
        let cpu_of = |thread| cpus.nth((thread == command.threads).into());

        run_bound(command.threads + 1, &cpu_of, &|thread| {
            if thread < command.threads {
                let _end = ScopeGuard::new(|| ended.add(1));
                let seed = pattern(thread as u64, round);
                // The next NMI then comes while the next frame is written, which needs pages.
                let after_an_nmi = || {
                    let before = handled();

                    while handled() == before && stopped.get() == 0 {
                        spin_loop();
                    }
                    Ok(())
                };

                descend(command.bytes, seed, &tally, &after_an_nmi, &|| Ok(()))?;
                descents.add(1);
                return Ok(());
            }

            let _stop = ScopeGuard::new(|| stopped.add(1));

            while ended.get() < command.threads as u64 {
                sender.send(cpus.nth(0))?;
                sent.add(1);
                udelay(Delta::from_micros((sent.get() % LONGEST_PAUSE_US) as i64));
            }
            Ok(())
        })?;
    }
    Fault::unless_equal(
        "threads that went deep",
        (command.threads * command.rounds) as u64,
        descents.get(),
    )?;

    let after = Counts::now();
    let handled = after.handled - before.handled;
    let walked = after.walked - before.walked;

    Fault::unless_equal("NMIs handled", sent.get(), handled)?;
    Fault::unless_equal("walks that ended early", 0, after.astray - before.astray)?;
    if walked == 0 {
        return Err(Fault::Count {
            what: "stacks that were walked, at least",
            wanted: 1,
            got: 0,
        });
    }
    tally.numbers(&[
        ("sent", sent.get()),
        ("handled", handled),
        ("walked", walked),
    ])
}
