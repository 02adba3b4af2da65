// SPDX-License-Identifier: GPL-2.0
//! What the model knows of the kernel at one moment.
//!
//! Small numbers stand for sizes: a thread of the model has `slots` (1 or 2)
//! slots below the page that it always owns, where the kernel has
//! DYNAMIC_STACK_BANK.

/// The threads: users first, then those that give others memory.
pub const USERS: usize = 3;
pub const KSTACKD: usize = 3;
/// kswapd, the OOM reaper: whoever frees memory of others.
pub const REAPER: usize = 4;
pub const THREADS: usize = 5;
/// The idle thread of a CPU owns its stack; it is on no run queue.
pub const IDLE: usize = 5;
pub const MAX_CPUS: usize = 2;

/// Where a CPU is in `__schedule()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// It runs `cur`, no lock held, interrupts on.
    Run,
    /// In `dynamic_stack_switch_done()`: no lock held, interrupts on.
    Refill,
    /// Run queue locked: about to pick, since `cur` cannot go on.
    Pick,
    /// Run queue locked: this thread was picked and admitted, where threads map.
    Admitted(u8),
    /// Run queue locked: this thread was picked and denied.
    Denied(u8),
    /// Its pi_lock held, too: it has its state.
    Stated(u8),
    /// And it is on the list, but still queued.
    Listed(u8),
    /// Run queue locked: idle is next, whatever became of the thread that was denied.
    ToIdle,
}

/// A run queue and `struct dynamic_stack_stock`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cpu {
    pub cur: u8,
    pub at: At,
    /// `stock->spare`: bit n is set if entry n has a page.
    pub spare: u8,
    /// `stock->lent`: the entries below `empty` of `cur` are in its slots.
    pub lent: u8,
    /// Pages in `stock->reserve`.
    pub reserve: u8,
    /// The irq_work that wakes kstackd is pending: it comes when the run queue
    /// is unlocked. If it came later, all would be as if kstackd was picked
    /// later.
    pub kick: bool,
}

/// `__state` of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    Running,
    /// STACK_WAIT.
    Wait,
    /// kstackd and the reaper, with nothing to do.
    Sleep,
    Dead,
}

/// A `task_struct`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thread {
    pub life: Life,
    /// `on_rq`.
    pub queued: bool,
    /// Its place among the parked threads, 1 is the first that was parked; 0 if
    /// it is not on the list.
    pub place: u8,
    /// An OOM victim.
    pub killed: bool,
    /// `dynamic_stack.nr_empty`; all other slots are kept pages.
    pub empty: u8,
    /// Pages of user memory.
    pub user: u8,
}

/// Where kstackd is in its loop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Worker {
    /// In `wait_event()`.
    Idle,
    /// Fills the reserve of this CPU up to one bank, then those of the next ones.
    LastBank(u8),
    /// Goes through the list, past the first `after` threads and up to `left`
    /// others, for those that do not wait any more and, if each CPU has its last bank,
    /// for those that may take it.
    Critical {
        after: u8,
        left: u8,
        has_last_banks: bool,
    },
    /// Fills the reserve of this CPU with ordinary pages, then those of the next
    /// ones. Some wait: those that it saw on the list and left there.
    Ordinary {
        cpu: u8,
        has_last_banks: bool,
        some_wait: bool,
    },
    /// Tries once more to get a page, and then calls the OOM killer.
    Kill { has_last_banks: bool },
    /// Wakes some of the first `left` threads of the list.
    Batch { left: u8 },
    /// Fills the reserve of this CPU with whatever there is, then those of the next
    /// ones, to let one thread through.
    Through(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    pub cpus: [Cpu; MAX_CPUS],
    pub threads: [Thread; THREADS],
    pub worker: Worker,
    /// The thread that kstackd took off the list and is about to wake.
    pub waking: Option<u8>,
    /// kstackd holds the pi_lock of that thread.
    pub locked: bool,
    /// `kstackd_wanted`.
    pub wanted: bool,
    /// Pages that the allocator has, those below the min watermark among them.
    pub free: u8,
    /// Whoever has oom_lock waits for a lock that the first user holds, until that
    /// runs.
    pub oom_locked: bool,
    /// "System is deadlocked on memory": the end of a run.
    pub panicked: bool,
}

/// The size of the model, and what is broken in it.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub cpus: usize,
    /// How many of `USERS` there are.
    pub users: usize,
    /// The first of them is a kernel thread: privileged, no user memory. It stands
    /// for all that may take the last bank without being killed.
    pub kthread: bool,
    /// `fault` and `probe`: nothing is lent, the running thread maps pages of the
    /// CPU when it gets there, until the very switch.
    pub maps: bool,
    /// `fault`: so many pages may be in the hands of handlers that were interrupted,
    /// when a running thread needs the others. The kernel has three.
    pub in_hand: u8,
    pub slots: u8,
    /// Free pages at the start: all numbers from this one
    pub free_least: u8,
    /// up to this one.
    pub free: u8,
    /// The min watermark: the last pages, which are for the last bank.
    pub min: u8,
    /// Pages in each reserve at the start: all numbers up to this one.
    pub reserve_first: u8,
    /// Both banks of each CPU are full at the start; otherwise only that which is due.
    pub both_banks: bool,
    /// Pages of user memory that a thread may have; it starts with one.
    pub user: u8,
    /// `oom_locked` at the start.
    pub oom_locked: bool,
    /// A refill may fail though there are pages: those in the lists of other CPUs.
    pub refill_may_fail: bool,
    /// A refill that fails wakes kstackd, too.
    pub refill_kicks: bool,
    /// kstackd does not wait for oom_lock.
    pub trylock: bool,
    /// The OOM reaper gets at the memory of victims; if not, they must exit.
    pub reaper: bool,

    /// An ordinary thread leaves a bank of pages to the next.
    pub remainder: bool,
    /// Only the last bank may be filled with pages below the min watermark.
    pub keep_min: bool,
    /// Those that may take the last bank are woken when it is filled; otherwise
    /// they wait for ordinary pages.
    pub wake_critical: bool,
    /// Others are woken when the reserve is full, not before.
    pub wake_when_full: bool,
    /// A thread is off the list before it is woken.
    pub unlist_first: bool,
    /// kstackd calls the OOM killer while threads wait for ordinary pages.
    pub kill: bool,
    /// Each time, it lets one thread through on the last pages.
    pub let_through: bool,
    /// kstackd and the reaper own their stacks.
    pub critical_owned: bool,
    /// A denied thread is parked; otherwise idle runs instead of it.
    pub parking: bool,
    /// There is a check before a switch.
    pub admission: bool,
    /// A thread that is on the list still is not added again.
    pub list_once: bool,
    /// The list holds a reference to each thread on it.
    pub list_holds: bool,
    /// Count only those entries of the spare bank that `next` gets.
    pub count_by_slot: bool,
    /// Where threads map, what `prev` may still need is there beside it.
    pub count_prev: bool,
    /// And what is in hand.
    pub count_in_hand: bool,
}

/// The protocol as it should be, in the smallest size.
pub const SOUND: Config = Config {
    cpus: 2,
    users: 2,
    kthread: false,
    maps: false,
    in_hand: 0,
    slots: 1,
    free_least: 0,
    free: 2,
    min: 1,
    reserve_first: 2,
    both_banks: true,
    user: 1,
    oom_locked: false,
    refill_may_fail: true,
    refill_kicks: true,
    trylock: true,
    reaper: true,
    remainder: true,
    keep_min: true,
    wake_critical: true,
    wake_when_full: true,
    unlist_first: true,
    kill: true,
    let_through: true,
    critical_owned: true,
    parking: true,
    admission: true,
    list_once: true,
    list_holds: true,
    count_by_slot: true,
    count_prev: true,
    count_in_hand: true,
};

/// Bits of the `n` lowest slots.
pub fn low(n: u8) -> u8 {
    (1 << n) - 1
}

impl Cpu {
    pub fn full(&self, cfg: &Config) -> bool {
        self.spare & self.lent == low(cfg.slots) && self.reserve == cfg.reserve()
    }

    /// Pages in both banks.
    pub fn banks(&self) -> u8 {
        (self.spare.count_ones() + self.lent.count_ones()) as u8
    }

    /// The thread that it picked and is about to switch to, or to park.
    pub fn picked(&self) -> Option<usize> {
        match self.at {
            At::Admitted(t) | At::Denied(t) | At::Stated(t) | At::Listed(t) => Some(t.into()),
            _ => None,
        }
    }
}

impl Thread {
    pub fn parked(&self) -> bool {
        self.life == Life::Wait && !self.queued
    }

    pub fn listed(&self) -> bool {
        self.place > 0
    }
}

impl Config {
    /// `dynamic_stack_full_reserve()`
    pub fn reserve(&self) -> u8 {
        self.slots + self.last_bank()
    }

    pub fn last_bank(&self) -> u8 {
        self.slots + self.in_hand
    }

    /// Pages that only the last bank gets.
    pub fn set_aside(&self) -> u8 {
        if self.keep_min { self.min } else { 0 }
    }

    pub fn is_user(&self, thread: usize) -> bool {
        thread < self.users && !(self.kthread && thread == 0)
    }
}

impl State {
    pub fn running(&self, cfg: &Config, thread: usize) -> bool {
        self.cpus[..cfg.cpus]
            .iter()
            .any(|cpu| usize::from(cpu.cur) == thread)
    }

    /// Wants a CPU and has none.
    pub fn runnable(&self, cfg: &Config, thread: usize) -> bool {
        self.threads[thread].queued && !self.running(cfg, thread)
    }

    pub fn may_take_last_bank(&self, cfg: &Config, thread: usize) -> bool {
        !cfg.is_user(thread) || self.threads[thread].killed
    }

    pub fn nr_listed(&self) -> u8 {
        let listed = self.threads.iter().filter(|thread| thread.listed());
        listed.count() as u8
    }

    /// A dead thread has yet to give back its stack.
    pub fn somebody_exits(&self, cfg: &Config) -> bool {
        let mut threads = self.threads.iter().enumerate();
        threads.any(|(t, thread)| thread.life == Life::Dead && self.running(cfg, t))
    }

    pub fn at_place(&self, place: u8) -> usize {
        let found = self.threads.iter().position(|t| t.place == place);
        found.expect("no place before the last one is empty")
    }

    /// All CPUs have what a thread needs that may take the last bank.
    pub fn has_last_banks(&self, cfg: &Config) -> bool {
        let mut cpus = self.cpus[..cfg.cpus].iter();
        cpus.all(|cpu| cpu.reserve >= cfg.last_bank())
    }

    /// All pages there are, wherever they are.
    pub fn pages(&self, cfg: &Config) -> u32 {
        let cpus = self.cpus[..cfg.cpus].iter();
        let stocks = cpus
            .map(|cpu| u32::from(cpu.banks() + cpu.reserve))
            .sum::<u32>();
        let threads = self.threads.iter();
        let owned = threads
            .map(|thread| u32::from(cfg.slots - thread.empty + thread.user))
            .sum::<u32>();
        u32::from(self.free) + stocks + owned
    }

    /// What must hold between any two steps.
    pub fn fault(&self, cfg: &Config) -> Option<&'static str> {
        for (nr, cpu) in self.cpus[..cfg.cpus].iter().enumerate() {
            let cur = usize::from(cpu.cur);
            if cur == IDLE {
                continue;
            }
            let empty = self.threads[cur].empty;
            let lacks = if cfg.maps {
                empty > 0 && empty + cfg.in_hand > cpu.banks() + cpu.reserve
            } else {
                low(empty) & !cpu.lent != 0
            };
            if lacks {
                return Some("a running thread lacks a page");
            }
            if self.cpus[..nr].iter().any(|other| other.cur == cpu.cur) {
                return Some("a thread runs on two CPUs");
            }
        }
        if self.panicked && self.threads.iter().any(|thread| thread.user > 0) {
            return Some("panic though user memory can be had");
        }
        None
    }

    /// New threads. Others, who sleep now, have kept the pages that the
    /// reserves lack.
    pub fn starts(cfg: &Config) -> Vec<Self> {
        let thread = Thread {
            life: Life::Running,
            queued: true,
            place: 0,
            killed: false,
            empty: cfg.slots,
            user: 0,
        };
        let worker = Thread {
            life: Life::Sleep,
            queued: false,
            empty: if cfg.critical_owned { 0 } else { cfg.slots },
            ..thread
        };
        let absent = Thread {
            life: Life::Dead,
            queued: false,
            ..thread
        };
        let mut threads = [thread, thread, thread, worker, worker];
        for (t, thread) in threads[..USERS].iter_mut().enumerate() {
            if t >= cfg.users {
                *thread = absent;
            }
            thread.user = cfg.is_user(t).into();
        }

        let stock = |reserve| Cpu {
            cur: IDLE as u8,
            at: At::Run,
            spare: low(cfg.slots),
            lent: if cfg.both_banks { low(cfg.slots) } else { 0 },
            reserve,
            kick: false,
        };
        let mut starts = Vec::new();
        for free in cfg.free_least..=cfg.free {
            for first in 0..=cfg.reserve_first {
                // The other half is the same with the CPUs exchanged.
                let second = if cfg.cpus > 1 { first } else { 0 };
                for second in 0..=second {
                    starts.push(Self {
                        cpus: [stock(first), stock(second)],
                        threads,
                        worker: Worker::Idle,
                        waking: None,
                        locked: false,
                        wanted: false,
                        free,
                        oom_locked: cfg.oom_locked,
                        panicked: false,
                    });
                }
            }
        }
        starts
    }
}
