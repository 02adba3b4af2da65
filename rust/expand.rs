// SPDX-License-Identifier: GPL-2.0

//! Owning stack before it is used, by a number that is known at run time.
//!
//! Modules include this file with `#[path = "../rust/expand.rs"]`. Where the number is known at
//! compile time, `kernel::dynamic_stack::with_stack()` does the same and verifies it.

use kernel::{
    dynamic_stack::{
        stack_room,
        StackReservation,
        TaskStack,
        AREA_SIZE, //
    },
    page::PAGE_SIZE,
    prelude::*, //
};

/// Returns how many pages of its stack the running thread owns.
pub(crate) fn owned_pages() -> Result<usize> {
    let task = kernel::current!();
    let stack = TaskStack::try_get(task).ok_or(ESRCH)?;

    Ok(stack.owned_pages() as usize)
}

/// Returns how many bytes of its stack the running thread owns below the caller's frame.
#[inline(never)] // So that the frame is below that of the caller.
pub(crate) fn owned_below() -> Result<usize> {
    let depth = AREA_SIZE - stack_room();

    // A page that is lent can be in use and not yet be owned.
    Ok((owned_pages()? * PAGE_SIZE).saturating_sub(depth))
}

/// Calls `function` with at least `bytes` bytes of stack below it.
///
/// Returns what `function` returns, or why it was not called.
pub(crate) fn with_stack<R>(
    bytes: usize,
    function: impl FnOnce(&StackReservation) -> R,
) -> Result<R> {
    #[inline(never)]
    fn call<R>(function: impl FnOnce(&StackReservation) -> R, stack: &StackReservation) -> R {
        function(stack)
    }

    Ok(call(function, &StackReservation::new(bytes)?))
}
