//! Reads a file of any size in chunks and writes its records as JSON lines; memory is bounded by one transaction.
//!
//! `cargo run --release -p tieout-parsers --example jsonl -- FILE > records.jsonl`

use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    process::ExitCode,
};

use tieout_parsers::{Limits, Record, Status, Stream};

fn main() -> io::Result<ExitCode> {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: jsonl FILE");
        return Ok(ExitCode::from(2));
    };
    let mut file = File::open(path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut failed = None;
    let mut sink = |record: Record<'_>| {
        let written = serde_json::to_writer(&mut out, &record).map_err(io::Error::from).and_then(|()| out.write_all(b"\n"));
        failed = failed.take().or(written.err());
    };
    let mut stream = Stream::new(&Limits::default());
    let mut chunk = vec![0; 256 << 10];
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            length => stream.feed(chunk.get(..length).unwrap_or_default(), &mut sink),
        }
    }
    let summary = stream.finish(&mut sink);
    if let Some(error) = failed {
        return Err(error);
    }
    out.flush()?;
    eprintln!("{} {}", summary.format.as_str(), summary.status.as_str());
    let taken = matches!(summary.status, Status::Accepted | Status::AcceptedWithFindings);
    Ok(if taken { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
