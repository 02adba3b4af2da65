// SPDX-License-Identifier: GPL-2.0

//! A visit: one event while the stack pointer of a thread is at one place.

use crate::fault::Fault;
use kernel::{
    error::to_result,
    prelude::*, //
};

unsafe extern "C" {
    fn stack_stress_begin_event(event: c_uint) -> c_int;
    fn stack_stress_end_event(event: c_uint);
    fn stack_stress_visit(
        event: c_uint,
        sp: usize,
        floor: usize,
        seed: u64,
        target: usize,
        found: *mut Found,
    ) -> c_int;
    safe fn stack_stress_answer();
}

/// The kinds of events, in the order of the table in `visit.c`.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Timer,
    Ipi,
    CrossIpi,
    Nmi,
    UserFault,
    Int3,
    Breakpoint,
    Warn,
    Gp,
}

/// What a visit found. C has the same structure.
#[derive(Default)]
#[repr(C)]
pub(crate) struct Found {
    /// 0 if another CPU should have done it and had no time.
    pub(crate) raised: u64,
    /// How often the event was handled, in time and too late.
    pub(crate) handled: u64,
    pub(crate) late: u64,
    /// Handled with the stack pointer at the place.
    pub(crate) at_place: u64,
    /// A walk of the stack from the handler came to the thread's function.
    pub(crate) walked: u64,
    /// The slot below was never accessed; it was not even mapped.
    pub(crate) untouched: u64,
    pub(crate) unmapped: u64,
    /// Interrupts that the CPU accepted and no handler ever saw.
    pub(crate) in_service: u64,
    /// Not 0 if a register, the stack pointer among them, has changed.
    pub(crate) bad_registers: u64,
    /// The address of a word that has changed, or 0.
    pub(crate) bad_address: usize,
    pub(crate) bad_word: u64,
}

/// Visits with one kind of event.
///
/// # Invariants
///
/// `stack_stress_begin_event()` has succeeded for this kind.
pub(crate) struct Visits(Kind);

impl Visits {
    /// Registers the handlers of the event.
    pub(crate) fn begin(kind: Kind) -> Result<Self, Fault> {
        // SAFETY: Only one test runs at a time, and ends what it began.
        match to_result(unsafe { stack_stress_begin_event(kind as c_uint) }) {
            // INVARIANT: It succeeded.
            Ok(()) => Ok(Self(kind)),
            Err(error) if error == ENODEV => Err(NO_APIC),
            Err(error) => Err(Fault::Call("the registration of a handler", error)),
        }
    }

    /// Lets the event happen while the stack pointer is `sp`, with the stack filled from `floor`
    /// up to where it is in use. User faults happen at the address `target`.
    ///
    /// Nothing happens once several events were lost: each would take until its deadline.
    ///
    /// # Safety
    ///
    /// `sp` and `floor` must be multiples of the word size, on the stack of the running thread,
    /// below all of its frames and above what handlers need. The thread must be bound to its CPU,
    /// and attached to the address space of `target`.
    pub(crate) unsafe fn visit(
        &self,
        sp: usize,
        floor: usize,
        seed: u64,
        target: usize,
    ) -> Result<Option<Found>, Fault> {
        let mut found = Found::default();

        // SAFETY: The caller promises what concerns the stack, and by the type invariant the
        // handlers are there.
        match to_result(unsafe {
            stack_stress_visit(self.0 as c_uint, sp, floor, seed, target, &raw mut found)
        }) {
            Ok(()) => Ok(Some(found)),
            Err(error) if error == ECANCELED => Ok(None),
            Err(error) => Err(Fault::Call("a visit", error)),
        }
    }
}

impl Drop for Visits {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, it was begun.
        unsafe { stack_stress_end_event(self.0 as c_uint) };
    }
}

/// Interrupts and NMIs need an APIC.
pub(crate) const NO_APIC: Fault = Fault::Missing("the CPU has no local APIC of its own");

/// Sends an interrupt to the thread that waits for one from another CPU, if there is one.
pub(crate) fn answer() {
    stack_stress_answer();
}
