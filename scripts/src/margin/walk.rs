// SPDX-License-Identifier: GPL-2.0
//! The ways through one function.

use super::body::Surroundings;
use super::code::{self, Flow, Step};
use super::image::Function;
use super::words;

/// A test, a conditional jump and a jump.
const LONGEST_DETOUR: u64 = 32;

pub struct Walk<'a> {
    pub around: &'a Surroundings<'a>,
    pub function: &'a Function,
    /// By address.
    pub steps: &'a [Step],
}

impl Walk<'_> {
    pub fn index(&self, address: u64) -> Option<usize> {
        let found = self.steps.binary_search_by_key(&address, |step| step.start);
        found.ok()
    }

    pub fn behind(&self, index: usize) -> Option<usize> {
        let next = index + 1;
        let step = self.steps.get(next)?;
        (step.start == self.steps[index].end).then_some(next)
    }

    /// A call inside the function only puts an address on the stack.
    pub fn is_inside(&self, target: u64) -> bool {
        target != self.function.start() && self.function.holds(target)
    }

    pub fn successors(&self, index: usize) -> Vec<usize> {
        let step = &self.steps[index];
        let mut next = Vec::new();
        match step.flow {
            Flow::Next | Flow::Trap | Flow::CallPointer => next.extend(self.behind(index)),
            Flow::Branch(target) => {
                next.extend(self.behind(index));
                next.extend(self.index(target));
            }
            Flow::Jump(target) if !self.function.holds(target) => next.extend(self.back(target)),
            Flow::Call(target) => {
                next.extend(self.behind(index));
                next.extend(self.index(target).filter(|_| self.is_inside(target)));
            }
            Flow::Jump(target) => next.extend(self.index(target)),
            Flow::JumpPointer(table) => match self.entries(table) {
                entries if entries.is_empty() => next.extend(0..self.steps.len()),
                entries => next = entries,
            },
            Flow::Return => {}
        }
        for replacement in self.around.alternatives.of(step.start) {
            for step in replacement {
                if let Flow::Jump(target) | Flow::Branch(target) = step.flow {
                    next.extend(self.index(target));
                }
            }
        }
        next
    }

    /// Where code for the time before alternatives are patched, at `detour`, returns to
    /// in the function.
    fn back(&self, detour: u64) -> Vec<usize> {
        let around = self.around;
        if around.image.owner(detour).is_some() {
            return Vec::new();
        }
        let bytes = around.image.bytes(detour..detour + LONGEST_DETOUR);
        let mut targets = Vec::new();
        for step in code::read(detour, bytes, |_| {}) {
            if let Flow::Jump(target) | Flow::Branch(target) = step.flow {
                targets.extend(self.index(target));
            }
            if matches!(step.flow, Flow::Jump(_)) {
                break;
            }
        }
        targets
    }

    /// Where a table of addresses leads within the function.
    pub fn entries(&self, table: Option<u64>) -> Vec<usize> {
        let Some(table) = table else {
            return Vec::new();
        };
        let targets = words::addresses(self.around.image.bytes(table..u64::MAX));
        targets.map_while(|target| self.index(target)).collect()
    }
}
