//! Reading speed of a generated X12 820 file, tieout beside its peers, one after the other in one process, medians of several rounds.
//!
//! `cargo run --release [--features x12-types] -- [MEGABYTES] [ROUNDS] [NAME]`, where NAME runs only the readers whose name holds it;
//! `-- generate MEGABYTES FILE` writes the file instead.

mod generate;

use std::{hint::black_box, panic, time::Instant};

use tieout_parsers::{Limits, Record, Stream, parse};

/// `x12-types` reads one group per interchange, so that with it all readers get a file of one group.
const SETS_IN_GROUP: usize = if cfg!(feature = "x12-types") { usize::MAX } else { 1000 };

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, megabytes, file] = arguments.as_slice()
        && command == "generate"
    {
        let bytes = generate::generate(megabytes.parse::<usize>().expect("a number of megabytes") * 1_000_000, SETS_IN_GROUP);
        std::fs::write(file, bytes).expect("a file that can be written");
        return;
    }
    let number = |index: usize, default: usize| arguments.get(index).map_or(default, |text| text.parse().expect("a number"));
    let (megabytes, rounds) = (number(0, 50), number(1, 9));
    let bytes = generate::generate(megabytes * 1_000_000, SETS_IN_GROUP);
    println!("{} bytes of X12 820, medians of {rounds} rounds", bytes.len());
    let wanted = arguments.get(2).map_or("", String::as_str);
    let contenders: Vec<Contender> = contenders().into_iter().filter(|(name, _)| name.contains(wanted)).collect();
    let mut speeds: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for ((name, run), speeds) in contenders.iter().zip(&mut speeds) {
            let start = Instant::now();
            let read = run(&bytes);
            let seconds = start.elapsed().as_secs_f64();
            assert!(read > 0, "{name} read nothing of the file");
            speeds.push(bytes.len() as f64 / seconds / 1e6);
        }
    }
    let best: Vec<f64> = speeds.iter().map(|speeds| speeds.iter().copied().fold(f64::NAN, f64::max)).collect();
    let medians: Vec<f64> = speeds.iter_mut().map(|speeds| median(speeds)).collect();
    let own =
        contenders.iter().position(|(name, _)| name.starts_with("tieout, streamed")).map_or(f64::NAN, |index| medians[index]);
    for (((name, _), speed), best) in contenders.iter().zip(&medians).zip(&best) {
        println!("{name:<44} {speed:>8.0} MB/s (best {best:>5.0})   tieout is {:>6.2} times as fast", own / speed);
    }
}

type Contender = (&'static str, fn(&[u8]) -> usize);

fn contenders() -> Vec<Contender> {
    #[cfg_attr(not(feature = "x12-types"), allow(unused_mut))]
    let mut all: Vec<Contender> = vec![
        ("memchr3, delimiters only", scan),
        ("tieout, streamed to a sink, 256 KiB chunks", streamed),
        ("tieout, whole slice to a document", whole),
        ("edi 0.4, untyped tree", edi_tree),
    ];
    #[cfg(feature = "x12-types")]
    all.push(("x12-types, typed", x12_types_typed));
    all
}

fn median(speeds: &mut [f64]) -> f64 {
    speeds.sort_by(f64::total_cmp);
    speeds.get(speeds.len() / 2).copied().unwrap_or(f64::NAN)
}

fn scan(bytes: &[u8]) -> usize {
    memchr::memchr3_iter(b'*', b'~', b'>', bytes).count()
}

/// Records are typed and checked, and handed over; what becomes of them is the sink's matter.
fn streamed(bytes: &[u8]) -> usize {
    let mut lines = 0;
    let mut findings = 0;
    let mut sink = |record: Record<'_>| match &record {
        Record::Remittance(remittance) => lines += black_box(remittance).lines.len(),
        Record::Finding(_) => findings += 1,
        other => {
            black_box(other);
        }
    };
    let mut stream = Stream::new(&Limits::default());
    for chunk in bytes.chunks(256 << 10) {
        stream.feed(chunk, &mut sink);
    }
    let summary = stream.finish(&mut sink);
    assert_eq!((summary.status.as_str(), findings), ("accepted", 0), "the generated file is clean");
    lines
}

fn whole(bytes: &[u8]) -> usize {
    let parsed = parse(bytes, &Limits::default());
    assert_eq!(parsed.document.status.as_str(), "accepted", "the generated file is clean");
    black_box(&parsed).document.remittances.len()
}

fn edi_tree(bytes: &[u8]) -> usize {
    let text = std::str::from_utf8(bytes).expect("the generated file is ASCII");
    panic::catch_unwind(|| edi::parse(text).map_or(0, |document| black_box(&document).interchanges.len())).unwrap_or(0)
}

/// Texts of its own in a struct per loop; no count, total or number is compared.
#[cfg(feature = "x12-types")]
fn x12_types_typed(bytes: &[u8]) -> usize {
    use x12_types::{
        util::Parser,
        v005010::{_820, Transmission},
    };
    let text = std::str::from_utf8(bytes).expect("the generated file is ASCII");
    match Transmission::<_820>::parse(text) {
        Ok((rest, read)) if rest.trim().is_empty() => {
            black_box(&read).functional_group.iter().map(|group| group.segments.len()).sum()
        }
        Ok((rest, _)) => panic!("it stopped at {:?}", rest.get(..80).unwrap_or(rest)),
        Err(error) => panic!("it does not read the file: {}", error.to_string().chars().take(300).collect::<String>()),
    }
}
