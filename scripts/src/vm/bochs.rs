// SPDX-License-Identifier: GPL-2.0
//! A guest on Bochs, the only emulator that knows FRED. It boots from a disc,
//! since Bochs has a BIOS and no other way in.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::Vm;
use super::disc;

/// Has FRED.
const MODEL: &str = "wildcat_lake";
/// Instructions of each CPU in a second of the guest. It takes what it takes:
/// the guest's clocks do not know ours.
const IPS: u32 = 50_000_000;
/// 2026-01-01, so that two runs are the same.
const BOOT_TIME: u32 = 1_767_225_600;

/// Writes disc and configuration into `dir`; `args` are those of /init, which
/// is in the archive `initrd` and uses the second serial port.
pub fn command(
    vm: &Vm,
    bochs: &Path,
    initrd: &Path,
    args: &[String],
    dir: &Path,
) -> Result<Command> {
    let image = disc::make(dir, &vm.image, initrd, &kernel_line(&vm.kernel_args, args))?;
    let config = dir.join("bochsrc");
    fs::write(&config, bochsrc(vm, &image, &dir.join("bochs.log")))
        .with_context(|| format!("cannot write {}", config.display()))?;
    let mut command = Command::new(bochs);
    command.args(["-q", "-f"]).arg(config);
    Ok(command)
}

fn kernel_line(args: &[String], init_args: &[String]) -> String {
    let fixed = [
        "console=ttyS0,115200".to_string(),
        "rdinit=/init".to_string(),
        // CPUID tells the frequency of the hardware that Bochs imitates.
        format!("tsc_early_khz={}", IPS / 1000),
        // A restart would begin all over, and what is left after an oops is not worth
        // waiting for.
        "panic=0".to_string(),
        "oops=panic".to_string(),
    ];
    let words = [&fixed, args, &["--".to_string()], init_args];
    words.concat().join(" ")
}

fn bochsrc(vm: &Vm, disc: &Path, log: &Path) -> String {
    let (cpus, memory) = (vm.cpus, vm.memory_mib);
    [
        "display_library: nogui".to_string(),
        format!("cpu: model={MODEL}, count={cpus}, ips={IPS}, reset_on_triple_fault=0"),
        format!("memory: guest={memory}, host={memory}"),
        "romimage: file=$BXSHARE/BIOS-bochs-latest, options=fastboot".to_string(),
        "vgaromimage: file=$BXSHARE/VGABIOS-lgpl-latest.bin".to_string(),
        format!("clock: sync=none, time0={BOOT_TIME}"),
        format!(
            "ata0-master: type=cdrom, path={}, status=inserted",
            disc.display()
        ),
        "boot: cdrom".to_string(),
        // The kernel logs to the first port, the script writes to the second.
        "com1: enabled=1, mode=file, dev=/dev/stderr".to_string(),
        "com2: enabled=1, mode=file, dev=/dev/stdout".to_string(),
        format!("log: {}", log.display()),
        "panic: action=fatal".to_string(),
        String::new(),
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_init_follow_those_of_the_kernel() {
        let words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
        let line = kernel_line(&words("dynamic_stack=fault"), &words("900 stress.sh"));
        let (kernel, init) = line.split_once(" -- ").unwrap();
        assert!(kernel.ends_with(" dynamic_stack=fault"), "{line}");
        assert!(kernel.contains(&format!("tsc_early_khz={}", IPS / 1000)));
        assert_eq!(init, "900 stress.sh");
    }
}
