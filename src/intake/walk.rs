//! The files that a path on a command line stands for, and which names in a folder are files for us at all.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// What is said of a pipe, a socket or a device.
pub const NO_FILE: &str = "a pipe, a socket or a device is no file; save what comes from it as a file first";

/// The file that is named, or the files of a folder in the order of their names, sub-folders included. In folders, names that are no
/// candidates and symbolic links are left out; a file or link that is named itself is taken.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if fs::metadata(path)?.is_dir() {
        walk(path, &mut found)?;
    } else {
        found.push(path.to_owned());
    }
    Ok(found)
}

/// Opens a file. A pipe, a socket or a device is refused: to open it could wait for ever, and it could never end.
pub fn open(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, NO_FILE));
    }
    File::open(path)
}

/// Whether a file of that name was dropped for us and is whole: hidden files, unfinished ones and `.done` companions are none.
pub fn is_candidate(name: &str) -> bool {
    let unfinished = [".part", ".tmp", ".done"];
    let lower = name.to_ascii_lowercase();
    !name.starts_with('.') && !unfinished.iter().any(|end| lower.ends_with(end))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_dir() && !name.starts_with('.') {
            walk(&entry.path(), found)?;
        } else if kind.is_file() && is_candidate(&name) {
            found.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_the_order_of_names() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b.edi", "a/2.edi", "a/1.edi", ".hidden", "c.edi", "d.edi.part", "e.TMP", "c.edi.done"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            fs::write(path, "x").expect("writable");
        }
        let found = files(folder.path()).expect("readable");
        let names: Vec<_> =
            found.iter().map(|path| path.strip_prefix(folder.path()).expect("inside").display().to_string()).collect();
        assert_eq!(names, ["a/1.edi", "a/2.edi", "b.edi", "c.edi"]);
        let named = folder.path().join("d.edi.part");
        assert_eq!(files(&named).expect("readable"), [named], "what is named itself is taken");
        assert!(files(&folder.path().join("missing")).is_err());
        let device = open(Path::new("/dev/null")).expect_err("it could never end");
        assert!(device.to_string().contains("device is no file"), "{device}");
    }
}
