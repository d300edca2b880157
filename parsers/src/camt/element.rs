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

/// From names to elements by a hash of length and three letters; a name costs one comparison.
#[derive(Clone, Debug)]
pub(super) struct Names(Box<[u8; SLOTS]>);

impl Names {
    pub fn new() -> Self {
        let mut slots = Box::new([u8::MAX; SLOTS]);
        for (index, (name, _)) in NAMES.iter().enumerate() {
            let mut slot = hash(name);
            while slots.get(slot).is_some_and(|held| *held != u8::MAX) {
                slot = slot.wrapping_add(1) % SLOTS;
            }
            if let (Some(held), Ok(index)) = (slots.get_mut(slot), u8::try_from(index)) {
                *held = index;
            }
        }
        Self(slots)
    }

    /// The element of a local name.
    #[inline]
    pub fn find(&self, name: &str) -> El {
        let mut slot = hash(name);
        while let Some(held) = self.0.get(slot).and_then(|index| NAMES.get(usize::from(*index))) {
            if held.0 == name {
                return held.1;
            }
            slot = slot.wrapping_add(1) % SLOTS;
        }
        El::Unknown
    }
}

#[inline]
fn hash(name: &str) -> usize {
    let bytes = name.as_bytes();
    let letter = |at: usize| bytes.get(at).copied().map_or(0, usize::from);
    let (first, middle, last) = (letter(0), letter(bytes.len() / 2), letter(bytes.len().wrapping_sub(1)));
    let mixed = first.wrapping_mul(7).wrapping_add(middle.wrapping_mul(31)).wrapping_add(last.wrapping_mul(131));
    mixed.wrapping_add(bytes.len().wrapping_mul(257)) % SLOTS
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
        for name in ["", "Ntryx", "ntry", "LclInstrm", "Ä"] {
            assert_eq!(names.find(name), El::Unknown, "{name}");
        }
    }
}
