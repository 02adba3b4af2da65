// SPDX-License-Identifier: GPL-2.0

//! What the running thread can ask of the scheduler.

use crate::fault::Fault;
use kernel::{
    bindings,
    cpu::{
        nr_cpu_ids,
        CpuId, //
    },
    cpumask::{
        Cpumask,
        CpumaskVar, //
    },
    error::to_result,
    prelude::*,
    task::Task,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

unsafe extern "C" {
    safe fn stack_stress_voluntary_switches() -> c_ulong;
}

/// Sleeps until the CPU has switched to another thread and back at least once.
///
/// Returns how often it has.
pub(crate) fn switch_away() -> u64 {
    // Long enough to be a sleep: a shorter one is a busy loop.
    const NAP: Delta = Delta::from_micros(50);

    let before = stack_stress_voluntary_switches();

    loop {
        fsleep(NAP);

        let switches = stack_stress_voluntary_switches().wrapping_sub(before);

        if switches > 0 {
            return switches as u64;
        }
    }
}

/// Lets another thread run, if one wants to.
pub(crate) fn yield_now() {
    // SAFETY: Tests run in process context and hold no lock here.
    unsafe { bindings::schedule() };
}

/// The CPUs that are online, and stay so.
pub(crate) struct OnlineCpus;

impl OnlineCpus {
    /// Keeps all CPUs from going offline.
    pub(crate) fn lock() -> Self {
        // SAFETY: Tests run in process context; the unlock is in `drop`.
        unsafe { bindings::cpus_read_lock() };
        Self
    }

    fn mask(&self) -> &Cpumask {
        // SAFETY: The mask is a valid global, and nobody changes it while `self` exists.
        unsafe { Cpumask::from_raw(&raw const bindings::__cpu_online_mask) }
    }

    fn is_online(&self, cpu: CpuId) -> bool {
        self.mask().test(cpu)
    }

    pub(crate) fn count(&self) -> usize {
        self.mask().weight() as usize
    }

    /// Returns one of the CPUs; after the last comes the first again.
    pub(crate) fn nth(&self, index: usize) -> CpuId {
        (0..nr_cpu_ids())
            .filter_map(CpuId::from_u32)
            .filter(|&cpu| self.is_online(cpu))
            .nth(index % self.count().max(1))
            .unwrap_or_else(CpuId::current)
    }
}

impl Drop for OnlineCpus {
    fn drop(&mut self) {
        // SAFETY: Locked by `lock`.
        unsafe { bindings::cpus_read_unlock() };
    }
}

/// Moves the running thread to the next online CPU after `from`, and keeps it there.
///
/// Returns false if there is no other.
pub(crate) fn move_off(from: CpuId) -> Result<bool, Fault> {
    let online = OnlineCpus::lock();
    let cpus = nr_cpu_ids();
    let Some(next) = (1..cpus)
        .filter_map(|distance| CpuId::from_u32((from.as_u32() + distance) % cpus))
        .find(|&cpu| online.is_online(cpu))
    else {
        return Ok(false);
    };
    let mut mask = CpumaskVar::new_zero(GFP_KERNEL)?;

    mask.set(next);
    // SAFETY: The running thread and the mask are valid.
    to_result(unsafe { bindings::set_cpus_allowed_ptr(Task::current_raw(), mask.as_raw()) })
        .map_err(|error| Fault::Call("set_cpus_allowed_ptr", error))?;
    Fault::unless_equal(
        "the CPU after a migration",
        next.as_u32().into(),
        CpuId::current().as_u32().into(),
    )?;
    Ok(true)
}
