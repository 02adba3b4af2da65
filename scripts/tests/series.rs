// SPDX-License-Identifier: GPL-2.0
//! `tree` and `refresh` on a source of two files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A project, a source and a cache, all of their own.
struct Place {
    dir: PathBuf,
}

impl Place {
    fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&dir);
        for part in ["project/scripts/configs", "source", "cache"] {
            fs::create_dir_all(dir.join(part)).unwrap();
        }
        fs::write(dir.join("project/scripts/Cargo.toml"), "").unwrap();
        let makefile = "VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\n";
        fs::write(dir.join("source/Makefile"), makefile).unwrap();
        fs::write(dir.join("source/fork.c"), "int a;\n").unwrap();
        Self { dir }
    }

    fn run(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_dynstack"))
            .args(words)
            .current_dir(self.dir.join("project"))
            .env("XDG_CACHE_HOME", self.dir.join("cache"))
            .env("LINUX", self.dir.join("source"))
            .env_remove("KDIR")
            .env_remove("TREE")
            .output()
            .unwrap()
    }

    /// The work tree that `tree` names.
    fn tree(&self) -> PathBuf {
        let output = self.run(&["tree"]);
        assert!(output.status.success(), "{output:?}");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
    }

    fn patches(&self) -> PathBuf {
        self.dir.join("project/patches")
    }

    /// Two commits in the tree, written to patches/.
    fn make_series(&self) -> PathBuf {
        let tree = self.tree();
        for (text, subject) in [("int b;\n", "fork: Do b"), ("int c;\n", "fork: Do c")] {
            fs::write(tree.join("fork.c"), text).unwrap();
            git(&tree, &["commit", "-qam", subject]);
        }
        let output = self.run(&["refresh"]);
        assert!(output.status.success(), "{output:?}");
        tree
    }
}

fn git(dir: &Path, words: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=Somebody",
            "-c",
            "user.email=somebody@example.org",
            "-C",
        ])
        .arg(dir)
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn series_goes_round_byte_for_byte() {
    let place = Place::new("round");
    let first = place.make_series();
    let written = contents(&place.patches());
    let names: Vec<_> = written
        .iter()
        .map(|(path, _)| path.file_name().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "0001-fork-Do-b.patch",
            "0002-fork-Do-c.patch",
            "BASE",
            "series"
        ]
    );
    assert!(!String::from_utf8_lossy(&written[0].1).contains("Somebody"));

    // A new tree, made from the patches alone, gives the same patches.
    fs::remove_dir_all(first).unwrap();
    let tree = place.tree();
    assert_eq!(
        git(&tree, &["log", "--format=%s"]),
        "fork: Do c\nfork: Do b\nBase\n"
    );
    assert_eq!(fs::read_to_string(tree.join("fork.c")).unwrap(), "int c;\n");
    assert!(place.run(&["refresh"]).status.success());
    assert_eq!(contents(&place.patches()), written);
}

#[test]
fn failing_patch_is_named_and_the_tree_stays() {
    let place = Place::new("conflict");
    let tree = place.make_series();
    let before = git(&tree, &["rev-parse", "HEAD"]);
    let patch = place.patches().join("0002-fork-Do-c.patch");
    let broken = fs::read_to_string(&patch)
        .unwrap()
        .replace("-int b;", "-int x;");
    fs::write(&patch, broken).unwrap();

    let output = place.run(&["tree"]);
    assert_eq!(output.status.code(), Some(69));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("patch 0002 fork: Do c, file fork.c"),
        "{error}"
    );
    assert_eq!(git(&tree, &["rev-parse", "HEAD"]), before);
    assert_eq!(git(&tree, &["status", "--porcelain"]), "");
}

#[test]
fn work_in_the_tree_is_not_thrown_away() {
    let place = Place::new("work");
    let tree = place.make_series();
    git(
        &tree,
        &["commit", "-q", "--allow-empty", "-m", "fork: Do d"],
    );
    let output = place.run(&["tree"]);
    assert_eq!(output.status.code(), Some(69));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("make refresh"), "{error}");
}

#[test]
fn other_kernels_are_refused() {
    let place = Place::new("version");
    let makefile = "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n";
    fs::write(place.dir.join("source/Makefile"), makefile).unwrap();
    let output = place.run(&["tree"]);
    assert_eq!(output.status.code(), Some(69));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("the series is for 7.3.y, the source is 6.12.1"),
        "{error}"
    );
}
