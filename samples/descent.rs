// SPDX-License-Identifier: GPL-2.0

//! Recursion to a depth, through frames whose every byte is written and verified.

use crate::{
    fault::Fault,
    frame::call_at,
    report::Tally,
    stack, //
};

/// How much deeper each level is than the one above; more than its own overhead, which is larger
/// where variables have red zones.
const STEP: usize = if cfg!(CONFIG_KASAN) { 1024 } else { 512 };

/// A recursion under way.
struct Descent<'a> {
    deepest: usize,
    seed: u64,
    tally: &'a Tally,
    at_level: &'a dyn Fn() -> Result<(), Fault>,
    at_bottom: &'a dyn Fn() -> Result<(), Fault>,
    wrote: u64,
    read: u64,
}

impl Descent<'_> {
    fn level(&mut self) -> Result<(), Fault> {
        // The last frame also takes what is left over, so it needs no room for its overhead.
        let next = match stack::depth() + STEP {
            next if next + STEP < self.deepest => next.next_multiple_of(size_of::<u64>()),
            _ => self.deepest,
        };

        call_at(next, |frame| {
            // Frames of one thread differ in length, hence in where their pattern starts.
            let seed = self.seed.wrapping_add(next as u64);

            self.wrote = self.wrote.wrapping_add(frame.write(seed));
            (self.at_level)()?;
            if next == self.deepest {
                (self.at_bottom)()?;
            } else {
                self.level()?;
            }
            self.read = self.read.wrapping_add(self.tally.verify(frame, seed)?);
            Ok(())
        })?
    }
}

/// Recurses down to the depth `deepest`, a multiple of the word size.
///
/// `at_level` is called in each frame on the way down, `at_bottom` in the deepest. On the way up
/// all that was written is verified, and counted in `tally`.
pub(crate) fn descend(
    deepest: usize,
    seed: u64,
    tally: &Tally,
    at_level: &dyn Fn() -> Result<(), Fault>,
    at_bottom: &dyn Fn() -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut descent = Descent {
        deepest,
        seed,
        tally,
        at_level,
        at_bottom,
        wrote: 0,
        read: 0,
    };

    descent.level()?;
    Fault::unless_same_sum("all frames", descent.wrote, descent.read)
}
