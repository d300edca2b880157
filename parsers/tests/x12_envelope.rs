//! Envelopes: every claim of ISA, GS, ST and their trailers, one broken at a time; what stands where it should not; and inputs made to
//! exhaust a reader.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

use tieout_parsers::{
    Effect, FindingCode, Limits, Options, Parsed, Record, Status, Stream, parse, parse_with,
    x12::{Bare, Delimiters, received::Verdict},
};

const ISA: &str = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250101*1200*U*00401*000000017*0*P*>~";
const GS: &str = "GS*RA*SENDER*RECEIVER*20250101*1200*7*X*004010~";
const SET: &str = "ST*820*0001~BPR*I*5.00*C*CHK************20250102~TRN*1*T1~ENT*1~RMR*IV*A1**5.00~SE*6*0001~";

/// A file whose claims all hold.
fn intact() -> String {
    format!("{ISA}{GS}{SET}GE*1*7~IEA*1*000000017~")
}

/// Status, then per finding that is more than a note its code and effect, then the failed controls.
fn verdict(parsed: &Parsed<'_>) -> String {
    let mut text = parsed.document.status.as_str().to_owned();
    for finding in &parsed.findings {
        let tag = finding.location.tag.map_or(String::new(), |tag| tag.to_string());
        let element = finding.location.element.map_or(String::new(), |element| format!("{element:02}"));
        text.push_str(&format!(" {}:{tag}{element}", finding.code.as_str()));
    }
    for control in parsed.document.controls.iter().filter(|control| !control.ok) {
        text.push_str(&format!(" {}={}/{}", control.name, control.claimed, control.computed));
    }
    text
}

#[test]
fn each_claim_is_compared() {
    for (from, to, expected) in [
        ("", "", "accepted"),
        ("SE*6*", "SE*7*", "held control_count_mismatch:SE01 SE01=7/6"),
        ("SE*6*", "SE*six*", "held control_count_mismatch:SE01 SE01=six/6"),
        ("SE*6*", "SE**", "held control_count_mismatch:SE01 SE01=/6"),
        ("SE*6*0001", "SE*6*0002", "held control_number_mismatch:SE02 SE02=0002/0001"),
        ("SE*6*0001", "SE*6*1", "accepted_with_findings odd_envelope:SE02"),
        ("GE*1*7", "GE*2*7", "held control_count_mismatch:GE01 GE01=2/1"),
        ("GE*1*7", "GE*1*8", "held control_number_mismatch:GE02 GE02=8/7"),
        ("IEA*1*", "IEA*2*", "held control_count_mismatch:IEA01 IEA01=2/1"),
        ("IEA*1*000000017", "IEA*1*000000018", "held control_number_mismatch:IEA02 IEA02=000000018/000000017"),
        ("IEA*1*000000017", "IEA*1*17", "accepted_with_findings odd_envelope:IEA02"),
        ("SE*6*0001~", "", "held missing_trailer:ST"),
        ("GE*1*7~", "", "held missing_trailer:GS"),
        ("IEA*1*000000017~", "", "held unexpected_end:"),
        ("GE*1*7~IEA*1*000000017~", "", "held unexpected_end:"),
        ("SE*6*0001~GE*1*7~IEA*1*000000017~", "", "held unexpected_end:"),
        ("TRN*1*T1~", "TRN*1*T1~", "accepted"),
        ("GS*RA", "GS*IN", "accepted_with_findings odd_envelope:ST01"),
        (GS, "", "held bad_envelope:ST bad_envelope:GE control_count_mismatch:IEA01 IEA01=1/0"),
        (
            "ST*820*0001~",
            "",
            "held bad_envelope:BPR bad_envelope:TRN bad_envelope:ENT bad_envelope:RMR bad_envelope:SE control_count_mismatch:GE01 GE01=1/0",
        ),
        ("20250101*1200*7", "2025011*1200*7", "accepted_with_findings bad_date:GS04"),
        ("TRN*1*T1~", "TRN*1*T1~~", "accepted"),
        ("TRN*1*T1~", "### RESET ###\nTRN*1*T1~", "accepted_with_findings trailing_data:TRN"),
        ("~TRN*1*T1~", "`TRN*1*T1~", "held control_count_mismatch:SE01 bad_date:BPR16 SE01=6/5"),
    ] {
        let text = intact().replacen(from, to, 1);
        let found = verdict(&parse(text.as_bytes(), &Limits::default()));
        assert_eq!(found, expected, "{from:?} -> {to:?}");
    }
}

#[test]
fn each_foreign_line_is_told_once() {
    let set = SET.replace("TRN*", "### RESET ###\nTRN*");
    let sets: String = (0..400).map(|number| set.replace("0001", &format!("{number:04}"))).collect();
    let text = format!("{ISA}{GS}{sets}GE*400*7~IEA*1*000000017~");
    let parsed = parse(text.as_bytes(), &Limits::default());
    assert_eq!(parsed.document.remittances.len(), 400);
    let places: Vec<u64> = parsed.findings.iter().map(|finding| finding.location.byte).collect();
    let expected: Vec<u64> = text.match_indices("TRN*").map(|(at, _)| at as u64).collect();
    assert_eq!(places, expected);
    let lines: Vec<Option<u64>> = parsed.findings.iter().map(|finding| finding.location.line).collect();
    assert_eq!(lines, (2..402).map(Some).collect::<Vec<_>>());
}

#[test]
fn a_missing_last_terminator_is_told_but_complete() {
    let text = intact();
    let parsed = parse(text.trim_end_matches('~').as_bytes(), &Limits::default());
    assert_eq!(verdict(&parsed), "accepted_with_findings odd_envelope:");
    let cut = &text[..text.len() - 2];
    assert_eq!(parse(cut.as_bytes(), &Limits::default()).document.status, Status::Held, "one digit of IEA02 is gone");
}

#[test]
fn nothing_that_lost_its_end_reads_as_complete() {
    let text = intact();
    for end in 0..text.len() - 1 {
        let status = parse(&text.as_bytes()[..end], &Limits::default()).document.status;
        assert!(matches!(status, Status::Held | Status::Rejected), "{} at {end}", status.as_str());
    }
}

#[test]
fn interchanges_follow_each_other() {
    let other = intact().replace("000000017", "000000018").replace('*', "|").replace('~', "!\r\n");
    let parsed_text = format!("\u{feff}  \n{}\r\n\r\n{other}\u{1a}\n", intact());
    let parsed = parse(parsed_text.as_bytes(), &Limits::default());
    assert_eq!(verdict(&parsed), "accepted");
    assert_eq!(parsed.document.remittances.len(), 2);
    let lines: Vec<_> = parsed.document.remittances.iter().map(|remittance| remittance.location.line).collect();
    assert_eq!(lines, [Some(2), Some(7)]);
}

#[test]
fn what_stands_between_interchanges_is_not_lost() {
    let (one, two) = (intact(), intact().replace("000000017", "000000018"));
    for (text, expected, remittances) in [
        (format!("//JOB CARD\n{one}"), "accepted_with_findings trailing_data:", 1),
        (format!("{one}{}", one), "held duplicate_control_number:ISA", 2),
        (format!("{one}garbage{two}"), "held trailing_data:", 2),
        (format!("{one}{}", two.replace("ISA*", "XSA*")), "held trailing_data:", 1),
        (format!("{one}IS"), "held trailing_data:", 1),
        (format!("{one}ISA*00*  "), "held bad_envelope:ISA", 1),
        (one.replace("IEA*1*000000017~", "") + &two, "held missing_trailer:", 2),
    ] {
        let parsed = parse(text.as_bytes(), &Limits::default());
        assert_eq!(verdict(&parsed), expected, "{text}");
        assert_eq!(parsed.document.remittances.len(), remittances, "{text}");
    }
}

#[test]
fn one_bad_set_leaves_its_neighbours() {
    let bad = SET.replace("0001", "0002").replace("RMR*IV*A1**5.00", "RMR*IV*A1**5.00.1");
    let text = format!("{ISA}{GS}{SET}{bad}{}GE*3*7~IEA*1*000000017~", SET.replace("0001", "0003"));
    let parsed = parse(text.as_bytes(), &Limits::default());
    assert_eq!(parsed.document.status, Status::AcceptedWithFindings);
    let seqs: Vec<u32> = parsed.document.remittances.iter().map(|remittance| remittance.seq).collect();
    assert_eq!(seqs, [0, 1], "two are read, numbered without a gap");
    let [finding] = parsed.findings.as_slice() else { panic!("{:?}", parsed.findings) };
    assert_eq!((finding.code, finding.effect), (FindingCode::BadAmount, Effect::RecordSetAside));
    let place = &finding.location;
    assert_eq!((place.segment, place.element), (Some(5), Some(4)));
    assert!(text[usize::try_from(place.byte).expect("small")..].starts_with("5.00.1"));
    let group = &parsed.received.interchanges[0].groups[0];
    assert_eq!(group.accepted(), 2);
    let [note] = group.notes_of(1) else { panic!("{:?}", group.notes) };
    assert_eq!((note.segment, note.segment_code), (5, 8));
    assert_eq!(
        note.element.as_ref().map(|element| (element.position, element.code, element.value.as_str())),
        Some((4, 6, "5.00.1"))
    );
}

#[test]
fn the_account_of_what_came_in_keeps_to_its_group() {
    let twice = format!("{ISA}{GS}{SET}{SET}GE*2*7~IEA*1*000000017~");
    let parsed = parse(twice.as_bytes(), &Limits::default());
    let sets = &parsed.received.interchanges[0].groups[0].sets;
    let codes: Vec<Vec<u8>> = sets.iter().map(|set| set.codes.iter().collect()).collect();
    assert_eq!(codes, [vec![], vec![23]]);
    assert_eq!([sets[0].verdict, sets[1].verdict], [Verdict::Accepted, Verdict::AcceptedWithErrors]);
    assert_eq!(verdict(&parsed), "accepted_with_findings duplicate_control_number:ST02");

    let behind = format!("{ISA}{GS}{SET}GE*1*7~{SET}IEA*1*000000017~");
    let parsed = parse(behind.as_bytes(), &Limits::default());
    assert_eq!(parsed.received.interchanges[0].groups[0].sets.len(), 1, "the set behind GE is no part of the group");
    assert_eq!(verdict(&parsed), "held bad_envelope:ST");

    let cut = format!("{ISA}{GS}{SET}ST*820*0002~BPR*I*5.00*C*CHK~");
    let received = parse(cut.as_bytes(), &Limits::default()).received;
    let interchange = &received.interchanges[0];
    assert!(interchange.codes.contains(23) && interchange.groups[0].codes.contains(3));
    let last = interchange.groups[0].sets.last().expect("two sets");
    assert_eq!((last.verdict, last.codes.contains(2)), (Verdict::Rejected, true));
}

#[test]
fn text_that_is_not_utf_8_is_decoded_and_told_once() {
    let mut bytes = intact().replace("ENT*1~", "N1*PR*CAF# M#LLER~ENT*1~").replace("SE*6*", "SE*7*").into_bytes();
    bytes.iter_mut().filter(|byte| **byte == b'#').zip([0xc9, 0xdc]).for_each(|(byte, latin)| *byte = latin);
    let parsed = parse(&bytes, &Limits::default());
    assert_eq!(verdict(&parsed), "accepted_with_findings not_utf8:N102");
    assert_eq!(parsed.document.remittances[0].payer.name.as_deref(), Some("CAFÉ MÜLLER"));
}

#[test]
fn binary_data_may_hold_delimiters() {
    let body = "ST*275*0001~BIN*9*a~SE*b~IE~SE*3*0001~";
    let text = format!("{ISA}GS*PI*S*R*20250101*1200*7*X*005010~{body}GE*1*7~IEA*1*000000017~");
    for (text, expected) in [
        (text.clone(), Status::Unsupported),
        (text.replace("BIN*9*", "BIN*8*"), Status::Held),
        (text.replace("BIN*9*", "BIN*nine*"), Status::Held),
        (text.replace("BIN*9*", "BIN*999999*"), Status::Held),
    ] {
        assert_eq!(parse(text.as_bytes(), &Limits::default()).document.status, expected, "{text}");
        let mut sink = |_: Record<'_>| {};
        let mut stream = Stream::new(&Limits::default());
        text.as_bytes().chunks(3).for_each(|chunk| stream.feed(chunk, &mut sink));
        assert_eq!(stream.finish(&mut sink).status, expected, "{text}");
    }
}

#[test]
fn bare_sets_are_read_only_where_the_caller_says_so() {
    let backslashes = SET.replace('~', "\\");
    assert_eq!(parse(backslashes.as_bytes(), &Limits::default()).document.status, Status::Rejected);
    let options = Options { bare: Some(Bare::Sets(Delimiters::bare(b'\\'))), ..Options::default() };
    for (text, expected, remittances) in [
        (backslashes.clone(), "accepted", 1),
        (format!("{backslashes}{backslashes}   "), "accepted", 2),
        (backslashes.trim_end_matches('\\').to_owned(), "accepted_with_findings odd_envelope:", 1),
        (backslashes.replace("SE*6*0001\\", ""), "held unexpected_end:", 0),
        (backslashes.replace("SE*6*", "SE*5*"), "held control_count_mismatch:SE01 SE01=5/6", 1),
    ] {
        let parsed = parse_with(text.as_bytes(), &options);
        assert_eq!(verdict(&parsed), expected, "{text}");
        assert_eq!(parsed.document.remittances.len(), remittances, "{text}");
        let mut streamed = 0;
        let mut sink = |record: Record<'_>| streamed += usize::from(matches!(record, Record::Remittance(_)));
        let mut stream = Stream::with(options.clone());
        text.as_bytes().chunks(5).for_each(|chunk| stream.feed(chunk, &mut sink));
        assert_eq!(stream.finish(&mut sink).status, parsed.document.status, "{text}");
        assert_eq!(streamed, remittances, "{text}");
    }
}

#[test]
fn segments_that_nothing_encloses_are_one_advice() {
    let bpr = "BPR*C*7.50*C*ACH*CCP************20250102";
    for (text, expected, remittances) in [
        (r"RMR*IV*A1**5.00\RMR*IV*A2**2.50\".to_owned(), "accepted", "A1=5.00,A2=2.50"),
        (r"RMR*IV*A1**5.00\ADX*-1.00*01\        ".to_owned(), "accepted", "A1=5.00"),
        ("RMR*IV*A1**5.00\\\r\n  RMR*IV*A2**2.50\\\r\n".to_owned(), "accepted", "A1=5.00,A2=2.50"),
        (r"RMR*IV*A1**5.00*5.00".to_owned(), "accepted_with_findings odd_envelope:", "A1=5.00"),
        (r"RMR*IV*A1**5.00\REF*PO*P".to_owned(), "accepted_with_findings odd_envelope:", "A1=5.00"),
        (r"RMR*IV*A1**x\RMR*IV*A2**2.50\".to_owned(), "accepted_with_findings bad_amount:RMR04", ""),
        (r"RMR*IV*A1**5.00\SE*2*1\RMR*IV*A2**1\".to_owned(), "accepted", "A1=5.00,A2=1.00"),
        (r"RMR*IV*A1**5.00*6.00\".to_owned(), "accepted_with_findings line_out_of_balance:RMR04", "A1=5.00"),
        (format!(r"{bpr}\RMR*IV*A1**7.50\"), "accepted", "A1=7.50"),
        (r"TRN*1*T1\".to_owned(), "accepted", ""),
        (r"ADX*-3*04*CM*C1\".to_owned(), "accepted", "C1=-3.00"),
        (SET.replace('~', "\\"), "accepted", "A1=5.00"),
        (SET.replace('~', "\\").replace("SE*6*0001\\", ""), "held unexpected_end:", ""),
        (format!(r"RMR*IV*A1**5.00\{}", intact()), "held missing_trailer:", "A1=5.00"),
        (intact(), "accepted", "A1=5.00"),
        (String::new(), "accepted", ""),
    ] {
        let options = Options { bare: Some(Bare::Segments(Delimiters::bare(b'\\'))), ..Options::default() };
        let parsed = parse_with(text.as_bytes(), &options);
        let lines = parsed.document.remittances.iter().flat_map(|remittance| &remittance.lines);
        let lines: Vec<String> = lines
            .map(|line| format!("{}={}", line.reference, line.net.map_or(String::new(), |net| net.to_decimal().to_string())))
            .collect();
        assert_eq!((verdict(&parsed).trim_end(), lines.join(",")), (expected, remittances.to_owned()), "{text}");
        for size in [1, 3, 20] {
            let mut records = Vec::new();
            let mut sink = |record: Record<'_>| records.push(record.into_owned());
            let mut stream = Stream::with(options.clone());
            text.as_bytes().chunks(size).for_each(|chunk| stream.feed(chunk, &mut sink));
            assert_eq!(stream.finish(&mut sink).status, parsed.document.status, "{text}");
            let remittances: Vec<_> = records
                .iter()
                .filter_map(|record| if let Record::Remittance(held) = record { Some(held.as_ref()) } else { None })
                .collect();
            assert_eq!(remittances, parsed.document.remittances.iter().collect::<Vec<_>>(), "{text} in chunks of {size}");
        }
    }
    let text = br"NTE*ZZZ*FOR MAY\TRN*1*T1\N1*PR*PAYER\REF*VR*77\";
    let parsed = parse_with(text, &Options { bare: Bare::recognise(text), ..Options::default() });
    let [advice] = &parsed.document.remittances[..] else { panic!("{parsed:?}") };
    assert_eq!((advice.total, advice.trace.as_deref(), advice.text.as_deref()), (None, Some("T1"), Some("FOR MAY")));
    assert_eq!((advice.payer.name.as_deref(), advice.references.len(), advice.location.byte), (Some("PAYER"), 1, 0));
    assert_eq!(parsed.document.format.as_str(), "x12.820");
}

#[test]
fn limits_stop_reading_and_say_so() {
    let limits = Limits { transaction_bytes_max: 200, segment_bytes_max: 150, findings_max: 3, ..Limits::default() };
    let long = intact().replace("A1", &"A".repeat(160));
    let many = intact().replace("RMR*IV*A1**5.00~", &"RMR*IV*A1**x~".repeat(12)).replace("SE*6*", "SE*17*");
    let findings = intact().replace("RMR*IV*A1**5.00~", &"RMR*IV*A1**x~".repeat(6)).replace("SE*6*", "SE*11*");
    for (text, message) in [
        (long, "a segment is longer than allowed; nothing after it was read"),
        (many, "a transaction is longer than allowed; nothing after it was read"),
        (findings, "3 further findings are not listed"),
    ] {
        let parsed = parse(text.as_bytes(), &limits);
        let told = parsed.findings.iter().find(|finding| finding.code == FindingCode::LimitReached).expect("a finding");
        assert_eq!(told.message, message);
        assert!(parsed.document.remittances.is_empty());
    }
}

#[test]
fn no_record_is_set_aside_unseen() {
    let limits = Limits { findings_max: 2, ..Limits::default() };
    let odd = "ST*820*1~BPR*C*1.00*C*ACH~ZZ1*1~ZZ2*1~ZZ3*1~SE*6*1~";
    let bad = "ST*820*2~BPR*C*x*C*ACH~SE*3*2~";
    let file = |sets: &[&str]| format!("{ISA}{GS}{}GE*{}*7~IEA*1*000000017~", sets.concat(), sets.len());
    let (crowded, untold) = (file(&[odd, bad]), file(&[odd, bad, bad, bad]));
    let crowded = parse(crowded.as_bytes(), &limits);
    assert!(crowded.findings.iter().any(|finding| finding.effect == tieout_parsers::Effect::RecordSetAside));
    assert_eq!((crowded.document.status, crowded.document.payments.len()), (Status::AcceptedWithFindings, 1));
    let untold = parse(untold.as_bytes(), &limits);
    assert_eq!(untold.document.status, Status::Held);
    assert!(untold.findings.iter().any(|finding| finding.message.ends_with("1 records were set aside with them")));
}

#[test]
fn no_file_is_held_without_a_reason_listed() {
    let limits = Limits { findings_max: 2, ..Limits::default() };
    let bad = "ST*820*2~BPR*C*x*C*ACH~SE*3*2~";
    let text = format!("{ISA}{GS}{bad}{bad}GE*9*7~IEA*1*000000017~");
    let held = parse(text.as_bytes(), &limits);
    assert_eq!(held.document.status, Status::Held);
    let holds: Vec<_> = held.findings.iter().filter(|finding| finding.effect == tieout_parsers::Effect::FileHeld).collect();
    let [told] = &holds[..] else { panic!("{:?}", held.findings) };
    assert_eq!(told.code, FindingCode::LimitReached);
    assert_eq!(told.message, "1 further findings are not listed; what holds the file is among them");
}

/// Work that grew with the square of the input would not end within the patience of whoever runs this.
#[test]
fn hostile_inputs_are_bounded() {
    let header = format!("{ISA}{GS}");
    let tiny: String = (0..100_000).map(|number| format!("ST*820*{}~SE*2*{}~", number % 1000, number % 1000)).collect();
    let nested: String = "ISA*".repeat(100_000);
    for (name, text) in [
        ("no terminator", header.clone() + &"A".repeat(16 << 20)),
        ("separators only", header.clone() + &"*".repeat(4 << 20)),
        ("terminators only", header.clone() + &"~".repeat(4 << 20)),
        ("blanks only", header.clone() + &" ".repeat(4 << 20)),
        ("tiny sets", header.clone() + &tiny),
        (
            "many findings",
            header.clone() + "ST*820*1~BPR*I*x~" + &"RMR*IV*1**x~".repeat(100_000) + "SE*100003*1~GE*1*7~IEA*1*000000017~",
        ),
        ("headers in headers", nested),
        ("no ISA after garbage", intact() + &"x\nIS".repeat(1 << 20)),
        ("foreign lines", header.clone() + &"x\nAB*~".repeat(200_000)),
        ("interchanges", (0..5_000).map(|_| intact()).collect()),
    ] {
        let parsed = parse(text.as_bytes(), &Limits::default());
        assert!(matches!(parsed.document.status, Status::Held | Status::Rejected | Status::AcceptedWithFindings), "{name}");
        assert!(parsed.findings.len() <= 2_001, "{name} gave {} findings", parsed.findings.len());
        let mut sink = |_: Record<'_>| {};
        let mut stream = Stream::new(&Limits::default());
        text.as_bytes().chunks(8 << 10).for_each(|chunk| stream.feed(chunk, &mut sink));
        assert_eq!(stream.finish(&mut sink).status, parsed.document.status, "{name}");
    }
}
