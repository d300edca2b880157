//! What this run was told: `tieout.toml`, overridden by `TIEOUT_*` variables, overridden by flags.
//!
//! The only module that reads the environment. It says where each value came from, and refuses what it does not know with the place it
//! stands at. What the values mean for a part of the engine is left to that part.

mod flat;
mod settings;

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use tieout_parsers::Limits;

pub use flat::{Entry, flatten};
pub use settings::{Definition, Kind, ROLES, SETTINGS};

use crate::secret::Secret;

const FILE: &str = "tieout.toml";
/// Variables of this name belong to the tests.
const TEST_VARIABLES: &[&str] = &["TIEOUT_TEST_", "TIEOUT_REQUIRE", "TIEOUT_CONFIG"];

/// The configuration of one run.
#[derive(Clone, Debug)]
pub struct Config {
    pub home: PathBuf,
    pub database_url: Secret,
    /// Folder of rule files; `None` means those shipped with the program.
    pub rules: Option<PathBuf>,
    /// Folder of mapping files that go before the shipped ones.
    pub mappings: Option<PathBuf>,
    /// Who acts on the command line, and as what.
    pub user: String,
    pub role: String,
    /// Everybody listed under `[users]`, and the role of everybody else.
    pub users: BTreeMap<String, String>,
    pub default_role: String,
    pub inbox: PathBuf,
    pub settle: Duration,
    pub poll: Duration,
    pub outbound: PathBuf,
    pub limits: Limits,
    pub secret_key: Option<Secret>,
    /// Seed of the audit sample of a new database; `None` means a random one.
    pub audit_seed: Option<String>,
    pub log_json: bool,
    pub log_filter: Option<String>,
    pub failpoint: Option<String>,
}

impl Config {
    /// Where files are kept by content.
    pub fn archive(&self) -> PathBuf {
        self.home.join("archive")
    }

    /// The role of somebody.
    pub fn role_of(&self, user: &str) -> &str {
        self.users.get(user).unwrap_or(&self.default_role)
    }

    /// Where packed files are unpacked.
    pub fn temporary(&self) -> PathBuf {
        self.home.join("tmp")
    }
}

/// Everything known about the configuration, right or wrong: what `config check` shows.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// One per setting, in the order of the table.
    pub settings: Vec<Setting>,
    /// Users of the command line and their roles.
    pub users: BTreeMap<String, String>,
    /// What stops every command.
    pub problems: Vec<Problem>,
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Setting {
    pub definition: &'static Definition,
    /// Empty where nothing is set and nothing is the default.
    pub value: String,
    pub origin: Origin,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    Variable(String),
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// Something wrong with the configuration, at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub origin: Origin,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

/// The configuration cannot be used. Its message holds one line per problem.
#[derive(Clone, Debug)]
pub struct ConfigError(pub Vec<Problem>);

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// What flags say about settings: pairs of key and value, in the words of the table.
pub type Flags = Vec<(&'static str, String)>;

/// Reads file, environment and flags. `path` is the file named with `--config`.
pub fn load(path: Option<&Path>, flags: &Flags) -> Loaded {
    let mut environment = BTreeMap::new();
    let mut unreadable = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) if name.starts_with("TIEOUT_") || name == "USER" || name == "LOGNAME" || name == "USERNAME" => {
                environment.insert(name, value);
            }
            Err(_) if name.starts_with("TIEOUT_") => unreadable.push(name),
            _ => {}
        }
    }
    let mut loaded = load_from(path, &environment, flags);
    for name in unreadable {
        loaded.problem(Origin::Variable(name), "the value is not UTF-8".to_owned());
    }
    loaded
}

/// Whether a test demands a service, `TIEOUT_REQUIRE=postgres`.
#[expect(clippy::disallowed_methods, reason = "this is the owner of the environment")]
pub fn test_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn load_from(path: Option<&Path>, environment: &BTreeMap<String, String>, flags: &Flags) -> Loaded {
    let by_default = |definition: &'static Definition| Setting {
        definition,
        value: String::from(definition.default),
        origin: Origin::Default,
    };
    let mut loaded = Loaded { settings: SETTINGS.iter().map(by_default).collect(), ..Loaded::default() };
    let named = path.map(Path::to_owned).or_else(|| environment.get("TIEOUT_CONFIG").map(PathBuf::from));
    loaded.read_file(&named.clone().unwrap_or_else(|| PathBuf::from(FILE)), named.is_some());
    for (name, value) in environment.iter().filter(|(name, _)| name.starts_with("TIEOUT_")) {
        let origin = Origin::Variable(name.clone());
        match SETTINGS.iter().find(|definition| definition.variable() == *name) {
            Some(definition) => loaded.set(definition, value, origin, None),
            None if TEST_VARIABLES.iter().any(|known| name.starts_with(known)) => {}
            None => {
                let key = |definition: &&Definition| strsim::damerau_levenshtein(&definition.variable(), name);
                let near = SETTINGS.iter().min_by_key(key).filter(|near| key(near) <= 3).map(Definition::variable);
                let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                loaded.problem(origin, format!("no setting has this variable{hint}"));
            }
        }
    }
    for (key, value) in flags {
        if let Some(definition) = settings::definition(key) {
            loaded.set(definition, value, Origin::Flag(key.replace(['.', '_'], "-")), None);
        }
    }
    loaded.compute_defaults(environment);
    loaded
}

impl Loaded {
    /// The configuration, when nothing is wrong with it.
    pub fn config(&self) -> Result<Config, ConfigError> {
        if !self.problems.is_empty() {
            return Err(ConfigError(self.problems.clone()));
        }
        let user = self.text("user");
        Ok(Config {
            home: self.path("home"),
            database_url: Secret::new(self.text("database_url")),
            rules: self.optional("rules").map(PathBuf::from),
            mappings: self.optional("mappings").map(PathBuf::from),
            role: self.users.get(&user).cloned().unwrap_or_else(|| self.text("role")),
            users: self.users.clone(),
            default_role: self.text("role"),
            user,
            inbox: self.path("inbox.folder"),
            settle: Duration::from_millis(self.count("inbox.settle_ms")),
            poll: Duration::from_millis(self.count("inbox.poll_ms")),
            outbound: self.path("outbound.folder"),
            limits: self.limits(),
            secret_key: self.optional("secret_key").map(Secret::new),
            audit_seed: self.optional("audit_seed"),
            log_json: self.text("log.format") == "json",
            log_filter: self.optional("log.filter"),
            failpoint: self.optional("failpoint"),
        })
    }

    fn limits(&self) -> Limits {
        let size = |key: &str| usize::try_from(self.count(key)).unwrap_or(usize::MAX);
        Limits {
            transaction_bytes_max: size("limits.transaction_bytes_max"),
            segment_bytes_max: size("limits.segment_bytes_max"),
            remittance_lines_max: size("limits.remittance_lines_max"),
            findings_max: size("limits.findings_max"),
            unpacked_bytes_max: self.count("limits.unpacked_bytes_max"),
            archive_entries_max: size("limits.archive_entries_max"),
            workbook_bytes_max: size("limits.workbook_bytes_max"),
            email_bytes_max: self.count("limits.email_bytes_max"),
            archive_depth_max: size("limits.archive_depth_max"),
        }
    }

    fn read_file(&mut self, path: &Path, named: bool) {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !named => return,
            Err(error) => return self.problem(file_origin(path, 1), format!("the file cannot be read: {error}")),
        };
        self.file = Some(path.to_owned());
        let entries = match flatten(&text) {
            Ok(entries) => entries,
            Err((line, message)) => return self.problem(file_origin(path, line), message),
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        for Entry { key, value, line } in entries {
            let origin = file_origin(path, line);
            if let Some(user) = key.strip_prefix("users.") {
                if let Err(expected) = settings::name(user) {
                    self.problem(origin, format!("a user is called {user:?}; expected {expected}"));
                    continue;
                }
                match settings::one_of(&value, ROLES) {
                    Ok(role) => drop(self.users.insert(user.to_owned(), role)),
                    Err(expected) => self.problem(origin, format!("role of {user} is {value:?}; expected {expected}")),
                }
                continue;
            }
            match settings::definition(&key) {
                Some(definition) if definition.environment_only() => {
                    let variable = definition.variable();
                    self.problem(origin, format!("{key} is taken from the environment only; set {variable}"));
                }
                Some(definition) => self.set(definition, &value, origin, folder),
                None => {
                    let hint = settings::nearest(&key).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                    self.problem(origin, format!("{key} is not a setting{hint}"));
                }
            }
        }
    }

    fn set(&mut self, definition: &'static Definition, value: &str, origin: Origin, folder: Option<&Path>) {
        match definition.check(value, folder) {
            Ok(value) => {
                if let Some(setting) = self.settings.iter_mut().find(|setting| setting.definition.key == definition.key) {
                    setting.value = value;
                    setting.origin = origin;
                }
            }
            Err(expected) => {
                let found = definition.masked(value);
                self.problem(origin, format!("{} is {found:?}; expected {expected}", definition.key));
            }
        }
    }

    /// Fills in what depends on other settings or on the machine.
    fn compute_defaults(&mut self, environment: &BTreeMap<String, String>) {
        let home = self.path("home");
        let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| environment.get(*name)).cloned();
        let user = user.filter(|name| !name.is_empty());
        let is_named = self.settings.iter().any(|setting| setting.definition.key == "user" && !setting.value.is_empty());
        let user_of_system = user.clone().filter(|_| !is_named);
        let computed = [
            ("database_url", format!("sqlite:{}", home.join("tieout.db").display())),
            ("inbox.folder", home.join("inbox").display().to_string()),
            ("outbound.folder", home.join("outbound").display().to_string()),
            ("user", user.unwrap_or_else(|| "operator".to_owned())),
        ];
        if let Some(Err(expected)) = user_of_system.as_deref().map(settings::name) {
            let found = user_of_system.unwrap_or_default();
            self.problem(
                Origin::Default,
                format!("the user of the operating system is {found:?}; expected {expected}; set --user"),
            );
        }
        for (key, value) in computed {
            if let Some(setting) =
                self.settings.iter_mut().find(|setting| setting.definition.key == key && setting.value.is_empty())
            {
                setting.value = value;
            }
        }
    }

    fn problem(&mut self, origin: Origin, message: String) {
        self.problems.push(Problem { origin, message });
    }

    fn text(&self, key: &str) -> String {
        self.settings
            .iter()
            .find(|setting| setting.definition.key == key)
            .map(|setting| setting.value.clone())
            .unwrap_or_default()
    }

    fn optional(&self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|value| !value.is_empty())
    }

    fn path(&self, key: &str) -> PathBuf {
        PathBuf::from(self.text(key))
    }

    /// Counts were checked when they were set.
    fn count(&self, key: &str) -> u64 {
        self.text(key).parse().unwrap_or_default()
    }
}

fn file_origin(path: &Path, line: usize) -> Origin {
    Origin::File { path: path.to_owned(), line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str, environment: &[(&str, &str)], flags: &Flags) -> Loaded {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        fs::write(&path, text).expect("writable");
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut loaded = load_from(Some(&path), &environment, flags);
        for problem in &mut loaded.problems {
            if let Origin::File { path, .. } = &mut problem.origin {
                *path = PathBuf::from(FILE);
            }
        }
        loaded
    }

    #[test]
    fn flags_beat_the_environment_and_the_environment_beats_the_file() {
        let file = "home = '/file'\nrole = 'senior'\n[inbox]\npoll_ms = 7\n[users]\nann = 'supervisor'\n";
        let loaded = with_file(
            file,
            &[("TIEOUT_HOME", "/env"), ("TIEOUT_LOG_FORMAT", "json"), ("USER", "ann")],
            &vec![("home", "/flag".into())],
        );
        let config = loaded.config().expect("nothing wrong");
        assert_eq!(config.home, Path::new("/flag"));
        assert_eq!(config.database_url.reveal(), "sqlite:/flag/tieout.db");
        assert_eq!((config.user.as_str(), config.role.as_str()), ("ann", "supervisor"));
        assert_eq!((config.poll, config.log_json), (Duration::from_millis(7), true));
        let origins: Vec<_> = loaded.settings.iter().map(|setting| setting.origin.to_string()).collect();
        assert_eq!(origins[0], "--home");
        assert_eq!(origins[2], "default");
    }

    #[test]
    fn a_relative_path_in_a_file_starts_at_the_file() {
        let loaded = with_file("home = 'data'\ndatabase_url = 'sqlite:books.db'\n", &[], &Vec::new());
        let config = loaded.config().expect("nothing wrong");
        assert!(config.home.is_absolute() && config.home.ends_with("data"));
        assert!(config.database_url.reveal().starts_with("sqlite:/"), "{}", config.database_url.reveal());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_all_at_once() {
        let file = "hom = 'x'\nrole = 'boss'\ndatabase_url = 'mysql://u:hush@h/d'\nsecret_key = '00'\n[limits]\nfindings_max = -1\n[users]\nbob = 'engine'\n";
        let text = with_file(file, &[("TIEOUT_INBOX_POLL_MS", "soon")], &Vec::new()).config().expect_err("wrong").to_string();
        for expected in [
            "tieout.toml:1: hom is not a setting; did you mean home?",
            "tieout.toml:2: role is \"boss\"; expected one of viewer, analyst",
            "tieout.toml:3: database_url is \"mysql://u:••••@h/d\"; expected sqlite:PATH or postgres://",
            "tieout.toml:4: secret_key is taken from the environment only; set TIEOUT_SECRET_KEY",
            "tieout.toml:6: limits.findings_max is \"-1\"; expected a whole number from 1",
            "tieout.toml:8: role of bob is \"engine\"; expected one of",
            "TIEOUT_INBOX_POLL_MS: inbox.poll_ms is \"soon\"; expected a whole number from 1",
        ] {
            assert!(text.contains(expected), "{expected}\nis not in\n{text}");
        }
        assert!(!text.contains("hush"));
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        assert_eq!(load_from(Some(Path::new("/nowhere/tieout.toml")), &BTreeMap::new(), &Vec::new()).problems.len(), 1);
    }

    #[test]
    fn a_misspelt_variable_is_refused() {
        let loaded = with_file("", &[("TIEOUT_DATABSE_URL", "x"), ("TIEOUT_REQUIRE", "postgres")], &Vec::new());
        let problems: Vec<_> = loaded.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems, ["TIEOUT_DATABSE_URL: no setting has this variable; did you mean TIEOUT_DATABASE_URL?"]);
    }

    #[test]
    fn nobody_bears_the_name_of_the_engine() {
        for name in ["engine", " Engine ", "a\nb", "a\u{1b}[31m", " "] {
            assert_eq!(with_file("", &[], &vec![("user", name.into())]).problems.len(), 1, "{name:?}");
            assert_eq!(with_file("", &[("TIEOUT_USER", name)], &Vec::new()).problems.len(), 1, "{name:?}");
        }
        assert_eq!(with_file("", &[("USER", "engine")], &Vec::new()).problems.len(), 1);
        assert_eq!(with_file("", &[("USER", "engine")], &vec![("user", "ann".into())]).problems.len(), 0);
        assert_eq!(with_file("[users]\nengine = 'admin'\n", &[], &Vec::new()).problems.len(), 1);
    }
}
