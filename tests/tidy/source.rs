//! Rust source as the tidy rules want it: code without comments and texts, the texts apart, test code cut away.
//!
//! A scanner of a hundred lines, not a parser: it knows comments, texts, characters and braces, and that is enough for the rules.

use std::{
    fs, iter,
    path::{Path, PathBuf},
};

/// One file of source.
pub struct Source {
    /// Path from the root of the repository, with `/`.
    pub path: String,
    /// The text as it is.
    pub text: String,
    /// The code with comments, texts and test modules blanked; every byte keeps its place.
    pub code: String,
    /// The texts of the code, each with its offset; those of test modules are left out.
    pub strings: Vec<(usize, String)>,
}

impl Source {
    pub fn read(root: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.strip_prefix(root).expect("sources lie below the root").to_string_lossy().replace('\\', "/");
        Self::of(name, text)
    }

    pub fn of(path: String, text: String) -> Self {
        let (mut code, mut strings) = scan(&text);
        for (from, to) in test_modules(&code) {
            strings.retain(|(at, _)| !(from..to).contains(at));
            let blank: Vec<u8> = code[from..to].iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }).collect();
            code[from..to].copy_from_slice(&blank);
        }
        let code = String::from_utf8(code).expect("blanking keeps whole characters");
        Self { path, text, code, strings }
    }

    /// The module below `src` that the file belongs to: `store` for `src/store/files.rs`; empty elsewhere.
    pub fn module(&self) -> &str {
        let Some(inner) = self.path.strip_prefix("src/") else { return "" };
        inner.split(['/', '.']).next().unwrap_or("")
    }

    /// Whether the whole file lies outside the sources of the product.
    pub fn is_test(&self) -> bool {
        !self.path.contains("src/")
    }

    /// Paths, without extension, of the modules that the file declares behind `#[cfg(test)]`.
    pub fn test_module_paths(&self) -> Vec<String> {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let stem = name.trim_end_matches(".rs");
        let folder = if ["mod", "lib", "main"].contains(&stem) { folder.to_owned() } else { format!("{folder}/{stem}") };
        let declared = self.text.split("#[cfg(test)]").skip(1).filter_map(|rest| rest.split(['{', ';']).next());
        let item = |head: &str| head.split_whitespace().skip_while(|word| *word != "mod").nth(1).map(str::to_owned);
        declared.filter_map(|head| Some(format!("{folder}/{}", item(head)?))).chain(self.redirected(&folder)).collect()
    }

    /// The same for `#[cfg(test)] #[path = "watch_tests.rs"] mod tests;`.
    fn redirected(&self, folder: &str) -> Vec<String> {
        let heads = self.text.split("#[cfg(test)]").skip(1).filter_map(|rest| rest.split(';').next());
        let named = heads.filter_map(|head| head.trim_start().strip_prefix("#[path = \"")?.split_once(".rs\""));
        let beside = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        named.flat_map(|(name, _)| [format!("{folder}/{name}"), format!("{beside}/{name}")]).collect()
    }

    /// `path:line` of an offset.
    pub fn place(&self, offset: usize) -> String {
        let line = self.text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}", self.path)
    }

    /// Where `word` stands in the code as a whole word.
    pub fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let inside = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let bytes = self.code.as_bytes();
        self.code.match_indices(word).map(|(at, _)| at).filter(move |at| {
            let open = word.starts_with(|c: char| c.is_alphanumeric()) && *at > 0 && inside(bytes.get(at - 1));
            let close = word.ends_with(|c: char| c.is_alphanumeric()) && inside(bytes.get(at + word.len()));
            !open && !close
        })
    }

    /// Modules of the crate that the code names as `crate::module` or inside `crate::{…}`, with their offsets.
    pub fn crate_modules(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for at in self.words("crate::") {
            let rest = &self.code[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(group_heads(group).into_iter().map(|head| (at, head))),
                None => found.extend(iter::once((at, identifier(rest)))),
            }
        }
        found.retain(|(_, name)| name.starts_with(|c: char| c.is_ascii_lowercase()));
        found
    }

    /// Functions with a body: name, offset and number of lines.
    pub fn functions(&self) -> Vec<(String, usize, usize)> {
        let mut found = Vec::new();
        for at in self.words("fn ") {
            let name = identifier(&self.code[at + 3..]);
            if name.is_empty() {
                continue; // `fn $name` of a macro is a pattern, not a function.
            }
            let Some(open) = body(self.code.as_bytes(), at) else { continue };
            let close = matching_brace(self.code.as_bytes(), open);
            let lines = self.code[at..close].matches('\n').count() + 1;
            found.push((name, at, lines));
        }
        found
    }
}

/// All `.rs` files below `folder`, in order of their paths; build output is passed over.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "rs")).collect()
}

/// All files below `folder`, in order; hidden folders and build output are passed over.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    let skipped = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with(".git") || name.starts_with("target") || name == "corpus" || name == "artifacts"
    };
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    paths.into_iter().filter(|path| !skipped(path)).flat_map(below).collect()
}

fn identifier(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// The first name of every entry of a `{…}` group, entries being separated by commas at its own depth.
fn group_heads(group: &str) -> Vec<String> {
    let (mut heads, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                heads.push(identifier(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads
}

/// The opening brace of the body of the function at `at`; `None` for a declaration without one.
fn body(code: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (index, byte) in code.iter().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => return Some(index),
            _ => {}
        }
    }
    None
}

fn matching_brace(code: &[u8], open: usize) -> usize {
    let mut depth = 0_i32;
    for (index, byte) in code.iter().enumerate().skip(open) {
        depth += i32::from(*byte == b'{') - i32::from(*byte == b'}');
        if depth == 0 {
            return index;
        }
    }
    code.len() - 1
}

/// Byte ranges of the items behind `#[cfg(test)]`.
fn test_modules(code: &[u8]) -> Vec<(usize, usize)> {
    let text = std::str::from_utf8(code).expect("blanked source stays UTF-8");
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (at, mark) in text.match_indices("#[cfg(test)]") {
        let end = match body(code, at + mark.len()) {
            Some(open) => matching_brace(code, open) + 1,
            None => at + mark.len(),
        };
        if ranges.last().is_none_or(|last| last.1 <= at) {
            ranges.push((at, end));
        }
    }
    ranges
}

/// Blanks comments and the inside of texts; returns the texts apart.
fn scan(text: &str) -> (Vec<u8>, Vec<(usize, String)>) {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut strings = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (skip, length) = match rest {
            [b'/', b'/', ..] => (0, line_comment(rest)),
            [b'/', b'*', ..] => (0, block_comment(rest)),
            [b'"', ..] => (1, quoted(rest)),
            [b'r', ..] if raw_hashes(bytes, at).is_some() => {
                let hashes = raw_hashes(bytes, at).unwrap_or(0);
                (hashes + 2, raw(rest, hashes))
            }
            [b'\'', ..] => (1, character(rest)),
            _ => (0, 0),
        };
        if length == 0 {
            at += 1;
            continue;
        }
        if skip > 0 && rest[0] != b'\'' {
            strings.push((at, String::from_utf8_lossy(&rest[skip..length - skip.min(length - skip)]).into_owned()));
        }
        for byte in &mut code[at + skip.min(1)..at + length - skip.min(1)] {
            *byte = if *byte == b'\n' { b'\n' } else { b' ' };
        }
        at += length;
    }
    (code, strings)
}

fn line_comment(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The number of `#` of a raw text that begins at `at`; `None` when none begins there.
fn raw_hashes(bytes: &[u8], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    if before.is_some_and(|byte| (byte.is_ascii_alphanumeric() && *byte != b'b') || *byte == b'_') {
        return None;
    }
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    (bytes.get(at + 1 + hashes) == Some(&b'"')).then_some(hashes)
}

fn raw(rest: &[u8], hashes: usize) -> usize {
    let end: Vec<u8> = iter::once(b'"').chain(iter::repeat_n(b'#', hashes)).collect();
    let body = hashes + 2;
    rest[body..].windows(end.len()).position(|window| window == end).map_or(rest.len(), |at| body + at + end.len())
}

/// Length of a character literal; 0 for a lifetime.
fn character(rest: &[u8]) -> usize {
    match rest {
        [_, b'\\', ..] => rest[3..].iter().position(|byte| *byte == b'\'').map_or(0, |at| at + 4),
        _ => {
            let text = String::from_utf8_lossy(&rest[1..rest.len().min(6)]).into_owned();
            let Some(first) = text.chars().next() else { return 0 };
            let length = 1 + first.len_utf8();
            if rest.get(length) == Some(&b'\'') { length + 1 } else { 0 }
        }
    }
}
