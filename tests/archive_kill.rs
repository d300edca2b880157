//! The archive under kill -9 at its named points.
//!
//! A child process archives numbered files and reports each one only after the archive says that it is durable; it is aborted at one
//! pass of one point. Afterwards every reported file must be there whole, whatever lies in the archive must verify, and taking all files
//! again must succeed. The child is this test binary itself.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use tieout::{
    config::test_variable,
    failpoint,
    intake::archive::{Archive, Archived},
};

const FOLDER: &str = "TIEOUT_TEST_ARCHIVE";
const POINT: &str = "TIEOUT_TEST_FAILPOINT";
const FILES: u32 = 6;

fn content(n: u32) -> Vec<u8> {
    format!("file {n} ").repeat(10_000 * n as usize + 1).into_bytes()
}

fn take(archive: &Archive, n: u32) -> Archived {
    archive.take(&mut content(n).as_slice()).expect("taken")
}

/// Runs only when the other test starts it.
#[test]
fn child() {
    let Some(folder) = test_variable(FOLDER) else { return };
    if let Some(point) = test_variable(POINT) {
        failpoint::arm(failpoint::Failpoint::parse(&point).expect("a point"));
    }
    let archive = Archive::open(Path::new(&folder).join("archive")).expect("an archive");
    for n in 0..FILES {
        let taken = take(&archive, n);
        fs::write(Path::new(&folder).join(format!("taken-{n}")), taken.sha256).expect("writable");
    }
}

#[test]
fn what_was_reported_survives_every_kill() {
    let points = ["archive_written", "archive_renamed"];
    for (point, pass) in points.iter().flat_map(|point| (1..=FILES).map(move |pass| (point, pass))) {
        let folder = tempfile::tempdir().expect("a folder");
        let status = Command::new(std::env::current_exe().expect("this test"))
            .args(["child", "--exact"])
            .env(FOLDER, folder.path())
            .env(POINT, format!("{point}:{pass}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("it starts");
        assert!(!status.success(), "{point}:{pass} did not kill");
        check(folder.path(), &format!("{point}:{pass}"));
    }
}

fn check(folder: &Path, killed_at: &str) {
    let archive = Archive::open(folder.join("archive")).expect("an archive opens after a kill");
    for n in 0..FILES {
        if let Ok(sha256) = fs::read_to_string(folder.join(format!("taken-{n}"))) {
            assert!(archive.verify(&sha256).expect("it is there"), "file {n} is damaged after {killed_at}");
        }
        let again = take(&archive, n);
        assert!(archive.verify(&again.sha256).expect("it is there"), "file {n} cannot be taken again after {killed_at}");
        let bytes = fs::read(archive.path(&again.sha256).expect("a hash")).expect("readable");
        assert_eq!(bytes, content(n));
    }
}
