//! 997, 999 and TA1 as partners send them: what is read and what is told.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use proptest::prelude::*;
use support::{assert_told, interchange, sample, told};
use tieout_parsers::{Limits, parse};

fn check(set: &str, body: &str, expected: &str) {
    let version = if set == "999" { "005010X231A1" } else { "004010" };
    let file = interchange("FA", version, &[(set, body)]);
    assert_told(&told(&parse(file.as_bytes(), &Limits::default())), expected, body);
}

#[test]
fn verdicts_on_group_and_sets() {
    check("997", "AK1*IN*17~AK9*A*2*2*2~", "Group IN 17: A []");
    check(
        "997",
        "AK1*IN*17~AK2*810*0001~AK5*A~AK2*810*0002~AK3*TDS*12**8~AK4*1>2*610*6*12,00~AK5*R*5~AK9*P*2*2*1*5~",
        "Set 810 0001 in 17: A []
         Set 810 0002 in 17: R [TDS@12=8 TDS01-2@12=6 5]
         Group IN 17: P [5]",
    );
    check(
        "999",
        "AK1*RA*17*005010X218~AK2*820*0001*005010X218~IK3*ENT*4**I6~CTX*ENT01:1~IK4*2>1>3*98*I12*x~CTX*SITUATIONAL TRIGGER~IK5*E*I5*5~AK9*E*1*1*1~",
        "Set 820 0001 in 17: E [ENT@4=I6 ENT02-1@4=I12 I5 5]
         Group RA 17: E []",
    );
}

#[test]
fn codes_and_counts_outside_their_lists_are_told() {
    for (body, expected) in [
        ("AK9*A*1*1*1~", "! missing_segment Error RecordSetAside AK1@3 nothing"),
        ("AK1*IN*17~", "! missing_segment Error RecordSetAside AK9@3 nothing"),
        ("AK1*IN~AK9*A*1*1*1~", "! missing_element Error RecordSetAside AK102@2"),
        ("AK1*IN*17~AK9*Q*1*1*1~", "! bad_code Error RecordSetAside AK901@3 Q"),
        ("AK1*IN*17~AK9**1*1*1~", "! missing_element Error RecordSetAside AK901@3"),
        ("AK1*IN*17~AK1*IN*18~AK9*A*1*1*1~", "! unknown_segment Error RecordSetAside AK1@3 another"),
        ("AK1*IN*17~AK9*A*1*1*1*99~", "Group IN 17: A [99]\n! bad_code Warning Noted AK905@3 99"),
        ("AK1*INV*17~AK9*A*1*1*1~", "Group INV 17: A []\n! bad_code Warning Noted AK101@2 INV"),
        ("AK1*IN*17~IK3*A*1~AK9*A*1*1*1~", "Group IN 17: A []\n! unknown_segment Warning Noted IK3@3 IK3"),
        ("AK1*IN*17~AK3*A*1**8~AK9*A*1*1*1~", "Group IN 17: A []\n! missing_loop Warning Noted AK3@3 AK3"),
        ("AK1*IN*17~AK9*A*1*1*x~", "Group IN 17: A []\n! bad_amount Warning Noted AK904@3 x"),
        (
            "AK1*IN*17~AK2*810*1~AK2*810*2~AK5*Q~AK9*A*2*2*2~",
            "Group IN 17: A []
             ! missing_segment Error Noted AK2@3 nothing
             ! bad_code Error Noted AK501@5 Q
             ! control_count_mismatch Warning Noted AK904@6 2
             ? AK904 2 0",
        ),
    ] {
        check("997", body, expected);
    }
}

#[test]
fn interchange_acknowledgments() {
    let file = |segments: &str| {
        format!(
            "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250131*1200*U*00401*000000017*0*P*>~\
             {segments}IEA*0*000000017~"
        )
    };
    for (segments, expected) in [
        ("TA1*000000005*250131*1200*A*000~", "Interchange  000000005: A []"),
        ("TA1*000000005*250131*1200*R*023~TA1*6*250131*1200*E*001~", "Interchange  000000005: R [023]\nInterchange  6: E [001]"),
        ("TA1*5*250131*1200*A*099~", "Interchange  5: A [099]\n! bad_code Warning Noted TA105@2 099"),
        ("TA1*5*251331*1200*A~", "Interchange  5: A []\n! bad_date Warning Noted TA102@2 251331"),
        ("TA1*5*250131*1200*Q~", "! bad_code Warning Noted TA104@2 Q"),
        ("TA1~", "! missing_element Warning Noted TA101@2"),
    ] {
        assert_told(&told(&parse(file(segments).as_bytes(), &Limits::default())), expected, segments);
    }
}

#[test]
fn the_corpus_reads_as_its_list_says() {
    let rejected = "Set 837 0021 in 000001: R [NM1@8=8 NM108@8=7 5]\nGroup HC 000001: R []\n";
    let two_of_three = "Set 837 0003 in 17456: R [REF@57=3 5]\nGroup HC 17456: P []";
    for (file, status, expected) in [
        ("997/simple.edi", "accepted", rejected.to_owned()),
        ("997/multiple-interchanges.edi", "accepted", rejected.repeat(3)),
        ("997/interchange-services-isb-ise.edi", "accepted", "Group HC 000001: A []".to_owned()),
        ("997/x12-types-5010.edi", "accepted", "Set 837 0001 in 17456: A []\nGroup HC 17456: A []".to_owned()),
        ("997/empty-no-ak1.edi", "accepted_with_findings", "! missing_segment Error RecordSetAside AK1@2 nothing".to_owned()),
        (
            "997/bad-codes.edi",
            "accepted_with_findings",
            "Set 837 0021 in 000001: R [NM1@8=8 NM108@8=7 5]
             Group HC NOT IN CODESET 000001: R []
             ! bad_code Warning Noted AK101@2 HC NOT IN CODESET
             ! bad_text Warning Noted AK402@5 66 NON NUMERIC"
                .to_owned(),
        ),
        ("999/emedny-rejected.edi", "accepted", "Set 837 0028 in 28: R [NM@17=1 5]\nGroup HC 28: R []".to_owned()),
        (
            "999/simple.edi",
            "accepted",
            format!("Set 837 0001 in 17456: A []\nSet 837 0002 in 17456: R [CLM@22=8 CLM02@22=1 5]\n{two_of_three}"),
        ),
        (
            "999/wisconsin-dhs.edi",
            "accepted",
            format!("Set 837 0001 in 17456: A []\nSet 837 002 in 17456: R [CLM@22=8 CLM02@22=1 5]\n{two_of_three}"),
        ),
        ("ta1/interchange-ack-two-ta1.edi", "accepted", "Interchange  0659: A []\nInterchange  0660: A []".to_owned()),
        (
            "ta1/staedi-wiki-interchange-ack.edi",
            "held",
            "Interchange  000000050: A []
             ! control_count_mismatch Error FileHeld IEA01@3 1
             ? IEA01 1 0"
                .to_owned(),
        ),
    ] {
        let Some(bytes) = sample(file) else { return };
        let parsed = parse(&bytes, &Limits::default());
        assert_told(&told(&parsed), &expected, file);
        assert_eq!(parsed.document.status.as_str(), status, "{file}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damage never panics, and never makes a verdict that is not in the list.
    #[test]
    fn damaged_acknowledgments_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0_usize..30, drop in any::<bool>()) {
        let body = "AK1*RA*17~AK2*820*0001~IK3*ENT*4**I6~CTX*ENT01:1~IK4*2>1>3*98*I12*x~IK5*E*I5*5~AK2*820*0002~IK5*A~AK9*E*2*2*2~";
        let mut bytes = interchange("FA", "005010X231A1", &[("999", body)]).replace("GS*FA", "TA1*17*250131*1200*A*000~GS*FA").into_bytes();
        let index = 106 + at.index(bytes.len() - 106);
        bytes[index] = byte;
        if drop {
            bytes.drain(index..(index + cut).min(bytes.len()));
        }
        for ack in &parse(&bytes, &Limits::default()).document.acknowledgments {
            prop_assert!(["A", "E", "M", "P", "R", "W", "X"].contains(&&*ack.verdict), "{ack:?}");
        }
    }
}
