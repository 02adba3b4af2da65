// SPDX-License-Identifier: GPL-2.0

//! Memory that is taken until the kernel reclaims.

use crate::fault::Fault;
use core::ptr::NonNull;
use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*, //
};

/// Tries no more than a little, never reports a failure, and never kills for memory.
const MEEK: bindings::gfp_t = bindings::__GFP_NOWARN | (1 << bindings::___GFP_NORETRY_BIT);

/// The largest block that is asked for.
const MAX_ORDER: c_uint = 10;

/// The most memory that is taken to make it scarce.
const MOST_BYTES: usize = 8 << 30;

/// Pages that are held and never touched.
///
/// # Invariants
///
/// Each entry is a block of pages of that order, owned by the instance.
pub(crate) struct Hoard {
    blocks: KVVec<(NonNull<bindings::page>, c_uint)>,
}

// SAFETY: Pages may be freed by any thread.
unsafe impl Send for Hoard {}

impl Hoard {
    /// Creates an empty hoard with room for `blocks` blocks.
    pub(crate) fn with_capacity(blocks: usize) -> Result<Self, Fault> {
        Ok(Self {
            blocks: KVVec::with_capacity(blocks, GFP_KERNEL)?,
        })
    }

    /// Takes one block, unless there is none or no room for it.
    fn take(&mut self, flags: bindings::gfp_t, order: c_uint) -> bool {
        if self.blocks.len() == self.blocks.capacity() {
            return false;
        }

        // SAFETY: Tests run in process context, where all flags are allowed.
        let Some(page) = NonNull::new(unsafe { bindings::alloc_pages(flags, order) }) else {
            return false;
        };

        // INVARIANT: The block was just allocated, with this order.
        self.blocks.push_within_capacity((page, order)).is_ok()
    }

    /// Takes all free memory, down to where an allocation would make others reclaim.
    pub(crate) fn all_free() -> Result<Self, Fault> {
        let mut hoard = Self::with_capacity(2 * MOST_BYTES / (PAGE_SIZE << MAX_ORDER))?;

        for order in (0..=MAX_ORDER).rev() {
            while hoard.take(MEEK, order) {}
        }
        if hoard.blocks.len() == hoard.blocks.capacity() {
            return Err(Fault::Missing(
                "a machine with at most 8 GiB of free memory",
            ));
        }
        Ok(hoard)
    }

    /// Takes single pages until the kernel has entered direct reclaim once, or there is no room
    /// for more.
    ///
    /// Returns how often direct reclaim was entered, by any thread.
    pub(crate) fn force_reclaim(&mut self) -> u64 {
        // Counting is slow, it visits all CPUs.
        const BATCH: usize = 64;

        let before = direct_reclaims();

        loop {
            let more = (0..BATCH).all(|_| self.take(bindings::GFP_KERNEL | MEEK, 0));
            let entered = direct_reclaims() - before;

            if entered > 0 || !more {
                return entered;
            }
        }
    }
}

impl Drop for Hoard {
    fn drop(&mut self) {
        for (page, order) in &self.blocks {
            // SAFETY: By the type invariant, the block is ours to free.
            unsafe { bindings::__free_pages(page.as_ptr(), *order) };
        }
    }
}

/// Returns how often direct reclaim was entered since boot for memory of any use.
#[inline(never)]
pub(crate) fn direct_reclaims() -> u64 {
    let mut events = [0; bindings::vm_event_item_NR_VM_EVENT_ITEMS as usize];

    // SAFETY: The array has room for all events.
    unsafe { bindings::all_vm_events(events.as_mut_ptr()) };

    let normal = events[bindings::vm_event_item_ALLOCSTALL_NORMAL as usize];
    let movable = events[bindings::vm_event_item_ALLOCSTALL_MOVABLE as usize];

    (normal + movable) as u64
}
