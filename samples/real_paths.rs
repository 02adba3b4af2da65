// SPDX-License-Identifier: GPL-2.0

//! A read through two stacked file systems, and direct reclaim, from an already deep stack.

use crate::{
    command::Command,
    descent::descend,
    fault::Fault,
    file::File,
    frame::pattern,
    kthread::run_together,
    memcg::{
        directly_reclaimed_pages,
        MemoryCgroup, //
    },
    report::{
        Counter,
        Numbers,
        Tally, //
    },
    stack,
    test::{
        Test,
        MANY_THREADS, //
    },
    Bench, //
};

/// Real work from the depth `bytes`.
pub(crate) const REAL_PATHS: Test = Test {
    name: "REAL_PATHS",
    deepest: stack::SIZE - PATHS,
    threads: 2,
    most_threads: MANY_THREADS,
    rounds: 4,
    run,
};

/// What the paths need for themselves. The red zones of KASAN double it.
const PATHS: usize = if cfg!(CONFIG_KASAN) { 16 } else { 8 } * 1024;

/// At least this much must be reclaimed, more than the count of such pages is late by.
const RECLAIMED: u64 = 1024;

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
    let memcg = MemoryCgroup::of_current();
    let reclaimed_before = directly_reclaimed_pages();

    run_together(command.threads, &|thread| {
        for round in 0..command.rounds {
            let seed = pattern(thread as u64, round);

            descend(command.bytes, seed, &tally, &|| Ok(()), &|| {
                file.drop_cache();
                content.verify(memcg.charge(|| file.read())?)?;
                reads.add(1);
                stack::sleep()?;
                Ok(())
            })?;
        }
        Ok(())
    })?;

    let reclaimed = directly_reclaimed_pages().saturating_sub(reclaimed_before);

    Fault::unless_equal(
        "reads",
        (command.threads * command.rounds) as u64,
        reads.get(),
    )?;
    if reclaimed < RECLAIMED {
        return Err(Fault::Missing(
            "nothing was reclaimed, run in a cgroup whose memory.max is less than half the file",
        ));
    }
    tally.numbers(&[
        ("reads", reads.get()),
        ("read_bytes", content.bytes * reads.get()),
        ("reclaimed_pages", reclaimed),
    ])
}

/// Opens the file to read, if it is of the right kind.
fn open(bench: &Bench) -> Result<File, Fault> {
    if !cfg!(CONFIG_OVERLAY_FS) {
        return Err(Fault::Missing("CONFIG_OVERLAY_FS is not set"));
    }
    if !cfg!(CONFIG_MEMCG) {
        return Err(Fault::Missing("CONFIG_MEMCG is not set"));
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
