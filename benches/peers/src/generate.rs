//! Realistic 820 files: one interchange, groups of sets, about ten open items per set with their references and dates.

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        // Knuth's MMIX generator; its high bits are good enough for sample data.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

const PAYERS: [&str; 8] = [
    "NORTHWIND PAPER COMPANY",
    "HARBOR FREIGHT SYSTEMS INC",
    "BLUE RIDGE FOODS LLC",
    "CASCADE BUILDING SUPPLY",
    "SUMMIT MEDICAL GROUP",
    "LAKESHORE AUTO PARTS CO",
    "PRAIRIE STATE UTILITIES",
    "IRONWOOD FURNITURE",
];

/// A file of at least `bytes_min` bytes with so many sets in a group.
pub fn generate(bytes_min: usize, sets_in_group: usize) -> Vec<u8> {
    let mut numbers = Numbers(20_260_727);
    let mut text = String::with_capacity(bytes_min + 4096);
    text.push_str("ISA*00*          *00*          *ZZ*PAYERBANK      *ZZ*TIEOUTSELLER   *260727*0830*^*00501*000000001*0*P*>~\n");
    let mut groups = 0;
    let mut sets = 0;
    while text.len() < bytes_min {
        groups += 1;
        text.push_str(&format!("GS*RA*PAYERBANK*TIEOUTSELLER*20260727*0830*{groups}*X*005010X218~\n"));
        let mut in_group = 0;
        while in_group < sets_in_group && text.len() < bytes_min {
            in_group += 1;
            sets += 1;
            set(&mut text, sets, &mut numbers);
        }
        text.push_str(&format!("GE*{in_group}*{groups}~\n"));
    }
    text.push_str(&format!("IEA*{groups}*000000001~\n"));
    text.into_bytes()
}

fn set(text: &mut String, number: u64, numbers: &mut Numbers) {
    let mut items = String::new();
    let mut total = 0;
    let mut segments = 13;
    for _ in 0..6 + numbers.below(9) {
        let gross = 10_000 + numbers.below(2_000_000);
        let discount = if numbers.below(3) == 0 { gross / 50 } else { 0 };
        let short = if numbers.below(12) == 0 { numbers.below(5_000) } else { 0 };
        let net = gross - discount - short;
        total += net;
        let invoice = 1_000_000 + numbers.below(9_000_000);
        items.push_str(&format!("RMR*IV*INV-{invoice}*PI*{}*{}", money(net), money(gross)));
        if discount > 0 {
            items.push_str(&format!("*{}", money(discount)));
        }
        items.push_str(&format!("~\nREF*PO*45{:08}~\n", numbers.below(100_000_000)));
        items.push_str(&format!("DTM*003*2026{:02}{:02}~\n", 1 + numbers.below(7), 1 + numbers.below(28)));
        segments += 3;
        if short > 0 {
            items.push_str(&format!("ADX*-{}*01*DB*DM{}~\n", money(short), numbers.below(1_000_000)));
            segments += 1;
        }
    }
    let payer = PAYERS[usize::try_from(number % 8).unwrap_or(0)];
    let account = numbers.below(1_000_000_000);
    text.push_str(&format!("ST*820*{number:09}*005010X218~\n"));
    text.push_str(&format!(
        "BPR*C*{}*C*ACH*CTX*01*021000021*DA*{account}*1234567890**01*091000019*DA*5550001234*20260727*VEN~\n",
        money(total)
    ));
    text.push_str(&format!("TRN*1*{:015}*1234567890~\nREF*EF*{account}~\nN1*PR*{payer}*91*{:06}~\nN3*{} INDUSTRIAL PARKWAY~\nN4*COLUMBUS*OH*43215*US~\n", 91_000_019_000_000 + number, number % 5000, 100 + number % 9900));
    text.push_str("N1*PE*TIEOUT SELLER INC*1*123456789~\nN3*2500 HARBOR BOULEVARD*SUITE 400~\nN4*BALTIMORE*MD*21230*US~\nPER*AP*ACCOUNTS PAYABLE*TE*5555550100~\nENT*1~\n");
    text.push_str(&items);
    text.push_str(&format!("SE*{segments}*{number:09}~\n"));
}

fn money(minor: u64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}
