// SPDX-License-Identifier: GPL-2.0

//! Why a test did not pass.

use kernel::{
    alloc::AllocError,
    error::Error,
    fmt,
    prelude::*, //
};

/// Why a test did not pass.
///
/// Made deep in a stack, so it is small and owns nothing.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// A precondition of the test does not hold: what is missing. This is no failure.
    Missing(&'static str),
    /// A kernel function failed.
    Call(&'static str, Error),
    /// A word on the stack was read back different.
    Word { depth: usize, wrote: u64, read: u64 },
    /// A word that the thread has not written yet is not zero.
    Stale { depth: usize, read: u64 },
    /// The sum of what was read differs from the sum of what was written.
    Checksum {
        what: &'static str,
        wrote: u64,
        read: u64,
    },
    /// The stack pointer could not be brought to a depth.
    Position { wanted: usize, got: usize },
    /// A thread owns less of its stack than it uses.
    Owned {
        depth: usize,
        owned: usize,
        seen: usize,
    },
    /// A thread owns less of its stack than it has asked for.
    Reserved { deepest: usize, owned: usize },
    /// An event did not happen as often as it should have.
    Count {
        what: &'static str,
        wanted: u64,
        got: u64,
    },
    /// Events were not handled in time.
    Lost {
        raised: u64,
        handled: u64,
        /// Interrupts that the CPU accepted and no handler ever saw.
        in_service: u64,
        /// Where the first was.
        depth: usize,
    },
    /// Registers had other values after an event; the bits that differ.
    Registers { depth: usize, bits: u64 },
    /// A walk of the stack did not reach the function of the thread.
    Walk { depth: usize },
}

impl Fault {
    /// Compares the checksums of what was written and of what was read.
    pub(crate) fn unless_same_sum(what: &'static str, wrote: u64, read: u64) -> Result<(), Self> {
        if wrote == read {
            Ok(())
        } else {
            Err(Self::Checksum { what, wrote, read })
        }
    }

    /// Compares how often something happened with how often it should have.
    pub(crate) fn unless_equal(what: &'static str, wanted: u64, got: u64) -> Result<(), Self> {
        if wanted == got {
            Ok(())
        } else {
            Err(Self::Count { what, wanted, got })
        }
    }
}

impl From<AllocError> for Fault {
    fn from(error: AllocError) -> Self {
        Self::Call("the allocation of memory", error.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Missing(what) => write!(f, "{what}"),
            Self::Call(what, error) => write!(f, "{what} failed with {error:?}"),
            Self::Word { depth, wrote, read } => write!(
                f,
                "the word at depth {depth} was written as {wrote:#x} and read as {read:#x}"
            ),
            Self::Stale { depth, read } => write!(
                f,
                "the word at depth {depth} is {read:#x} and was never written by its thread"
            ),
            Self::Checksum { what, wrote, read } => write!(
                f,
                "the checksum of {what} was {wrote:#x} when written and {read:#x} when read"
            ),
            Self::Position { wanted, got } => write!(
                f,
                "the stack pointer should be at depth {wanted} and is at depth {got}"
            ),
            Self::Owned { depth, owned, seen } => write!(
                f,
                "a thread at depth {depth} owns {owned} bytes and its depth is given as {seen}"
            ),
            Self::Reserved { deepest, owned } => write!(
                f,
                "a thread asked for its stack down to depth {deepest} and owns {owned} bytes"
            ),
            Self::Count { what, wanted, got } => {
                write!(f, "{what} should be {wanted} and are {got}")
            }
            Self::Lost {
                raised,
                handled,
                in_service,
                depth,
            } => write!(
                f,
                "of {raised} events raised {handled} were handled, the CPU accepted {in_service} \
                 interrupts in vain, the first event was lost at depth {depth}"
            ),
            Self::Registers { depth, bits } => write!(
                f,
                "an event at depth {depth} changed registers of the thread, in bits {bits:#x}"
            ),
            Self::Walk { depth } => write!(
                f,
                "a walk of the stack from a handler at depth {depth} missed the thread's function"
            ),
        }
    }
}
