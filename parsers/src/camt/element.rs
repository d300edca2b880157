//! The element names that mean something here, and a quick way from name to meaning.

macro_rules! elements {
    ($($name:ident)+) => {
        /// An element by its local name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(clippy::upper_case_acronyms, reason = "the variants are the names of the standard")]
        pub(super) enum El { $(#[doc = stringify!($name)] $name,)+ /** Any other. */ Unknown }

        const NAMES: &[(&str, El)] = &[$((stringify!($name), El::$name),)+];
    };
}

elements! {
    AcctSvcrRef Acct AddtlInf AddtlNtryInf AddtlRmtInf AddtlTxInf AdjstmntAmtAndRsn Amt AmtDtls AnyBIC BIC BICFI BICOrBEI Bal BkToCstmrAcctRpt
    BkToCstmrDbtCdtNtfctn BkToCstmrStmt BkTxCd BookgDt Btch CcyXchg Ccy CdOrPrtry Cd CdtDbtInd CdtNoteAmt CdtTrfTxInf Cdtr CdtrAcct CdtrAgt
    CdtrRefInf ChqInstr ChqNb Chrgs ClrSysMmbId ClrSysRef CntrValAmt CreDtTm CstmrCdtTrfInitn CtrlSum Dbtr DbtrAcct DbtrAgt Document Domn DscntApldAmt Dt DtTm DuePyblAmt
    EndToEndId EqvtAmt FinInstnId Fmly GrpHdr IBAN Id InitgPty InstdAmt InstrId LastPgInd LineDtls MmbId MndtId MsgId MsgPgntn MsgRcpt Nb NbOfNtries NbOfTxs Nm Ntfctn
    NtfctnPgntn Ntry NtryDtls NtryRef OrgId OrgnlBkTxCd OrgnlPmtInf Othr Ownr PgNb PmtId PmtInf PmtInfId PrvtId Prtry Pty Rcrd Ref Refs ReqdExctnDt RfrdDocAmt RfrdDocInf RltdAgts
    RltdDt RltdPties RmtAdvc RmtId RmtInf RmtdAmt Rpt RptPgntn Rsn RtrInf RvslInd Stmt StmtPgntn Strd Sts SubFmlyCd Sum Svcr TaxAmt Tp
    TtlAmt TtlCdtNtries TtlChrgsAndTaxAmt TtlDbtNtries TtlNetNtry TtlNetNtryAmt TtlNtries TxAmt TxDtls TxId TxsSummry UETR UltmtCdtr
    UltmtDbtr Ustrd ValDt XchgRate
}

const SLOTS: usize = 1024;

/// From names to elements by a hash of eight letters at either end; a name costs one look.
#[derive(Clone, Debug)]
pub(super) struct Names(Box<[(Ends, u8); SLOTS]>);

impl Names {
    pub fn new() -> Self {
        let mut slots = Box::new([(Ends::default(), u8::MAX); SLOTS]);
        for (index, (name, _)) in NAMES.iter().enumerate() {
            let ends = Ends::of(name.as_bytes());
            let mut slot = ends.hash();
            while slots.get(slot).is_some_and(|(_, held)| *held != u8::MAX) {
                slot = slot.wrapping_add(1) % SLOTS;
            }
            if let (Some(held), Ok(index)) = (slots.get_mut(slot), u8::try_from(index)) {
                *held = (ends, index);
            }
        }
        Self(slots)
    }

    /// The element of a local name.
    #[inline]
    pub fn find(&self, name: &str) -> El {
        let ends = Ends::of(name.as_bytes());
        let mut slot = ends.hash();
        while let Some((held, index)) = self.0.get(slot) {
            let Some((full, element)) = NAMES.get(usize::from(*index)) else { break };
            if *held == ends && (name.len() <= Ends::WHOLE_MAX || *full == name) {
                return *element;
            }
            slot = slot.wrapping_add(1) % SLOTS;
        }
        El::Unknown
    }
}

/// Length, first and last letters of a name: all of it where it has sixteen letters or less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    length: usize,
    first: u64,
    last: u64,
}

impl Ends {
    /// Longest name of which it says everything.
    pub const WHOLE_MAX: usize = 16;

    #[inline]
    pub fn of(name: &[u8]) -> Self {
        let four = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
        let (first, last) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
                (Some(first), Some(last)) => (four(first), four(last)),
                _ => (name.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0),
            },
        };
        Self { length: name.len(), first, last }
    }

    #[inline]
    fn hash(self) -> usize {
        let mixed = self.first ^ self.last.rotate_left(29) ^ (self.length as u64).rotate_left(17);
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        let names = Names::new();
        assert!(NAMES.len() < usize::from(u8::MAX));
        for (name, element) in NAMES {
            assert_eq!(names.find(name), *element, "{name}");
        }
        for name in ["", "Ntryx", "ntry", "LclInstrm", "Ä", "AdjstmntXmtAndRsn"] {
            assert_eq!(names.find(name), El::Unknown, "{name}");
        }
    }
}
