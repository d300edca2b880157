//! Conservation over generated worlds.
//!
//! Each world is a ledger and a week of 820 files in which payers do everything payers do: pay in full, short, twice, with discount,
//! with credits, with references nobody knows, in files that are sent twice, cut off or miscounted. The generator keeps its own book of
//! what came in. Afterwards the engine's exports must agree with that book to the cent, no item may have got more than it was open for,
//! and `tieout check` must find every promise kept. What is decided is not judged here; that nothing is lost or doubled is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
};

use serde_json::Value;

const WORLDS: u64 = 6;

#[test]
fn every_cent_of_a_generated_world_is_accounted_for() {
    for seed in 1..=WORLDS {
        check_world(seed);
    }
}

#[test]
#[ignore = "long form: 200 worlds, about ten minutes"]
fn every_cent_of_two_hundred_worlds_is_accounted_for() {
    for seed in 1_000..1_200 {
        check_world(seed);
    }
}

fn check_world(seed: u64) {
    println!("world {seed}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let world = World::generate(seed);
    world.write(folder.path());
    let run = |arguments: &[&str]| run(folder.path(), arguments);

    for (kind, file) in [("customers", "customers.csv"), ("open-items", "open-items.csv"), ("bank-accounts", "bank-accounts.csv")]
    {
        run(&["import", kind, file]);
    }
    run(&["ingest", "--by-day", "drop"]);
    run(&["check"]);

    let payments = json_lines(&run(&["export", "payments", "--format", "jsonl"]));
    let live: BTreeSet<_> = payments.iter().filter(|payment| is_live(payment)).map(|payment| text(payment, "payment")).collect();
    let received: i64 = payments.iter().filter(|payment| is_live(payment)).map(|payment| number(payment, "amount_minor")).sum();
    assert_eq!(received, world.received_minor, "world {seed}: live payments against the generator's book");
    assert_eq!(live.len(), world.payments, "world {seed}: number of live payments");

    let mut cash: BTreeMap<String, i64> = BTreeMap::new();
    let mut closed: BTreeMap<String, i64> = BTreeMap::new();
    for line in json_lines(&run(&["export", "applications", "--format", "jsonl"])) {
        if line.get("rank").and_then(Value::as_i64).unwrap_or(1) != 1 {
            continue;
        }
        let payment = text(&line, "payment");
        let posted = payments.iter().any(|row| text(row, "payment") == payment && text(row, "status") == "posted");
        if !posted {
            continue;
        }
        assert!(live.contains(&payment), "world {seed}: {payment} is not live but has applications");
        *cash.entry(payment).or_default() += number(&line, "applied_minor");
        *closed.entry(text(&line, "invoice_number")).or_default() +=
            number(&line, "applied_minor") + number(&line, "discount_minor") + number(&line, "deduction_minor");
    }
    for payment in payments.iter().filter(|payment| text(payment, "status") == "posted") {
        let key = text(payment, "payment");
        let applied = cash.get(&key).copied().unwrap_or(0);
        assert_eq!(
            applied + number(payment, "unapplied_minor"),
            number(payment, "amount_minor"),
            "world {seed}: {key} is applied plus unapplied"
        );
    }
    for (invoice, closed) in &closed {
        let open =
            world.items.get(invoice).copied().unwrap_or_else(|| panic!("world {seed}: {invoice} is no item of the ledger"));
        assert!(closed.abs() <= open.abs(), "world {seed}: {invoice} was open for {open}, and {closed} was closed");
    }
}

fn is_live(payment: &Value) -> bool {
    ["posted", "suggested", "exception"].contains(&text(payment, "status").as_str())
}

fn text(row: &Value, key: &str) -> String {
    match row.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn number(row: &Value, key: &str) -> i64 {
    row.get(key).and_then(Value::as_i64).unwrap_or(0)
}

fn json_lines(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).expect("a JSON object on every line")).collect()
}

/// Runs the built binary in the folder; input errors (exit 1) are expected of `ingest`, because the world holds broken files.
fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tieout"))
        .args(arguments)
        .current_dir(folder)
        .env("TIEOUT_HOME", folder.join("home"))
        .env_remove("TIEOUT_DATABASE_URL")
        .output()
        .expect("the binary runs");
    let fine = output.status.success() || (arguments.first() == Some(&"ingest") && output.status.code() == Some(1));
    assert!(fine, "tieout {} failed\n{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8 on stdout")
}

struct World {
    customers: Vec<String>,
    open_items: String,
    /// Invoice number to its open amount in cents.
    items: BTreeMap<String, i64>,
    /// Day, file name, bytes.
    files: Vec<(String, String, Vec<u8>)>,
    /// What the intact files bring in, each payment once.
    received_minor: i64,
    payments: usize,
}

struct Invoice {
    number: String,
    customer: usize,
    cents: i64,
}

impl World {
    fn generate(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let customers: Vec<_> =
            (0..8).map(|n| format!("{} {} Inc", NAMES[n], TRADES[(n + seed as usize) % TRADES.len()])).collect();
        let mut invoices = Vec::new();
        let mut open_items = String::from(
            "invoice_id,invoice_number,seller_id,customer_id,type,amount,open_amount,currency,issue_date,entered_date,due_date,terms,po_number,bol_number,status,closed_date\n",
        );
        for n in 0..120 {
            let customer = random.below(8) as usize;
            let credit = random.below(12) == 0;
            // A few amounts repeat on purpose, so that sums are ambiguous now and then.
            let cents = if random.below(5) == 0 { 25_000 } else { 1_000 + random.below(900_000) as i64 };
            let cents = if credit { -cents / 4 } else { cents };
            let number = format!("W-{:05}", 10_000 + n * 3);
            let kind = if credit { "CM" } else { "INV" };
            let terms = ["N30", "2/10N30", "1/15N45"][random.below(3) as usize];
            let amount = decimal(cents);
            writeln!(
                open_items,
                "I{n:06},{number},S01,C{customer:03},{kind},{amount},{amount},USD,2026-02-{:02},2026-02-28,2026-03-28,{terms},PO{n:04},,open,",
                1 + random.below(28)
            )
            .expect("writing to a String");
            invoices.push(Invoice { number, customer, cents });
        }
        let items = invoices.iter().map(|invoice| (invoice.number.clone(), invoice.cents)).collect();
        let mut world = Self { customers, open_items, items, files: Vec::new(), received_minor: 0, payments: 0 };
        for n in 0..25 {
            world.drop_file(n, &invoices, &mut random);
        }
        world
    }

    /// One file with one to four payments; afterwards it may be sent twice, cut off or miscounted.
    fn drop_file(&mut self, n: u64, invoices: &[Invoice], random: &mut Random) {
        let day = format!("2026-03-{:02}", 2 + n / 5);
        let control = 1_000 + n;
        let sets: Vec<_> = (0..1 + random.below(4)).map(|set| self.payment_set(n, set, invoices, random)).collect();
        let total: i64 = sets.iter().map(|(_, cents)| cents).sum();
        let count = sets.len();
        let mut text = format!(
            "ISA*00*          *00*          *ZZ*WORLDBANK      *ZZ*S01            *260302*0600*U*00401*{control:09}*0*P*>~\nGS*RA*WORLDBANK*S01*20260302*0600*{control}*X*004010~\n"
        );
        for (set, _) in &sets {
            text.push_str(set);
        }
        write!(text, "GE*{count}*{control}~\nIEA*1*{control:09}~\n").expect("writing to a String");
        let name = format!("820-{n:03}.edi");
        match random.below(10) {
            0 => self.files.push((day, name, text.as_bytes()[..text.len() * 2 / 3].to_vec())),
            1 => self.files.push((day, name, text.replace(&format!("GE*{count}*"), &format!("GE*{}*", count + 1)).into_bytes())),
            fate => {
                self.received_minor += total;
                // A set of nothing moves nothing and is no payment.
                self.payments += sets.iter().filter(|(_, cents)| *cents > 0).count();
                if fate == 2 {
                    self.files.push((day.clone(), format!("820-{n:03}-again.edi"), text.clone().into_bytes()));
                }
                if fate == 3 {
                    // The number of an interchange that was used before, with other bytes: held, and nothing of it is live.
                    self.files.push((
                        day.clone(),
                        format!("820-{n:03}-changed.edi"),
                        text.replace("N1*PR*", "N1*PR*X").into_bytes(),
                    ));
                }
                self.files.push((day, name, text.into_bytes()));
            }
        }
    }

    fn payment_set(&self, file: u64, set: u64, invoices: &[Invoice], random: &mut Random) -> (String, i64) {
        let customer = random.below(8) as usize;
        let own: Vec<_> = invoices.iter().filter(|invoice| invoice.customer == customer).collect();
        let mut lines = Vec::new();
        for _ in 0..1 + random.below(5) {
            let invoice = own[random.below(own.len() as u64) as usize];
            let (reference, net, tail) = match random.below(12) {
                0 => (format!("{}9", invoice.number), invoice.cents, String::new()),
                1 => (invoice.number.clone(), invoice.cents - invoice.cents / 10, String::new()),
                2 => {
                    let cut = invoice.cents / 20;
                    (invoice.number.clone(), invoice.cents - cut, format!("ADX*{}*06~\n", decimal(-cut)))
                }
                3 => (invoice.number.clone(), invoice.cents + 500, String::new()),
                4 => (invoice.number.replace("W-", ""), invoice.cents, String::new()),
                5 => (invoice.number.clone(), invoice.cents - invoice.cents * 2 / 100, String::new()),
                _ => (invoice.number.clone(), invoice.cents, String::new()),
            };
            lines.push((reference, net, invoice.cents, tail));
        }
        let total: i64 = lines.iter().map(|(_, net, _, _)| net).sum();
        if total <= 0 {
            // Credits alone cannot be paid; the payer keeps them for the next time.
            lines.retain(|(_, net, _, _)| *net > 0);
        }
        let total: i64 = lines.iter().map(|(_, net, _, _)| net).sum::<i64>() + if random.below(15) == 0 { 10_000 } else { 0 };
        let number = format!("{:04}", set + 1);
        let mut text = format!(
            "ST*820*{number}~\nBPR*C*{}*C*ACH*CTX*01*071000013*DA*4400{customer:04}*12345678{customer:02}**01*071300027*DA*550021111*20260302~\nTRN*1*T{file:04}{set:02}~\nN1*PR*{}~\nN1*PE*WORLD SELLER*91*S01~\nENT*1~\n",
            decimal(total),
            self.customers[customer].to_uppercase(),
        );
        for (reference, net, gross, tail) in &lines {
            write!(text, "RMR*IV*{reference}**{}*{}~\n{tail}", decimal(*net), decimal(*gross)).expect("writing to a String");
        }
        let segments = text.matches('~').count() + 1;
        writeln!(text, "SE*{segments}*{number}~").expect("writing to a String");
        (text, total)
    }

    fn write(&self, folder: &Path) {
        let mut customers = String::from(
            "customer_id,name,aliases,parent_id,country,currency,terms,seller_ids,known_accounts,ach_originator_id\n",
        );
        for (n, name) in self.customers.iter().enumerate() {
            // Some payers are known by their account, some by their originator id, some by name only.
            let account = if n % 3 == 0 { format!("071000013:4400{n:04}") } else { String::new() };
            let originator = if n % 3 == 1 { format!("12345678{n:02}") } else { String::new() };
            writeln!(customers, "C{n:03},{name},,,US,USD,N30,S01,{account},{originator}").expect("writing to a String");
        }
        fs::write(folder.join("customers.csv"), customers).expect("a file");
        fs::write(folder.join("open-items.csv"), &self.open_items).expect("a file");
        let accounts = "seller_id,seller_name,kind,bank_routing,account,currency,layout\nS01,World Seller,nacha,071300027,550021111,USD,94\n";
        fs::write(folder.join("bank-accounts.csv"), accounts).expect("a file");
        for (day, name, bytes) in &self.files {
            let folder = folder.join("drop").join(day);
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join(name), bytes).expect("a file");
        }
    }
}

fn decimal(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

const NAMES: [&str; 8] = ["Ashgrove", "Bellweather", "Corriedale", "Dunmore", "Eastmarch", "Fennimore", "Greywater", "Hallowell"];
const TRADES: [&str; 5] = ["Logistics", "Hardware", "Foods", "Pumps", "Textiles"];

/// A small reproducible generator (xorshift64*), so that a seed gives the same world on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound
    }
}
