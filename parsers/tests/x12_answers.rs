//! What we answer: TA1, 997 and 999, read back by our own reader with the same codes and with controls that agree.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use chrono::{NaiveDate, NaiveTime};
use proptest::prelude::*;
use support::{assert_told, corpus, interchange, told};
use tieout_parsers::{
    Limits, Status, parse,
    x12::{Answer, Stamp, acknowledge},
};

fn stamp() -> Stamp {
    Stamp {
        date: NaiveDate::from_ymd_opt(2025, 2, 1).expect("a date"),
        time: NaiveTime::from_hms_opt(9, 5, 0).expect("a time"),
        control_number: 41,
    }
}

/// The answer to the first interchange of a file.
fn answer(file: &[u8]) -> Option<Answer> {
    let received = parse(file, &Limits::default()).received;
    acknowledge(received.interchanges.first()?, &stamp())
}

/// What our own reader reads in the answer; nothing of it may be wrong or odd.
fn check(file: &[u8], expected: &str) {
    let answer = answer(file).expect("an answer");
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    let parsed = parse(&answer.bytes, &Limits::default());
    assert_told(&told(&parsed), expected, &text);
    assert_eq!(parsed.document.status, Status::Accepted, "{text}");
    assert_eq!(parsed.document.format, answer.format, "{text}");
    assert!(parsed.document.controls.iter().all(|control| control.ok), "{text}");
    assert_eq!(acknowledge(&parsed.received.interchanges[0], &stamp()), None, "an acknowledgment is not acknowledged");
}

#[test]
fn the_answer_goes_back_byte_for_byte() {
    let file = interchange("IN", "004010", &[("810", "BIG*20250110*INV-1~TDS*100~"), ("810", "BIG*2025011*INV-2~TDS*12.00~")]);
    let answer = answer(file.as_bytes()).expect("an answer");
    assert_eq!(
        String::from_utf8_lossy(&answer.bytes),
        "ISA*00*          *00*          *ZZ*RECEIVER       *ZZ*SENDER         *250201*0905*U*00401*000000041*0*P*>~\
         GS*FA*APPRECEIVER*APPSENDER*20250201*0905*41*X*004010~\
         ST*997*0001~AK1*IN*17~AK2*810*0001~AK5*A~AK2*810*0002~AK3*BIG*2**8~AK4*1**8*2025011~AK3*TDS*3**8~AK4*1**6*12.00~AK5*R*5~\
         AK9*P*2*2*1~SE*12*0001~GE*1*41~IEA*1*000000041~"
    );
    assert_eq!(answer.numbers_used, 1);
}

#[test]
fn account_numbers_do_not_go_back_in_clear() {
    let body = "BPR*C*5.00*0099109999*ACH************20250102~RMR*IV*A1**A5550001234~RMR*IV*A2**1200.505~";
    let file = interchange("RA", "004010", &[("820", body)]);
    let text = String::from_utf8(answer(file.as_bytes()).expect("an answer").bytes).expect("ASCII");
    assert!(text.contains("~AK4*3**7*XXXX9999~") && text.contains("~AK4*4**6*AXXXX1234~"), "{text}");
    assert!(text.contains("~AK4*4**6*1200.505~"), "{text}");
    let parsed = parse(file.as_bytes(), &Limits::default());
    let told: String = parsed.findings.iter().map(|finding| format!("{finding:?}")).collect();
    assert!(told.contains("••••9999") && !told.contains("0099109999") && !told.contains("5550001234"), "{told}");
}

#[test]
fn accepted_refused_and_partly_accepted_groups() {
    let good = ("810", "BIG*20250110*INV-1~TDS*100~");
    let odd = ("810", "BIG*20250110*INV-2~TDS*1.00~");
    let bad = ("810", "BIG*20250110~TDS*100~");
    let apart = ("810", "BIG*20250110*INV-3~IT1*1*1*EA*1~TDS*1~");
    check(interchange("IN", "004010", &[good]).as_bytes(), "Set 810 0001 in 17: A []\nGroup IN 17: A []");
    check(interchange("IN", "004010", &[odd]).as_bytes(), "Set 810 0001 in 17: E [TDS@3=8 TDS01@3=6 5]\nGroup IN 17: E []");
    check(interchange("IN", "004010", &[bad]).as_bytes(), "Set 810 0001 in 17: R [BIG@2=8 BIG02@2=1 5]\nGroup IN 17: R []");
    // Money that does not add up is no error of syntax, and yet nothing of the set was taken.
    check(
        interchange("IN", "004010", &[good, apart]).as_bytes(),
        "Set 810 0001 in 17: A []\nSet 810 0002 in 17: R [5]\nGroup IN 17: P []",
    );
    check(
        interchange("IN", "004010", &[good, ("810", "BIG*20250110*INV-3~")]).as_bytes(),
        "Set 810 0001 in 17: A []\nSet 810 0002 in 17: R [TDS@3=3 5]\nGroup IN 17: P []",
    );
    check(interchange("PO", "004010", &[("850", "BEG*00~")]).as_bytes(), "Set 850 0001 in 17: R [1]\nGroup PO 17: R []");
}

#[test]
fn wrong_counts_and_numbers_are_answered_with_their_codes() {
    let file = interchange("IN", "004010", &[("810", "BIG*20250110*INV-1~TDS*100~"), ("810", "BIG*20250110*INV-2~TDS*100~")]);
    check(
        file.replacen("SE*4*0001", "SE*5*0001", 1).as_bytes(),
        "Set 810 0001 in 17: R [4]\nSet 810 0002 in 17: A []\nGroup IN 17: P []",
    );
    check(
        file.replacen("SE*4*0001", "SE*4*0009", 1).as_bytes(),
        "Set 810 0001 in 17: R [3]\nSet 810 0002 in 17: A []\nGroup IN 17: P []",
    );
    // A group that is wrong itself is rejected whole, its sets are not told about.
    check(file.replacen("GE*2*17", "GE*3*17", 1).as_bytes(), "Group IN 17: R [5]");
    check(file.replacen("GE*2*17", "GE*2*18", 1).as_bytes(), "Group IN 17: R [4]");
    // A wrong interchange gets a TA1 and nothing else.
    check(file.replacen("IEA*1*", "IEA*2*", 1).as_bytes(), "Interchange  000000017: R [021]");
    check(file.replacen("IEA*1*000000017", "IEA*1*000000018", 1).as_bytes(), "Interchange  000000017: R [001]");
    check(file.replacen("*17*X*", "**X*", 1).as_bytes(), "Interchange  000000017: R [022]");
    check(&file.as_bytes()[..file.len() - 30], "Interchange  000000017: R [023]");
}

#[test]
fn a_ta1_comes_when_it_is_asked_for() {
    let file = interchange("IN", "004010", &[("810", "BIG*20250110*INV-1~TDS*100~")]).replace("*0*P*>~", "*1*P*>~");
    check(file.as_bytes(), "Interchange  000000017: A []\nSet 810 0001 in 17: A []\nGroup IN 17: A []");
}

#[test]
fn guides_are_answered_by_999() {
    let remittance = "BPR*I*100*C*NON~TRN*1*T~RMR*IV*1**100~";
    let file = interchange("RA", "005010X218", &[("820", remittance)]).replace("ST*820*0001~", "ST*820*0001*005010X218~");
    let bytes = answer(file.as_bytes()).expect("an answer").bytes;
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("*X*005010X231A1~ST*999*0001*005010X231A1~AK1*RA*17*005010X218~AK2*820*0001*005010X218~"), "{text}");
    let told_group = told(&parse(&bytes, &Limits::default()));
    assert!(told_group.contains("Group RA 17:"), "{told_group}");
    // The same release without a guide gets a 997 that names the version.
    let file = interchange("IN", "005010", &[("810", "BIG*20250110*INV-1~TDS*100~")]);
    let text = answer(file.as_bytes()).map(|answer| String::from_utf8_lossy(&answer.bytes).into_owned()).unwrap_or_default();
    assert!(text.contains("*^*00501*000000041*0*P*>~") && text.contains("~ST*997*0001~AK1*IN*17*005010~"), "{text}");
    // A guide of an older release gets the 997 of that release.
    let file = interchange("IM", "004010X098A1", &[("210", "B3**P1**TP**20250110*100~L3*****100~")]);
    let text = answer(file.as_bytes()).map(|answer| String::from_utf8_lossy(&answer.bytes).into_owned()).unwrap_or_default();
    assert!(text.contains("*X*004010~ST*997*0001~AK1*IM*17~"), "{text}");
}

#[test]
fn separators_are_kept_where_they_tear_nothing() {
    let file = interchange("IN", "004010", &[("810", "BIG*2025011*INV-1~TDS*100~")]);
    for (element, component, terminator, kept) in
        [("|", "^", "\n", true), ("*", ":", "\\", true), ("*", ">", ".", true), ("*", ">", "Ö", false), ("~", ">", "\r\n", true)]
    {
        let file = file.replace('~', "\u{1}").replace('*', element).replace('>', component).replace('\u{1}', terminator);
        let bytes = answer(file.as_bytes()).expect("an answer").bytes;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let last = terminator.chars().last().expect("a terminator");
        assert_eq!(text.ends_with(last), kept, "{text}");
        assert!(text.starts_with(&format!("ISA{element}00")), "{text}");
        check(file.as_bytes(), "Set 810 0001 in 17: R [BIG@2=8 BIG01@2=8 5]\nGroup IN 17: R []");
    }
    // A sender whose name holds the component separator: another one is chosen, the name stays.
    let file = file.replace("*ZZ*SENDER         *", "*ZZ*SEN>DER        *");
    let text = String::from_utf8_lossy(&answer(file.as_bytes()).expect("an answer").bytes).into_owned();
    assert!(text.contains("*ZZ*SEN>DER        *") && text.contains("*P*:~"), "{text}");
    // A bad value loses the separators that the answer uses.
    let file = interchange("IN", "004010", &[("810", "BIG*2025>01>1é*INV-1~TDS*100~")]);
    let text = String::from_utf8_lossy(&answer(file.as_bytes()).expect("an answer").bytes).into_owned();
    assert!(text.contains("~AK4*1**8*2025 01 1?~"), "{text}");
}

#[test]
fn acknowledgments_get_no_answer() {
    let ack = interchange("FA", "004010", &[("997", "AK1*IN*17~AK9*A*1*1*1~")]);
    assert_eq!(answer(ack.as_bytes()), None);
    assert_eq!(answer(ack.replace("IEA*1*000000017", "IEA*1*000000018").replace("*0*P*>~", "*1*P*>~").as_bytes()), None);
    assert_eq!(answer(b"nothing"), None);
}

#[test]
fn every_answer_to_the_corpus_reads_back_clean() {
    let Some(corpus) = corpus() else { return };
    let manifest = std::fs::read_to_string(corpus.join("MANIFEST.tsv")).expect("the manifest");
    let mut answers = 0;
    for file in manifest.lines().skip(1).filter_map(|row| row.split('\t').next()) {
        let bytes = std::fs::read(corpus.join(file)).expect("a file of the manifest");
        let received = parse(&bytes, &Limits::default()).received;
        for interchange in &received.interchanges {
            let Some(answer) = acknowledge(interchange, &stamp()) else { continue };
            let parsed = parse(&answer.bytes, &Limits::default());
            let text = String::from_utf8_lossy(&answer.bytes);
            assert_eq!(parsed.document.status, Status::Accepted, "{file}\n{text}\n{}", told(&parsed));
            assert!(!parsed.document.acknowledgments.is_empty(), "{file}");
            answers += 1;
        }
    }
    assert!(answers > 30, "{answers} answers");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// However an interchange is damaged, its answer is a whole interchange whose own controls agree.
    #[test]
    fn answers_to_damage_balance(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0_usize..60, drop in any::<bool>()) {
        let sets = [("810", "BIG*20250110*INV-1~IT1*1*1*EA*1~TDS*100~CTT*1~"), ("820", "BPR*I*1*C*NON~RMR*IV*1**1~")];
        let mut bytes = interchange("IN", "005010", &sets).into_bytes();
        let index = 35 + at.index(bytes.len() - 35);
        bytes[index] = byte;
        if drop {
            bytes.drain(index..(index + cut).min(bytes.len()));
        }
        if let Some(answer) = answer(&bytes) {
            let parsed = parse(&answer.bytes, &Limits::default());
            let text = String::from_utf8_lossy(&answer.bytes);
            prop_assert!(parsed.document.controls.iter().all(|control| control.ok), "{text}");
            prop_assert!(!parsed.document.acknowledgments.is_empty(), "{text}");
            prop_assert!(parsed.document.status != Status::Held && parsed.document.status != Status::Rejected, "{text}");
        }
    }
}
