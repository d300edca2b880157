//! A labelled world goes through the store as it goes through the engine alone: the lines are the same, byte for byte, cold and with a person's
//! answers, on both databases, and every promise is kept at the end.
//!
//! `tests/world` was generated: 160 payments of twelve customers who cut, mistype and leave out, with advices before and after their cash, payments
//! made twice, money of others, and returns.

mod support;

use std::{fs, path::Path};

use support::{Backend, Home};

fn replay(home: &Home, name: &str, more: &[&str]) -> (String, String) {
    let out = home.folder.path().join(name).display().to_string();
    let arguments = [&["replay", "tests/world", "--out", &out], more].concat();
    let printed = home.ok(&arguments);
    (fs::read_to_string(out).expect("the lines"), printed)
}

#[test]
fn a_world_through_the_store_is_decided_like_one_without() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let Some(home) = Home::on(backend) else { continue };
        let store = if backend == Backend::Sqlite { "sqlite" } else { "postgres" };
        for how in [&[][..], &["--assisted"]] {
            let (alone, _) = replay(&home, "alone.jsonl", how);
            let (through, printed) = replay(&home, "through.jsonl", &[how, &["--through", store]].concat());
            assert!(alone.lines().count() > 160, "payments and returns have a line each");
            for (ours, theirs) in alone.lines().zip(through.lines()) {
                assert_eq!(ours, theirs, "{store} {how:?}");
            }
            assert_eq!(alone.len(), through.len(), "{store} {how:?}");
            assert!(printed.contains("payments a second"), "{printed}");
            assert!(printed.contains("kept") && !printed.contains("BROKEN"), "{printed}");
        }
    }
}

#[test]
fn what_is_replayed_leaves_nothing_behind_unless_it_is_kept() {
    let home = Home::sqlite();
    let world = Path::new("tests/world/payments.jsonl");
    assert!(world.is_file(), "the test runs in the repository");
    let arguments =
        ["replay", "tests/world", "--out", &home.folder.path().join("o.jsonl").display().to_string(), "--through", "sqlite"];
    let temporary = home.folder.path().join("temporary");
    fs::create_dir_all(&temporary).expect("a folder");
    let left = |arguments: &[&str]| {
        let output = home.command(arguments).env("TMPDIR", &temporary).output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read_dir(&temporary).expect("the folder").count()
    };
    assert_eq!(left(&arguments), 0);
    assert_eq!(left(&[&arguments[..], &["--keep"]].concat()), 1);
    assert!(!home.folder.path().join("tieout.db").exists(), "the ledger of the home is none of a replay's business");
}

#[test]
fn a_server_that_was_not_named_is_asked_for() {
    let home = Home::sqlite();
    let ran = home.run(&["replay", "tests/world", "--out", "/dev/null", "--through", "postgres"]).with_code(&[2]);
    assert!(ran.stderr.contains("--database-url"), "{}", ran.stderr);
}
