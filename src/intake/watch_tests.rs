//! The inbox under random senders, failing receivers and restarts.
//!
//! The property test plays senders that write in pieces, rename, overwrite, flag with `.done`, link and give up, while the watcher looks
//! at random moments and its receiver fails at random. It proves that nothing vanishes unread, nothing is taken while its
//! sender still writes, names to be ignored are never taken, and in the end everything complete has been received and removed.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const SETTLE: Duration = Duration::from_secs(10);

struct World {
    folder: tempfile::TempDir,
    inbox: Inbox,
    now: DateTime<Utc>,
    /// What stands under each candidate name, and since when.
    standing: BTreeMap<String, (Vec<u8>, DateTime<Utc>)>,
    /// Contents whose receiver said `Ok`.
    received: BTreeSet<Vec<u8>>,
    written: u32,
}

#[derive(Clone, Debug)]
enum Action {
    Write { name: usize },
    Append { name: usize },
    RenameOver { name: usize },
    FlagDone { name: usize },
    SenderDeletes { name: usize },
    WriteIgnored { name: usize },
    Link,
    Wait { seconds: i64 },
    Look { fails: bool, replaced_meanwhile: bool },
    Restart,
}

const NAMES: &[&str] = &["a.edi", "b.ach", "bank/c.bai", "d"];
const IGNORED: &[&str] = &["a.edi.part", ".hidden", "b.TMP", "bank/x.tmp", "d.done.part"];

fn action() -> impl Strategy<Value = Action> {
    let name = || 0..NAMES.len();
    prop_oneof![
        3 => name().prop_map(|name| Action::Write { name }),
        2 => name().prop_map(|name| Action::Append { name }),
        2 => name().prop_map(|name| Action::RenameOver { name }),
        2 => name().prop_map(|name| Action::FlagDone { name }),
        1 => name().prop_map(|name| Action::SenderDeletes { name }),
        1 => (0..IGNORED.len()).prop_map(|name| Action::WriteIgnored { name }),
        1 => Just(Action::Link),
        4 => (1..15i64).prop_map(|seconds| Action::Wait { seconds }),
        6 => (any::<bool>(), prop::bool::weighted(0.2)).prop_map(|(fails, replaced_meanwhile)| Action::Look { fails, replaced_meanwhile }),
        1 => Just(Action::Restart),
    ]
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("bank")).expect("a sub-folder");
        let inbox = Inbox::open(folder.path(), SETTLE).expect("an inbox");
        let now = DateTime::from_timestamp(1_770_000_000, 0).expect("a time");
        let (standing, received) = Default::default();
        Self { folder, inbox, now, standing, received, written: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Text that no other write has, so that a content names its write. Sizes differ, too: clocks of file systems are coarse.
    fn fresh(&mut self) -> Vec<u8> {
        self.written += 1;
        format!("{}:{}", self.written, "x".repeat(self.written as usize)).into_bytes()
    }

    fn stand(&mut self, name: &str, content: Vec<u8>) {
        self.standing.insert(name.to_owned(), (content, self.now));
    }

    fn write(&mut self, name: &str) {
        let content = self.fresh();
        fs::write(self.path(name), &content).expect("writable");
        self.stand(name, content);
    }

    fn act(&mut self, action: &Action) {
        match *action {
            Action::Write { name } => self.write(NAMES[name]),
            Action::Append { name } => {
                let Some((mut content, _)) = self.standing.get(NAMES[name]).cloned() else { return };
                content.extend(self.fresh());
                fs::write(self.path(NAMES[name]), &content).expect("writable");
                self.stand(NAMES[name], content);
            }
            Action::RenameOver { name } => {
                let content = self.fresh();
                let part = self.path(&format!("{}.part", NAMES[name]));
                fs::write(&part, &content).expect("writable");
                fs::rename(part, self.path(NAMES[name])).expect("renamable");
                self.stand(NAMES[name], content);
            }
            Action::FlagDone { name } => {
                if self.standing.contains_key(NAMES[name]) {
                    fs::write(self.path(&format!("{}.done", NAMES[name])), "").expect("writable");
                }
            }
            Action::SenderDeletes { name } => {
                self.standing.remove(NAMES[name]);
                remove_if_there(&self.path(NAMES[name])).expect("removable");
            }
            Action::WriteIgnored { name } => fs::write(self.path(IGNORED[name]), "never taken").expect("writable"),
            Action::Link => self.link(),
            Action::Wait { seconds } => self.now += chrono::Duration::seconds(seconds),
            Action::Look { fails, replaced_meanwhile } => self.look(fails, replaced_meanwhile),
            Action::Restart => self.inbox = Inbox::open(self.folder.path(), SETTLE).expect("an inbox"),
        }
    }

    #[cfg(unix)]
    fn link(&self) {
        drop(std::os::unix::fs::symlink("/etc/hostname", self.path("link.edi")));
    }

    #[cfg(not(unix))]
    fn link(&self) {}

    fn look(&mut self, fails: bool, replaced_meanwhile: bool) {
        for arrived in self.inbox.look(self.now).expect("listed") {
            let content = fs::read(&arrived.path).expect("there");
            let (stands, since) =
                self.standing.get(&arrived.name).unwrap_or_else(|| panic!("{} was never dropped", arrived.name));
            assert_eq!(stands, &content);
            let flagged = done_beside(&arrived.path).exists();
            assert!(flagged || self.now - *since >= chrono::Duration::seconds(10), "{} is still being written", arrived.name);
            if fails {
                self.inbox.postpone(&arrived, self.now);
                continue;
            }
            let unchanged = !replaced_meanwhile;
            if replaced_meanwhile {
                self.write(&arrived.name);
            }
            assert_eq!(arrived.is_unchanged(), unchanged);
            self.received.insert(content);
            let finished = self.inbox.finish(&arrived).expect("finished");
            assert_eq!(finished, if unchanged { Finished::Removed } else { Finished::Replaced });
            if unchanged {
                self.standing.remove(&arrived.name);
            }
        }
    }

    /// Everything that stands is there byte for byte, and nothing else but what is ignored.
    fn check_folder(&self) {
        for (name, (content, _)) in &self.standing {
            assert_eq!(fs::read(self.path(name)).ok().as_ref(), Some(content), "{name} vanished unread or changed");
        }
        let mut found = Vec::new();
        list(self.folder.path(), 0, &mut found).expect("listed");
        assert_eq!(found.len(), self.standing.len(), "{found:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_or_taken_early(actions in prop::collection::vec(action(), 1..60)) {
        let mut world = World::new();
        for action in &actions {
            world.act(action);
            world.check_folder();
        }
        // The senders rest. After the settle time and the longest back-off everything has been received.
        let last: Vec<_> = world.standing.values().map(|(content, _)| content.clone()).collect();
        world.look(false, false);
        world.now += chrono::Duration::seconds(75);
        world.look(false, false);
        world.check_folder();
        prop_assert!(world.standing.is_empty());
        prop_assert!(last.iter().all(|content| world.received.contains(content)));
    }
}

#[test]
fn a_kill_during_removal_brings_the_file_back() {
    let world = World::new();
    fs::write(world.path(".tieout-taken-a.edi"), "first").expect("writable");
    fs::write(world.path("bank/.tieout-taken-c.bai"), "second").expect("writable");
    fs::write(world.path("a.edi"), "came meanwhile").expect("writable");
    Inbox::open(world.folder.path(), SETTLE).expect("an inbox");
    let read = |name| fs::read_to_string(world.path(name)).expect("there");
    assert_eq!((read("a.edi"), read("a.edi.1"), read("bank/c.bai")), ("came meanwhile".into(), "first".into(), "second".into()));
}

#[tokio::test]
async fn watching_receives_until_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let (sent, mut received) = tokio::sync::mpsc::unbounded_channel();
    let inbox = Inbox::open(folder.path(), Duration::from_millis(1)).expect("an inbox");
    fs::write(folder.path().join("a.edi"), "ISA").expect("writable");
    let watching = tokio::spawn(async move {
        let clock = Clock::system();
        let receive = |arrived: Arrived| {
            let sent = sent.clone();
            async move { sent.send(arrived.name).map_err(anyhow::Error::from) }
        };
        inbox.run(Duration::from_millis(5), &clock, stopped, receive).await;
    });
    assert_eq!(received.recv().await.as_deref(), Some("a.edi"));
    stop.send(true).expect("it listens");
    watching.await.expect("it ends");
    assert!(!folder.path().join("a.edi").exists());
}
