// SPDX-License-Identifier: GPL-2.0
//! One function: how deep it is before and after its check, and whom it calls from
//! where.

use std::collections::HashSet;

use iced_x86::Register;

use super::alternatives::Alternatives;
use super::code::{self, Flow, Stack, Step};
use super::image::{Function, Image};
use super::orc::{Orc, Place};

/// Where the stack is when a function is called.
pub const ENTRY: i64 = 8;
/// More passes that deepen the stack at one place are a loop that has no end here.
const MOST_DEEPENINGS: u32 = 64;
/// A test, a conditional jump and a jump.
const LONGEST_DETOUR: u64 = 32;

/// What is known of the image beside the function itself.
pub struct Surroundings<'a> {
    pub image: &'a Image,
    pub orc: &'a Orc,
    pub alternatives: &'a Alternatives,
    /// The callback.
    pub check: Option<u64>,
    /// Who goes there is led on by a pointer.
    pub gates: HashSet<u64>,
    /// Who jumps there returns.
    pub returns: HashSet<u64>,
    /// Where the function tracer can be called from, and what is called.
    pub traced: HashSet<u64>,
    pub tracer: Option<u64>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Up to a check, which is a call like others here; all of it if there is none.
    pub before: Part,
    pub checks: Vec<Check>,
    /// At some place there is no bound for the stack pointer.
    pub lost: bool,
    /// It switches interrupts on before a check.
    pub enables_interrupts: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    pub depth: i64,
    /// From there up to another check.
    pub after: Part,
}

/// Depths count from the stack pointer of the caller before the call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub deepest: i64,
    pub sites: Vec<Site>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Site {
    /// Of the stack when what is called begins.
    pub depth: i64,
    pub to: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    At(u64),
    Pointer,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Spot {
    Unseen,
    Below(i64),
    Elsewhere,
    Lost,
}

struct Reader<'a> {
    around: &'a Surroundings<'a>,
    function: &'a Function,
    /// By address.
    steps: &'a [Step],
    spots: Vec<Spot>,
    /// Before each instruction, a register that holds an earlier stack pointer.
    copies: Vec<Copied>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Copied {
    Unseen,
    In(Register, i64),
    Nowhere,
}

impl Body {
    pub fn read(around: &Surroundings, function: &Function, steps: &[Step]) -> Self {
        let mut reader = Reader {
            around,
            function,
            steps,
            spots: Vec::new(),
            copies: vec![Copied::Unseen; steps.len()],
        };
        reader.find_spots();
        let lost = reader.spots.contains(&Spot::Lost);
        let all = || (0..steps.len()).collect::<Vec<_>>();
        let checks: Vec<_> = all()
            .into_iter()
            .filter(|index| reader.is_check(*index))
            .collect();
        let before = match checks.is_empty() {
            true => all(),
            false => reader.reach(reader.index(function.start())),
        };
        let check = |index: &usize| Check {
            depth: reader.depth(*index).unwrap_or(ENTRY),
            after: reader.part(&reader.reach(reader.behind(*index))),
        };
        let enables = |index: &usize| steps[*index].enables_interrupts;
        Self {
            enables_interrupts: before.iter().any(enables),
            before: reader.part(&before),
            checks: checks.iter().map(check).collect(),
            lost,
        }
    }
}

impl Reader<'_> {
    fn index(&self, address: u64) -> Option<usize> {
        let found = self.steps.binary_search_by_key(&address, |step| step.start);
        found.ok()
    }

    fn behind(&self, index: usize) -> Option<usize> {
        let next = index + 1;
        let step = self.steps.get(next)?;
        (step.start == self.steps[index].end).then_some(next)
    }

    fn is_check(&self, index: usize) -> bool {
        let check = self.around.check;
        check.is_some_and(|check| self.steps[index].flow == Flow::Call(check))
    }

    /// A call inside the function only puts an address on the stack.
    fn is_inside(&self, target: u64) -> bool {
        target != self.function.start() && self.function.holds(target)
    }

    fn depth(&self, index: usize) -> Option<i64> {
        match self.spots[index] {
            Spot::Below(depth) => Some(depth),
            Spot::Unseen | Spot::Elsewhere => None,
            Spot::Lost => self.deepest_spot(),
        }
    }

    fn deepest_spot(&self) -> Option<i64> {
        let depths = self.spots.iter().filter_map(|spot| match spot {
            Spot::Below(depth) => Some(*depth),
            _ => None,
        });
        depths.max()
    }

    /// From the tables, and from the instructions where those say nothing.
    fn find_spots(&mut self) {
        let orc = self.around.orc;
        let spot = |step: &Step| match orc.at(step.start) {
            Place::Below(depth) => Spot::Below(depth),
            Place::Elsewhere => Spot::Elsewhere,
            Place::Frame(_) | Place::Unknown => Spot::Unseen,
        };
        self.spots = self.steps.iter().map(spot).collect();
        if !self.spots.contains(&Spot::Unseen) {
            return;
        }
        let known: Vec<_> = self
            .spots
            .iter()
            .map(|spot| *spot != Spot::Unseen)
            .collect();
        let entry = self.index(self.function.start());
        if let Some(entry) = entry.filter(|entry| !known[*entry]) {
            self.spots[entry] = Spot::Below(ENTRY);
        }
        self.follow(&known);
        // Only a pointer can lead to what is left, from some place in the function.
        let deepest = self.deepest_spot().unwrap_or(ENTRY);
        for spot in &mut self.spots {
            if *spot == Spot::Unseen {
                *spot = Spot::Below(deepest);
            }
        }
        self.follow(&known);
    }

    fn follow(&mut self, known: &[bool]) {
        let mut deepenings = vec![0; self.steps.len()];
        let mut open: Vec<_> = (0..self.steps.len()).collect();
        while let Some(index) = open.pop() {
            let (after, copy) = (self.after(index), self.copy_after(index));
            for next in self.successors(index) {
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

    /// The place of the stack pointer behind an instruction.
    fn after(&self, index: usize) -> Spot {
        let step = &self.steps[index];
        let Spot::Below(depth) = self.spots[index] else {
            return self.spots[index];
        };
        match (step.stack, self.around.orc.at(step.start)) {
            (Stack::Down(bytes), _) => Spot::Below(depth + bytes),
            // The stack pointer is always a multiple of 8.
            (Stack::Align(to), _) => Spot::Below(depth + (to - 8).max(0)),
            (Stack::BelowFrame(bytes), Place::Frame(frame)) => Spot::Below(frame + bytes),
            (Stack::Copy(register), _) => match self.copies[index] {
                Copied::In(saved, depth) if saved == register => Spot::Below(depth),
                _ => Spot::Lost,
            },
            (Stack::Switch, _) => Spot::Elsewhere,
            (Stack::BelowFrame(_) | Stack::Lost, _) => Spot::Lost,
        }
    }

    fn copy_after(&self, index: usize) -> Copied {
        let step = &self.steps[index];
        match (step.saves, self.spots[index], self.copies[index]) {
            (Some(register), Spot::Below(depth), _) => Copied::In(register, depth),
            (_, _, Copied::In(register, _)) if step.writes & code::bit(register) != 0 => {
                Copied::Nowhere
            }
            (_, _, copied) => copied,
        }
    }

    fn successors(&self, index: usize) -> Vec<usize> {
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
    fn entries(&self, table: Option<u64>) -> Vec<usize> {
        let Some(table) = table else {
            return Vec::new();
        };
        let (words, _) = self.around.image.bytes(table..u64::MAX).as_chunks();
        let targets = words.iter().map(|word| u64::from_le_bytes(*word));
        targets.map_while(|target| self.index(target)).collect()
    }

    /// What can run from `start` on without passing a check.
    fn reach(&self, start: Option<usize>) -> Vec<usize> {
        let mut seen = vec![false; self.steps.len()];
        let mut open: Vec<_> = start.into_iter().collect();
        while let Some(index) = open.pop() {
            if seen[index] {
                continue;
            }
            seen[index] = true;
            if !self.is_check(index) {
                open.extend(self.successors(index));
            }
        }
        (0..seen.len()).filter(|index| seen[*index]).collect()
    }

    fn part(&self, indices: &[usize]) -> Part {
        let mut part = Part::default();
        for index in indices {
            let Some(depth) = self.depth(*index) else {
                continue;
            };
            let step = &self.steps[*index];
            self.add(&mut part, depth, step);
            for replacement in self.around.alternatives.of(step.start) {
                let mut depth = depth;
                for step in replacement {
                    self.add(&mut part, depth, step);
                    if let Stack::Down(bytes) = step.stack {
                        depth += bytes;
                    }
                }
            }
            if let Some(tracer) = self.around.tracer
                && self.around.traced.contains(&step.start)
            {
                part.call(depth + 8, Target::At(tracer));
            }
            if matches!(step.flow, Flow::Next | Flow::Branch(_))
                && self.behind(*index).is_none()
                && let Spot::Below(depth) = self.after(*index)
            {
                part.call(depth, Target::At(step.end));
            }
        }
        part
    }

    fn add(&self, part: &mut Part, depth: i64, step: &Step) {
        let down = match step.stack {
            Stack::Down(bytes) => bytes,
            Stack::Align(to) => (to - 8).max(0),
            Stack::BelowFrame(_) | Stack::Copy(_) | Stack::Switch | Stack::Lost => 0,
        };
        part.deepest = part.deepest.max(depth).max(depth + down);
        match step.flow {
            Flow::Call(target) if self.is_inside(target) => {
                part.deepest = part.deepest.max(depth + 8);
            }
            Flow::Call(target) => self.go(part, depth + 8, target),
            Flow::CallPointer => part.call(depth + 8, Target::Pointer),
            Flow::Jump(target) | Flow::Branch(target) if !self.function.holds(target) => {
                self.go(part, depth, target);
            }
            // Inside a frame it can only be a table of places in the function.
            Flow::JumpPointer(table) if depth <= ENTRY && self.entries(table).is_empty() => {
                part.call(depth, Target::Pointer);
            }
            _ => {}
        }
    }

    fn go(&self, part: &mut Part, depth: i64, target: u64) {
        if self.around.gates.contains(&target) {
            part.call(depth, Target::Pointer);
        } else if !self.around.returns.contains(&target) {
            part.call(depth, Target::At(target));
        }
    }
}

impl Part {
    fn call(&mut self, depth: i64, to: Target) {
        self.deepest = self.deepest.max(depth);
        match self.sites.iter_mut().find(|site| site.to == to) {
            Some(site) => site.depth = site.depth.max(depth),
            None => self.sites.push(Site { depth, to }),
        }
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const START: u64 = 0x1000;
    const CHECK: u64 = 0x2000;
    const OTHER: u64 = 0x3000;

    /// With ORC entries for places in the function: bytes below, or above the frame.
    fn read(bytes: &[u8], places: &[(u64, Place)]) -> Body {
        let function = Function {
            name: "function".to_string(),
            parts: vec![START..START + bytes.len() as u64],
            init: false,
        };
        let image = Image::new(Vec::new(), HashMap::new(), Vec::new());
        let around = Surroundings {
            image: &image,
            orc: &Orc::with(places),
            alternatives: &Alternatives::default(),
            check: Some(CHECK),
            gates: HashSet::new(),
            returns: HashSet::new(),
            traced: HashSet::new(),
            tracer: None,
        };
        Body::read(&around, &function, &code::read(START, bytes, |_| {}))
    }

    fn site(depth: i64, to: u64) -> Site {
        Site {
            depth,
            to: Target::At(to),
        }
    }

    #[test]
    fn a_check_divides_a_function() {
        #[rustfmt::skip]
        let code = [
            0x53,                               // push %rbx
            0xe8, 0xfa, 0x0f, 0x00, 0x00,       // call CHECK
            0x55,                               // push %rbp
            0xe8, 0xf4, 0x1f, 0x00, 0x00,       // call OTHER
            0xff, 0xd0,                         // call *%rax
            0x5d,                               // pop %rbp
            0x5b,                               // pop %rbx
            0xe9, 0xfb, 0x1f, 0x00, 0x00,       // jmp OTHER + 0x10
        ];
        let places = [
            (START, Place::Below(8)),
            (START + 1, Place::Below(16)),
            (START + 7, Place::Below(24)),
            (START + 15, Place::Below(16)),
            (START + 16, Place::Below(8)),
        ];
        let body = read(&code, &places);
        assert_eq!(body.before.sites, [site(24, CHECK)]);
        let [check] = &body.checks[..] else {
            panic!("{body:?}");
        };
        assert_eq!((check.depth, check.after.deepest), (16, 32));
        let pointer = Site {
            depth: 32,
            to: Target::Pointer,
        };
        assert_eq!(
            check.after.sites,
            [site(32, OTHER), pointer, site(8, OTHER + 0x10)]
        );
        assert!(!body.lost);
    }

    #[test]
    fn below_a_frame_pointer_the_instructions_are_followed() {
        #[rustfmt::skip]
        let mut code = [
            0x55,                               // push %rbp
            0x48, 0x89, 0xe5,                   // mov %rsp,%rbp
            0x48, 0x83, 0xe4, 0xc0,             // and $-0x40,%rsp
            0x48, 0x83, 0xec, 0x40,             // sub $0x40,%rsp
            0xe8, 0xef, 0x1f, 0x00, 0x00,       // call OTHER
            0xc9,                               // leave
            0xc3,                               // ret
        ];
        let places = [
            (START, Place::Below(8)),
            (START + 1, Place::Below(16)),
            (START + 4, Place::Frame(16)),
            (START + 18, Place::Below(8)),
        ];
        let body = read(&code, &places);
        let deepest = 16 + (0x40 - 8) + 0x40 + 8;
        assert_eq!(body.before.sites, [site(deepest, OTHER)]);
        assert_eq!((body.before.deepest, body.lost), (deepest, false));

        // sub %rcx,%rsp has no bound.
        code[8..12].copy_from_slice(&[0x48, 0x29, 0xcc, 0x90]);
        assert!(read(&code, &places).lost);
    }

    #[test]
    fn other_stacks_do_not_count() {
        let code = [0x53, 0xe8, 0xfa, 0x1f, 0x00, 0x00, 0xc3]; // push, call OTHER, ret
        let places = [(START, Place::Below(8)), (START + 1, Place::Elsewhere)];
        let body = read(&code, &places);
        assert_eq!((body.before.sites.len(), body.before.deepest), (0, 16));
    }

    #[test]
    fn a_loop_that_takes_more_each_time_has_no_bound() {
        let code = [0x53, 0x75, 0xfd, 0xc3]; // push %rbx, jne START, ret
        let places = [(START, Place::Unknown)];
        assert!(read(&code, &places).lost);
    }
}
