// SPDX-License-Identifier: GPL-2.0
//! Where interrupts and exceptions enter the kernel on the stack that they meet.

use super::depth::Node;

/// They enter on stacks of their own.
const ON_OTHER_STACKS: [&str; 6] = [
    "asm_exc_nmi",
    "asm_exc_debug",
    "asm_exc_double_fault",
    "asm_exc_machine_check",
    "asm_exc_vmm_communication",
    "asm_ist_",
];
const FRED: &str = "asm_fred_entrypoint_kernel";

/// The hardware makes the stack pointer a multiple of 16; it is one of 8.
const ALIGNMENT: i64 = 8;
/// With FRED, one of 64, below a zone left alone; and the frame has 16 bytes more
/// than pt_regs has room for.
const FRED_EXTRA: i64 = 64 + (64 - 8) + 16;

/// Where a thread comes from user mode, at the top of its stack.
const FROM_USER: [&str; 5] = [
    "entry_SYSCALL_64",
    "entry_SYSCALL_compat",
    "entry_SYSENTER_compat",
    "asm_int80_emulation",
    "asm_fred_entrypoint_user",
];
/// What may lie above pt_regs there, and what CONFIG_RANDOMIZE_KSTACK_OFFSET takes.
const PADDING: i64 = 16;
const RANDOM_OFFSET: i64 = 1024;
/// Where a new thread begins, below pt_regs.
const NEW_THREAD: &str = "ret_from_fork_asm";
const PT_REGS: i64 = 21 * 8;

/// Entry points by number, and what the hardware takes before their frame.
pub fn through_idt(nodes: &[Node]) -> Vec<(usize, i64)> {
    select(nodes, |node| is_entry(&node.name).then_some(ALIGNMENT))
}

/// The same for CPUs with FRED.
pub fn through_fred(nodes: &[Node]) -> Vec<(usize, i64)> {
    select(nodes, |node| (node.name == FRED).then_some(FRED_EXTRA))
}

/// The same for those that find the stack empty.
pub fn at_the_top(nodes: &[Node]) -> Vec<(usize, i64)> {
    let extra = |node: &Node| match node.name.as_str() {
        NEW_THREAD => Some(PADDING + PT_REGS),
        name if FROM_USER.contains(&name) => Some(PADDING + RANDOM_OFFSET),
        _ => None,
    };
    select(nodes, extra)
}

fn select(nodes: &[Node], extra: impl Fn(&Node) -> Option<i64>) -> Vec<(usize, i64)> {
    let nodes = nodes.iter().enumerate();
    nodes
        .filter_map(|(index, node)| Some((index, extra(node)?)))
        .collect()
}

fn is_entry(name: &str) -> bool {
    let kinds = [
        "asm_exc_",
        "asm_sysvec_",
        "asm_common_interrupt",
        "asm_spurious_interrupt",
    ];
    kinds.iter().any(|kind| name.starts_with(kind))
        && !ON_OTHER_STACKS.iter().any(|other| name.starts_with(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_on_other_stacks_do_not_count() {
        let names = [
            "asm_exc_page_fault",
            "asm_exc_nmi",
            "asm_ist_sysvec_irq_work",
            "asm_sysvec_irq_work",
            "exc_page_fault",
            "asm_fred_entrypoint_kernel",
            "asm_fred_entrypoint_user",
        ];
        let nodes = names.map(|name| Node {
            name: name.to_string(),
            ..Node::default()
        });
        assert_eq!(through_idt(&nodes), [(0, 8), (3, 8)]);
        assert_eq!(through_fred(&nodes), [(5, 136)]);
        assert_eq!(at_the_top(&nodes), [(6, 1040)]);
    }
}
