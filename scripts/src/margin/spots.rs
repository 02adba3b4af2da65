// SPDX-License-Identifier: GPL-2.0
//! Where the stack pointer is at each instruction of one function: from the ORC
//! tables, and from the instructions where those say nothing.

use iced_x86::Register;

use super::body::ENTRY;
use super::code::{self, Stack, Step};
use super::orc::Place;
use super::walk::Walk;

/// More passes that deepen the stack at one place are a loop that has no end here.
const MOST_DEEPENINGS: u32 = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    Unseen,
    Below(i64),
    Elsewhere,
    Lost,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Copied {
    Unseen,
    In(Register, i64),
    Nowhere,
}

struct Search<'a> {
    walk: &'a Walk<'a>,
    spots: Vec<Spot>,
    /// Before each instruction, a register that holds an earlier stack pointer.
    copies: Vec<Copied>,
}

pub fn find(walk: &Walk) -> Vec<Spot> {
    let mut search = Search {
        walk,
        spots: Vec::new(),
        copies: vec![Copied::Unseen; walk.steps.len()],
    };
    search.find();
    search.spots
}

pub fn deepest(spots: &[Spot]) -> Option<i64> {
    let depths = spots.iter().filter_map(|spot| match spot {
        Spot::Below(depth) => Some(*depth),
        _ => None,
    });
    depths.max()
}

/// The place of the stack pointer behind `step`, with it at `spot` before; a register
/// may hold an earlier one.
pub fn behind(walk: &Walk, step: &Step, spot: Spot) -> Spot {
    after(walk, step, spot, Copied::Nowhere)
}

impl Search<'_> {
    fn find(&mut self) {
        let orc = self.walk.around.orc;
        let spot = |step: &Step| match orc.at(step.start) {
            Place::Below(depth) => Spot::Below(depth),
            Place::Elsewhere => Spot::Elsewhere,
            Place::Frame(_) | Place::Aligned(_) | Place::Unknown => Spot::Unseen,
        };
        self.spots = self.walk.steps.iter().map(spot).collect();
        if !self.spots.contains(&Spot::Unseen) {
            return;
        }
        let known: Vec<_> = self
            .spots
            .iter()
            .map(|spot| *spot != Spot::Unseen)
            .collect();
        let entry = self.walk.index(self.walk.function.start());
        if let Some(entry) = entry.filter(|entry| !known[*entry]) {
            self.spots[entry] = Spot::Below(ENTRY);
        }
        self.follow(&known);
        // Only a pointer can lead to what is left, from some place in the function.
        let deepest = deepest(&self.spots).unwrap_or(ENTRY);
        for spot in &mut self.spots {
            if *spot == Spot::Unseen {
                *spot = Spot::Below(deepest);
            }
        }
        self.follow(&known);
    }

    fn follow(&mut self, known: &[bool]) {
        let mut deepenings = vec![0; self.walk.steps.len()];
        let mut open: Vec<_> = (0..self.walk.steps.len()).collect();
        while let Some(index) = open.pop() {
            let (after, copy) = (
                after(
                    self.walk,
                    &self.walk.steps[index],
                    self.spots[index],
                    self.copies[index],
                ),
                self.copy_after(index),
            );
            for next in self.walk.successors(index) {
                if known[next] {
                    continue;
                }
                let joined = join(self.spots[next], after);
                let copied = match self.copies[next] {
                    Copied::Unseen => copy,
                    same if same == copy || copy == Copied::Unseen => same,
                    _ => Copied::Nowhere,
                };
                if joined == self.spots[next] && copied == self.copies[next] {
                    continue;
                }
                self.copies[next] = copied;
                deepenings[next] += 1;
                self.spots[next] = match deepenings[next] > MOST_DEEPENINGS {
                    true => Spot::Lost,
                    false => joined,
                };
                open.push(next);
            }
        }
    }

    fn copy_after(&self, index: usize) -> Copied {
        let step = &self.walk.steps[index];
        match (step.saves, self.spots[index], self.copies[index]) {
            (Some(register), Spot::Below(depth), _) => Copied::In(register, depth),
            (_, _, Copied::In(register, _)) if step.writes & code::bit(register) != 0 => {
                Copied::Nowhere
            }
            (_, _, copied) => copied,
        }
    }
}

fn after(walk: &Walk, step: &Step, spot: Spot, copy: Copied) -> Spot {
    let Spot::Below(depth) = spot else {
        return spot;
    };
    match (step.stack, walk.around.orc.at(step.start)) {
        (Stack::Down(bytes), _) => Spot::Below(depth + bytes),
        // The stack pointer is always a multiple of 8.
        (Stack::Align(to), _) => Spot::Below(depth + (to - 8).max(0)),
        (Stack::BelowFrame(bytes), Place::Frame(frame))
        | (Stack::BelowR10(bytes), Place::Aligned(frame)) => Spot::Below(frame + bytes),
        (Stack::Copy(register), _) => match copy {
            Copied::In(saved, depth) if saved == register => Spot::Below(depth),
            _ => Spot::Lost,
        },
        (Stack::BelowFrame(bytes), _) => match copy {
            Copied::In(Register::RBP, depth) => Spot::Below(depth + bytes),
            _ => Spot::Lost,
        },
        (Stack::Switch, _) => Spot::Elsewhere,
        (Stack::BelowR10(_) | Stack::Lost, _) => Spot::Lost,
    }
}

fn join(known: Spot, other: Spot) -> Spot {
    match (known, other) {
        (Spot::Unseen, spot) | (spot, Spot::Unseen) => spot,
        (Spot::Lost, _) | (_, Spot::Lost) => Spot::Lost,
        (Spot::Below(one), Spot::Below(two)) => Spot::Below(one.max(two)),
        (Spot::Below(depth), Spot::Elsewhere) | (Spot::Elsewhere, Spot::Below(depth)) => {
            Spot::Below(depth)
        }
        (Spot::Elsewhere, Spot::Elsewhere) => Spot::Elsewhere,
    }
}
