//! Ways in which files get damaged: on the wire, in an editor, in a program that was half finished.

use crate::support::random::Random;

/// Damages `bytes` in one to four ways; says which.
pub fn damage(bytes: &[u8], random: &mut Random) -> (Vec<u8>, String) {
    let mut damaged = bytes.to_vec();
    let mut kinds = Vec::new();
    for _ in 0..1 + random.below(4) {
        let (name, change) = random.pick(KINDS);
        change(&mut damaged, random);
        kinds.push(*name);
    }
    (damaged, kinds.join(" + "))
}

type Change = fn(&mut Vec<u8>, &mut Random);

const KINDS: &[(&str, Change)] = &[
    ("byte replaced", |bytes, random| {
        let at = random.below(bytes.len());
        let byte = random.byte();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
    }),
    ("digit replaced", |bytes, random| {
        let digits: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
        if !digits.is_empty() {
            bytes[*random.pick(&digits)] = b'0' + random.byte() % 10;
        }
    }),
    ("byte inserted", |bytes, random| {
        let at = random.below(bytes.len() + 1);
        bytes.insert(at, random.byte());
    }),
    ("delimiter inserted", |bytes, random| {
        let at = random.below(bytes.len() + 1);
        bytes.insert(at, *random.pick(b"*~>\n|\\:^ -."));
    }),
    ("span removed", |bytes, random| {
        let (from, to) = span(bytes, random, 40);
        bytes.drain(from..to);
    }),
    ("byte removed", |bytes, random| {
        let (from, to) = span(bytes, random, 1);
        bytes.drain(from..to);
    }),
    ("span doubled", |bytes, random| {
        let (from, to) = span(bytes, random, 80);
        let copy = bytes[from..to].to_vec();
        bytes.splice(to..to, copy);
    }),
    ("cut off", |bytes, random| bytes.truncate(random.below(bytes.len() + 1))),
    ("segment removed", |bytes, random| {
        let segments = segments(bytes);
        let (from, to) = *random.pick(&segments);
        bytes.drain(from..to);
    }),
    ("segment doubled", |bytes, random| {
        let segments = segments(bytes);
        let (from, to) = *random.pick(&segments);
        let copy = bytes[from..to].to_vec();
        bytes.splice(to..to, copy);
    }),
    ("segments swapped", |bytes, random| {
        let segments = segments(bytes);
        let first = random.below(segments.len());
        let second = random.below(segments.len());
        let ((a, b), (c, d)) = (segments[first.min(second)], segments[first.max(second)]);
        if b <= c {
            let swapped = [&bytes[..a], &bytes[c..d], &bytes[b..c], &bytes[a..b], &bytes[d..]].concat();
            *bytes = swapped;
        }
    }),
    ("foreign line", |bytes, random| {
        let segments = segments(bytes);
        let at = random.pick(&segments).1;
        bytes.splice(at..at, *b"5,\"foreign line\",12.00~\n");
    }),
    ("noise", |bytes, random| {
        let (from, to) = span(bytes, random, 30);
        for byte in &mut bytes[from..to] {
            *byte = random.byte();
        }
    }),
];

/// A span of up to `longest` bytes.
fn span(bytes: &[u8], random: &mut Random, longest: usize) -> (usize, usize) {
    let from = random.below(bytes.len());
    let to = (from + 1 + random.below(longest)).min(bytes.len());
    (from.min(to), to)
}

/// Spans that end with `~` or a newline, empty for an empty file.
fn segments(bytes: &[u8]) -> Vec<(usize, usize)> {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| matches!(byte, b'~' | b'\n')).map(|(at, _)| at + 1);
    let mut from = 0;
    let mut spans: Vec<(usize, usize)> = ends.map(|to| (std::mem::replace(&mut from, to), to)).collect();
    spans.push((from, bytes.len()));
    spans
}
