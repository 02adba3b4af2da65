// SPDX-License-Identifier: GPL-2.0

//! A file that is read from inside the kernel.

use crate::{
    fault::Fault,
    frame::checksum, //
};
use core::ptr::NonNull;
use kernel::{
    bindings,
    error::from_err_ptr,
    page::PAGE_SIZE,
    prelude::*, //
};

extern "C" {
    fn stack_stress_drop_cache(file: *mut c_void) -> c_ulong;
}

/// What was read from a file.
pub(crate) struct Content {
    pub(crate) bytes: u64,
    checksum: u64,
}

impl Content {
    /// Verifies that a second reading gave the same.
    pub(crate) fn verify(&self, again: Self) -> Result<(), Fault> {
        Fault::unless_equal("bytes of the file", self.bytes, again.bytes)?;
        Fault::unless_same_sum("the file", self.checksum, again.checksum)
    }
}

/// A file that is open for reading.
///
/// # Invariants
///
/// The instance owns a reference on `file`.
pub(crate) struct File {
    file: NonNull<bindings::file>,
}

// SAFETY: A `struct file` may be used and put by any thread.
unsafe impl Send for File {}
// SAFETY: Reading at a given position does not change the file.
unsafe impl Sync for File {}

impl File {
    pub(crate) fn open(path: &CStr) -> Result<Self, Fault> {
        // SAFETY: `path` is a valid string.
        let file =
            unsafe { bindings::filp_open(path.as_char_ptr(), bindings::O_RDONLY as c_int, 0) };

        match from_err_ptr(file).map(NonNull::new) {
            // INVARIANT: `filp_open` returned a reference.
            Ok(Some(file)) => Ok(Self { file }),
            Ok(None) => Err(Fault::Call("filp_open", ENOENT)),
            Err(error) => Err(Fault::Call("filp_open", error)),
        }
    }

    /// Returns how many file systems are stacked below the file.
    pub(crate) fn stacked(&self) -> c_int {
        // SAFETY: An open file has an inode with a super block; the number does not change.
        unsafe { (*(*(*self.file.as_ptr()).f_inode).i_sb).s_stack_depth }
    }

    /// Drops the clean cached pages of the file, and returns how many there were.
    pub(crate) fn drop_cache(&self) -> u64 {
        // SAFETY: By the type invariant, the file is valid.
        unsafe { stack_stress_drop_cache(self.file.as_ptr().cast()) as u64 }
    }

    /// Reads the whole file.
    pub(crate) fn read(&self) -> Result<Content, Fault> {
        let mut buffer = KVec::<u8>::zeroed(PAGE_SIZE, GFP_KERNEL)?;
        let mut position = 0;
        let mut sum = 0;

        loop {
            // SAFETY: The file, the buffer and the position are valid.
            let read = unsafe {
                bindings::kernel_read(
                    self.file.as_ptr(),
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    &mut position,
                )
            };

            match usize::try_from(read) {
                Ok(0) => {
                    return Ok(Content {
                        bytes: position as u64,
                        checksum: sum,
                    })
                }
                Ok(read) => {
                    for &byte in &buffer[..read] {
                        sum = checksum(sum, byte.into());
                    }
                }
                Err(_) => {
                    let error = Error::from_errno(read as c_int);

                    return Err(Fault::Call("kernel_read", error));
                }
            }
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: By the type invariant, the reference is ours to give up.
        unsafe { bindings::fput(self.file.as_ptr()) };
    }
}
