//! 824: what is read from the advices of partners, and that what we write is read again as it was meant.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use chrono::{NaiveDate, NaiveTime};
use proptest::prelude::*;
use support::{assert_told, interchange, sample};
use tieout_parsers::{
    AckLevel, Limits, Parsed, Reference, Route, Status, parse,
    x12::{Advised, Complaint, Decision, Objection, Stamp, advise},
};

fn read(parsed: &Parsed<'_>) -> String {
    let mut text = String::new();
    for ack in &parsed.document.acknowledgments {
        let group = ack.group_control.as_deref().unwrap_or("");
        let about = ack.reference.as_ref().map_or(String::new(), |held| format!(" {}:{}", held.qualifier, held.value));
        let said = ack.text.as_deref().map_or(String::new(), |said| format!(" \"{said}\""));
        let codes = ack.codes.join(" ");
        text.push_str(&format!(
            "{:?} {} {}/{group}: {}{about} [{codes}]{said}\n",
            ack.level, ack.id, ack.control_number, ack.verdict
        ));
    }
    for finding in &parsed.findings {
        let place = finding.location;
        let element = place.element.map_or(String::new(), |element| format!("{element:02}"));
        let tag = place.tag.map_or(String::new(), |tag| tag.to_string());
        text.push_str(&format!("! {} {:?} {tag}{element} {}\n", finding.code.as_str(), finding.effect, finding.found));
    }
    text
}

fn check(body: &str, expected: &str) {
    let file = interchange("AG", "004010", &[("824", body)]);
    assert_told(&read(&parse(file.as_bytes(), &Limits::default())), expected, body);
}

#[test]
fn verdicts_on_sets_groups_and_items() {
    check(
        "BGN*11*A-1*20260316~N1*41*PARTNER~OTI*TA*TN*NA***20260316*0900*7*0001*210~OTI*IR*IV*77304150***20260316*0900*7*0002*210~\
         REF*BM*B1~DTM*007*20260316~AMT*GW*5~TED*024*NOT OUR LOAD*B3*2*2*76*77304150~NTE**CALL US~RED*NA**94**IBP*E1~\
         TED*011**N4~TED*007~OTI*GR*ZZ*X****0900*8~OTI*IE*IV*1~OTI*TP*TN*2*****9*0003~",
        "Set 210 0001/7: A []
         Item 210 0002/7: R IV:77304150 [B302@2=024 N4=011 007] \"NOT OUR LOAD CALL US\"
         Group  8/: R ZZ:X []
         Item  /: E IV:1 []
         Set  0003/9: P TN:2 []",
    );
}

#[test]
fn what_is_no_advice_is_told() {
    for (body, expected) in [
        ("BGN*11*A*20260316~", "! missing_segment RecordSetAside OTI nothing"),
        ("OTI*TA*TN*1***20260316*0900*7*0001*210~", "Set 210 0001/7: A TN:1 []\n! missing_segment Noted BGN nothing"),
        (
            "BGN*11*A~OTI*XX*TN*1****0900*7*0001*210~TED*024*LOST~OTI*TR*TN*2****0900*7*0002*210~",
            "Set 210 0002/7: R TN:2 []\n! bad_code Noted OTI01 XX\n! missing_loop Noted TED TED",
        ),
        ("BGN*11*A~OTI**TN*1~", "! missing_element Noted OTI01"),
        ("BGN*11*A~OTI*TR*TN*1*****7*1~TED**TEXT~", "Set  1/7: R TN:1 [] \"TEXT\"\n! missing_element Noted TED01"),
        ("BGN*11*A~OTI*TR*TN*1******0001*820~", "Set 820 0001/: R TN:1 []\n! missing_element Noted OTI08"),
        ("BGN*11*A~OTI*TA*TN*1*****7*1~XX*1~", "Set  1/7: A TN:1 []\n! unknown_segment Noted XX XX"),
    ] {
        check(body, expected);
    }
    let many = format!("BGN*11*A~OTI*TR*TN*1*****7*1~{}", "TED*024*WORDS~".repeat(3_000));
    let file = interchange("AG", "004010", &[("824", &many)]);
    let parsed = parse(file.as_bytes(), &Limits::default());
    let ack = &parsed.document.acknowledgments[0];
    assert_eq!(ack.codes.len(), 1_000);
    assert!(ack.text.as_deref().is_some_and(|text| text.len() <= 16 << 10));
    assert_eq!(parsed.findings.len(), 1, "told once");
}

#[test]
fn advices_of_the_corpus() {
    for (name, expected) in [
        (
            "824/cn-rail-underscore.edi",
            "Set  408600001/40860: E BM:006394 [024] \"A problem has been detected in the electronic bill of lading This shipment cannot move \
             due to a railroad restriction that is in effect. View the AAR website http://aarembargo.railinc.com for further information on \
             embargoes and OPSL restrictions. If further assistance is required email EDIMGR@CN.CA. Please contact your local EDI Support Center \
             if further information is required. If you are uncertain how to contact your local EDI Support Center phone us at 800-267-9779.\"",
        ),
        (
            "824/tmhp-5010x186.edi",
            "Item 270 375001/375: R IX:InformationSource [848] \"00\"
             Item 270 0021/1000001: A IX []
             Item  0021/1000001: E IX [N403@113=024 N403@124=024]",
        ),
        ("824/x12-types-5010.edi", "Set 834 0001/2: A []"),
    ] {
        let Some(bytes) = sample(name) else { return };
        let parsed = parse(&bytes, &Limits::default());
        assert!(
            matches!(parsed.document.status, Status::Accepted | Status::AcceptedWithFindings),
            "{name}: {:?}",
            parsed.findings
        );
        let found: String = read(&parsed).lines().filter(|line| !line.starts_with('!')).map(|line| format!("{line}\n")).collect();
        assert_told(&found, &expected.replace(" IX []", " []").replace(" IX [", " ["), name);
    }
}

fn stamp() -> Stamp {
    Stamp {
        date: NaiveDate::from_ymd_opt(2026, 3, 17).expect("a date"),
        time: NaiveTime::from_hms_opt(6, 5, 0).expect("a time"),
        control_number: 42,
    }
}

fn route(text: &str) -> Route {
    Route {
        sender: format!("S{text}"),
        receiver: format!("R{text}"),
        application_sender: format!("AS{text}"),
        application_receiver: format!("AR{text}"),
        interchange_control: "000000017".to_owned(),
        group_control: "17".to_owned(),
    }
}

#[test]
fn an_advice_goes_back_to_the_sender() {
    let route = route("X");
    let reference = Reference { qualifier: "TN".into(), value: "T-9".into() };
    let complaints = [Complaint { code: "010", text: "9.00 TOO MUCH" }, Complaint { code: "", text: "" }];
    let objection = Objection {
        decision: Decision::SetRejected,
        reference: &reference,
        set_id: "820",
        set_control: "0001",
        complaints: &complaints,
    };
    let objections = [objection];
    let advised = Advised {
        route: &route,
        sender_qualifier: "01",
        receiver_qualifier: "",
        version: "004010",
        production: true,
        number: "ADV-1",
        objections: &objections,
    };
    let answer = advise(&advised, &stamp()).expect("an advice");
    let text = String::from_utf8(answer.bytes).expect("ASCII");
    assert_eq!(
        text,
        "ISA*00*          *00*          *ZZ*RX             *01*SX             *260317*0605*U*00401*000000042*0*P*>~\
         GS*AG*ARX*ASX*20260317*0605*42*X*004010~ST*824*0001~BGN*11*ADV-1*20260317*0605~OTI*TR*TN*T-9*ASX*ARX***17*0001*820~\
         TED*010*9.00 TOO MUCH~TED*024~SE*6*0001~GE*1*42~IEA*1*000000042~"
    );
    assert_eq!((answer.format.as_str(), answer.numbers_used), ("x12.824", 1));
    // Old releases write six digits; what cannot be named is not answered.
    let old = advise(&Advised { version: "003040", production: false, ..advised }, &stamp()).expect("an advice");
    let old = String::from_utf8(old.bytes).expect("ASCII");
    assert!(old.contains("*T*>~GS*AG*ARX*ASX*260317*0605*42*X*003040~") && old.contains("BGN*11*ADV-1*260317*"), "{old}");
    assert!(advise(&Advised { objections: &[], ..advised }, &stamp()).is_none());
    let nameless = Reference { qualifier: "TN".into(), value: " ".into() };
    assert!(advise(&Advised { objections: &[Objection { reference: &nameless, ..objection }], ..advised }, &stamp()).is_none());
    let groupless = Route { group_control: String::new(), ..route.clone() };
    assert!(advise(&Advised { route: &groupless, ..advised }, &stamp()).is_none());
}

/// What an objection is made of: decision, qualifier, value, set number, and errors of code and text.
type Drawn = (Decision, String, String, u32, Vec<(String, String)>);

fn drawn() -> impl Strategy<Value = Drawn> {
    let decisions = prop::sample::select(vec![
        Decision::SetAccepted,
        Decision::SetAcceptedWithError,
        Decision::SetRejected,
        Decision::ItemAccepted,
        Decision::ItemAcceptedWithError,
        Decision::ItemRejected,
    ]);
    // Words of any length, among them longer than an element.
    let text = prop::collection::vec("[A-Z0-9.,:/*~>^|-]{1,12}|[A-Z]{70,200}", 0..20).prop_map(|words| words.join(" "));
    let complaints = prop::collection::vec(("[0-9]{3}", text), 0..4);
    (decisions, "[A-Z]{2}", "[A-Z0-9./*-]{1,30}", 1..9999_u32, complaints)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_we_write_is_read_as_it_was_meant(
        drawn in prop::collection::vec(drawn(), 1..6),
        version in prop::sample::select(vec!["003040", "004010", "005010", "005010X218", ""]),
        id in "[A-Z*~>]{1,6}",
    ) {
        let route = route(&id);
        let references: Vec<Reference<'_>> =
            drawn.iter().map(|(_, qualifier, value, _, _)| Reference { qualifier: qualifier.into(), value: value.into() }).collect();
        let complaints: Vec<Vec<Complaint<'_>>> = drawn
            .iter()
            .map(|(.., complaints)| complaints.iter().map(|(code, text)| Complaint { code, text }).collect())
            .collect();
        let numbers: Vec<String> = drawn.iter().map(|(.., number, _)| format!("{number:04}")).collect();
        let objections: Vec<Objection<'_>> = drawn
            .iter()
            .zip(&references)
            .zip(complaints.iter().zip(&numbers))
            .map(|(((decision, ..), reference), (complaints, number))| Objection {
                decision: *decision, reference, set_id: "820", set_control: number, complaints,
            })
            .collect();
        let advised = Advised {
            route: &route, sender_qualifier: "ZZ", receiver_qualifier: "ZZ", version, production: true, number: "A-1", objections: &objections,
        };
        let answer = advise(&advised, &stamp()).expect("an advice");
        let parsed = parse(&answer.bytes, &Limits::default());
        prop_assert_eq!(parsed.document.format, answer.format);
        prop_assert!(parsed.findings.iter().all(|finding| finding.code.as_str() == "inferred_century"), "{:?}", parsed.findings);
        prop_assert_eq!(parsed.document.acknowledgments.len(), objections.len());
        let written = String::from_utf8(answer.bytes.clone()).expect("ASCII");
        let [element, terminator] = [written.as_bytes()[3], written.as_bytes()[105]];
        let component = written.as_bytes()[104];
        let repetition = if written.as_bytes()[82] == b'U' { element } else { written.as_bytes()[82] };
        // X12 has no escape: what separates becomes a blank.
        let clean = |text: &str| {
            let torn = |c: char| [element, terminator, component, repetition].contains(&(c as u8));
            text.split(|c: char| c == ' ' || torn(c)).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
        };
        for (ack, (objection, drawn)) in parsed.document.acknowledgments.iter().zip(objections.iter().zip(&drawn)) {
            let level = if objection.decision.as_str().starts_with('T') { AckLevel::Set } else { AckLevel::Item };
            prop_assert_eq!(ack.level, level);
            prop_assert_eq!(&*ack.verdict, &objection.decision.as_str()[1..]);
            prop_assert_eq!((&*ack.control_number, ack.group_control.as_deref(), &*ack.id), (objection.set_control, Some("17"), "820"));
            let reference = ack.reference.as_ref();
            prop_assert_eq!(reference.map(|held| clean(&held.value)).unwrap_or_default(), clean(&objection.reference.value));
            let codes: Vec<&str> = drawn.4.iter().map(|(code, _)| code.as_str()).collect();
            prop_assert_eq!(&ack.codes, &codes);
            let texts: Vec<String> = drawn.4.iter().map(|(_, text)| clean(text)).filter(|text| !text.is_empty()).collect();
            prop_assert_eq!(ack.text.as_deref().map(clean).unwrap_or_default(), texts.join(" "));
        }
    }
}
