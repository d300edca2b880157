//! What is wrong with a rule set: where, what was expected, what was found and what to do.

use std::fmt;

use thiserror::Error;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// Path of the file inside the rule folder.
    pub file: String,
    /// Line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// Rule or key it is about.
    pub key: String,
    pub expected: String,
    pub found: String,
    /// What to do next.
    pub advice: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": expected {}, found {}; {}", self.expected, self.found, self.advice)
    }
}

/// All faults of a set; nothing of a set with a fault is used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct RuleErrors(pub Vec<RuleError>);

impl fmt::Display for RuleErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}
