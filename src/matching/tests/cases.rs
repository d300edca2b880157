//! Every case of `rules/tests/*.toml`.

use super::rules;
use crate::matching::run_case;

#[test]
fn every_case_of_the_rule_files_comes_out_as_it_says() {
    let rules = rules();
    assert!(!rules.cases.is_empty(), "rules/tests holds no case");
    let faults: Vec<String> = rules
        .cases
        .iter()
        .filter_map(|case| {
            let faults = run_case(case, rules);
            (!faults.is_empty()).then(|| format!("{} ({})\n    {}", case.id, case.title, faults.join("\n    ")))
        })
        .collect();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), rules.cases.len(), faults.join("\n"));
}
