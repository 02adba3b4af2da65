// SPDX-License-Identifier: GPL-2.0
//! Runs of programs that stand in for virtme-ng.

use std::env;
use std::os::unix::fs::PermissionsExt;

use super::*;

const BOOTS: &str = "echo 'Linux version 7.3.4' >&2; echo '@dynstack begin'; ";

/// A directory of its own for each test, with the stand-in.
struct Place(PathBuf);

impl Place {
    fn new(name: &str, program: &str) -> Self {
        let name = format!("dynstack-vm-{name}-{}", std::process::id());
        let place = Self(env::temp_dir().join(name));
        fs::create_dir_all(&place.0).unwrap();
        fs::write(place.vng(), format!("#!/bin/sh\n{program}\n")).unwrap();
        fs::set_permissions(place.vng(), fs::Permissions::from_mode(0o755)).unwrap();
        place
    }

    fn vng(&self) -> PathBuf {
        self.0.join("vng")
    }

    fn run(&self) -> Result<Run> {
        self.run_with(&[])
    }

    fn run_with(&self, args: &[String]) -> Result<Run> {
        let vm = Vm {
            name: "stand-in".to_string(),
            image: "bzImage".into(),
            programs: PathBuf::new(),
            log: self.0.join("log"),
            cpus: 1,
            memory_mib: 1,
            kernel_args: Vec::new(),
            qemu_args: Vec::new(),
            quiet: Duration::from_secs(5),
            total: Duration::from_secs(15),
            may_die: false,
        };
        vm.run(&self.vng(), Path::new("script.sh"), args)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn status_and_both_channels_arrive() {
    let place = Place::new(
        "ends",
        &format!("{BOOTS} echo key 1; echo '@dynstack exit 3'"),
    );
    let run = place.run().unwrap();
    assert_eq!(run.status(), Some(3));
    assert_eq!(run.output, ["key 1"]);
    assert_eq!(run.console, ["Linux version 7.3.4"]);
}

/// They do not go onto the kernel's command line, which has 2048 bytes.
#[test]
fn arguments_of_any_length_reach_the_guest() {
    let counts = "echo \"$*\" | wc -c; wc -c <\"$(dirname \"$0\")/log.sh\"";
    let place = Place::new(
        "counts",
        &format!("{BOOTS} {counts}; echo '@dynstack exit 0'"),
    );
    let run = place.run_with(&vec!["x".repeat(100); 100]).unwrap();
    let sizes: Vec<usize> = run
        .output
        .iter()
        .map(|line| line.parse().unwrap())
        .collect();
    assert!(sizes[0] < 1000, "{} bytes of options", sizes[0]);
    assert!(sizes[1] > 10_000, "{} bytes of script", sizes[1]);
}

#[test]
fn panic_ends_the_run() {
    let dir = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let place = Place::new(
        "panics",
        &format!("cat {dir}/tests/data/panic.log >&2; exit 255"),
    );
    let run = place.run().unwrap();
    let reason = "Kernel panic - not syncing: sysrq triggered crash".to_string();
    assert_eq!(run.state, State::Died { reason });
    assert_eq!(run.status(), None);
    assert!(run.tail().contains("</TASK>"));
}

#[test]
fn broken_emulator_is_started_once_more() {
    let fault = "qemu-system-x86_64: system/x.c:1: f: Assertion 'n < 2' failed.";
    let fails = format!("echo \"{fault}\" >&2; exit 134");
    let ends = "echo '@dynstack exit 0'";
    let once = format!("{BOOTS} [ -e $0.seen ] || {{ : >$0.seen; {fails}; }}; {ends}");
    let run = Place::new("breaks", &once).run().unwrap();
    assert_eq!(run.status(), Some(0));

    let run = Place::new("stays-broken", &format!("{BOOTS} {fails}"))
        .run()
        .unwrap();
    assert_eq!(run.status(), None);
    let panics = format!("{BOOTS} [ -e $0.seen ] && {ends}; : >$0.seen; exit 134");
    assert_eq!(Place::new("dies", &panics).run().unwrap().status(), None);
}

#[test]
fn silence_ends_the_run_and_all_its_processes() {
    let place = Place::new("hangs", &format!("{BOOTS} sleep 600 & echo $!; wait"));
    let run = place.run().unwrap();
    let reason = "no output for 5 s while running the guest's script".to_string();
    assert_eq!(run.state, State::Hung { reason });
    let child = Path::new("/proc").join(&run.output[0]).join("cmdline");
    // A killed process is gone a moment after the signal, or an empty zombie.
    let gone = || fs::read(&child).unwrap_or_default().is_empty();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !gone() {
        assert!(Instant::now() < deadline, "still running");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn endless_output_does_not_extend_the_time() {
    let place = Place::new(
        "talks",
        &format!("{BOOTS} while sleep 0.2; do echo on; done"),
    );
    let run = place.run().unwrap();
    assert!(matches!(run.state, State::Hung { .. }), "{:?}", run.state);
}

#[test]
fn what_never_started_is_an_error() {
    let place = Place::new("broken", "echo 'qemu: not found' >&2; exit 127");
    let error = place.run().err().unwrap().to_string();
    assert!(error.contains("127 before the kernel started"), "{error}");
    assert!(error.contains("qemu: not found"), "{error}");
}
