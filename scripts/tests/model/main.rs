// SPDX-License-Identifier: GPL-2.0
//! How stack pages are handed out when memory is short: a model of it, all states
//! of which are visited.
//!
//! - `state`: what there is: CPUs with their stocks, threads, kstackd;
//! - `step`: what happens in one go, while others can do nothing in between;
//! - `stock`: of that, what a switch takes from a stock, and the refill;
//! - `kstackd`: its steps;
//! - `explore`: all states, breadth first; looks for what must never happen;
//! - `fair`: looks for runs in which something never happens.
//!
//! The model is small: two CPUs, three users, one slot, or on one CPU two. It is of
//! `lend`, or, with `maps`, of `fault` and `probe`. Each CPU may pick any thread. Its
//! locks are those of the run queues, pi_lock as far as kstackd and who parks a thread
//! want it, and one that can keep others from the OOM killer.
//!
//! Free pages are a number with a watermark: users and refills leave the last
//! `min` pages alone, but the first bank of each reserve may have all of them.
//! There is no level between, and no reclaim but by killing. kstackd's round:
//!
//! 1. One bank for each reserve. Then it goes through the list: who does not wait any
//!    more is forgotten, and if all have their bank, those are woken that may take the
//!    last one.
//! 2. The rest of each reserve. If all are full, it wakes the oldest on the list:
//!    as many as it likes, then the next round, until nobody is left.
//! 3. Otherwise, if it left somebody on the list and nobody exits, it looks for a page
//!    once more and calls the OOM killer. The kernel does that after twenty such rounds
//!    in a row, the model after one. If all had their bank, it fills all reserves with
//!    whatever there is, and wakes the oldest one.
//!
//! What is not in the model:
//!
//! - time: a victim that can run exits before it is given up, and nobody keeps kstackd
//!   from running, as threads above its priority can;
//! - where the stack of a dead thread goes: here it is free at the switch, in the kernel
//!   after a grace period, by a worker;
//! - threads that sleep by themselves, or are preempted in a state other than running;
//!   new threads; processes of several threads; CPUs that come and go; nodes; groups;
//! - who may take the last bank for a while only; who takes pages below the watermark
//!   elsewhere; pages that a thread comes to own before it is switched out.
//!
//! The list is both lists of the kernel: in the order in which threads were
//! parked, kstackd's own first, and then those it has not seen. No thread is on
//! it twice.
//!
//! Most tests break the protocol in one place, and the model must notice: that
//! shows what each part of it is for. `--nocapture` prints numbers of states
//! and how it went wrong.

mod explore;
mod fair;
mod kstackd;
mod state;
mod step;
mod stock;

use explore::Graph;
use state::{Config, Life, SOUND, State};

const ONE_CPU: Config = Config {
    cpus: 1,
    users: 3,
    ..SOUND
};

const TWO_CPUS: Config = SOUND;

/// Victims give their memory only when they exit, and a kernel thread may take
/// their pages. There is enough for the last bank of each CPU at first.
const VICTIMS_MUST_EXIT: Config = Config {
    users: 3,
    kthread: true,
    free_least: 3,
    free: 3,
    min: 2,
    reserve_first: 0,
    both_banks: false,
    reaper: false,
    ..TWO_CPUS
};

fn explore(cfg: Config) -> Graph {
    match Graph::explore(cfg) {
        Ok(graph) => graph,
        Err(fault) => panic!("{}\n{}", fault.why, fault.way),
    }
}

/// A run in which thread `t` stays parked, or waits otherwise, forever.
fn waits_forever(graph: &Graph, t: usize) -> Option<String> {
    let parked = |state: &State| !state.panicked && state.threads[t].parked();
    let waits = |state: &State| {
        let alive = state.threads[t].life != Life::Dead;
        !state.panicked && alive && !state.running(&graph.cfg, t)
    };
    fair::run_within(graph, parked).or_else(|| fair::run_within(graph, waits))
}

fn holds(cfg: Config) {
    let graph = explore(cfg);
    let count = |wanted: &dyn Fn(&State) -> bool| graph.states.iter().filter(|s| wanted(s)).count();
    let parked = count(&|state| state.threads.iter().any(|t| t.parked()));
    let panics = count(&|state| state.panicked);
    println!(
        "{} states, {parked} with parked threads, {panics} without any memory",
        graph.states.len()
    );
    assert_ne!(parked, 0, "the model has too much memory");
    if let Some(way) = fair::dead_end(&graph) {
        panic!("somebody cannot go on\n{way}");
    }
    for t in 0..cfg.users {
        if let Some(run) = waits_forever(&graph, t) {
            panic!("thread {t} waits forever\n{run}");
        }
    }
}

fn ends_with(cfg: Config, why: &str) {
    let Err(fault) = Graph::explore(cfg) else {
        panic!("nothing went wrong: expected that {why}");
    };
    println!("{} states until {}\n{}", fault.states, fault.why, fault.way);
    assert_eq!(fault.why, why);
}

fn waits(cfg: Config) {
    let graph = explore(cfg);
    let run = (0..cfg.users).find_map(|t| waits_forever(&graph, t));
    let run = run.expect("a thread that waits forever");
    println!("{} states\n{run}", graph.states.len());
}

/// `cfg` has one CPU.
fn holds_in_small_sizes(cfg: Config) {
    holds(cfg);
    holds(Config {
        kthread: true,
        ..cfg
    });
    holds(Config {
        slots: 2,
        free: 3,
        min: 2,
        reserve_first: 4,
        users: 2,
        ..cfg
    });
}

#[test]
fn holds_on_one_cpu() {
    holds_in_small_sizes(ONE_CPU);
    holds(Config { user: 2, ..ONE_CPU });
}

#[test]
fn holds_on_two_cpus() {
    holds(TWO_CPUS);
    holds(Config {
        kthread: true,
        ..TWO_CPUS
    });
}

#[test]
fn holds_for_three_threads_on_two_cpus() {
    holds(Config {
        users: 3,
        kthread: true,
        free: 0,
        reserve_first: 0,
        ..TWO_CPUS
    });
}

#[test]
fn victims_can_exit() {
    holds(VICTIMS_MUST_EXIT);
    holds(Config {
        kthread: false,
        ..VICTIMS_MUST_EXIT
    });
}

#[test]
#[ignore = "takes more than an hour and many gigabytes of memory"]
fn holds_in_larger_sizes() {
    for free in 0..=2 {
        holds(Config {
            users: 3,
            free_least: free,
            free,
            reserve_first: 0,
            ..TWO_CPUS
        });
    }
    holds(Config {
        user: 2,
        free: 1,
        ..TWO_CPUS
    });
    holds(Config {
        slots: 2,
        free: 3,
        min: 2,
        reserve_first: 4,
        user: 2,
        ..ONE_CPU
    });
    // More user memory, as many pages more, and enough to complete the banks.
    holds(Config {
        free_least: 6,
        free: 6,
        user: 2,
        ..VICTIMS_MUST_EXIT
    });
}

/// Threads are woken by kstackd, which those that are parked wake.
#[test]
fn refills_need_not_wake_kstackd() {
    for cfg in [ONE_CPU, VICTIMS_MUST_EXIT] {
        holds(Config {
            refill_kicks: false,
            ..cfg
        });
    }
}

#[test]
fn holds_where_threads_map() {
    holds_in_small_sizes(Config {
        maps: true,
        ..ONE_CPU
    });
    for cfg in [TWO_CPUS, VICTIMS_MUST_EXIT] {
        holds(Config { maps: true, ..cfg });
    }
}

/// Of two threads that may take the last bank the first maps a page when the second is
/// admitted already.
#[test]
fn where_threads_map_the_last_one_counts_too() {
    ends_with(
        Config {
            maps: true,
            kthread: true,
            count_prev: false,
            ..ONE_CPU
        },
        "a running thread lacks a page",
    );
}

/// A fault handler has taken a page when it is interrupted by who needs the whole stack.
#[test]
fn holds_where_handlers_are_interrupted() {
    for cfg in [ONE_CPU, TWO_CPUS] {
        holds(Config {
            maps: true,
            in_hand: 1,
            ..cfg
        });
    }
    holds(Config {
        maps: true,
        in_hand: 1,
        free_least: 5,
        free: 5,
        min: 4,
        ..VICTIMS_MUST_EXIT
    });
}

#[test]
fn where_handlers_are_interrupted_pages_in_hand_count_too() {
    ends_with(
        Config {
            maps: true,
            in_hand: 1,
            kthread: true,
            count_in_hand: false,
            ..ONE_CPU
        },
        "a running thread lacks a page",
    );
}

#[test]
fn where_threads_map_admission_is_needed() {
    ends_with(
        Config {
            maps: true,
            admission: false,
            ..ONE_CPU
        },
        "a running thread lacks a page",
    );
}

#[test]
fn without_admission_the_reserve_runs_empty() {
    ends_with(
        Config {
            admission: false,
            ..ONE_CPU
        },
        "the reserve is empty at a switch",
    );
}

/// An entry of a bank goes to the slot of its number: the entries above the
/// empty slots are of no use to the thread.
#[test]
fn pages_for_other_slots_do_not_count() {
    ends_with(
        Config {
            slots: 2,
            free: 2,
            reserve_first: 4,
            count_by_slot: false,
            ..ONE_CPU
        },
        "the reserve is empty at a switch",
    );
}

#[test]
fn without_parking_one_thread_is_denied_forever() {
    waits(Config {
        parking: false,
        ..ONE_CPU
    });
}

#[test]
fn kstackd_that_borrows_its_stack_is_parked_too() {
    let cfg = Config {
        critical_owned: false,
        ..ONE_CPU
    };
    waits(Config { users: 2, ..cfg });
    waits(Config {
        remainder: false,
        reaper: false,
        free: 0,
        reserve_first: 0,
        ..cfg
    });
}

/// A thread that is parked again between the two is not added, and is then
/// taken off.
#[test]
fn list_after_wakeup_loses_a_thread() {
    waits(Config {
        unlist_first: false,
        ..VICTIMS_MUST_EXIT
    });
}

#[test]
fn list_outlives_threads() {
    ends_with(
        Config {
            list_holds: false,
            ..ONE_CPU
        },
        "a dead thread is on the list",
    );
}

#[test]
fn list_has_a_thread_once() {
    ends_with(
        Config {
            list_once: false,
            ..VICTIMS_MUST_EXIT
        },
        "a thread is added to the list twice",
    );
}

/// Without the remainder all is well as long as the OOM reaper is, or enough
/// pages are set aside. It is for victims whose memory comes only when they
/// exit, if others have used up those pages.
#[test]
fn remainder_lets_victims_exit() {
    holds(Config {
        remainder: false,
        ..ONE_CPU
    });
    holds(Config {
        remainder: false,
        ..VICTIMS_MUST_EXIT
    });
    let cfg = Config {
        reaper: false,
        slots: 2,
        free: 0,
        min: 0,
        both_banks: false,
        ..ONE_CPU
    };
    holds(cfg);
    ends_with(
        Config {
            remainder: false,
            ..cfg
        },
        "panic though user memory can be had",
    );
}

/// One CPU takes them all, for threads that only want to run, and the other
/// has none for the victims.
#[test]
fn pages_below_min_are_not_for_everybody() {
    ends_with(
        Config {
            keep_min: false,
            ..VICTIMS_MUST_EXIT
        },
        "panic though user memory can be had",
    );
    holds(Config {
        keep_min: false,
        reaper: true,
        ..ONE_CPU
    });
}

/// There are no ordinary pages until they exit.
#[test]
fn victims_that_wait_for_ordinary_pages_wait_forever() {
    waits(Config {
        wake_critical: false,
        ..VICTIMS_MUST_EXIT
    });
}

/// They are parked again at once. Each time that kstackd lacks ordinary pages it
/// finds nobody on the list for whom it would call the OOM killer.
#[test]
fn others_that_are_woken_for_one_bank_wait_forever() {
    waits(Config {
        cpus: 1,
        wake_when_full: false,
        ..VICTIMS_MUST_EXIT
    });
}

/// Those that run may be content with the memory they have.
#[test]
fn nobody_else_calls_the_oom_killer() {
    waits(Config {
        kill: false,
        ..ONE_CPU
    });
}

/// Nobody can be killed before the first user runs, which waits for ordinary pages.
/// Another may be let through before, and keep what it gets.
#[test]
fn holder_of_a_lock_is_let_through() {
    for cpus in [1, 2] {
        let cfg = Config {
            cpus,
            oom_locked: true,
            free_least: 4,
            free: 4,
            min: 4,
            reserve_first: 0,
            ..TWO_CPUS
        };
        holds(cfg);
        waits(Config {
            let_through: false,
            ..cfg
        });
    }
}

/// It waits for who waits for pages.
#[test]
fn kstackd_that_waits_for_oom_lock_never_goes_on() {
    let graph = explore(Config {
        oom_locked: true,
        trylock: false,
        ..ONE_CPU
    });
    println!("{}", fair::dead_end(&graph).expect("a dead end"));
}

/// A limit: what kernel threads keep of the last bank, and of the pages for it,
/// is lost for victims, and a bank does not move from CPU to CPU.
#[test]
fn last_bank_is_not_for_victims_alone() {
    for cfg in [
        Config {
            cpus: 1,
            free_least: 0,
            free: 0,
            min: 1,
            ..VICTIMS_MUST_EXIT
        },
        Config {
            free_least: 2,
            free: 2,
            min: 1,
            ..VICTIMS_MUST_EXIT
        },
    ] {
        ends_with(cfg, "panic though user memory can be had");
    }
}
