// SPDX-License-Identifier: GPL-2.0

//! Interrupts, NMIs and exceptions with the stack pointer at every word around and below each page
//! boundary.
//!
//! Each place gets a new thread, which has not used the slot below the boundary yet. It moves its
//! stack pointer there in one step, fills all words above and its registers with patterns, and
//! waits for one event. An event that is not handled in time is lost.

use crate::{
    command::Command,
    fault::Fault,
    frame::pattern,
    kthread::run_bound,
    report::{
        Counter,
        Numbers, //
    },
    sched::{
        self,
        OnlineCpus, //
    },
    stack,
    test::{
        Run,
        Test,
        MANY_THREADS, //
    },
    user_pages::{
        Attached,
        UserPages, //
    },
    visit::{
        answer,
        Found,
        Kind,
        Visits, //
    }, //
};
use kernel::{
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    sync::Mutex,
    types::ScopeGuard, //
};
use pin_init::stack_pin_init;

pub(crate) const TIMER: Test = test("EVENT_TIMER", |command, _| run(command, Kind::Timer));
pub(crate) const IPI: Test = test("EVENT_IPI", |command, _| run(command, Kind::Ipi));
pub(crate) const CROSS_IPI: Test =
    test("EVENT_CROSS_IPI", |command, _| run(command, Kind::CrossIpi));
pub(crate) const NMI: Test = test("EVENT_NMI", |command, _| run(command, Kind::Nmi));
pub(crate) const USER_FAULT: Test = test("EVENT_USER_FAULT", |command, _| {
    run(command, Kind::UserFault)
});
pub(crate) const INT3: Test = test("EVENT_INT3", |command, _| run(command, Kind::Int3));
pub(crate) const BREAKPOINT: Test = test("EVENT_BREAKPOINT", |command, _| {
    run(command, Kind::Breakpoint)
});
pub(crate) const WARN: Test = test("EVENT_WARN", |command, _| run(command, Kind::Warn));
pub(crate) const GP: Test = test("EVENT_GP", |command, _| run(command, Kind::Gp));

/// One event at every place down to `bytes`, `threads` of them between two looks at the counts.
const fn test(name: &'static str, run: Run) -> Test {
    Test {
        name,
        deepest: stack::DEEPEST,
        threads: 8,
        most_threads: MANY_THREADS,
        rounds: 1,
        run,
    }
}

/// How far above a boundary places begin: a frame that is pushed there goes across it.
const ABOVE: usize = 128;

/// How far apart two places are.
const STEP: usize = size_of::<u64>();

const PLACES_AT_BOUNDARY: usize = (ABOVE + PAGE_SIZE) / STEP;

/// Where the stack pointer shall be.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    /// The depth of the page boundary below which nothing was used yet.
    boundary: usize,
}

impl Place {
    /// Returns all places that are not deeper than `deepest`.
    fn all(deepest: usize) -> Result<KVVec<Self>, Fault> {
        let mut places = KVVec::new();

        for boundary in (PAGE_SIZE..stack::SIZE).step_by(PAGE_SIZE) {
            for index in 0..PLACES_AT_BOUNDARY {
                let depth = boundary - ABOVE + index * STEP;

                if depth <= deepest {
                    places.push(Self { depth, boundary }, GFP_KERNEL)?;
                }
            }
        }
        if places.is_empty() {
            return Err(Fault::Missing(
                "bytes is less than the depth of the first page boundary",
            ));
        }
        Ok(places)
    }
}

impl Kind {
    fn missing(self) -> Option<&'static str> {
        match self {
            Self::CrossIpi if !cfg!(CONFIG_SMP) => Some("CONFIG_SMP is not set"),
            Self::Int3 if !cfg!(CONFIG_KPROBES) => Some("CONFIG_KPROBES is not set"),
            Self::Breakpoint if !cfg!(CONFIG_HAVE_HW_BREAKPOINT) => {
                Some("CONFIG_HAVE_HW_BREAKPOINT is not set")
            }
            Self::Warn if !cfg!(CONFIG_GENERIC_BUG) => Some("CONFIG_BUG is not set"),
            _ if cfg!(CONFIG_UNWINDER_GUESS) => Some("CONFIG_UNWINDER_ORC is not set"),
            _ => None,
        }
    }

    /// Returns whether the event has a handler of ours, which looks at the stack.
    fn has_handler(self) -> bool {
        !matches!(self, Self::UserFault | Self::Warn | Self::Gp)
    }
}

/// Returns whether the thread had not used the slot below, nor got it for another reason.
///
/// Where threads own their whole stack from the start, no slot is expected to be new.
#[cfg(CONFIG_DYNAMIC_STACK)]
fn slot_was_new(found: &Found) -> bool {
    match kernel::dynamic_stack::method_name().to_bytes() {
        b"off" => true,
        b"fault" => found.unmapped != 0,
        _ => found.untouched != 0,
    }
}

#[cfg(not(CONFIG_DYNAMIC_STACK))]
fn slot_was_new(_: &Found) -> bool {
    true
}

/// What all visits found.
#[derive(Default)]
struct Totals {
    raised: Counter,
    handled: Counter,
    at_place: Counter,
    walked: Counter,
    untouched: Counter,
    unmapped: Counter,
    in_service: Counter,
}

impl Totals {
    fn add(&self, found: &Found) {
        self.raised.add(found.raised);
        self.handled.add(found.handled);
        self.walked.add(found.walked);
        self.in_service.add(found.in_service);
    }

    /// Counts a visit that is not repeated.
    fn add_hit(&self, found: &Found) {
        self.at_place.add(found.at_place);
        self.untouched.add(found.untouched);
        self.unmapped.add(found.unmapped);
    }

    /// Fails if an event was lost.
    fn unless_lost(&self, first_depth: Option<usize>) -> Result<(), Fault> {
        match first_depth {
            None => Ok(()),
            Some(depth) => Err(Fault::Lost {
                raised: self.raised.get(),
                handled: self.handled.get(),
                in_service: self.in_service.get(),
                depth,
            }),
        }
    }

    fn numbers(&self) -> Result<Numbers, Fault> {
        let mut numbers = Numbers::new();

        numbers.extend_from_slice(
            &[
                ("raised", self.raised.get()),
                ("handled", self.handled.get()),
                ("lost", self.raised.get() - self.handled.get()),
                ("at_place", self.at_place.get()),
                ("walked", self.walked.get()),
                ("untouched", self.untouched.get()),
                ("unmapped", self.unmapped.get()),
            ],
            GFP_KERNEL,
        )?;
        Ok(numbers)
    }
}

/// The visits of one test.
#[pin_data]
struct Sweep {
    kind: Kind,
    visits: Visits,
    totals: Totals,
    /// The depth of the first event that was lost, or of the first interrupt without a handler.
    #[pin]
    first_lost: Mutex<Option<usize>>,
    /// Places that the event did not hit: it came during a softirq, or not at all, or the slot
    /// below was not new.
    #[pin]
    missed: Mutex<KVVec<Place>>,
}

impl Sweep {
    fn new(kind: Kind) -> Result<impl PinInit<Self>, Fault> {
        let visits = Visits::begin(kind)?;

        Ok(pin_init!(Self {
            kind,
            visits,
            totals: Totals::default(),
            first_lost <- new_mutex!(None),
            missed <- new_mutex!(KVVec::new()),
        }))
    }

    /// Visits `places`, `threads` at a time, until the event has hit each above a new slot.
    fn round(&self, places: &[Place], threads: usize, round: usize) -> Result<(), Fault> {
        let most = 2 * places.len() + threads;
        let pages = match self.kind {
            Kind::UserFault => Some(UserPages::new(most)?),
            _ => None,
        };
        let mut left = KVVec::with_capacity(places.len(), GFP_KERNEL)?;
        let mut visited = 0;

        left.extend_from_slice(places, GFP_KERNEL)?;
        while !left.is_empty() {
            let first = left.len().saturating_sub(threads);
            let batch = &left[first..];

            if visited + batch.len() > most {
                return Err(Fault::Count {
                    what: "places that were hit",
                    wanted: places.len() as u64,
                    got: (places.len() - left.len()) as u64,
                });
            }
            self.batch(batch, &|thread| {
                let place = batch[thread];
                let attached = match &pages {
                    Some(pages) => Some(pages.attach(visited + thread)?),
                    None => None,
                };

                self.visit(place, pattern(place.depth as u64, round), attached.as_ref())
            })?;
            visited += batch.len();
            left.truncate(first);
            for &place in &*self.missed.lock() {
                left.push(place, GFP_KERNEL)?;
            }
            self.missed.lock().clear();
            self.totals.unless_lost(*self.first_lost.lock())?;
        }
        Ok(())
    }

    /// Runs one thread for each place of `batch`.
    fn batch(
        &self,
        batch: &[Place],
        job: &(dyn Fn(usize) -> Result<(), Fault> + Sync),
    ) -> Result<(), Fault> {
        let cpus = OnlineCpus::lock();

        if !matches!(self.kind, Kind::CrossIpi) {
            run_bound(batch.len(), &|thread| cpus.nth(thread), job)?;
            return Ok(());
        }
        if cpus.count() < 2 {
            return Err(Fault::Missing("there is no second CPU"));
        }

        // All visitors share the first CPU; the last thread is on the second, and answers them.
        let ended = Counter::default();
        let visitors = batch.len();
        let cpu_of = |thread| cpus.nth((thread == visitors).into());

        run_bound(visitors + 1, &cpu_of, &|thread| {
            if thread < visitors {
                let _end = ScopeGuard::new(|| ended.add(1));

                return job(thread);
            }
            while ended.get() < visitors as u64 {
                answer();
                sched::yield_now();
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Lets one event happen at `place`, and looks at what it left behind.
    fn visit(&self, place: Place, seed: u64, attached: Option<&Attached<'_>>) -> Result<(), Fault> {
        let Place { depth, boundary } = place;
        let sp = stack::address_at(depth);
        // No word above the boundary is left out, nor is one below touched.
        let floor = stack::address_at(depth.min(boundary));
        let target = attached.map_or(0, Attached::address);
        // SAFETY: The thread was made for this visit and is bound. The place is on its stack and
        // leaves the usual margin; if it is not below all frames, the visit fails.
        let Some(found) = (unsafe { self.visits.visit(sp, floor, seed, target)? }) else {
            return Ok(());
        };

        self.totals.add(&found);
        if found.bad_registers != 0 {
            return Err(Fault::Registers {
                depth,
                bits: found.bad_registers,
            });
        }
        if found.bad_address != 0 {
            return Err(Fault::Word {
                depth: stack::depth_of(found.bad_address),
                wrote: seed.wrapping_add(found.bad_address as u64),
                read: found.bad_word,
            });
        }
        if found.handled < found.raised || found.in_service != 0 {
            self.first_lost.lock().get_or_insert(depth);
            return Ok(());
        }
        Fault::unless_equal(
            "the times an event was handled",
            found.raised,
            found.handled + found.late,
        )?;
        if found.at_place == 0 || !slot_was_new(&found) {
            self.missed.lock().push(place, GFP_KERNEL)?;
            return Ok(());
        }
        if self.kind.has_handler() && found.walked == 0 {
            return Err(Fault::Walk { depth });
        }
        self.totals.add_hit(&found);
        Ok(())
    }
}

fn run(command: &Command, kind: Kind) -> Result<Numbers, Fault> {
    if let Some(missing) = kind.missing() {
        return Err(Fault::Missing(missing));
    }

    let places = Place::all(command.bytes)?;
    stack_pin_init!(let sweep = Sweep::new(kind)?);

    for round in 0..command.rounds {
        sweep.round(&places, command.threads, round)?;
    }

    let totals = &sweep.totals;

    Fault::unless_equal(
        "places that were hit",
        (places.len() * command.rounds) as u64,
        totals.at_place.get(),
    )?;
    totals.numbers()
}
