// SPDX-License-Identifier: GPL-2.0

//! Kernel threads that work on one job together.

use crate::fault::Fault;
use core::ptr::{
    from_mut,
    NonNull, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    error::{
        from_err_ptr,
        to_result, //
    },
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
use pin_init::stack_pin_init;

/// A kernel thread that was created and not yet stopped.
///
/// # Invariants
///
/// `task` is a kernel thread on which the instance owns a reference.
struct Kthread {
    task: NonNull<bindings::task_struct>,
}

impl Kthread {
    /// Creates a thread that calls `run` with `data` once it is woken.
    ///
    /// # Safety
    ///
    /// `run(data)` must be sound on another thread, at any time until the instance is stopped or
    /// dropped.
    unsafe fn new(
        run: unsafe extern "C" fn(*mut c_void) -> c_int,
        data: *mut c_void,
        index: usize,
    ) -> Result<Self> {
        // SAFETY: The caller vouches for `run` and `data`, and the format matches its argument.
        let task = from_err_ptr(unsafe {
            bindings::kthread_create_on_node(
                Some(run),
                data,
                bindings::NUMA_NO_NODE,
                c"stack_stress/%zu".as_char_ptr(),
                index,
            )
        })?;
        let task = NonNull::new(task).ok_or(ENOMEM)?;

        // SAFETY: The thread was just created, and cannot exit before it is woken.
        unsafe { bindings::get_task_struct(task.as_ptr()) };
        // INVARIANT: The reference was taken above.
        Ok(Self { task })
    }

    /// Keeps the thread on `cpu`; it must not have been woken yet.
    fn bind(&self, cpu: CpuId) {
        // SAFETY: By the type invariant, the task is valid, and it has not run.
        unsafe { bindings::kthread_bind(self.task.as_ptr(), cpu.as_u32()) };
    }

    fn wake_up(&self) {
        // SAFETY: By the type invariant, the task is valid.
        unsafe { bindings::wake_up_process(self.task.as_ptr()) };
    }

    /// Waits until the thread has exited.
    ///
    /// Returns its exit code, or [`EINTR`] if it was never woken.
    fn stop(self) -> Result {
        let task = core::mem::ManuallyDrop::new(self).task;

        // SAFETY: By the type invariant, this is a kernel thread and the reference is ours to give
        // up.
        to_result(unsafe { bindings::kthread_stop_put(task.as_ptr()) })
    }
}

impl Drop for Kthread {
    fn drop(&mut self) {
        // SAFETY: As in `stop`.
        unsafe { bindings::kthread_stop_put(self.task.as_ptr()) };
    }
}

/// What all threads of a job share.
#[pin_data]
struct Shared<'a, J> {
    job: &'a J,
    ended: Atomic<usize>,
    #[pin]
    first_fault: Mutex<Option<Fault>>,
}

/// What one thread is started with.
struct Start<'a, J> {
    shared: &'a Shared<'a, J>,
    index: usize,
}

/// The body of each thread.
///
/// # Safety
///
/// `start` must point to a [`Start`] of the same job that outlives the thread.
unsafe extern "C" fn run_job<J: Fn(usize) -> Result<(), Fault> + Sync>(
    start: *mut c_void,
) -> c_int {
    // SAFETY: The caller promises it.
    let Start { shared, index } = unsafe { &*start.cast::<Start<'_, J>>() };
    let result = (shared.job)(*index);

    if let Err(fault) = result {
        shared.first_fault.lock().get_or_insert(fault);
    }
    shared.ended.fetch_add(1, Release);
    0
}

/// Runs `job` in `threads` new kernel threads that are released together, with the index of the
/// thread as its argument.
///
/// Returns the number of threads that were created, ran and exited, after the last has exited; or
/// the first fault of a thread.
pub(crate) fn run_together<J>(threads: usize, job: &J) -> Result<u64, Fault>
where
    J: Fn(usize) -> Result<(), Fault> + Sync,
{
    run(threads, None, job)
}

/// Runs `job` as often as `rounds` says, each time in `threads` new threads, with the index of the
/// thread and the round as its arguments.
///
/// Returns the number of threads that exited, which are all of them.
pub(crate) fn run_rounds<J>(threads: usize, rounds: usize, job: &J) -> Result<u64, Fault>
where
    J: Fn(usize, usize) -> Result<(), Fault> + Sync,
{
    let mut exited = 0;

    for round in 0..rounds {
        exited += run_together(threads, &|thread| job(thread, round))?;
    }
    Fault::unless_equal("threads that exited", (threads * rounds) as u64, exited)?;
    Ok(exited)
}

/// Does as `run_together`, with each thread bound to the CPU that `cpu_of` returns for its index.
pub(crate) fn run_bound<J>(
    threads: usize,
    cpu_of: &dyn Fn(usize) -> CpuId,
    job: &J,
) -> Result<u64, Fault>
where
    J: Fn(usize) -> Result<(), Fault> + Sync + ?Sized,
{
    run(threads, Some(cpu_of), &job)
}

fn run<J>(threads: usize, cpu_of: Option<&dyn Fn(usize) -> CpuId>, job: &J) -> Result<u64, Fault>
where
    J: Fn(usize) -> Result<(), Fault> + Sync,
{
    stack_pin_init!(let shared = pin_init!(Shared {
        job,
        ended: Atomic::new(0),
        first_fault <- new_mutex!(None),
    }));
    let shared = &*shared;
    let mut starts = KVVec::with_capacity(threads, GFP_KERNEL)?;
    // Declared last, so that no thread outlives what it was started with.
    let mut crew = KVVec::with_capacity(threads, GFP_KERNEL)?;

    for index in 0..threads {
        starts.push(Start { shared, index }, GFP_KERNEL)?;
    }
    for (index, start) in starts.iter_mut().enumerate() {
        // SAFETY: The thread gets its own start, which lives until `crew` is gone; `J` is `Sync`.
        let kthread = unsafe { Kthread::new(run_job::<J>, from_mut(start).cast(), index) }
            .map_err(|error| Fault::Call("kthread_create_on_node", error))?;

        if let Some(cpu_of) = cpu_of {
            kthread.bind(cpu_of(index));
        }
        crew.push(kthread, GFP_KERNEL)?;
    }
    for kthread in &crew {
        kthread.wake_up();
    }
    // A thread that is stopped too early does not run its job. Naps, not one long sleep: the
    // detector of hung tasks would take that for one.
    while shared.ended.load(Acquire) < threads {
        fsleep(Delta::from_millis(1));
    }

    let mut exited = 0;

    for kthread in crew {
        exited += u64::from(kthread.stop().is_ok());
    }

    let first_fault = *shared.first_fault.lock();

    first_fault.map_or(Ok(exited), Err)
}
