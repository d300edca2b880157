//! Watches a folder that others drop files into, and hands over what is complete.
//!
//! A file is complete when it has not changed for the settle time, or at once when `NAME.done` stands beside it. Names that begin with a
//! dot or end in `.part`, `.tmp` or `.done`, and symbolic links, are never touched. Sub-folders are watched too.
//!
//! **Invariant:** a file leaves the inbox only after its receiver said `Ok`, and only if it is still the file that was received.
//! Receiving (archive, T1) is left to the caller; receiving twice must be harmless, because a kill between commit and removal repeats it.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use chrono::{DateTime, Utc};
use tokio::sync::watch::Receiver;

use super::walk::is_candidate;
use crate::{clock::Clock, failpoint};

/// While a file is removed it bears this prefix; see [`Inbox::finish`].
const TAKEN: &str = ".tieout-taken-";
const RETRY_MAX: Duration = Duration::from_secs(60);
/// Folders within folders: a loop of mounts ends here.
const DEPTH_MAX: usize = 8;

/// A watched folder and what is known of the files in it.
#[derive(Debug)]
pub struct Inbox {
    folder: PathBuf,
    settle: Duration,
    waiting: HashMap<PathBuf, Waiting>,
}

/// A complete file. It stays in the inbox until [`Inbox::finish`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    pub path: PathBuf,
    /// Path below the inbox, with `/`.
    pub name: String,
    version: Version,
}

impl Arrived {
    /// Whether the file is still the one that was found complete. Asked after archiving and before recording: a sender who began to
    /// write again has spoiled what was read.
    pub fn is_unchanged(&self) -> bool {
        Version::of(&self.path).is_some_and(|version| version == self.version)
    }
}

/// What became of a file whose receiver said `Ok`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    Removed,
    /// Another file has come under the name meanwhile; it stays and is taken when it is complete.
    Replaced,
}

#[derive(Debug)]
struct Waiting {
    version: Version,
    since: DateTime<Utc>,
    /// Failed receivers so far, and when the next may try.
    failures: u32,
    not_before: DateTime<Utc>,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    size_bytes: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Version {
    /// Of a regular file; `None` for anything else, links among it.
    fn of(path: &Path) -> Option<Self> {
        let data = fs::symlink_metadata(path).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&data);
        #[cfg(not(unix))]
        let inode = 0;
        data.is_file().then(|| Self { size_bytes: data.len(), modified: data.modified().ok(), inode })
    }
}

impl Inbox {
    /// Opens an inbox; the folder is made when it is missing.
    pub fn open(folder: impl Into<PathBuf>, settle: Duration) -> anyhow::Result<Self> {
        let inbox = Self { folder: folder.into(), settle, waiting: HashMap::new() };
        fs::create_dir_all(&inbox.folder).with_context(|| format!("creating the inbox {}", inbox.folder.display()))?;
        inbox.restore(&inbox.folder, 0).with_context(|| format!("tidying the inbox {}", inbox.folder.display()))?;
        Ok(inbox)
    }

    /// The files that are complete now, in the order of their names.
    pub fn look(&mut self, now: DateTime<Utc>) -> anyhow::Result<Vec<Arrived>> {
        let mut found = Vec::new();
        list(&self.folder, 0, &mut found).with_context(|| format!("listing the inbox {}", self.folder.display()))?;
        found.sort();
        self.waiting.retain(|path, _| found.binary_search(path).is_ok());
        let mut arrived = Vec::new();
        for path in found {
            let Some(version) = Version::of(&path) else { continue };
            if self.is_complete(&path, version, now) {
                arrived.push(Arrived { name: self.name_of(&path), path, version });
            }
        }
        Ok(arrived)
    }

    /// The receiver said `Ok`: removes the file, unless another has come under its name.
    ///
    /// The name is taken away first and looked at afterwards. Between a look and a removal by name a sender could put a new file there,
    /// which would be lost unread.
    pub fn finish(&mut self, arrived: &Arrived) -> anyhow::Result<Finished> {
        let doing = || format!("removing {} from the inbox", arrived.name);
        failpoint::pass("inbox_before_removal");
        self.waiting.remove(&arrived.path);
        // Without its .done first, a file of the same name that comes next would be taken half written.
        remove_if_there(&done_beside(&arrived.path)).with_context(doing)?;
        let taken = taken_name(&arrived.path);
        match fs::rename(&arrived.path, &taken) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Finished::Removed),
            renamed => renamed.with_context(doing)?,
        }
        if Version::of(&taken) == Some(arrived.version) {
            fs::remove_file(&taken).with_context(doing)?;
            return Ok(Finished::Removed);
        }
        put_back(&taken, &arrived.path).with_context(doing)?;
        Ok(Finished::Replaced)
    }

    /// The receiver failed: the file stays and is offered again later, and later still each time.
    pub fn postpone(&mut self, arrived: &Arrived, now: DateTime<Utc>) -> Duration {
        let Some(waiting) = self.waiting.get_mut(&arrived.path) else { return Duration::ZERO };
        waiting.failures = waiting.failures.saturating_add(1);
        let wait = Duration::from_secs(1 << waiting.failures.min(6)).min(RETRY_MAX);
        waiting.not_before = now + wait;
        wait
    }

    /// Watches until `stop` becomes true or its sender is gone; the file in hand is finished first.
    pub async fn run<F, Receiving>(mut self, poll: Duration, clock: &Clock, mut stop: Receiver<bool>, mut receive: F)
    where
        F: FnMut(Arrived) -> Receiving,
        Receiving: Future<Output = anyhow::Result<()>>,
    {
        while !*stop.borrow_and_update() {
            match self.look(clock.now()) {
                Ok(arrived) => {
                    for file in arrived {
                        if *stop.borrow() {
                            return;
                        }
                        let received = receive(file.clone()).await;
                        self.settle_outcome(&file, received, clock.now());
                    }
                }
                Err(error) => tracing::error!(error = format!("{error:#}"), "the inbox cannot be read; trying again"),
            }
            let stopped = tokio::time::timeout(poll, stop.changed()).await;
            if matches!(stopped, Ok(Err(_))) {
                return;
            }
        }
    }

    fn settle_outcome(&mut self, file: &Arrived, received: anyhow::Result<()>, now: DateTime<Utc>) {
        match received.and_then(|()| self.finish(file)) {
            Ok(Finished::Removed) => {}
            Ok(Finished::Replaced) => tracing::info!("a file came again while it was being received; the new one is taken next"),
            Err(error) => {
                let wait_ms = u64::try_from(self.postpone(file, now).as_millis()).unwrap_or(u64::MAX);
                tracing::error!(error = format!("{error:#}"), wait_ms, "a file could not be received and stays in the inbox");
            }
        }
    }

    fn is_complete(&mut self, path: &Path, version: Version, now: DateTime<Utc>) -> bool {
        let new = || Waiting { version, since: now, failures: 0, not_before: now };
        let waiting = self.waiting.entry(path.to_owned()).or_insert_with(new);
        // A clock that was set back starts the wait again.
        if waiting.version != version || waiting.since > now {
            *waiting = new();
        }
        let settled = (now - waiting.since).to_std().is_ok_and(|age| age >= self.settle);
        now >= waiting.not_before && (settled || fs::symlink_metadata(done_beside(path)).is_ok())
    }

    fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).to_string_lossy().replace('\\', "/")
    }

    /// A kill during a removal left a file under its temporary name: it comes again under its own.
    fn restore(&self, folder: &Path, depth: usize) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(original) = name.strip_prefix(TAKEN) {
                put_back(&entry.path(), &folder.join(original))?;
            } else if depth < DEPTH_MAX && entry.file_type()?.is_dir() && !name.starts_with('.') {
                self.restore(&entry.path(), depth + 1)?;
            }
        }
        Ok(())
    }
}

fn list(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(kind) = entry.file_type() else { continue };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_file() && is_candidate(&name) {
            found.push(entry.path());
        } else if kind.is_dir() && !name.starts_with('.') && depth < DEPTH_MAX {
            match list(&entry.path(), depth + 1, found) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                listed => listed?,
            }
        }
    }
    Ok(())
}

fn done_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".done");
    PathBuf::from(name)
}

fn taken_name(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(TAKEN);
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

/// Gives a file its name back without replacing what has come there meanwhile; then it comes under a name beside it.
fn put_back(taken: &Path, path: &Path) -> io::Result<()> {
    let beside = |n: u32| match n {
        0 => path.to_owned(),
        n => {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{n}"));
            PathBuf::from(name)
        }
    };
    for n in 0..1000 {
        match fs::hard_link(taken, beside(n)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            linked => return linked.and_then(|()| fs::remove_file(taken)),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "a thousand files of the same name stand in the way"))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
