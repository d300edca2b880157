//! Reading speed of generated BAI2 statements and lockbox files, and of `use-bai2` on the same BAI2.
//!
//! `cargo run --release --bin bai -- [MEGABYTES] [ROUNDS] [NAME]`, where NAME runs only what its name holds. Every file is read typed and checked,
//! streamed in chunks of 256 KiB and as a whole slice; medians of several rounds. The peer only cuts lines into fields: it puts no
//! continuations together and compares no totals. `generate NAME MEGABYTES FILE` writes a file instead.

use std::{fmt::Write as _, hint::black_box, time::Instant};

use tieout_parsers::{Limits, Record, Stream, parse};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: usize| arguments.get(index).map_or(default, |text| text.parse().expect("a number"));
    let wanted = arguments.get(2).map_or("", String::as_str);
    let files: [(&str, fn(usize) -> Vec<u8>); 4] = [
        ("BAI2, one line each", |bytes_min| bai2(Kind::Plain, bytes_min)),
        ("BAI2, keys in 88", |bytes_min| bai2(Kind::Keys, bytes_min)),
        ("BAI2, X12 lines in 88", |bytes_min| bai2(Kind::Segments, bytes_min)),
        ("lockbox, 104 columns", lockbox),
    ];
    if let [command, name, megabytes, file] = arguments.as_slice()
        && command == "generate"
    {
        let (_, write) = files.iter().find(|(known, _)| known.contains(name)).expect("a name in the list");
        let bytes = write(megabytes.parse::<usize>().expect("a number of megabytes") * 1_000_000);
        std::fs::write(file, bytes).expect("a file that can be written");
        return;
    }
    let (bytes_min, rounds) = (number(0, 50) * 1_000_000, number(1, 9));
    type Form = (&'static str, fn(&[u8]) -> usize);
    let forms: [Form; 3] = [("streamed", streamed), ("whole", whole), ("use-bai2, lines only", peer)];
    for (name, write) in files {
        let bytes = write(bytes_min);
        for (form, read) in forms {
            let name = format!("{name}, {form}");
            if !name.contains(wanted) || (form.starts_with("use") && !name.starts_with("BAI2")) {
                continue;
            }
            let mut speeds: Vec<f64> = (0..rounds).map(|_| speed(&bytes, read)).collect();
            speeds.sort_by(f64::total_cmp);
            let median = speeds.get(rounds / 2).copied().unwrap_or(f64::NAN);
            let best = speeds.last().copied().unwrap_or(f64::NAN);
            println!("{name:<46} {:>11} bytes {median:>8.0} MB/s, best {best:>6.0}", bytes.len());
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
    assert_eq!(stream.finish(&mut sink).status.as_str(), "accepted");
    payments
}

fn whole(bytes: &[u8]) -> usize {
    black_box(parse(bytes, &Limits::default())).document.payments.len()
}

fn peer(bytes: &[u8]) -> usize {
    let text = std::str::from_utf8(bytes).expect("the generated file is ASCII");
    text.lines().filter(|line| black_box(use_bai2::parse_line(line)).is_ok()).count()
}

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

const PAYERS: [&str; 4] =
    ["NORTHWIND PAPER COMPANY", "HARBOR FREIGHT SYSTEMS INC", "BLUE RIDGE FOODS LLC", "CASCADE BUILDING SUPPLY"];

/// What stands behind a 16.
#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Keys,
    Segments,
}

/// A statement of accounts with two thousand receipts each.
fn bai2(kind: Kind, bytes_min: usize) -> Vec<u8> {
    let mut numbers = Numbers(20_260_727);
    let mut text = String::from("01,071300027,S03,260129,0415,84967,,,2/\n02,S03,071300027,1,260128,2359,USD,2/\n");
    let (mut accounts, mut records, mut total, mut number) = (0_u64, 2_usize, 0_u64, 0_u64);
    while text.len() < bytes_min {
        let (mut items, mut sum) = (String::new(), 0);
        for _ in 0..2000 {
            number += 1;
            let cents = (1_000 + numbers.below(9_000_000)) / 5 * 5;
            sum += cents;
            item(&mut items, kind, number, cents);
        }
        let lines = 3 + items.lines().count();
        let account = 550_021_111 + accounts;
        writeln!(text, "03,{account},USD,010,168367028,,,015,{},,/\n88,100,{sum},2000,,400,0,0,/", 168_367_028 + sum)
            .expect("text grows");
        text.push_str(&items);
        let control = 2 * 168_367_028 + 3 * sum;
        writeln!(text, "49,{control},{lines}/").expect("text grows");
        (accounts, records, total) = (accounts + 1, records + lines, total + control);
    }
    writeln!(text, "98,{total},{accounts},{records}/\n99,{total},1,{}/", records + 2).expect("text grows");
    text.into_bytes()
}

fn item(text: &mut String, kind: Kind, number: u64, cents: u64) {
    let payer = PAYERS[usize::try_from(number % 4).unwrap_or(0)];
    let invoice = |step: u64| 10_000 + (number * step) % 89_999;
    let written = match kind {
        Kind::Plain => writeln!(text, "16,165,{cents},Z,20260128{number:012},,{payer} INV SI-2026-{}/", invoice(1)),
        Kind::Keys => writeln!(
            text,
            "16,165,{cents},Z,20260128{number:012},,ACH CREDIT\n88,COMPANY NAME:{payer}\n88,COMPANY ID:{}\n88,ODFI:328058682\n\
             88,ADDENDA:INVOICES SI-2026-{}; SI-2026-{}; SI-2026-{}",
            1_000_000_000 + number % 5000,
            invoice(1),
            invoice(7),
            invoice(13)
        ),
        Kind::Segments => {
            let part = cents / 5;
            let net = format!("{}.{:02}", part / 100, part % 100);
            writeln!(text, "16,195,{cents},Z,20260128{number:012},,INCOMING WIRE\n88,ORIG:{payer}\n88,ORIG BANK:328058682")
                .expect("text grows");
            (0..5).try_for_each(|step| {
                writeln!(text, "88,RMR*IV*SI-2025-{}**{net}*{net}\\\n88,DTM*003*20251109\\", invoice(step + 1))
            })
        }
    };
    written.expect("text grows");
}

/// Lockboxes of 199 batches of forty checks with one to six invoices each.
fn lockbox(bytes_min: usize) -> Vec<u8> {
    let mut numbers = Numbers(20_260_727);
    let mut text = String::new();
    let mut records = 0;
    let mut put = |text: &mut String, record: &str| {
        writeln!(text, "{record:<104}").expect("text grows");
        records += 1;
        records
    };
    put(&mut text, "101S01 ALDER 071300001 2601120600");
    put(&mut text, "2S01 ALDER 071300001           40010401042");
    let mut number = 0;
    while text.len() < bytes_min {
        let (mut checks, mut total) = (0, 0);
        for batch in 1..200 {
            put(&mut text, &format!("5{batch:03}0007000111260112S01 ALDER 071300001"));
            let mut sum = 0;
            for item in 1..=40 {
                number += 1;
                checks += 1;
                let parts: Vec<u64> = (0..=numbers.below(6)).map(|_| 1_000 + numbers.below(99_000)).collect();
                let cents: u64 = parts.iter().sum();
                sum += cents;
                let payer = PAYERS[usize::try_from(number % 4).unwrap_or(0)];
                let account = 2_056_928_326_u64 + number;
                let check = 84_028 + number % 100_000;
                put(&mut text, &format!("6{batch:03}{item:03}{cents:010}370499982{account:<17}{check:<10}011226{payer}"));
                for (index, part) in parts.iter().enumerate() {
                    let last = if index + 1 == parts.len() { 9 } else { 0 };
                    let invoice = format!("INV-{:07}", number + index as u64);
                    let amounts = format!("{part:010}0000000000   0000000000{part:010}");
                    put(&mut text, &format!("4{batch:03}{item:03}6{:02}{last}{invoice:<16}{amounts}251210IV", index + 1));
                }
            }
            put(&mut text, &format!("7{batch:03}0007000111260112040{sum:010}"));
            total += sum;
        }
        put(&mut text, &format!("89990007000111260112{checks:04}{total:010}"));
    }
    let last = put(&mut text, "9") - 1;
    text.truncate(text.len() - 105);
    writeln!(text, "{:<104}", format!("9{:06}", last + 1)).expect("text grows");
    text.into_bytes()
}
