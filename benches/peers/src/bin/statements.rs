//! Reading speed of generated MT940 and camt.053 files, tieout beside a bare quick-xml event loop and a line scan, medians of several rounds.
//!
//! `cargo run --release --bin statements -- [MEGABYTES] [ROUNDS] [NAME]`, where NAME runs only what holds it in its name. With
//! `--features statement-peers` the crates `mt940`, `swift-mt-message` and `camt053` read the same bytes in the same run; none of them
//! proves a balance. `generate FORMAT MEGABYTES FILE` writes a file instead, FORMAT being mt940 or camt.

#[cfg(feature = "statement-peers")]
#[path = "statements/peers.rs"]
mod peers;

use std::{fmt::Write as _, hint::black_box, time::Instant};

use quick_xml::{Reader, events::Event};
use tieout_parsers::{Limits, Record, Stream};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, format, megabytes, file] = arguments.as_slice()
        && command == "generate"
    {
        let bytes_min = megabytes.parse::<usize>().expect("a number of megabytes") * 1_000_000;
        let bytes = if format == "camt" { camt(bytes_min) } else { mt940(bytes_min) };
        std::fs::write(file, bytes).expect("a file that can be written");
        return;
    }
    let number = |index: usize, default: usize| arguments.get(index).map_or(default, |text| text.parse().expect("a number"));
    let (megabytes, rounds) = (number(0, 20), number(1, 7));
    let wanted = arguments.get(2).map_or("", String::as_str);
    let (mt940, camt) = (mt940(megabytes * 1_000_000), camt(megabytes * 1_000_000));
    let measure = |name: &str, bytes: &[u8], run: fn(&[u8]) -> usize| {
        if !name.contains(wanted) {
            return;
        }
        let mut speeds: Vec<f64> = (0..rounds)
            .map(|_| {
                let start = Instant::now();
                black_box(run(bytes));
                bytes.len() as f64 / start.elapsed().as_secs_f64() / 1e6
            })
            .collect();
        speeds.sort_by(f64::total_cmp);
        println!("{name:<44} {:>8.0} MB/s, best {:>6.0}", speeds[speeds.len() / 2], speeds[speeds.len() - 1]);
    };
    println!("{} bytes of MT940, {} bytes of camt.053, medians of {rounds} rounds", mt940.len(), camt.len());
    measure("mt940: line ends only (memchr)", &mt940, |bytes| memchr::memchr_iter(b'\n', bytes).count());
    measure("mt940: tieout, streamed, 256 KiB chunks", &mt940, streamed);
    #[cfg(feature = "statement-peers")]
    {
        measure("mt940: mt940 1.1", &mt940, peers::mt940);
        measure("mt940: swift-mt-message 3.1", &mt940, peers::swift_mt_message);
        measure("camt: camt053 0.4", &camt, peers::camt053);
    }
    measure("camt: quick-xml, bare event loop", &camt, events);
    measure("camt: tieout, streamed, 256 KiB chunks", &camt, streamed);
}

fn streamed(bytes: &[u8]) -> usize {
    let (mut payments, mut findings) = (0, 0);
    let mut sink = |record: Record<'_>| match &record {
        Record::Payment(payment) => {
            black_box(payment);
            payments += 1;
        }
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
    payments
}

fn events(bytes: &[u8]) -> usize {
    let mut reader = Reader::from_reader(bytes);
    let mut count = 0;
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Eof => return count,
            event => {
                black_box(&event);
                count += 1;
            }
        }
    }
}

fn amount(number: usize) -> usize {
    1_000 + number * 7_919 % 9_000_000
}

/// Statements of a thousand credits with structured details.
fn mt940(bytes_min: usize) -> Vec<u8> {
    let mut text = String::with_capacity(bytes_min + 500_000);
    let mut number = 0;
    while text.len() < bytes_min {
        write!(text, ":20:STMT{number}\r\n:25:10020030/1234567\r\n:28C:{}/1\r\n:60F:C260316EUR0,00\r\n", number % 9_999)
            .expect("text grows");
        let mut sum = 0;
        for _ in 0..1_000 {
            let minor = amount(number);
            sum += minor;
            write!(
                text,
                ":61:2603160316C{},{:02}NTRFNONREF//{number:016}\r\n:86:166?00CREDIT?109300?20EREF+{number:016}?21SVWZ+INV {:06} AND INV\r\n {:06}?30COBADEFFXXX?31DE89370400440532013000?32GLOBEX TRADING ?33GMBH\r\n",
                minor / 100,
                minor % 100,
                number % 900_000,
                number % 800_000
            )
            .expect("text grows");
            number += 1;
        }
        write!(text, ":62F:C260316EUR{},{:02}\r\n-\r\n", sum / 100, sum % 100).expect("text grows");
    }
    text.into_bytes()
}

/// Statements of a thousand credits, each an entry with a transaction.
fn camt(bytes_min: usize) -> Vec<u8> {
    let mut text = String::with_capacity(bytes_min + 2_000_000);
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\n<BkToCstmrStmt>\n");
    let mut number = 0;
    while text.len() < bytes_min {
        let first = number;
        let sum: usize = (first..first + 1_000).map(amount).sum();
        let decimal = |minor: usize| format!("{}.{:02}", minor / 100, minor % 100);
        write!(
            text,
            "<Stmt><Id>{number}</Id>\n<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>\n\
             <Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">0.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-16</Dt></Dt></Bal>\n\
             <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-16</Dt></Dt></Bal>\n",
            decimal(sum)
        )
        .expect("text grows");
        for _ in 0..1_000 {
            let money = decimal(amount(number));
            write!(
                text,
                "<Ntry><NtryRef>{number}</NtryRef><Amt Ccy=\"EUR\">{money}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\n\
                 <BookgDt><Dt>2026-03-16</Dt></BookgDt><ValDt><Dt>2026-03-16</Dt></ValDt><AcctSvcrRef>{number:016}</AcctSvcrRef>\n\
                 <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>\n\
                 <NtryDtls>\n<TxDtls>\n<Refs><AcctSvcrRef>{number:016}</AcctSvcrRef><EndToEndId>NOTPROVIDED</EndToEndId></Refs>\n\
                 <Amt Ccy=\"EUR\">{money}</Amt><CdtDbtInd>CRDT</CdtDbtInd>\n\
                 <RltdPties><Dbtr><Pty><Nm>GLOBEX &amp; SONS TRADING</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>DE02120300000000202051</IBAN></Id></DbtrAcct></RltdPties>\n\
                 <RltdAgts><DbtrAgt><FinInstnId><BICFI>BYLADEM1001</BICFI></FinInstnId></DbtrAgt></RltdAgts>\n\
                 <RmtInf>\n<Ustrd>INV {:06} AND INV {:06}</Ustrd>\n</RmtInf>\n</TxDtls>\n</NtryDtls>\n</Ntry>\n",
                number % 900_000,
                number % 800_000
            )
            .expect("text grows");
            number += 1;
        }
        text.push_str("</Stmt>\n");
    }
    text.push_str("</BkToCstmrStmt>\n</Document>\n");
    text.into_bytes()
}
