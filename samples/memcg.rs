// SPDX-License-Identifier: GPL-2.0

//! Memory cgroups, to make a thread reclaim.

use kernel::prelude::*;

unsafe extern "C" {
    safe fn stack_stress_get_memcg() -> *mut c_void;
    fn stack_stress_put_memcg(memcg: *mut c_void);
    fn stack_stress_set_active_memcg(memcg: *mut c_void) -> *mut c_void;
    safe fn stack_stress_reclaimed_pages() -> c_ulong;
}

/// A memory cgroup.
///
/// # Invariants
///
/// The instance owns a reference on `memcg`, which is null if there are no memory cgroups.
pub(crate) struct MemoryCgroup {
    memcg: *mut c_void,
}

// SAFETY: A reference may be used and given up by any thread.
unsafe impl Send for MemoryCgroup {}
// SAFETY: Charging is synchronised by the kernel.
unsafe impl Sync for MemoryCgroup {}

impl MemoryCgroup {
    /// Returns the one that the running process is in.
    pub(crate) fn of_current() -> Self {
        // INVARIANT: The function returns a reference, or null.
        Self {
            memcg: stack_stress_get_memcg(),
        }
    }

    /// Calls `body`, and charges what it adds to the page cache.
    pub(crate) fn charge<R>(&self, body: impl FnOnce() -> R) -> R {
        // SAFETY: The reference outlives the scope.
        let outer = unsafe { stack_stress_set_active_memcg(self.memcg) };
        let result = body();

        // SAFETY: Whoever set it still owns its reference.
        unsafe { stack_stress_set_active_memcg(outer) };
        result
    }
}

impl Drop for MemoryCgroup {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the reference is ours to give up.
        unsafe { stack_stress_put_memcg(self.memcg) };
    }
}

/// Returns how many pages threads have reclaimed for themselves since boot.
///
/// The number lags behind by up to a hundred pages a CPU.
pub(crate) fn directly_reclaimed_pages() -> u64 {
    stack_stress_reclaimed_pages() as u64
}
