// SPDX-License-Identifier: GPL-2.0
//! A model of how `lend` hands out stack pages when memory is short.

mod explore;
mod fair;
mod state;
mod step;

use explore::Graph;
use state::{Config, SOUND, State};

fn run(name: &str, cfg: Config) {
    let now = std::time::Instant::now();
    let graph = match Graph::explore(cfg) {
        Ok(graph) => graph,
        Err(way) => {
            println!("== {name}: FAULT {:?} {way}", now.elapsed());
            return;
        }
    };
    print!(
        "== {name}: {} states {:?} ",
        graph.states.len(),
        now.elapsed()
    );
    print!(
        "panics: {} ",
        graph.states.iter().filter(|s| s.panicked).count()
    );
    print!(
        "parked: {} ",
        graph
            .states
            .iter()
            .filter(|s| s.threads.iter().any(|t| t.parked()))
            .count()
    );
    print!(
        "killed parked: {} ",
        graph
            .states
            .iter()
            .filter(|s| s.threads.iter().any(|t| t.killed && t.parked()))
            .count()
    );
    for t in 0..cfg.users {
        let parked = |s: &State| !s.panicked && s.threads[t].parked();
        if let Some(run) = fair::run_within(&graph, parked) {
            println!("thread {t} stays parked: {run}");
            return;
        }
        let starved = |s: &State| {
            !s.panicked && s.threads[t].life != state::Life::Dead && !s.running(&cfg, t)
        };
        if let Some(run) = fair::run_within(&graph, starved) {
            println!("thread {t} never runs: {run}");
            return;
        }
    }
    println!("ok {:?}", now.elapsed());
}

#[test]
fn all() {
    let one = Config { cpus: 1, ..SOUND };
    let three = Config { users: 3, ..one };
    run("one", one);
    run(
        "one slots 2",
        Config {
            slots: 2,
            free: 2,
            ..one
        },
    );
    run("three", three);
    run(
        "three slots2 user2",
        Config {
            slots: 2,
            free: 3,
            user: 2,
            ..three
        },
    );
    run(
        "three kthread",
        Config {
            kthread: true,
            ..three
        },
    );
    run(
        "no recheck",
        Config {
            recheck: false,
            ..three
        },
    );
    run(
        "no recheck user2",
        Config {
            recheck: false,
            user: 2,
            ..three
        },
    );
    run(
        "refill kicks",
        Config {
            refill_kicks: true,
            ..three
        },
    );
    run(
        "two refill kicks",
        Config {
            refill_kicks: true,
            ..SOUND
        },
    );
    run(
        "two no recheck",
        Config {
            recheck: false,
            ..SOUND
        },
    );
    run(
        "a: no remainder only",
        Config {
            remainder: false,
            ..three
        },
    );
    run(
        "a: no remainder only, kthread slots2",
        Config {
            remainder: false,
            slots: 2,
            free: 3,
            kthread: true,
            user: 2,
            ..three
        },
    );
    run(
        "a: 2 no remainder only",
        Config {
            remainder: false,
            ..SOUND
        },
    );
    run(
        "a: critical only",
        Config {
            critical_owned: false,
            ..three
        },
    );
    run(
        "a: both",
        Config {
            remainder: false,
            critical_owned: false,
            ..three
        },
    );
    run(
        "b",
        Config {
            state_first: false,
            ..three
        },
    );
    run(
        "b2",
        Config {
            state_first: false,
            ..SOUND
        },
    );
    run(
        "c",
        Config {
            parking: false,
            ..three
        },
    );
    run(
        "d",
        Config {
            admission: false,
            ..three
        },
    );
    run(
        "e",
        Config {
            count_by_slot: false,
            slots: 2,
            free: 2,
            ..three
        },
    );
    run(
        "f",
        Config {
            list_holds: false,
            ..three
        },
    );
    run(
        "f2",
        Config {
            list_holds: false,
            ..SOUND
        },
    );
}
#[test]
fn big() {
    run(
        "two kthread",
        Config {
            kthread: true,
            ..SOUND
        },
    );
    run("two user 2", Config { user: 2, ..SOUND });
    run(
        "two users 3 kthread",
        Config {
            users: 3,
            kthread: true,
            free: 0,
            ..SOUND
        },
    );
}
