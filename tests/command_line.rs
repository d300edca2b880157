//! The built program as people and scripts meet it: exit codes, what goes to stdout and stderr, packed input, masked secrets.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
};

const BPR: &str = "BPR*C*1200.50*C*ACH*CTX*01*234056789*DA*0099109999*1123454321**01*045678099*DA*1008973899*20260302~";

/// An 820 that pays two invoices; `total` is BPR02.
fn file_820(total: &str) -> String {
    let bpr = BPR.replace("1200.50", total);
    let isa = "ISA*00*          *00*          *01*123454321      *01*012341234      *260302*2359*U*00401*000000001*0*P*:~";
    format!(
        "{isa}\nGS*RA*123454321*012341234*20260302*2359*1*X*004010~\nST*820*0001~\n{bpr}\nTRN*1*0310162359~\nN1*PR*ALDER INC~\nN1*PE*BIRCH CO~\nENT*1~\n\
         RMR*IV*INV-1001**980.00~\nRMR*IV*INV-1002**220.50~\nSE*9*0001~\nGE*1*1~\nIEA*1*000000001~\n"
    )
}

fn tieout(folder: &Path, arguments: &[&str]) -> Output {
    run(folder, arguments, b"")
}

fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tieout"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn exit_codes_tell_errors_usage_and_failures_apart() {
    let folder = folder();
    fs::write(folder.path().join("good.edi"), file_820("1200.50")).expect("writable");
    fs::write(folder.path().join("bad.edi"), file_820("12x0.50")).expect("writable");
    fs::write(folder.path().join("tieout.toml"), "").expect("writable");
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["parse", "good.edi"], 0),
        (&["config", "check"], 0),
        (&["parse", "good.edi", "bad.edi"], 1),
        (&["parse", "missing.edi"], 2),
        (&["parse"], 2),
        (&["parse", "good.edi", "--format", "yaml"], 2),
        (&["--log", "loud", "parse", "good.edi"], 2),
        (&["--database-url", "mysql:x", "parse", "good.edi"], 2),
        (&["--database-url", "mysql:x", "config", "check"], 1),
    ] {
        let output = tieout(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{}", text(&output.stderr));
    }
}

#[test]
fn one_object_per_file_in_the_order_of_the_contract() {
    let folder = folder();
    fs::write(folder.path().join("a.edi"), file_820("1200.50")).expect("writable");
    fs::write(folder.path().join("b.edi"), "no such format").expect("writable");
    let output = tieout(folder.path(), &["parse", ".", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let stdout = text(&output.stdout);
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("{\"file\":\"./a.edi\",\"sha256\":\""), "{}", lines[0]);
    let first = json(lines[0]);
    assert_eq!((&first["format"], &first["status"]), (&"x12.820".into(), &"accepted".into()));
    assert_eq!(first["size_bytes"], file_820("1200.50").len());
    assert_eq!(first["payments"][0]["amount"], serde_json::json!({"minor": 120_050, "currency": "USD"}));
    assert_eq!(first["remittances"][0]["lines"][1]["reference"], "INV-1002");
    let second = json(lines[1]);
    assert_eq!((&second["format"], &second["status"]), (&"unknown".into(), &"rejected".into()));
    assert_eq!(second["findings"][0]["code"], "unknown_format");
}

#[test]
fn records_stream_with_the_file_around_them() {
    let folder = folder();
    let output = run(folder.path(), &["parse", "-", "--format", "jsonl"], file_820("1200.50").as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines: Vec<_> = text(&output.stdout).lines().map(json).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line["record"].as_str().expect("a kind").to_owned()).collect();
    assert_eq!((kinds.first().map(String::as_str), kinds.last().map(String::as_str)), (Some("begin"), Some("file")));
    let last = lines.last().expect("a line");
    assert_eq!((&last["format"], &last["status"]), (&"x12.820".into(), &"accepted".into()));
    assert_eq!(last["records"], kinds.len() - 2);
    assert!(kinds.iter().any(|kind| kind == "payment") && kinds.iter().any(|kind| kind == "remittance"));
}

#[test]
fn packed_files_are_read_and_bad_archives_are_named() {
    let folder = folder();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(file_820("1200.50").as_bytes()).expect("memory takes it");
    let packed = packed.finish().expect("memory takes it");
    fs::write(folder.path().join("good.edi.gz"), &packed).expect("writable");
    fs::write(folder.path().join("cut.edi.gz"), &packed[..packed.len() / 2]).expect("writable");
    let good = tieout(folder.path(), &["parse", "good.edi.gz", "--format", "json"]);
    assert_eq!(json(text(&good.stdout).trim())["file"], "good.edi");
    let cut = tieout(folder.path(), &["parse", "cut.edi.gz", "--format", "json"]);
    assert_eq!(cut.status.code(), Some(1));
    assert_eq!(json(text(&cut.stdout).trim())["status"], "rejected");
    let report = tieout(folder.path(), &["parse", "cut.edi.gz"]);
    assert!(text(&report.stdout).contains("cut.edi.gz is damaged"), "{}", text(&report.stdout));
}

#[test]
fn a_drafted_mapping_is_accepted_at_once() {
    let folder = folder();
    fs::write(folder.path().join("new.csv"), "Paid on;Bill;Paid\n31.03.2026;A-1;12,50\n31.03.2026;A-2;7,00\n").expect("writable");
    assert_eq!(tieout(folder.path(), &["parse", "new.csv"]).status.code(), Some(1));
    let draft = tieout(folder.path(), &["mapping", "suggest", "new.csv"]);
    assert_eq!(draft.status.code(), Some(0));
    fs::create_dir(folder.path().join("mappings")).expect("a folder");
    fs::write(folder.path().join("mappings/new.toml"), draft.stdout).expect("writable");
    for arguments in
        [&["parse", "new.csv", "--mapping", "mappings/new.toml"][..], &["--config", "tieout.toml", "parse", "new.csv"]]
    {
        fs::write(folder.path().join("tieout.toml"), "mappings = 'mappings'\n").expect("writable");
        let output = tieout(folder.path(), arguments);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("A-2"), "{text}");
        fs::remove_file(folder.path().join("tieout.toml")).expect("it is there");
    }
    fs::write(folder.path().join("none.txt"), "hello\n").expect("writable");
    let none = tieout(folder.path(), &["mapping", "suggest", "none.txt"]);
    assert_eq!((none.status.code(), none.stdout.len()), (Some(1), 0));
    assert_eq!(tieout(folder.path(), &["mapping", "suggest", "gone.csv"]).status.code(), Some(2));
    assert_eq!(tieout(folder.path(), &["mapping", "suggest"]).status.code(), Some(2));
}

#[test]
fn attachments_of_letters_are_read_under_their_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/email");
    for (letter, name, format) in [
        ("good/advice-01-csv-attached.eml", "Remittance März.csv", "csv"),
        ("odd/advice-02-forwarded-workbook.eml", "Payments of March.eml!March.xlsx", "xlsx"),
    ] {
        let output = run(&root, &["parse", letter, "--format", "json"], b"");
        let text = String::from_utf8(output.stdout).expect("JSON is text");
        let file: serde_json::Value = serde_json::from_str(&text).expect("one object");
        assert_eq!((file["file"].as_str(), file["format"].as_str()), (Some(format!("{letter}!{name}").as_str()), Some(format)));
        assert_eq!(file["remittances"].as_array().map(Vec::len), Some(1), "{text}");
    }
}

#[test]
fn a_report_shows_the_place_and_what_happens_next() {
    let folder = folder();
    fs::write(folder.path().join("bad.edi"), file_820("1200.505")).expect("writable");
    let output = tieout(folder.path(), &["parse", "bad.edi"]);
    let report = text(&output.stdout);
    let byte = file_820("1200.505").find("1200.505").expect("it is there");
    assert!(report.contains(&format!("bad.edi: segment 2 (BPR), element 2, line 4, byte {byte}: error: ")), "{report}");
    assert!(report.contains("    2 | BPR*C*1200.505*C*ACH"), "{report}");
    assert!(report.contains("\n      |       ^^^^^^^^ expected "), "{report}");
    assert!(report.contains("The record is set aside"), "{report}");
    assert!(report.contains("\n  next: "), "{report}");
}

#[test]
fn an_excerpt_uses_the_separators_of_its_own_interchange() {
    let folder = folder();
    let second = file_820("1200.505").replace('*', "|").replace('~', "\\").replace("000000001", "000000002");
    fs::write(folder.path().join("two.edi"), file_820("1200.50") + &second).expect("writable");
    let report = text(&tieout(folder.path(), &["parse", "two.edi"]).stdout);
    assert!(report.contains("    2 | BPR|C|1200.505|C|ACH"), "{report}");
    assert!(report.contains("\n      |       ^^^^^^^^ expected "), "{report}");
    assert!(!report.contains("0099109999"), "{report}");
}

#[test]
fn account_numbers_appear_in_no_form_of_output() {
    let folder = folder();
    for (name, total) in [("good.edi", "1200.50"), ("amount.edi", "1200.505"), ("short.edi", "1.00")] {
        fs::write(folder.path().join(name), file_820(total)).expect("writable");
    }
    // Damage in the very segment that holds the accounts.
    for (name, from, to) in [
        ("separator.edi", "**01*045678099", "*01*045678099"),
        ("date.edi", "20260302~", "20269902~"),
        ("tag.edi", "BPR*", "BXR*"),
        ("terminator.edi", "0001~\nBPR", "0001\nBPR"),
        ("account.edi", "0099109999", "009910999900991099990099109999009910999900991099990099109999"),
    ] {
        fs::write(folder.path().join(name), file_820("1200.50").replacen(from, to, 1)).expect("writable");
    }
    let iban = ":20:S\n:25:10020030/1234567\n:28C:1/1\n:60F:C260316EUR100,00\n:61:2603160316C50,00NTRFNONREF\n\
                :86:FACTUUR 20 REK: NL91ABNA0417164300/NAAM: X\n:62F:C260316EUR150,00\n-\n";
    fs::write(folder.path().join("iban.sta"), iban).expect("writable");
    for format in ["json", "jsonl", "text"] {
        let output = tieout(folder.path(), &["parse", ".", "--format", format, "-vv"]);
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert!(shown.contains("FACTUUR 20 REK: ••••4300"), "{shown}");
        for secret in ["0099109999", "1008973899", "00991099", "10089738", "ABNA0417"] {
            let line = shown.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{format} shows {secret}");
        }
    }
}

#[test]
fn import_names_rows_and_columns_and_takes_nothing() {
    let folder = folder();
    fs::write(folder.path().join("rates.csv"), "currency,usd_rate\nUSD,1\nEUR,one\n").expect("writable");
    let output = tieout(folder.path(), &["import", "rates", "rates.csv"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("rates.csv:3, column usd_rate: expected a rate above zero, found \"one\""), "{stderr}");
    assert!(stderr.contains("Nothing was imported."), "{stderr}");
    assert!(!folder.path().join("tieout-home").exists(), "a refused import leaves nothing behind");
    fs::write(folder.path().join("map.toml"), "[columns]\nrate = 'Kurs'\n").expect("writable");
    let output = tieout(folder.path(), &["import", "rates", "rates.csv", "--mapping", "map.toml", "--check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("map.toml:2: rate is not one of our columns"), "{}", text(&output.stderr));
}

#[test]
fn the_configuration_is_shown_with_its_origins_and_without_secrets() {
    let folder = folder();
    let file = "database_url = 'postgres://tieout:hush@db/books'\n[inbox]\nsettle_ms = 5\n";
    fs::write(folder.path().join("tieout.toml"), file).expect("writable");
    let output = tieout(folder.path(), &["config", "check", "--user", "ann"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(shown.contains("postgres://tieout:••••@db/books    [tieout.toml:1:"), "{shown}");
    assert!(shown.contains("5    [tieout.toml:3:") && shown.contains("ann    [--user:"), "{shown}");
    assert!(!shown.contains("hush") && !text(&output.stderr).contains("hush"));
}

/// One listener answers nothing at all, one port has nobody behind it.
#[test]
fn a_database_that_is_not_there_is_named() {
    let folder = folder();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port that was free");
    for (port, why) in
        [(silent.local_addr().expect("bound").port(), "does not answer within 5 s"), (closed.port(), "nothing answers there")]
    {
        let url = format!("postgres://ann:hush@127.0.0.1:{port}/books");
        let output = tieout(folder.path(), &["check", "--database-url", &url]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        let opening = format!("opening the database postgres://ann:••••@127.0.0.1:{port}/books");
        assert!(stderr.contains(&opening) && stderr.contains(why) && !stderr.contains("hush"), "{stderr}");
    }
    let output = tieout(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("there is no ledger at"), "{}", text(&output.stderr));
}

#[test]
fn a_file_that_is_not_what_it_was_said_to_be_is_held() {
    let folder = folder();
    fs::write(folder.path().join("good.edi"), file_820("1200.50")).expect("writable");
    fs::write(folder.path().join("words.txt"), "no such format").expect("writable");
    let list = "invoice_number,seller_id,customer_id,amount,currency,issue_date\nI-1,S1,C1,1.00,USD,2026-03-01\n";
    fs::write(folder.path().join("items.csv"), list).expect("writable");
    let unknown = tieout(folder.path(), &["ingest", "good.edi", "--as", "x12.82"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("x12.820, ") && !folder.path().join("tieout-home").exists());
    for name in ["good.edi", "words.txt", "items.csv"] {
        assert_eq!(tieout(folder.path(), &["ingest", name, "--as", "x12.810"]).status.code(), Some(1), "{name}");
    }
    let files = tieout(folder.path(), &["export", "files"]);
    let stated: Vec<_> =
        text(&files.stdout).lines().map(json).map(|file| (file["file"].clone(), file["status"].clone())).collect();
    assert_eq!(
        stated,
        [("good.edi", "held"), ("words.txt", "rejected"), ("items.csv", "rejected")]
            .map(|(file, state)| (file.into(), state.into()))
    );
    let waiting = text(&tieout(folder.path(), &["exceptions", "list"]).stdout);
    assert!(waiting.contains("the file was said to be x12.810, and reads as x12.820"), "{waiting}");
    assert!(waiting.contains("the file was said to be x12.810, and reads as csv"), "{waiting}");
    assert_eq!(tieout(folder.path(), &["check"]).status.code(), Some(0));
}

/// What a newcomer types first: each mistake is told in one sentence with what to write instead, and ends with its exit code.
#[test]
fn mistakes_are_answered_with_what_to_write_instead() {
    let folder = folder();
    fs::write(folder.path().join("bad.edi"), file_820("12x0.50")).expect("writable");
    fs::create_dir(folder.path().join("empty")).expect("a folder");
    assert_eq!(tieout(folder.path(), &["ingest", "bad.edi"]).status.code(), Some(1));
    for (arguments, code, said) in [
        (&["exceptions", "list", "--queue", "nosuch"][..], 2, "there is no queue nosuch; the rules have "),
        (&["exceptions", "show", "E99"], 2, "there is no exception E99"),
        (&["exceptions", "resolve", "E1", "accept"], 2, "E1 has no proposal 1; see tieout exceptions show E1"),
        (&["exceptions", "resolve", "E1", "apply", "--item", "INV"], 2, "such as INV-1001=980.00"),
        (&["exceptions", "resolve", "E1", "refund", "--amount", "-5"], 2, "not about money"),
        (&["exceptions", "assign", "E1", ""], 2, "name somebody"),
        (&["exceptions", "note", "E1", " "], 2, "the note is empty"),
        (&["exceptions", "resolve", "E1", "close", "--note", "asked for another"], 0, ""),
        (&["exceptions", "resolve", "E1", "close"], 1, "E1 was resolved by "),
        (&["explain", "P99"], 2, "there is no payment P99"),
        (
            &["report", "match-rate", "--from", "2026-03-31", "--until", "2026-03-01"],
            2,
            "--from 2026-03-31 is after --until 2026-03-01",
        ),
        (&["rules", "check", "nowhere"], 2, "nowhere is no folder"),
        (&["parse", "empty"], 2, "there is nothing to parse"),
        (&["ingest", "empty"], 2, "there is nothing to ingest"),
        (&["--config", "nowhere.toml", "check"], 2, "nowhere.toml"),
    ] {
        let output = tieout(folder.path(), arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{stderr}");
        assert!(stderr.contains(said), "{arguments:?}\n{stderr}");
    }
}

#[test]
fn a_malformed_world_is_an_error_of_the_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |what: &str, says: &str| {
        let ran = tieout(folder.path(), &["replay", ".", "--out", "out.jsonl"]);
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{what}: {said}");
        assert!(said.contains(says), "{what}: {said}");
    };
    let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).expect("writable");
    let sample = |name: &str| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/erp").join(name)).expect("a sample");
    write("customers.csv", &sample("customers.csv"));
    write("payments.jsonl", b"{\"type\":\"payment\"}\n");
    run("no list of invoices", "invoices.csv");
    write("invoices.csv", &sample("open-items.csv"));
    run("a payment without a date", "payments.jsonl:1");
    write("payments.jsonl", b"\xff\xfe");
    run("no text", "payments.jsonl");
}

/// An auditor must be able to tell people from the program, and a misspelt setting must not be lost in silence.
#[test]
fn who_acts_and_what_is_set_is_refused_where_it_cannot_be() {
    let folder = folder();
    for (user, code) in [("engine", 2), ("ENGINE", 2), ("a\nb\u{1b}[31m", 2), ("ann", 0)] {
        let output = tieout(folder.path(), &["--user", user, "ingest", "--help"]);
        assert_eq!(output.status.code(), Some(0));
        let output = tieout(folder.path(), &["--user", user, "rules", "check"]);
        assert_eq!(output.status.code(), Some(code), "{user:?}\n{}", text(&output.stderr));
    }
    let output = Command::new(env!("CARGO_BIN_EXE_tieout"))
        .args(["config", "check"])
        .current_dir(folder.path())
        .env_clear()
        .env("TIEOUT_DATABSE_URL", "postgres://db/tieout")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("did you mean TIEOUT_DATABASE_URL?"), "{}", text(&output.stderr));
}

#[test]
fn what_cannot_be_opened_is_named_and_the_rest_goes_on() {
    let folder = folder();
    fs::write(folder.path().join("good.edi"), file_820("1200.50")).expect("writable");
    fs::create_dir(folder.path().join("list")).expect("a folder");
    fs::create_dir(folder.path().join("rules")).expect("a folder");
    fs::write(folder.path().join("list.xlsx"), b"PK\x03\x04\x00\x00").expect("writable");
    // A socket cannot be opened as a file, whoever runs the test.
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("odd.edi")).expect("a socket");
    for (arguments, code, said) in [
        (&["import", "open-items", "list"][..], 2, "list is a folder"),
        (&["import", "open-items", "list.xlsx"], 2, "save the list as CSV"),
        (&["--rules", "rules", "ingest", "good.edi"], 2, "reading the rules in rules"),
        (&["import", "open-items", "odd.edi"], 2, "a pipe, a socket or a device is no file"),
        (&["parse", "odd.edi", "good.edi"], 3, "opening odd.edi"),
    ] {
        let output = tieout(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(said), "{arguments:?}\n{}", text(&output.stderr));
        assert_eq!(text(&output.stdout).contains("good.edi"), code == 3, "{}", text(&output.stdout));
    }
}

#[test]
fn a_damaged_ledger_is_named_at_once() {
    let folder = folder();
    fs::create_dir(folder.path().join("tieout-home")).expect("a folder");
    fs::write(folder.path().join("tieout-home/tieout.db"), "no database at all\n".repeat(500)).expect("writable");
    let output = tieout(folder.path(), &["check"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3));
    assert!(said.contains("no SQLite database, or it is damaged") && said.lines().count() < 6, "{said}");
}

/// What was accepted must still be there, and somebody who removes it must not go unnoticed.
#[test]
fn check_misses_what_is_gone_from_the_home() {
    let folder = folder();
    let home = folder.path().join("tieout-home");
    fs::write(folder.path().join("good.edi"), file_820("1200.50")).expect("writable");
    fs::write(folder.path().join("rates.csv"), "currency,usd_rate\nUSD,1\n").expect("writable");
    for arguments in [&["import", "rates", "rates.csv"][..], &["ingest", "good.edi"]] {
        assert_eq!(tieout(folder.path(), arguments).status.code(), Some(0), "{arguments:?}");
    }
    let check = |deep: bool| {
        let output = tieout(folder.path(), if deep { &["check", "--deep"] } else { &["check"] });
        (output.status.code(), text(&output.stdout))
    };
    assert_eq!((check(false).0, check(true).0), (Some(0), Some(0)));
    assert!(!check(false).1.contains("audit.head"));
    fs::remove_file(home.join("audit.head")).expect("it is there");
    assert!(check(false).1.contains("audit.head is missing"), "{}", check(false).1);

    let sha256 = sha256_of(&file_820("1200.50"));
    let archived = home.join("archive").join(&sha256[..2]).join(&sha256[2..]);
    fs::write(&archived, file_820("1200.51")).expect("writable");
    assert_eq!(check(false).0, Some(0), "only --deep reads the bytes");
    let (code, said) = check(true);
    assert!(code == Some(1) && said.contains("F1 is not what arrived"), "{said}");
    fs::remove_file(&archived).expect("it is there");
    let (code, said) = check(false);
    assert!(code == Some(1) && said.contains("F1 is not in the archive"), "{said}");
}

fn sha256_of(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Nobody pays that, and totals have to be added up for ever.
#[test]
fn a_file_of_absurd_amounts_is_held() {
    let folder = folder();
    let paying = |control: &str, invoice: &str| {
        let total = file_820("1200.50").replace("BPR*C*1200.50", "BPR*C*9999999999999.00").replace("980.00", "9999999999778.50");
        total.replace("*000000001", &format!("*{control}")).replace("INV-1001", invoice)
    };
    fs::write(folder.path().join("large.edi"), paying("000000001", "INV-1")).expect("writable");
    fs::write(folder.path().join("huge.edi"), paying("000000002", "INV-2") + &paying("000000003", "INV-3")).expect("writable");
    for (file, code) in [("large.edi", 0), ("huge.edi", 1)] {
        let output = tieout(folder.path(), &["ingest", file]);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    }
    let shown = text(&tieout(folder.path(), &["exceptions", "show", "E2"]).stdout);
    assert!(shown.contains("F2 is huge.edi") && shown.contains("release-file"), "{shown}");
    assert_eq!(tieout(folder.path(), &["check"]).status.code(), Some(0));
    assert_eq!(tieout(folder.path(), &["report", "match-rate"]).status.code(), Some(0));
}
