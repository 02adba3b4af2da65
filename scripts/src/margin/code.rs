// SPDX-License-Identifier: GPL-2.0
//! Machine code, as far as the depth of the stack depends on it.

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register,
};

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub start: u64,
    pub end: u64,
    pub flow: Flow,
    pub stack: Stack,
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
    Lost,
}

/// The instructions of `bytes`, which are at `start`. Whatever in them could be the
/// address of a function is given to `pointer`.
pub fn read(start: u64, bytes: &[u8], mut pointer: impl FnMut(u64)) -> Vec<Step> {
    let mut decoder = Decoder::with_ip(64, bytes, start, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut steps = Vec::new();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        pointers(&instruction, &mut pointer);
        steps.push(Step {
            start: instruction.ip(),
            end: instruction.next_ip(),
            flow: flow(&instruction),
            stack: stack(&instruction),
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
                _ => Stack::Lost,
            }
        }
        Mnemonic::Lea if to_stack && instruction.memory_index() == Register::None => {
            let offset = instruction.memory_displacement64() as i64;
            match instruction.memory_base() {
                Register::RBP => Stack::BelowFrame(-offset),
                Register::RSP => Stack::Down(-offset),
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
