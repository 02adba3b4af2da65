// SPDX-License-Identifier: GPL-2.0

//! A read through two stacked file systems, and direct reclaim, from an already deep stack.

use crate::{
    command::Command,
    descent::descend,
    fault::Fault,
    file::File,
    frame::pattern,
    kthread::run_together,
    reclaim::Hoard,
    report::{
        Counter,
        Numbers,
        Tally, //
    },
    stack,
    test::Test,
    Bench, //
};

/// Real work from the depth `bytes`.
pub(crate) const REAL_PATHS: Test = Test {
    name: "REAL_PATHS",
    deepest: stack::SIZE - PATHS,
    threads: 2,
    rounds: 4,
    run,
};

/// What the paths need for themselves.
const PATHS: usize = 10 * 1024;

/// The most pages that a thread takes to force reclaim.
const PAGES: usize = 8192;

fn run(command: &Command, bench: &Bench) -> Result<Numbers, Fault> {
    let file = open(bench)?;
    let content = file.read()?;

    if file.drop_cache() == 0 {
        return Err(Fault::Missing(
            "the cache of the file cannot be dropped, use one on a disk",
        ));
    }

    let tally = Tally::default();
    let reads = Counter::default();
    let dropped = Counter::default();
    let reclaims = Counter::default();
    let _scarce = Hoard::all_free()?;

    run_together(command.threads, &|thread| {
        for round in 0..command.rounds {
            let seed = pattern(thread as u64, round);

            descend(command.bytes, seed, &tally, &|| Ok(()), &|| {
                let mut hoard = Hoard::with_capacity(PAGES)?;

                reclaims.add(hoard.force_reclaim());
                dropped.add(file.drop_cache());
                content.verify(file.read()?)?;
                reads.add(1);
                stack::verify_owned()
            })?;
        }
        Ok(())
    })?;
    if reclaims.get() == 0 {
        return Err(Fault::Missing(
            "direct reclaim was never entered, use a smaller machine",
        ));
    }
    tally.numbers(&[
        ("reads", reads.get()),
        ("read_bytes", content.bytes),
        ("dropped_pages", dropped.get()),
        ("direct_reclaims", reclaims.get()),
    ])
}

/// Opens the file to read, if it is of the right kind.
fn open(bench: &Bench) -> Result<File, Fault> {
    if !cfg!(CONFIG_OVERLAY_FS) {
        return Err(Fault::Missing("CONFIG_OVERLAY_FS is not set"));
    }
    if !cfg!(CONFIG_VM_EVENT_COUNTERS) {
        return Err(Fault::Missing("CONFIG_VM_EVENT_COUNTERS is not set"));
    }

    let path = bench.file.lock();
    let path = path
        .as_ref()
        .ok_or(Fault::Missing("no file to read, write its path to 'file'"))?;
    let file = File::open(path)?;

    if file.stacked() < 2 {
        return Err(Fault::Missing(
            "the file is not on an overlay of an overlay",
        ));
    }
    Ok(file)
}
