//! Every setting, defined once: key, kind, default and what it is for. `config check`, the refusals and the documentation read this table.

use std::path::{Path, PathBuf};

use crate::failpoint::Failpoint;

/// One setting.
#[derive(Debug)]
pub struct Definition {
    /// Key in `tieout.toml`, `inbox.settle_ms`.
    pub key: &'static str,
    pub kind: Kind,
    /// Empty: nothing by default, or computed.
    pub default: &'static str,
    pub purpose: &'static str,
}

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A path; a relative one in a file starts at the file's folder.
    Path,
    DatabaseUrl,
    Text,
    /// Of a person: a line of text that is not the name of the engine.
    Name,
    /// A whole number from 1.
    Count,
    LogFormat,
    Role,
    /// 64 hex digits; taken from the environment only.
    Key,
    /// Text that nobody should know; taken from the environment only.
    Seed,
    /// Taken from the environment only.
    Failpoint,
}

/// All settings. The variable of `inbox.settle_ms` is `TIEOUT_INBOX_SETTLE_MS`.
pub const SETTINGS: &[Definition] = &[
    setting("home", Kind::Path, "tieout-home", "where archive, inbox, outbound, the key and the embedded database live"),
    setting("database_url", Kind::DatabaseUrl, "", "sqlite:PATH or postgres://…; without it tieout.db in the home folder"),
    setting("rules", Kind::Path, "", "folder of rule files; without it the rules shipped with the program"),
    setting("mappings", Kind::Path, "", "folder of mapping files for CSV and XLSX; they go before the shipped ones"),
    setting("user", Kind::Name, "", "who acts on the command line; without it the user of the operating system"),
    setting("role", Kind::Role, "analyst", "role of whoever is not listed under [users]"),
    setting("inbox.folder", Kind::Path, "", "folder that is watched; without it inbox in the home folder"),
    setting(
        "inbox.settle_ms",
        Kind::Count,
        "2000",
        "a file is taken when it has not changed for so long, or at once when NAME.done stands beside it",
    ),
    setting("inbox.poll_ms", Kind::Count, "500", "how often the inbox is looked at"),
    setting("outbound.folder", Kind::Path, "", "where acknowledgments are written; without it outbound in the home folder"),
    setting("log.format", Kind::LogFormat, "text", "text or json"),
    setting("log.filter", Kind::Text, "", "what is logged, as in tieout=debug,sqlx=warn; without it warnings, and more with -v"),
    setting("limits.transaction_bytes_max", Kind::Count, "16777216", "bytes of one transaction, entry or record"),
    setting("limits.segment_bytes_max", Kind::Count, "1048576", "bytes of one segment"),
    setting("limits.remittance_lines_max", Kind::Count, "100000", "lines of one remittance"),
    setting("limits.findings_max", Kind::Count, "1000", "findings kept for one file"),
    setting("limits.unpacked_bytes_max", Kind::Count, "4294967296", "bytes that come out of one packed file"),
    setting("limits.archive_entries_max", Kind::Count, "10000", "files in one packed file"),
    setting("limits.workbook_bytes_max", Kind::Count, "67108864", "bytes of a workbook, kept in memory while it is read"),
    setting("limits.email_bytes_max", Kind::Count, "67108864", "bytes of an e-mail, kept in memory while it is taken apart"),
    setting("limits.archive_depth_max", Kind::Count, "3", "archives within archives"),
    setting("secret_key", Kind::Key, "", "key of the account numbers; without it secret.key in the home folder"),
    setting("audit_seed", Kind::Seed, "", "seed of the audit sample of a new database; without it a random one, which is safer"),
    setting("failpoint", Kind::Failpoint, "", "where a test ends the process, as in archive_renamed:3"),
];

/// Roles of people. What each may do stands in `rules/authority.toml`.
pub const ROLES: &[&str] = &["viewer", "analyst", "senior", "supervisor", "auditor", "admin"];

const fn setting(key: &'static str, kind: Kind, default: &'static str, purpose: &'static str) -> Definition {
    Definition { key, kind, default, purpose }
}

/// The setting of that key.
pub fn definition(key: &str) -> Option<&'static Definition> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The key that was probably meant.
pub fn nearest(key: &str) -> Option<&'static str> {
    let distance = |known: &&str| strsim::damerau_levenshtein(known, key);
    SETTINGS.iter().map(|setting| setting.key).min_by_key(distance).filter(|known| distance(known) <= 3)
}

impl Definition {
    /// Name of the environment variable.
    pub fn variable(&self) -> String {
        format!("TIEOUT_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }

    /// Whether a file may hold it: a key in a file would lie beside the data it protects.
    pub fn environment_only(&self) -> bool {
        matches!(self.kind, Kind::Key | Kind::Seed | Kind::Failpoint)
    }

    /// The value as it is used, or what was expected instead.
    pub fn check(&self, value: &str, folder: Option<&Path>) -> Result<String, String> {
        if value.is_empty() {
            return Err("something, or no such line at all".to_owned());
        }
        match self.kind {
            Kind::Path => {
                Ok(folder.map_or_else(|| PathBuf::from(value), |folder| folder.join(value)).to_string_lossy().into_owned())
            }
            Kind::DatabaseUrl => check_url(value, folder),
            Kind::Text | Kind::Seed => Ok(value.to_owned()),
            Kind::Name => name(value),
            Kind::Count => match value.parse::<u64>() {
                Ok(count) if count > 0 => Ok(count.to_string()),
                _ => Err("a whole number from 1".to_owned()),
            },
            Kind::LogFormat => one_of(value, &["text", "json"]),
            Kind::Role => one_of(value, ROLES),
            Kind::Key => match crate::hex::decode(value) {
                Some(bytes) if bytes.len() == 32 => Ok(value.to_owned()),
                _ => Err("64 hex digits".to_owned()),
            },
            Kind::Failpoint => Failpoint::parse(value).map(|_| value.to_owned()),
        }
    }

    /// The value as it may be shown.
    pub fn masked(&self, value: &str) -> String {
        match self.kind {
            Kind::Key => "••••".to_owned(),
            Kind::DatabaseUrl => masked_url(value),
            _ => value.to_owned(),
        }
    }
}

/// What the engine does is told from what people do by the name alone, so nobody else may bear it.
pub(super) fn name(value: &str) -> Result<String, String> {
    let is_engine = value.trim().eq_ignore_ascii_case("engine");
    if is_engine || value.trim().is_empty() || value.contains(char::is_control) {
        return Err("the name of a person in one line; engine is the name of the program itself".to_owned());
    }
    Ok(value.trim().to_owned())
}

pub(super) fn one_of(value: &str, known: &[&str]) -> Result<String, String> {
    if known.contains(&value) { Ok(value.to_owned()) } else { Err(format!("one of {}", known.join(", "))) }
}

fn check_url(value: &str, folder: Option<&Path>) -> Result<String, String> {
    if value.starts_with("postgres://") || value.starts_with("postgresql://") {
        return Ok(value.to_owned());
    }
    let Some(path) = value.strip_prefix("sqlite:") else {
        return Err("sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE".to_owned());
    };
    match folder {
        Some(folder) if !path.starts_with([':', '/']) && !path.is_empty() => {
            Ok(format!("sqlite:{}", folder.join(path).display()))
        }
        _ => Ok(value.to_owned()),
    }
}

/// `postgres://tieout:••••@host/db`; a password may stand in the parameters, too.
fn masked_url(url: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, None), |(address, rest)| (address, Some(rest)));
    let address = match address.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (user, host))) => match user.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:••••@{host}"),
            None => format!("{scheme}://{user}@{host}"),
        },
        None => address.to_owned(),
    };
    let masked = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if name.contains("password") => format!("{name}=••••"),
        _ => parameter.to_owned(),
    };
    match parameters {
        Some(parameters) => format!("{address}?{}", parameters.split('&').map(masked).collect::<Vec<_>>().join("&")),
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_never_show() {
        for (url, shown) in [
            ("postgres://tieout:se:cr@et@db:5432/tieout", "postgres://tieout:••••@db:5432/tieout"),
            ("postgres://db/tieout?user=x&password=secret", "postgres://db/tieout?user=x&password=••••"),
            ("postgres://tieout@db/tieout", "postgres://tieout@db/tieout"),
            ("sqlite:home/tieout.db", "sqlite:home/tieout.db"),
        ] {
            assert_eq!(masked_url(url), shown);
        }
    }

    #[test]
    fn defaults_pass_their_own_checks() {
        for setting in SETTINGS.iter().filter(|setting| !setting.default.is_empty()) {
            assert_eq!(setting.check(setting.default, None).as_deref(), Ok(setting.default), "{}", setting.key);
        }
        assert_eq!(nearest("inbox.setle_ms"), Some("inbox.settle_ms"));
        assert_eq!(nearest("colour"), None);
    }

    #[test]
    fn default_limits_are_those_of_the_readers() {
        let limits = tieout_parsers::Limits::default();
        for (key, value) in [
            ("limits.transaction_bytes_max", limits.transaction_bytes_max as u64),
            ("limits.segment_bytes_max", limits.segment_bytes_max as u64),
            ("limits.remittance_lines_max", limits.remittance_lines_max as u64),
            ("limits.findings_max", limits.findings_max as u64),
            ("limits.unpacked_bytes_max", limits.unpacked_bytes_max),
            ("limits.archive_entries_max", limits.archive_entries_max as u64),
            ("limits.workbook_bytes_max", limits.workbook_bytes_max as u64),
            ("limits.email_bytes_max", limits.email_bytes_max),
            ("limits.archive_depth_max", limits.archive_depth_max as u64),
        ] {
            assert_eq!(definition(key).map(|setting| setting.default), Some(value.to_string().as_str()), "{key}");
        }
    }
}
