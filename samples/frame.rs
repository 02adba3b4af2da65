// SPDX-License-Identifier: GPL-2.0

//! Frames of a chosen size on the stack of the running thread.

use crate::{
    fault::Fault,
    stack, //
};
use core::ptr::from_mut;
use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};

extern "C" {
    fn stack_stress_call_at(
        sp: usize,
        body: unsafe extern "C" fn(*mut c_void, usize, *mut c_void),
        arg: *mut c_void,
    ) -> bool;
}

/// The bytes of one frame.
///
/// All accesses are volatile: to the compiler nobody else can see the frame, so it might give back
/// what was written without looking at the memory.
///
/// # Invariants
///
/// The `words` words from `lowest` on are on the stack of the running thread, and used by nothing
/// but this frame.
pub(crate) struct Frame {
    lowest: *mut u64,
    words: usize,
}

impl Frame {
    fn address(&self, index: usize) -> usize {
        self.lowest.addr() + index * size_of::<u64>()
    }

    /// Returns the size of the frame in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.words * size_of::<u64>()
    }

    /// Writes the pattern of `seed` to the frame and returns its checksum.
    pub(crate) fn write(&self, seed: u64) -> u64 {
        let mut sum = 0;

        for index in 0..self.words {
            let word = pattern(seed, index);

            // SAFETY: By the type invariant, the word is valid for writes.
            unsafe { self.lowest.add(index).write_volatile(word) };
            sum = checksum(sum, word);
        }
        sum
    }

    /// Verifies that the frame holds the pattern of `seed`, and returns the checksum of what is
    /// there.
    pub(crate) fn verify(&self, seed: u64) -> Result<u64, Fault> {
        let mut sum = 0;

        for index in 0..self.words {
            let wrote = pattern(seed, index);
            // SAFETY: By the type invariant, the word is valid for reads.
            let read = unsafe { self.lowest.add(index).read_volatile() };

            if read != wrote {
                let depth = stack::depth_of(self.address(index));

                return Err(Fault::Word { depth, wrote, read });
            }
            sum = checksum(sum, read);
        }
        Ok(sum)
    }

    /// Returns the lowest word, and the two words at each page boundary inside the frame.
    pub(crate) fn edges(&self) -> impl Iterator<Item = Frame> + '_ {
        const LAST: usize = PAGE_SIZE - size_of::<u64>();

        (0..self.words)
            .filter(|&index| index == 0 || matches!(self.address(index) % PAGE_SIZE, 0 | LAST))
            .map(|index| Frame {
                // INVARIANT: This is a word of `self`, whose invariant holds for it.
                lowest: self.lowest.wrapping_add(index),
                words: 1,
            })
    }
}

/// Returns the word that belongs at `index` of what is written with `seed`.
pub(crate) fn pattern(seed: u64, index: usize) -> u64 {
    // An odd factor makes this a permutation; this one, 2^64 divided by the golden ratio, also
    // makes neighbours differ in many bits.
    ((seed << 16) + index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Adds `word` to a checksum, in which each bit and its place counts (FNV-1a, by words).
pub(crate) fn checksum(sum: u64, word: u64) -> u64 {
    (sum ^ word).wrapping_mul(0x100_0000_01b3)
}

struct Call<F, R> {
    body: Option<F>,
    result: Option<R>,
    depth: usize,
}

/// Runs the body of a call.
///
/// # Safety
///
/// `arg` must point to the `Call` that belongs to this instance, and `frame` and `bytes` must
/// describe memory as the invariants of [`Frame`] ask for.
unsafe extern "C" fn run_body<F: FnOnce(&Frame) -> R, R>(
    frame: *mut c_void,
    bytes: usize,
    arg: *mut c_void,
) {
    // SAFETY: The caller promises that this is the call; nobody else uses it meanwhile.
    let call = unsafe { &mut *arg.cast::<Call<F, R>>() };

    call.depth = stack::depth_of(frame.addr());
    // INVARIANT: The caller promises it.
    let frame = Frame {
        lowest: frame.cast(),
        words: bytes / size_of::<u64>(),
    };
    call.result = call.body.take().map(|body| body(&frame));
}

/// Calls `body` with a frame that reaches from the present stack pointer down to `depth`, a
/// multiple of the word size.
pub(crate) fn call_at<F, R>(depth: usize, body: F) -> Result<R, Fault>
where
    F: FnOnce(&Frame) -> R,
{
    let mut call = Call {
        body: Some(body),
        result: None,
        depth: stack::depth(),
    };

    if depth <= stack::DEEPEST {
        // SAFETY: `run_body` gets the call that it belongs to, and a frame that was made for it on
        // the stack; the depth was checked.
        unsafe {
            stack_stress_call_at(
                stack::address_at(depth),
                run_body::<F, R>,
                from_mut(&mut call).cast(),
            )
        };
    }
    match call.result {
        Some(result) if call.depth == depth => Ok(result),
        _ => Err(Fault::Position {
            wanted: depth,
            got: call.depth,
        }),
    }
}
