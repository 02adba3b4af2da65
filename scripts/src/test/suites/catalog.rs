// SPDX-License-Identifier: GPL-2.0
//! The suites that there are: folders of the kernel's selftests, and others.

use anyhow::{Result, bail};

/// Stands for all suites; they take more than an hour.
pub const ALL: &str = "all";

/// What `test` runs as well: what does not take long, and has no limits of time that a
/// slow machine misses, as those of futex have.
pub const SUBSET: [&str; 5] = [
    "clone3",
    "ptrace/get_syscall_info",
    "ptrace/set_syscall_info",
    "ptrace/peeksiginfo",
    "signal",
];

/// Two threads of one core, for core scheduling.
const ONE_CORE: &str = "-smp 2,threads=2";

/// Of the wrappers of run_vmtests.sh, those that do with two gigabytes and one node.
/// The others fill memory (cow, gup_test, mremap, process_mrelease, userfaultfd,
/// hugevm), want huge pages (hugetlb, thp, compaction, pagemap, ksm), more nodes
/// (migration, ksm_numa, rmap), or modules and debugging that are not here (hmm,
/// kmemleak, memory_failure). vmalloc is a suite of its own.
const MM: [&str; 11] = [
    "ksft_madv_guard.sh",
    "ksft_madv_populate.sh",
    "ksft_memfd_secret.sh",
    "ksft_mkdirty.sh",
    "ksft_mlock.sh",
    "ksft_mmap.sh",
    "ksft_pfnmap.sh",
    "ksft_pkey.sh",
    "ksft_process_madv.sh",
    "ksft_soft_dirty.sh",
    "ksft_vma_merge.sh",
];

/// About threads and who pays for them, the stacks of kmem above all.
const CGROUP: [&str; 3] = ["test_kill", "test_kmem", "test_pids"];

/// Those about stacks that a kernel survives. For the others see overflow.sh.
const LKDTM: [&str; 8] = [
    "EXEC_STACK.sh",
    "KSTACK_ERASE.sh",
    "REPORT_STACK_CANARY.sh",
    "STACK_GUARD_PAGE_LEADING.sh",
    "STACK_GUARD_PAGE_TRAILING.sh",
    "USERCOPY_STACK_BEYOND.sh",
    "USERCOPY_STACK_FRAME_FROM.sh",
    "USERCOPY_STACK_FRAME_TO.sh",
];

/// The first runs the others again, and says nothing of those that fail. The second
/// waits once where a lock would wait again: it fails, on the base too, if the owner is
/// gone when it begins to wait.
const NOT_OF_FUTEX: &[&str] = &["run.sh", "robust_list"];

/// It asks for PIDFD_INFO_EXIT once poll() has returned. But the thread that exits wakes
/// it first (do_notify_pidfd()), and stores what it asks for later (pidfs_exit()).
const NOT_OF_PIDFD: &[&str] = &["pidfd_autoreap_test"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    pub name: String,
    pub kind: Kind,
    /// Options for the emulator, if it needs a machine of its own.
    pub machine: Option<&'static str>,
    choice: Choice,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// KUnit: its tests run while the kernel boots.
    Boot,
    /// A script of scripts/guest, with modules of the kernel beside it.
    Script {
        file: &'static str,
        modules: &'static [&'static str],
    },
    /// A folder of tools/testing/selftests.
    Folder(String),
}

/// Which tests of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    All,
    Only(Vec<String>),
    AllBut(&'static [&'static str]),
}

impl Suite {
    fn new(name: &str, kind: Kind, choice: Choice) -> Self {
        Self {
            name: name.to_string(),
            kind,
            machine: None,
            choice,
        }
    }

    fn folder(name: &str, choice: Choice) -> Self {
        Self::new(name, Kind::Folder(name.to_string()), choice)
    }

    fn on(self, machine: &'static str) -> Self {
        Self {
            machine: Some(machine),
            ..self
        }
    }

    fn script(file: &'static str, modules: &'static [&'static str]) -> Self {
        let name = file.trim_end_matches(".sh");
        Self::new(name, Kind::Script { file, modules }, Choice::All)
    }

    /// Whether the test of this name, which is in its folder, is to run.
    pub fn picks(&self, test: &str) -> bool {
        match &self.choice {
            Choice::All => true,
            Choice::Only(tests) => tests.iter().any(|name| name == test),
            Choice::AllBut(names) => !names.contains(&test),
        }
    }

    /// Of the tests that were named, those that are not in `list`.
    pub fn missing_from(&self, list: &[String]) -> Vec<String> {
        match &self.choice {
            Choice::Only(tests) => {
                let missing = tests.iter().filter(|test| !list.contains(test));
                missing.cloned().collect()
            }
            Choice::All | Choice::AllBut(_) => Vec::new(),
        }
    }
}

impl Choice {
    /// Takes in also what `other` picks.
    fn widen(&mut self, other: Self) {
        match (self, other) {
            (Self::Only(tests), Self::Only(more)) => tests.extend(more),
            (Self::All | Self::AllBut(_), Self::Only(_)) => {}
            (choice, other) => *choice = other,
        }
    }
}

/// Those with a name here; any other folder of the selftests can be asked for too.
fn known() -> Vec<Suite> {
    let only = |tests: &[&str]| Choice::Only(tests.iter().map(ToString::to_string).collect());
    let functional = Kind::Folder("futex/functional".to_string());
    vec![
        Suite::new("kunit", Kind::Boot, Choice::All),
        Suite::script("vmalloc.sh", &["lib/test_vmalloc.ko"]),
        Suite::script(
            "rcutorture.sh",
            &["kernel/torture.ko", "kernel/rcu/rcutorture.ko"],
        ),
        Suite::folder("x86", Choice::All),
        Suite::folder("sched", Choice::All).on(ONE_CORE),
        Suite::new("futex", functional, Choice::AllBut(NOT_OF_FUTEX)),
        Suite::folder("clone3", Choice::All),
        Suite::folder("pidfd", Choice::AllBut(NOT_OF_PIDFD)),
        Suite::folder("ptrace", Choice::All),
        Suite::folder("signal", Choice::All),
        Suite::folder("mm", only(&MM)),
        Suite::folder("cgroup", only(&CGROUP)),
        Suite::folder("cpu-hotplug", Choice::All),
        Suite::folder("livepatch", Choice::All),
        Suite::folder("lkdtm", only(&LKDTM)),
    ]
}

/// The suites that `asked` names, each once; `is_folder` knows the selftests.
pub fn select(asked: &[String], is_folder: impl Fn(&str) -> bool) -> Result<Vec<Suite>> {
    let mut suites: Vec<Suite> = Vec::new();
    for word in asked {
        let named = match word.as_str() {
            ALL => known(),
            word => vec![find(word, &is_folder)?],
        };
        for suite in named {
            match suites.iter_mut().find(|there| there.name == suite.name) {
                Some(there) => there.choice.widen(suite.choice),
                None => suites.push(suite),
            }
        }
    }
    Ok(suites)
}

fn find(word: &str, is_folder: &impl Fn(&str) -> bool) -> Result<Suite> {
    let whole = |name: &str| {
        let known = known().into_iter().find(|suite| suite.name == name);
        known.or_else(|| is_folder(name).then(|| Suite::folder(name, Choice::All)))
    };
    if let Some(suite) = whole(word) {
        return Ok(suite);
    }
    if let Some((name, test)) = word.rsplit_once('/')
        && let Some(mut suite) = whole(name)
        && matches!(suite.kind, Kind::Folder(_))
    {
        suite.choice = Choice::Only(vec![test.to_string()]);
        return Ok(suite);
    }
    let names: Vec<_> = known().into_iter().map(|suite| suite.name).collect();
    bail!(
        "no suite {word:?}, expected {ALL}, some of: {}, or of the kernel's selftests FOLDER or FOLDER/TEST",
        names.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select_words(words: &str) -> Result<Vec<Suite>> {
        let words: Vec<_> = words.split(' ').map(str::to_string).collect();
        select(&words, |name| ["x86", "mm", "timers"].contains(&name))
    }

    fn names(words: &str) -> Vec<String> {
        let suites = select_words(words).unwrap().into_iter();
        suites.map(|suite| suite.name).collect()
    }

    #[test]
    fn subset_is_of_those_that_all_names() {
        let all = names(ALL);
        let subset = names(&SUBSET.join(" "));
        assert_eq!(subset, ["clone3", "ptrace", "signal"]);
        assert!(subset.iter().all(|name| all.contains(name)));
        assert!(all.contains(&"rcutorture".to_string()));
        assert_eq!(names("all x86 all"), all);
    }

    #[test]
    fn tests_of_one_folder_are_one_suite() {
        let suites = select_words("x86/sigreturn_64 timers x86/ioperm_64").unwrap();
        assert_eq!(suites.len(), 2);
        assert!(suites[0].picks("sigreturn_64") && suites[0].picks("ioperm_64"));
        assert!(!suites[0].picks("iopl_64"));
        assert!(suites[1].picks("rtctest"));
        let missing = suites[0].missing_from(&["ioperm_64".to_string()]);
        assert_eq!(missing, ["sigreturn_64"]);
    }

    #[test]
    fn subset_grows_by_what_is_named() {
        let suites = select_words("mm mm/ksft_thp.sh").unwrap();
        assert!(suites[0].picks("ksft_mmap.sh") && suites[0].picks("ksft_thp.sh"));
        assert!(!suites[0].picks("ksft_cow.sh"));
        let suites = select_words("x86/ioperm_64 x86").unwrap();
        assert!(suites[0].picks("iopl_64"));
    }

    #[test]
    fn futex_is_a_folder_deeper_without_its_runner() {
        let suites = select_words("futex").unwrap();
        assert_eq!(suites[0].kind, Kind::Folder("futex/functional".into()));
        assert!(suites[0].picks("futex_wait") && !suites[0].picks("run.sh"));
    }

    #[test]
    fn unknown_word_names_the_known() {
        for word in ["x68", "vmalloc/smoke", "kunit/list", ""] {
            let error = select_words(word).unwrap_err().to_string();
            assert!(error.starts_with(&format!("no suite {word:?}, expected all")));
            assert!(error.contains("kunit vmalloc rcutorture x86"), "{error}");
        }
    }
}
