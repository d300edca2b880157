//! Reading speed of generated NACHA files: plain entries, entries with free text, and CTX entries with an 820 in their addenda.
//!
//! `cargo run --release --bin nacha -- [MEGABYTES] [ROUNDS] [NAME]`, where NAME runs only what its name holds. Every
//! file is read typed and checked, streamed in chunks of 256 KiB and as a whole slice, beside a peer; medians of several rounds.
//! `generate MEGABYTES FILE` writes a file of CTX entries instead.

use std::{hint::black_box, time::Instant};

use tieout_parsers::{Limits, Record, Status, Stream, parse};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, megabytes, path] = arguments.as_slice()
        && command == "generate"
    {
        let bytes = file(Kind::Ctx, megabytes.parse::<usize>().expect("a number of megabytes") * 1_000_000);
        std::fs::write(path, bytes).expect("a file that can be written");
        return;
    }
    let number = |index: usize, default: usize| arguments.get(index).map_or(default, |text| text.parse().expect("a number"));
    let (megabytes, rounds) = (number(0, 50), number(1, 9));
    let wanted = arguments.get(2).map_or("", String::as_str);
    for (name, kind) in
        [("PPD, no addenda", Kind::Plain), ("CCD, free text", Kind::Text), ("CTX, an 820 of twelve lines", Kind::Ctx)]
    {
        let bytes = file(kind, megabytes * 1_000_000);
        let forms = [("streamed", streamed as fn(&[u8]) -> usize), ("whole", whole), ("rs-ach 0.1.2", rs_ach)];
        let forms: Vec<_> = forms.into_iter().filter(|(form, _)| format!("{name} {form}").contains(wanted)).collect();
        let mut speeds: Vec<Vec<f64>> = vec![Vec::new(); forms.len()];
        // One after the other in each round, so that a busy machine is the same for all.
        for _ in 0..rounds {
            for ((_, read), speeds) in forms.iter().zip(&mut speeds) {
                speeds.push(speed(&bytes, *read));
            }
        }
        for ((form, _), speeds) in forms.iter().zip(&mut speeds) {
            speeds.sort_by(f64::total_cmp);
            let median = speeds.get(rounds / 2).copied().unwrap_or(f64::NAN);
            let best = speeds.last().copied().unwrap_or(f64::NAN);
            println!("{name:<30} {form:<14} {:>11} bytes {median:>8.0} MB/s, best {best:>6.0}", bytes.len());
        }
    }
}

fn speed(bytes: &[u8], read: fn(&[u8]) -> usize) -> f64 {
    let start = Instant::now();
    assert!(read(bytes) > 0, "nothing was read");
    bytes.len() as f64 / start.elapsed().as_secs_f64() / 1e6
}

fn streamed(bytes: &[u8]) -> usize {
    let mut payments = 0;
    let mut sink = |record: Record<'_>| match &record {
        Record::Payment(payment) => payments += usize::from(black_box(payment).amount.minor > 0),
        Record::Finding(finding) => panic!("the file is sound, but {finding:?}"),
        other => {
            black_box(other);
        }
    };
    let mut stream = Stream::new(&Limits::default());
    for chunk in bytes.chunks(256 << 10) {
        stream.feed(chunk, &mut sink);
    }
    assert_eq!(stream.finish(&mut sink).status, Status::Accepted);
    payments
}

fn whole(bytes: &[u8]) -> usize {
    let parsed = black_box(parse(bytes, &Limits::default()));
    assert_eq!(parsed.document.status, Status::Accepted);
    parsed.document.payments.len()
}

/// The peer: fields as slices of the text, amounts as numbers; counts, hash and totals are not compared, and addenda stay text.
fn rs_ach(bytes: &[u8]) -> usize {
    let text = std::str::from_utf8(bytes).expect("ASCII");
    let file = black_box(rs_ach::AchFile::parse(text).expect("a file that the peer reads"));
    file.batches.iter().map(|batch| batch.entries.len()).sum()
}

#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Text,
    Ctx,
}

/// A file of batches of a thousand entries.
fn file(kind: Kind, bytes_min: usize) -> Vec<u8> {
    let mut text = format!("101 121000358 2313801042603160600A094101{:<23}{:<23}{:8}\n", "OUR BANK", "ACH OPERATOR", "");
    let (mut batches, mut records, mut hash, mut credit, mut lines) = (0_u64, 0_u64, 0_u64, 0_u64, 1_u64);
    while text.len() < bytes_min {
        batches += 1;
        let class = match kind {
            Kind::Plain => "PPD",
            Kind::Text => "CCD",
            Kind::Ctx => "CTX",
        };
        text += &format!("5220{:<36}1231380104{class}VENDOR PAY260316260317   112104288{batches:07}\n", "GLOBEX CORP");
        let (mut in_batch, mut cents) = (0, 0);
        for number in 1..=1000_u64 {
            let amount = number * 7919 % 99_999 + 1200;
            in_batch += entry(&mut text, kind, number, amount);
            cents += amount;
        }
        let batch_hash = 12_100_035 * 1000 % 10_000_000_000;
        text += &format!("8220{in_batch:06}{batch_hash:010}{:012}{cents:012}1231380104{:25}12104288{batches:07}\n", 0, "");
        records += in_batch;
        lines += in_batch + 2;
        hash += batch_hash;
        credit += cents;
    }
    let blocks = (lines + 1).div_ceil(10);
    text += &format!("9{batches:06}{blocks:06}{records:08}{:010}{:012}{credit:012}{:39}\n", hash % 10_000_000_000, 0, "");
    for _ in lines + 1..blocks * 10 {
        text += &"9".repeat(94);
        text.push('\n');
    }
    text.into_bytes()
}

/// Writes an entry with its addenda and gives how many records that is.
fn entry(text: &mut String, kind: Kind, number: u64, amount: u64) -> u64 {
    let advice = match kind {
        Kind::Plain => String::new(),
        Kind::Text => format!("PAYMENT OF INVOICE {number} THANK YOU"),
        Kind::Ctx => advice(number, amount),
    };
    let pieces: Vec<&str> = (0..advice.len()).step_by(80).map(|at| &advice[at..advice.len().min(at + 80)]).collect();
    let name = match kind {
        Kind::Ctx => format!("{:04}OUR COMPANY", pieces.len()),
        _ => "OUR COMPANY".to_owned(),
    };
    let flag = u8::from(!pieces.is_empty());
    *text += &format!("622121000358{:<17}{amount:010}{:<15}{name:<22}  {flag}12104288{number:07}\n", "975312468", "");
    for (piece, sequence) in pieces.iter().zip(1..) {
        *text += &format!("705{piece:<80}{sequence:04}{number:07}\n");
    }
    1 + pieces.len() as u64
}

fn advice(number: u64, amount: u64) -> String {
    let money = |cents: u64| format!("{}.{:02}", cents / 100, cents % 100);
    let mut text = format!(
        "ST*820*0001~BPR*C*{}*C*ACH*CTX*01*121042882*DA*111222333*1231380104**01*121000358*DA*975312468*20260317~\
         TRN*1*12104288{number:07}*1231380104~N1*PR*GLOBEX CORP~N1*PE*OUR COMPANY~ENT*1~",
        money(amount)
    );
    for line in 0..12 {
        let paid = money(if line == 0 { amount - amount / 12 * 11 } else { amount / 12 });
        text += &format!("RMR*IV*INV{number:06}{line:02}**{paid}*{paid}~");
    }
    text + "SE*19*0001~"
}
