// SPDX-License-Identifier: GPL-2.0

//! The kernel stack of the running thread.
//!
//! A place on it is given as its depth, the distance in bytes from the top of the stack.

use crate::{
    fault::Fault,
    sched::switch_away, //
};
use core::{
    hint::black_box,
    ptr::from_ref, //
};
use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*,
    task::Task, //
};

/// The size of a kernel stack.
pub(crate) const SIZE: usize = size_of::<bindings::thread_union>();

/// What the entry to a new thread and to its test may use. No test starts below this depth.
pub(crate) const ENTRY: usize = 1024;

/// No frame fits above this depth, whatever the entry to the test uses.
pub(crate) const SHALLOWEST: usize = 2 * ENTRY;

/// What stays free below the deepest frame: to sleep there, and to be interrupted while doing so.
pub(crate) const MARGIN: usize = PAGE_SIZE - ENTRY;

/// The deepest place that a test may go to.
pub(crate) const DEEPEST: usize = SIZE - MARGIN;

/// Returns the address just above the stack of the running thread.
fn top() -> usize {
    // SAFETY: The running thread is valid, and the address of its stack does not change.
    let lowest = unsafe { (*Task::current_raw()).stack };

    lowest.addr() + SIZE
}

/// Returns the depth of `address`, which must be on the stack of the running thread.
pub(crate) fn depth_of(address: usize) -> usize {
    top() - address
}

/// Returns the address at `depth`.
pub(crate) fn address_at(depth: usize) -> usize {
    top() - depth
}

/// Returns the depth of the caller's frame.
#[inline(always)]
pub(crate) fn depth() -> usize {
    let here = 0u8;

    depth_of(black_box(from_ref(&here)).addr())
}

/// Sleeps, and verifies that the thread then owns all pages down to where it slept.
///
/// Returns the number of context switches.
pub(crate) fn sleep() -> Result<u64, Fault> {
    let switches = switch_away();
    let depth = depth();
    let (pages, seen) = owned()?;
    let owned = pages * PAGE_SIZE;

    if owned < depth || seen < depth {
        return Err(Fault::Owned { depth, owned, seen });
    }
    Ok(switches)
}

/// Returns how many pages of its stack the running thread owns.
pub(crate) fn owned_pages() -> Result<u64, Fault> {
    Ok(owned()?.0 as u64)
}

/// Returns how many pages the running thread owns, and how deep its stack was in bytes.
#[cfg(CONFIG_DYNAMIC_STACK)]
fn owned() -> Result<(usize, usize), Fault> {
    let task = kernel::current!();
    let stack = kernel::dynamic_stack::TaskStack::try_get(task)
        .ok_or(Fault::Call("try_get_task_stack", ESRCH))?;

    Ok((stack.owned_pages() as usize, stack.depth()))
}

/// Without dynamic stacks every thread owns all of its stack.
#[cfg(not(CONFIG_DYNAMIC_STACK))]
fn owned() -> Result<(usize, usize), Fault> {
    Ok((SIZE / PAGE_SIZE, SIZE))
}
