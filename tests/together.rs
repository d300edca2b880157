//! Several processes on one database at once: two `ingest`s and one `serve` are given the same files at the same moment. Each file must be
//! recorded once, no job may be lost, done twice or given up, and `check` must find every promise kept.
//!
//! Which of two files that use one control number comes first is up to chance, so verdicts are not compared; what was read and counted is.

mod support;

use std::{
    collections::BTreeMap,
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use support::{Backend, Home, number, text};

/// Looks at the inbox until `serve` has taken everything; far longer than it ever needs.
const LOOKS_MAX: usize = 1_200;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Content, and what a reader counted in it.
type Counted = BTreeMap<String, [i64; 4]>;

#[test]
fn two_ingests_and_one_serve_take_each_file_once() {
    // SQLite has one writer and is served by one process; two at once must still do no harm.
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (Some(alone), Some(together)) = (Home::on(backend), Home::on(backend)) else { continue };
        alone.import_samples();
        alone.ingest_samples();
        together.import_samples();
        run_together(&together);
        assert_eq!(counted(&together), counted(&alone), "{backend:?}: what was read of each content");
        let given_up = together.export("exceptions").into_iter().find(|row| text(row, "message").contains("the engine failed"));
        assert_eq!(given_up, None, "{backend:?}: a job was given up");
        let received = |home: &Home| -> i64 { home.export("payments").iter().map(|row| number(row, "amount_minor")).sum() };
        assert_eq!(received(&together), received(&alone), "{backend:?}: every payment once");
        together.ok(&["check"]);
    }
}

fn run_together(home: &Home) {
    let drop = home.drop_samples();
    let (inbox, staged) = (home.folder.path().join("inbox"), home.folder.path().join("staged"));
    fs::create_dir_all(&inbox).expect("an inbox");
    fs::create_dir_all(&staged).expect("a folder");
    for file in fs::read_dir(format!("{drop}/{}", support::SAMPLE_DAY)).expect("samples") {
        let file = file.expect("an entry");
        fs::copy(file.path(), staged.join(file.file_name())).expect("a copy");
    }
    let mut serve = start(home.command(&["serve"]).env("TIEOUT_INBOX_SETTLE_MS", "100").env("TIEOUT_INBOX_POLL_MS", "20"));
    let ingests =
        [&["ingest", "--by-day", &drop][..], &["ingest", "--by-day", &drop]].map(|arguments| start(&mut home.command(arguments)));
    for file in fs::read_dir(&staged).expect("the folder") {
        let file = file.expect("an entry");
        fs::rename(file.path(), inbox.join(file.file_name())).expect("dropped");
    }
    for mut ingest in ingests {
        let code = ingest.wait().expect("it ends").code();
        assert!(matches!(code, Some(0 | 1)), "an ingest failed: {code:?}");
    }
    let waiting = || fs::read_dir(&inbox).expect("the inbox").count();
    for _ in 0..LOOKS_MAX {
        if waiting() == 0 {
            break;
        }
        thread::sleep(LOOK_EVERY);
    }
    assert_eq!(waiting(), 0, "serve left files in the inbox");
    end(&serve);
    let code = serve.wait().expect("it ends").code();
    assert_eq!(code, Some(0), "serve ends in order");
    // Whatever serve was told to leave is done by the next process that comes.
    home.ingest_samples();
}

fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs")
}

fn end(child: &Child) {
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
    assert!(told.success());
}

fn counted(home: &Home) -> Counted {
    let counts = ["payments", "returns", "remittances_read", "findings"];
    let row = |file: &serde_json::Value| (text(file, "sha256"), counts.map(|name| number(file, name)));
    let mut files = home.export("files");
    // Each later arrival of a content has a row of its own, which counts nothing.
    files.retain(|file| text(file, "status") != "duplicate");
    let counted: Counted = files.iter().map(row).collect();
    assert_eq!(counted.len(), files.len(), "one row for each content");
    counted
}
