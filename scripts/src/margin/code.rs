// SPDX-License-Identifier: GPL-2.0
//! Machine code, as far as the depth of the stack depends on it.

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory,
    InstructionInfoOptions, Mnemonic, OpAccess, OpKind, Register,
};

/// AX, CX, DX, SI, DI and 8 to 11.
const NOT_PRESERVED: u16 = 0b1111_1100_0111;

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub start: u64,
    pub end: u64,
    pub flow: Flow,
    pub stack: Stack,
    /// The register that the stack pointer is copied to.
    pub saves: Option<Register>,
    /// The registers that are written, as bits.
    pub writes: u16,
    pub enables_interrupts: bool,
}

/// What runs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Next,
    /// A conditional jump.
    Branch(u64),
    Jump(u64),
    Call(u64),
    CallPointer,
    /// With the address of the table, if it is taken from one.
    JumpPointer(Option<u64>),
    /// It traps; as WARN() does, it may go on behind it.
    Trap,
    Return,
}

/// What becomes of the stack pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// Down by so many bytes, up if negative.
    Down(i64),
    /// Down to a multiple of this.
    Align(i64),
    /// To so many bytes below the frame pointer.
    BelowFrame(i64),
    /// To so many bytes below r10.
    BelowR10(i64),
    /// To what is in a register.
    Copy(Register),
    /// To what a variable says: another stack.
    Switch,
    Lost,
}

/// The instructions of `bytes`, which are at `start`. Whatever in them could be the
/// address of a function is given to `pointer`.
pub fn read(start: u64, bytes: &[u8], mut pointer: impl FnMut(u64)) -> Vec<Step> {
    let mut decoder = Decoder::with_ip(64, bytes, start, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut info = InstructionInfoFactory::new();
    let mut steps = Vec::new();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        pointers(&instruction, &mut pointer);
        steps.push(Step {
            start: instruction.ip(),
            end: instruction.next_ip(),
            flow: flow(&instruction),
            stack: stack(&instruction),
            saves: saves(&instruction),
            writes: writes(&mut info, &instruction),
            enables_interrupts: instruction.mnemonic() == Mnemonic::Sti,
        });
    }
    steps
}

fn flow(instruction: &Instruction) -> Flow {
    let near = matches!(
        instruction.op0_kind(),
        OpKind::NearBranch64 | OpKind::NearBranch32 | OpKind::NearBranch16
    );
    let target = instruction.near_branch_target();
    match instruction.flow_control() {
        FlowControl::UnconditionalBranch if near => Flow::Jump(target),
        FlowControl::ConditionalBranch | FlowControl::XbeginXabortXend if near => {
            Flow::Branch(target)
        }
        FlowControl::Call if near => Flow::Call(target),
        FlowControl::IndirectCall => Flow::CallPointer,
        FlowControl::IndirectBranch if instruction.is_jmp_far_indirect() => Flow::Return,
        FlowControl::IndirectBranch => Flow::JumpPointer(table(instruction)),
        FlowControl::Return | FlowControl::UnconditionalBranch => Flow::Return,
        FlowControl::Exception | FlowControl::Interrupt => Flow::Trap,
        _ => Flow::Next,
    }
}

/// Of `jmp *table(,%reg,8)`.
fn table(instruction: &Instruction) -> Option<u64> {
    let indexed = instruction.op0_kind() == OpKind::Memory
        && instruction.memory_base() == Register::None
        && instruction.memory_index_scale() == 8;
    indexed.then(|| instruction.memory_displacement64())
}

fn stack(instruction: &Instruction) -> Stack {
    let to_stack = instruction.op_count() > 0
        && instruction.op0_kind() == OpKind::Register
        && instruction.op0_register() == Register::RSP;
    let constant = || match instruction.op1_kind() {
        OpKind::Register | OpKind::Memory => None,
        _ => Some(instruction.immediate(1) as i64),
    };
    match instruction.mnemonic() {
        Mnemonic::Leave => Stack::BelowFrame(-8),
        Mnemonic::Pop if to_stack => Stack::Lost,
        Mnemonic::Cmp | Mnemonic::Test => Stack::Down(0),
        // What is pushed for a call is gone when it returns.
        Mnemonic::Call | Mnemonic::Ret => Stack::Down(0),
        Mnemonic::Sub if to_stack => constant().map_or(Stack::Lost, Stack::Down),
        Mnemonic::Add if to_stack => constant().map_or(Stack::Lost, |up| Stack::Down(-up)),
        Mnemonic::And if to_stack => match constant() {
            Some(mask) if mask < 0 && (-mask as u64).is_power_of_two() => Stack::Align(-mask),
            _ => Stack::Lost,
        },
        Mnemonic::Mov if to_stack && instruction.op1_kind() == OpKind::Register => {
            match instruction.op1_register() {
                Register::RBP => Stack::BelowFrame(0),
                register => Stack::Copy(register),
            }
        }
        Mnemonic::Mov if to_stack && instruction.op1_kind() == OpKind::Memory => {
            match instruction.memory_base() {
                // From the frame: an earlier stack pointer.
                Register::RBP | Register::RSP => Stack::Lost,
                _ => Stack::Switch,
            }
        }
        Mnemonic::Lea if to_stack && instruction.memory_index() == Register::None => {
            let offset = instruction.memory_displacement64() as i64;
            match instruction.memory_base() {
                Register::RBP => Stack::BelowFrame(-offset),
                Register::RSP => Stack::Down(-offset),
                Register::R10 => Stack::BelowR10(-offset),
                _ => Stack::Lost,
            }
        }
        Mnemonic::Push | Mnemonic::Pushfq | Mnemonic::Pop | Mnemonic::Popfq => {
            Stack::Down(-i64::from(instruction.stack_pointer_increment()))
        }
        _ if to_stack => Stack::Lost,
        _ => Stack::Down(0),
    }
}

fn saves(instruction: &Instruction) -> Option<Register> {
    let copies = instruction.mnemonic() == Mnemonic::Mov
        && instruction.op0_kind() == OpKind::Register
        && instruction.op1_kind() == OpKind::Register
        && instruction.op1_register() == Register::RSP;
    copies.then(|| instruction.op0_register())
}

/// Those that a call may change count as written by it.
fn writes(info: &mut InstructionInfoFactory, instruction: &Instruction) -> u16 {
    let calls = matches!(
        instruction.flow_control(),
        FlowControl::Call | FlowControl::IndirectCall
    );
    let mut written = if calls { NOT_PRESERVED } else { 0 };
    let used = info.info_options(instruction, InstructionInfoOptions::NO_MEMORY_USAGE);
    for register in used.used_registers() {
        if !matches!(register.access(), OpAccess::Read | OpAccess::CondRead) {
            written |= bit(register.register());
        }
    }
    written
}

/// That of a general register, 0 for another one.
pub fn bit(register: Register) -> u16 {
    let full = register.full_register();
    match full.is_gpr64() {
        true => 1 << full.number(),
        false => 0,
    }
}

fn pointers(instruction: &Instruction, pointer: &mut impl FnMut(u64)) {
    if instruction.is_ip_rel_memory_operand() {
        pointer(instruction.ip_rel_memory_address());
    }
    for operand in 0..instruction.op_count() {
        match instruction.op_kind(operand) {
            OpKind::Immediate32 | OpKind::Immediate32to64 | OpKind::Immediate64 => {
                pointer(instruction.immediate(operand));
            }
            OpKind::Memory if instruction.code() == Code::Lea_r64_m => {
                pointer(instruction.memory_displacement64());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 0xffff_ffff_8100_0000;

    /// As a compiler wrote it, but in parts that do not belong together.
    #[rustfmt::skip]
    const CODE: [u8; 52] = [
        0x55,                                           // push %rbp
        0x41, 0x56,                                     // push %r14
        0x48, 0x83, 0xec, 0x20,                         // sub $0x20,%rsp
        0xe8, 0xf4, 0x0f, 0x00, 0x00,                   // call START+0x1000
        0x75, 0xf2,                                     // jne START
        0xff, 0xd0,                                     // call *%rax
        0x48, 0x8d, 0x65, 0xe0,                         // lea -0x20(%rbp),%rsp
        0x48, 0x83, 0xe4, 0xc0,                         // and $-0x40,%rsp
        0x48, 0x89, 0xe0,                               // mov %rsp,%rax
        0x48, 0x89, 0xc4,                               // mov %rax,%rsp
        0x48, 0x29, 0xcc,                               // sub %rcx,%rsp
        0xff, 0x24, 0xc5, 0x00, 0x10, 0x00, 0x81,       // jmp *table(,%rax,8)
        0xfb,                                           // sti
        0x0f, 0x0b,                                     // ud2
        0x48, 0xc7, 0xc7, 0x40, 0x00, 0x00, 0x81,       // mov $START+0x40,%rdi
        0xc9,                                           // leave
        0xc3,                                           // ret
    ];

    #[test]
    fn instructions_say_where_the_stack_goes_and_what_runs_next() {
        let mut pointers = Vec::new();
        let steps = read(START, &CODE, |address| pointers.push(address));
        let found: Vec<_> = steps.iter().map(|step| (step.stack, step.flow)).collect();
        assert_eq!(
            found,
            [
                (Stack::Down(8), Flow::Next),
                (Stack::Down(8), Flow::Next),
                (Stack::Down(0x20), Flow::Next),
                (Stack::Down(0), Flow::Call(START + 0x1000)),
                (Stack::Down(0), Flow::Branch(START)),
                (Stack::Down(0), Flow::CallPointer),
                (Stack::BelowFrame(0x20), Flow::Next),
                (Stack::Align(0x40), Flow::Next),
                (Stack::Down(0), Flow::Next),
                (Stack::Copy(Register::RAX), Flow::Next),
                (Stack::Lost, Flow::Next),
                (Stack::Down(0), Flow::JumpPointer(Some(START + 0x1000))),
                (Stack::Down(0), Flow::Next),
                (Stack::Down(0), Flow::Trap),
                (Stack::Down(0), Flow::Next),
                (Stack::BelowFrame(-8), Flow::Next),
                (Stack::Down(0), Flow::Return),
            ]
        );
        assert!(pointers.contains(&(START + 0x40)), "{pointers:x?}");
        assert_eq!(steps[8].saves, Some(Register::RAX));
        assert_ne!(steps[5].writes & bit(Register::R11D), 0, "a call keeps r11");
        assert_eq!(steps[5].writes & bit(Register::RBX), 0);
        let enables: Vec<_> = steps.iter().map(|step| step.enables_interrupts).collect();
        assert_eq!(enables.iter().position(|enables| *enables), Some(12));
    }
}
