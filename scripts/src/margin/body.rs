// SPDX-License-Identifier: GPL-2.0
//! One function: how deep it is before and after its check, and whom it calls from
//! where.

use std::collections::HashSet;

use super::alternatives::Alternatives;
use super::code::{Flow, Stack, Step};
use super::image::{Function, Image};
use super::orc::Orc;
use super::spots::{self, Spot};
use super::walk::Walk;

/// Where the stack is when a function is called.
pub const ENTRY: i64 = 8;

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

struct Reader<'a> {
    walk: &'a Walk<'a>,
    spots: Vec<Spot>,
}

impl Body {
    pub fn read(around: &Surroundings, function: &Function, steps: &[Step]) -> Self {
        let walk = Walk {
            around,
            function,
            steps,
        };
        let reader = Reader {
            walk: &walk,
            spots: spots::find(&walk),
        };
        let lost = reader.spots.contains(&Spot::Lost);
        let all = || (0..steps.len()).collect::<Vec<_>>();
        let checks: Vec<_> = all()
            .into_iter()
            .filter(|index| reader.is_check(*index))
            .collect();
        let before = match checks.is_empty() {
            true => all(),
            false => reader.reach(walk.index(function.start())),
        };
        let check = |index: &usize| Check {
            depth: reader.depth(*index).unwrap_or(ENTRY),
            after: reader.part(&reader.reach(walk.behind(*index))),
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
    fn is_check(&self, index: usize) -> bool {
        let check = self.walk.around.check;
        check.is_some_and(|check| self.walk.steps[index].flow == Flow::Call(check))
    }

    fn depth(&self, index: usize) -> Option<i64> {
        match self.spots[index] {
            Spot::Below(depth) => Some(depth),
            Spot::Unseen | Spot::Elsewhere => None,
            Spot::Lost => spots::deepest(&self.spots),
        }
    }

    /// What can run from `start` on without passing a check.
    fn reach(&self, start: Option<usize>) -> Vec<usize> {
        let mut seen = vec![false; self.walk.steps.len()];
        let mut open: Vec<_> = start.into_iter().collect();
        while let Some(index) = open.pop() {
            if seen[index] {
                continue;
            }
            seen[index] = true;
            if !self.is_check(index) {
                open.extend(self.walk.successors(index));
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
            let step = &self.walk.steps[*index];
            self.add(&mut part, depth, step);
            for replacement in self.walk.around.alternatives.of(step.start) {
                let mut depth = depth;
                for step in replacement {
                    self.add(&mut part, depth, step);
                    if let Stack::Down(bytes) = step.stack {
                        depth += bytes;
                    }
                }
            }
            if let Some(tracer) = self.walk.around.tracer
                && self.walk.around.traced.contains(&step.start)
            {
                part.call(depth + 8, Target::At(tracer));
            }
            if matches!(step.flow, Flow::Next | Flow::Branch(_))
                && self.walk.behind(*index).is_none()
                && let Spot::Below(depth) = spots::behind(self.walk, step, self.spots[*index])
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
            Stack::BelowFrame(_)
            | Stack::BelowR10(_)
            | Stack::Copy(_)
            | Stack::Switch
            | Stack::Lost => 0,
        };
        part.deepest = part.deepest.max(depth).max(depth + down);
        match step.flow {
            Flow::Call(target) if self.walk.is_inside(target) => {
                part.deepest = part.deepest.max(depth + 8);
            }
            Flow::Call(target) => self.go(part, depth + 8, target),
            Flow::CallPointer => part.call(depth + 8, Target::Pointer),
            Flow::Jump(target) | Flow::Branch(target) if !self.walk.function.holds(target) => {
                self.go(part, depth, target);
            }
            // Inside a frame it can only be a table of places in the function.
            Flow::JumpPointer(table) if depth <= ENTRY && self.walk.entries(table).is_empty() => {
                part.call(depth, Target::Pointer);
            }
            _ => {}
        }
    }

    fn go(&self, part: &mut Part, depth: i64, target: u64) {
        if self.walk.around.gates.contains(&target) {
            part.call(depth, Target::Pointer);
        } else if !self.walk.around.returns.contains(&target) {
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::code;
    use super::super::orc::Place;
    use super::*;

    const START: u64 = 0x1000;
    const CHECK: u64 = 0x2000;
    const OTHER: u64 = 0x3000;

    /// With ORC entries for places in the function: bytes below, or above the frame.
    fn read(bytes: &[u8], places: &[(u64, Place)]) -> Body {
        let function = Function {
            name: "function".to_string(),
            body: START..START + bytes.len() as u64,
            cold: Vec::new(),
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
    fn a_stack_that_gcc_aligns_has_a_bound() {
        #[rustfmt::skip]
        let code = [
            0x4c, 0x8d, 0x54, 0x24, 0x08,       // lea 0x8(%rsp),%r10
            0x48, 0x83, 0xe4, 0xe0,             // and $-0x20,%rsp
            0x41, 0xff, 0x72, 0xf8,             // push -0x8(%r10)
            0x55,                               // push %rbp
            0x48, 0x89, 0xe5,                   // mov %rsp,%rbp
            0x41, 0x52,                         // push %r10
            0xe8, 0xe8, 0x1f, 0x00, 0x00,       // call OTHER
            0x48, 0x8d, 0x65, 0xf8,             // lea -0x8(%rbp),%rsp
            0x41, 0x5a,                         // pop %r10
            0x5d,                               // pop %rbp
            0x49, 0x8d, 0x62, 0xf8,             // lea -0x8(%r10),%rsp
            0x75, 0x01,                         // jne over the next one
            0x90,                               // nop
            0xc3,                               // ret
        ];
        let places = [
            (START, Place::Below(8)),
            (START + 5, Place::Aligned(0)),
            (START + 17, Place::Unknown),
            (START + 30, Place::Aligned(0)),
            (START + 35, Place::Unknown),
        ];
        let body = read(&code, &places);
        let deepest = 8 + (0x20 - 8) + 8 + 8 + 8 + 8;
        assert_eq!(body.before.sites, [site(deepest, OTHER)]);
        assert_eq!((body.before.deepest, body.lost), (deepest, false));
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
