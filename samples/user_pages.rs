// SPDX-License-Identifier: GPL-2.0

//! Memory of the process that runs a test, for the threads of the test to touch.

use crate::fault::Fault;
use kernel::{
    bindings,
    mm::MmWithUser,
    page::PAGE_SIZE,
    prelude::*,
    sync::aref::ARef,
    types::NotThreadSafe, //
};

unsafe extern "C" {
    safe fn stack_stress_map_pages(bytes: usize) -> usize;
}

/// Pages of user memory, none of which is there before it is touched.
///
/// # Invariants
///
/// `pages` pages from `start` on were mapped into `mm`, that of the process that made this, and are
/// unmapped by it.
pub(crate) struct UserPages {
    mm: ARef<MmWithUser>,
    start: usize,
    pages: usize,
    _not_send: NotThreadSafe,
}

// SAFETY: Shared references only give addresses and a reference-counted address space.
unsafe impl Sync for UserPages {}

impl UserPages {
    /// Maps `pages` pages.
    pub(crate) fn new(pages: usize) -> Result<Self, Fault> {
        let mm = kernel::current!()
            .mm()
            .ok_or(Fault::Call("the search for an address space", ESRCH))?
            .into();
        let start = stack_stress_map_pages(pages * PAGE_SIZE);

        if start == 0 {
            return Err(Fault::Call("vm_mmap", ENOMEM));
        }
        // INVARIANT: The pages were just mapped. `self` stays with the running thread.
        Ok(Self {
            mm,
            start,
            pages,
            _not_send: NotThreadSafe,
        })
    }

    /// Lets the running kernel thread touch page `index` until the guard is dropped.
    pub(crate) fn attach(&self, index: usize) -> Result<Attached<'_>, Fault> {
        if index >= self.pages {
            return Err(Fault::Call("the choice of a page", ERANGE));
        }
        // SAFETY: This is a kernel thread, and `self` keeps the address space alive.
        unsafe { bindings::kthread_use_mm(self.mm.as_raw()) };
        Ok(Attached {
            pages: self,
            index,
            _not_send: NotThreadSafe,
        })
    }
}

impl Drop for UserPages {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the pages are ours and in the address space of the running
        // process.
        unsafe { bindings::vm_munmap(self.start, self.pages * PAGE_SIZE) };
    }
}

/// The running kernel thread uses the address space of [`UserPages`].
pub(crate) struct Attached<'a> {
    pages: &'a UserPages,
    index: usize,
    _not_send: NotThreadSafe,
}

impl Attached<'_> {
    /// Returns the address of the page to touch.
    pub(crate) fn address(&self) -> usize {
        self.pages.start + self.index * PAGE_SIZE
    }
}

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        // SAFETY: Attached by the same thread, which cannot have changed.
        unsafe { bindings::kthread_unuse_mm(self.pages.mm.as_raw()) };
    }
}
