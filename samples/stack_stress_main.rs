// SPDX-License-Identifier: GPL-2.0

//! Stress tests of kernel stacks.
//!
//! The directory `stack_stress` of debugfs holds:
//!
//! - `run`: reading it lists the tests, one name a line. Writing `NAME [bytes [threads [rounds]]]`
//!   runs one and returns when it is done, with `EIO` if the test failed, `EINVAL` if there is no
//!   such test (the kernel log says what is allowed) and `EBUSY` while another one runs.
//! - `result`: the last run. The first line is `ok: NAME`, `FAIL: NAME: why` or
//!   `XFAIL: NAME: what is missing`; it also goes to the kernel log. Each further line is a name
//!   and a number: what the test was run with, and if it passed, what it counted. `kept_pages` is
//!   how many pages its threads came to own.
//! - `file`: the path of the file that the test `REAL_PATHS` reads.
//! - `deep`: any number of threads may write `BYTES [NAP]` at a time: each goes that deep, sleeps
//!   there for so many milliseconds, and verifies on the way up what it wrote. Reading it tells how
//!   many went down and how many came up.
//!
//! The module cannot be unloaded while a test runs.

#![cfg_attr(
    not(CONFIG_X86_64),
    expect(dead_code, reason = "what only the events need, which exist on x86")
)]

use kernel::{
    bindings,
    debugfs::{
        Scope,
        ScopedDir, //
    },
    fmt,
    new_mutex,
    prelude::*,
    str::CString,
    sync::Mutex,
    types::ScopeGuard,
    uaccess::UserSliceReader, //
};

mod command;
mod deep;
mod descent;
mod doze;
#[cfg(CONFIG_X86_64)]
mod events;
#[cfg(CONFIG_DYNAMIC_STACK)]
#[path = "../rust/expand.rs"]
mod expand;
mod fault;
mod file;
mod frame;
#[cfg(CONFIG_X86_64)]
mod irq_at_end;
mod kthread;
mod memcg;
mod new_pages;
#[cfg(CONFIG_X86_64)]
mod nmi_storm;
#[cfg(CONFIG_X86_64)]
mod no_check;
mod page_boundary;
mod real_paths;
mod recurse;
mod report;
#[cfg(CONFIG_DYNAMIC_STACK)]
mod reserve;
mod sched;
mod shared_object;
mod stack;
mod test;
mod threads;
#[cfg(CONFIG_X86_64)]
mod ticks;
#[cfg(CONFIG_X86_64)]
mod user_pages;
#[cfg(CONFIG_X86_64)]
mod visit;

use command::Command;
use deep::Deep;
use report::Report;

module! {
    type: StackStress,
    name: "stack_stress",
    authors: ["The dynstack developers"],
    description: "Stress tests of kernel stacks",
    license: "GPL",
}

/// Where tests are run.
#[pin_data]
struct Bench {
    module: &'static ThisModule,
    /// Held while a test runs.
    #[pin]
    busy: Mutex<()>,
    #[pin]
    last: Mutex<Option<Report>>,
    #[pin]
    file: Mutex<Option<CString>>,
    deep: Deep,
}

impl Bench {
    fn new(module: &'static ThisModule) -> impl PinInit<Self> {
        pin_init!(Self {
            module,
            busy <- new_mutex!(()),
            last <- new_mutex!(None),
            file <- new_mutex!(None),
            deep: Deep::default(),
        })
    }

    fn add_files<'a>(&'a self, dir: &ScopedDir<'a, '_>) {
        dir.read_write_callback_file(c"run", self, &Self::list_tests, &Self::write_run);
        dir.read_callback_file(c"result", self, &Self::show_result);
        dir.read_write_callback_file(c"file", self, &Self::show_file, &Self::write_file);
        dir.read_write_callback_file(c"deep", self, &Self::show_deep, &Self::write_deep);
    }

    fn list_tests(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for test in test::all() {
            writeln!(f, "{}", test.name)?;
        }
        Ok(())
    }

    fn show_result(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.last.lock() {
            Some(report) => f.write_fmt(fmt!("{report}")),
            None => writeln!(f, "no test has run"),
        }
    }

    fn show_file(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.file.lock() {
            Some(path) => f.write_fmt(fmt!("{}\n", &**path)),
            None => Ok(()),
        }
    }

    fn write_file(&self, reader: &mut UserSliceReader) -> Result {
        let mut buffer = KVec::new();
        let path = read_line(reader, &mut buffer)?;

        if !path.starts_with('/') {
            pr_err!("file must be an absolute path, not '{path}'\n");
            return Err(EINVAL);
        }
        *self.file.lock() = Some(CString::try_from_fmt(fmt!("{path}"))?);
        Ok(())
    }

    fn show_deep(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deep.show(f)
    }

    fn write_deep(&self, reader: &mut UserSliceReader) -> Result {
        let mut buffer = KVec::new();
        let line = read_line(reader, &mut buffer)?;
        let _in_use = self.refuse_unload()?;

        self.deep.go(line)
    }

    fn write_run(&self, reader: &mut UserSliceReader) -> Result {
        let mut buffer = KVec::new();
        let command = Command::parse(read_line(reader, &mut buffer)?)?;
        let _busy = self.busy.try_lock().ok_or_else(|| {
            pr_err!("a test is running, wait for its end\n");
            EBUSY
        })?;
        let _in_use = self.refuse_unload()?;
        let report = Report::new(command, (command.test.run)(&command, self));
        let failed = report.is_failure();

        if failed {
            pr_err!("{}\n", report.headline());
        } else {
            pr_info!("{}\n", report.headline());
        }
        *self.last.lock() = Some(report);
        if failed {
            return Err(EIO);
        }
        Ok(())
    }

    /// Refuses to unload the module until the guard is dropped.
    fn refuse_unload(&self) -> Result<impl Drop> {
        let module = self.module.as_ptr();

        // SAFETY: The module is valid while its code runs.
        if !unsafe { bindings::try_module_get(module) } {
            return Err(ENODEV);
        }
        // SAFETY: The reference was taken above.
        Ok(ScopeGuard::new(move || unsafe {
            bindings::module_put(module)
        }))
    }
}

/// Reads what was written to a file, less the end of the line.
fn read_line<'a>(reader: &mut UserSliceReader, buffer: &'a mut KVec<u8>) -> Result<&'a str> {
    const MOST: usize = 4096;

    if reader.len() > MOST {
        pr_err!("at most {MOST} bytes can be written\n");
        return Err(EINVAL);
    }
    buffer.resize(reader.len(), 0, GFP_KERNEL)?;
    reader.read_slice(buffer)?;
    match core::str::from_utf8(buffer) {
        Ok(line) => Ok(line.trim()),
        Err(_) => {
            pr_err!("only text can be written\n");
            Err(EINVAL)
        }
    }
}

struct StackStress {
    _files: Pin<KBox<Scope<Bench>>>,
}

impl kernel::Module for StackStress {
    fn init(module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _files: KBox::pin_init(
                Scope::dir(Bench::new(module), c"stack_stress", Bench::add_files),
                GFP_KERNEL,
            )?,
        })
    }
}
