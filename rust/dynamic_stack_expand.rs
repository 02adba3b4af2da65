// SPDX-License-Identifier: GPL-2.0

//! A file in debugfs through which a thread asks for its own stack.
//!
//! The file is `dynamic_stack_expand/self`. Writing a number makes the thread that writes own at
//! least that many bytes of its stack below where the file is written. It owns them until it
//! exits; a smaller number changes nothing. Where that cannot be, nothing changes either, and a
//! line in the kernel log says why:
//!
//! * `EINVAL`: what was written is not a number;
//! * `E2BIG`: the stack ends before;
//! * `ENOMEM`: there is no memory.
//!
//! Reading it shows lines `key value` about the thread that reads:
//!
//! | key | value |
//! |---|---|
//! | `owned_pages` | pages of the stack that the thread owns |
//! | `owned_bytes` | of them, what is below where the file is read |
//! | `room_bytes` | all that is below there: some less can be asked for |

#[cfg(not(CONFIG_DYNAMIC_STACK))]
compile_error!("dynamic_stack_expand needs a kernel with CONFIG_DYNAMIC_STACK=y");
#[cfg(not(CONFIG_DEBUG_FS))]
compile_error!("dynamic_stack_expand needs a kernel with CONFIG_DEBUG_FS=y");

mod expand;
mod input;

use core::num::IntErrorKind;
use kernel::{
    debugfs::{
        Reader,
        Scope,
        Writer, //
    },
    dynamic_stack::stack_room,
    fmt,
    prelude::*,
    uaccess::UserSliceReader, //
};

module! {
    type: DynamicStackExpand,
    name: "dynamic_stack_expand",
    description: "Kernel stack for threads that ask for it",
    license: "GPL",
}

/// The contents of the file.
struct OwnStack;

impl Writer for OwnStack {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owned_pages = expand::owned_pages().map_err(|_| fmt::Error)?;
        let owned_bytes = expand::owned_below().map_err(|_| fmt::Error)?;

        writeln!(f, "owned_pages {owned_pages}")?;
        writeln!(f, "owned_bytes {owned_bytes}")?;
        writeln!(f, "room_bytes {}", stack_room())
    }
}

impl Reader for OwnStack {
    fn read_from_slice(&self, reader: &mut UserSliceReader) -> Result {
        let bytes = input::read(reader, "self", fmt!("a number of bytes"), parse_bytes)?;

        expand::with_stack(bytes, |_| ()).inspect_err(|&error| match error {
            E2BIG => pr_err!(
                "self: {bytes} bytes are more than the {} left\n",
                stack_room()
            ),
            ENOMEM => pr_err!("self: no memory for {bytes} bytes\n"),
            _ => pr_err!("self: {bytes} bytes cannot be had here\n"),
        })
    }
}

/// A number that is too large for its type is a number.
fn parse_bytes(text: &str) -> Option<usize> {
    match text.parse() {
        Ok(bytes) => Some(bytes),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Some(usize::MAX),
        Err(_) => None,
    }
}

#[pin_data]
struct DynamicStackExpand {
    #[pin]
    _dir: Scope<OwnStack>,
}

impl kernel::InPlaceModule for DynamicStackExpand {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _dir <- Scope::dir(OwnStack, c"dynamic_stack_expand", |stack, dir| {
                dir.read_write_file(c"self", stack);
            }),
        })
    }
}
