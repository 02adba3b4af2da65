// SPDX-License-Identifier: GPL-2.0
//! The call graph of an image.

use std::collections::HashSet;

use anyhow::Result;

use super::alternatives::Alternatives;
use super::body::{Body, ENTRY, Part, Surroundings, Target};
use super::code::{self, Flow, Step};
use super::depth::{Call, Check, Node, Piece};
use super::image::{Function, Image};
use super::orc::{Orc, Place};
use super::taken;

/// What the compiler calls to check the stack.
pub const CHECK: &str = "__sanitizer_cov_stack_depth";
const TRACERS: [&str; 2] = ["ftrace_regs_caller", "ftrace_caller"];
/// What stands between a call and where a pointer leads: thunks against speculation,
/// calls that are patched, and what the function tracer patches.
const GATES: [&str; 4] = [
    "__x86_indirect_",
    "__pi___x86_indirect_",
    "__SCT__",
    "ftrace_stub",
];
const RETURNS: &str = "__x86_return_thunk";

/// A node for each function of the image.
pub fn graph(image: &Image) -> Result<Vec<Node>> {
    let orc = Orc::read(image)?;
    let mut taken = taken::by_data(image);
    let mut pointer = |address| taken.extend(image.entered_at(address));
    let alternatives = Alternatives::read(image, &mut pointer);
    let functions = image.functions.iter();
    let code: Vec<_> = functions
        .map(|function| steps(image, function, &mut pointer))
        .collect();
    let named = |wanted: &dyn Fn(&str) -> bool| -> HashSet<u64> {
        let functions = image.functions.iter();
        let found = functions.filter(|function| wanted(&function.name));
        found.map(Function::start).collect()
    };
    let around = Surroundings {
        image,
        orc: &orc,
        alternatives: &alternatives,
        check: image.symbol(CHECK),
        gates: named(&|name| GATES.iter().any(|gate| name.starts_with(gate))),
        returns: named(&|name| name == RETURNS),
        traced: image
            .words("__start_mcount_loc", "__stop_mcount_loc")
            .into_iter()
            .collect(),
        tracer: TRACERS.iter().find_map(|name| image.symbol(name)),
    };
    let bodies = image.functions.iter().zip(&code);
    Ok(bodies
        .enumerate()
        .map(|(index, (function, steps))| {
            let body = Body::read(&around, function, steps);
            node(&around, function, body, taken.contains(&index))
        })
        .collect())
}

/// How many functions of the image check the stack.
pub fn checked(image: &Image) -> usize {
    let Some(check) = image.symbol(CHECK) else {
        return 0;
    };
    let checks = |function: &&Function| {
        let steps = steps(image, function, |_| {});
        steps.iter().any(|step| step.flow == Flow::Call(check))
    };
    image.functions.iter().filter(checks).count()
}

fn steps(image: &Image, function: &Function, mut pointer: impl FnMut(u64)) -> Vec<Step> {
    let mut parts: Vec<_> = function.parts().cloned().collect();
    parts.sort_by_key(|part| part.start);
    let parts = parts.into_iter();
    parts
        .flat_map(|part| code::read(part.start, image.bytes(part), &mut pointer))
        .collect()
}

fn node(around: &Surroundings, function: &Function, body: Body, taken: bool) -> Node {
    let check = |check: super::body::Check| Check {
        depth: check.depth,
        after: piece(around, check.after),
    };
    Node {
        name: function.name.clone(),
        init: function.init,
        taken: taken && is_callable(around, function),
        lost: body.lost,
        enables_interrupts: body.enables_interrupts,
        before: piece(around, body.before),
        checks: body.checks.into_iter().map(check).collect(),
    }
}

/// Entry points for the hardware do not begin with an address to return to.
fn is_callable(around: &Surroundings, function: &Function) -> bool {
    around.orc.at(function.start()) == Place::Below(ENTRY)
}

fn piece(around: &Surroundings, part: Part) -> Piece {
    let mut piece = Piece {
        deepest: part.deepest,
        ..Piece::default()
    };
    for site in part.sites {
        match site.to {
            Target::Pointer => piece.pointer = piece.pointer.max(Some(site.depth - ENTRY)),
            Target::At(address) => {
                if let Some(to) = around.image.owner(address) {
                    let entry = entry(around, &around.image.functions[to], address);
                    piece.calls.push(Call {
                        bytes: site.depth - entry,
                        to,
                    });
                }
            }
        }
    }
    piece
}

/// How deep the function called already is where it is entered; for a place of which
/// that is not known, the least.
fn entry(around: &Surroundings, function: &Function, address: u64) -> i64 {
    match around.orc.at(address) {
        Place::Below(depth) => depth,
        _ if address == function.start() => ENTRY,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::image::Region;
    use super::*;

    #[test]
    fn functions_that_call_the_check_are_counted_once() {
        let function = |name: &str, start, end| Function {
            name: name.to_string(),
            body: start..end,
            cold: Vec::new(),
            init: false,
        };
        #[rustfmt::skip]
        let bytes = vec![
            0xe8, 0x0b, 0x00, 0x00, 0x00,       // call 0x1010
            0xe8, 0x06, 0x00, 0x00, 0x00,       // call 0x1010
            0xe8, 0xf1, 0xff, 0xff, 0xff,       // call 0x1000
            0xc3,                               // ret
            0xc3,                               // ret
        ];
        let image = |symbol: &str| {
            let region = Region {
                name: ".text".to_string(),
                start: 0x1000,
                bytes: bytes.clone(),
                executable: true,
            };
            Image::new(
                vec![region],
                HashMap::from([(symbol.to_string(), 0x1010)]),
                vec![
                    function("twice", 0x1000, 0x100a),
                    function("not", 0x100a, 0x1010),
                    function(symbol, 0x1010, 0x1011),
                ],
            )
        };
        assert_eq!(checked(&image(CHECK)), 1);
        assert_eq!(checked(&image("other")), 0);
    }
}
