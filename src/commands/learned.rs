//! `tieout learned`: what the ledger taught the engine, what that drove, and how to take it back.

use clap::Subcommand;
use serde_json::json;

use super::{
    Context, Exit, Format, UsageError, print,
    table::{Align, Table, amount},
};
use crate::{
    domain::{FactId, PaymentId},
    matching::FactState,
    work::{Engine, ListedFact, Touched},
};

/// Payments that the text names; JSON names all.
const SHOWN: usize = 40;

/// Lists, shows and revokes what the ledger taught: accounts, ids and names under which customers pay
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  tieout learned list
  tieout learned list --customer C0003 --format json
  tieout learned show L3f9a0c51d2e4
  tieout learned revoke L3f9a0c51d2e4 --note \"the account of a factor\"")]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Every learned fact: who taught it, how often, and what it drove
    List {
        /// Only those of this customer, by its code
        #[arg(long)]
        customer: Option<String>,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// One fact with every payment that it touched
    Show {
        /// Id of the fact, as tieout learned list and tieout explain name it
        fact: FactId,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Switches a fact off from now on, and lists what it touched
    #[command(after_help = "Example:
  tieout learned revoke L3f9a0c51d2e4 --note \"the account of a factor\"

What was counted before never counts again. Three payments that people apply later teach the fact anew; with --for-good nothing does.
What was posted on it stands until somebody undoes it; the command lists it.")]
    Revoke {
        /// Id of the fact, as tieout learned list and tieout explain name it
        fact: FactId,
        /// Why; the next person reads it
        #[arg(long)]
        note: String,
        /// Nothing teaches it again
        #[arg(long)]
        for_good: bool,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let engine = Engine::open_existing(&context.config, context.clock.clone()).await?;
    let (fact, format) = match &args.action {
        Action::List { customer, format } => {
            let mut facts = engine.learned().await?;
            facts.retain(|fact| customer.as_ref().is_none_or(|code| *code == fact.customer));
            engine.db.close().await;
            return list(&facts, *format);
        }
        Action::Show { fact, format } => (engine.learned_fact(*fact).await?, format),
        Action::Revoke { fact, note, for_good, format } => {
            let mandate = engine.mandate_of(&context.config.user, &context.config.role);
            let revoked = engine.revoke_fact(&mandate, *fact, *for_good, note).await?;
            engine.seal_audit().await?;
            (Some(revoked), format)
        }
    };
    engine.db.close().await;
    let no_such = || UsageError("there is no such learned fact; tieout learned list shows them".to_owned());
    let (fact, touched) = fact.ok_or_else(no_such)?;
    let text = match format {
        Format::Json => format!("{}\n", json!({ "fact": fact, "touched": touched })),
        Format::Text => show(&fact, &touched),
    };
    print(&text)?;
    Ok(Exit::Success)
}

fn list(facts: &[ListedFact], format: Format) -> anyhow::Result<Exit> {
    if format == Format::Json {
        print(&format!("{}\n", json!({ "learned": facts })))?;
        return Ok(Exit::Success);
    }
    let mut table = Table::new(&[
        ("fact", Align::Left),
        ("customer", Align::Left),
        ("pays by", Align::Left),
        ("", Align::Left),
        ("state", Align::Left),
        ("payments", Align::Right),
        ("items", Align::Right),
        ("taught by", Align::Left),
        ("decisions", Align::Right),
        ("posted", Align::Right),
        ("cash posted", Align::Right),
    ]);
    for fact in facts {
        table.row(vec![
            format!("{}v{}", fact.fact, fact.version),
            fact.customer.clone(),
            fact.kind.as_str().to_owned(),
            fact.sign.clone(),
            fact.state.as_str().to_owned(),
            fact.payments.to_string(),
            fact.items.to_string(),
            teachers(fact),
            fact.decisions.to_string(),
            fact.posted.to_string(),
            cash(fact),
        ]);
    }
    print(&format!("{}\n{DEFINITIONS}", table.render()))?;
    Ok(Exit::Success)
}

/// Printed with the list, because a count without its definition says nothing.
const DEFINITIONS: &str = "a fact: three payments or more under one sign stand on items of one customer; it supports that customer and makes strangers of nobody.
payments, items: what counts for it now. decisions: those whose evidence names it, whatever else spoke for the payer; posted: of these.
mixed: the sign has paid for strangers too, and is evidence for nobody.
";

fn teachers(fact: &ListedFact) -> String {
    let said = |teacher: &crate::work::Teacher| {
        let days = if teacher.first_day == teacher.last_day {
            teacher.first_day.to_string()
        } else {
            format!("{} to {}", teacher.first_day, teacher.last_day)
        };
        format!("{} {} ({days})", teacher.actor, teacher.payments)
    };
    fact.taught_by.iter().map(said).collect::<Vec<_>>().join(", ")
}

fn cash(fact: &ListedFact) -> String {
    fact.cash
        .iter()
        .map(|cash| format!("{} {}", amount(cash.posted_minor, cash.currency), cash.currency))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The fact, its history, what it touched, and what to do about that.
fn show(fact: &ListedFact, touched: &[Touched]) -> String {
    let mut text = format!(
        "{}v{}: {} pays by {} {}; {}\n",
        fact.fact,
        fact.version,
        fact.customer,
        fact.kind.as_str(),
        fact.sign,
        fact.state.as_str()
    );
    let by = teachers(fact);
    let by = if by.is_empty() { String::new() } else { format!(", taught by {by}") };
    text.push_str(&format!("{} payments on {} items count for it{by}\n", fact.payments, fact.items));
    for told in &fact.revoked {
        let how = if told.for_good { " for good" } else { "" };
        text.push_str(&format!(
            "version {} revoked{how} by {} ({}) on {}: {}\n",
            told.version, told.actor, told.role, told.business_day, told.note
        ));
    }
    text.push_str(&format!("{} decisions named it, {} of them posted", fact.decisions, fact.posted));
    for cash in &fact.cash {
        let (posted, standing) = (amount(cash.posted_minor, cash.currency), amount(cash.standing_minor, cash.currency));
        text.push_str(&format!("; {posted} {} posted, {standing} of it stands", cash.currency));
    }
    text.push('\n');
    if !touched.is_empty() {
        text.push_str(&format!("\n{}", table_of(touched).render()));
        if touched.len() > SHOWN {
            text.push_str(&format!("and {} more; --format json names all\n", touched.len() - SHOWN));
        }
    }
    text.push_str(&advice(fact, touched));
    text
}

fn table_of(touched: &[Touched]) -> Table {
    let mut table = Table::new(&[
        ("payment", Align::Left),
        ("day", Align::Left),
        ("amount", Align::Right),
        ("", Align::Left),
        ("state", Align::Left),
        ("version", Align::Right),
        ("rule", Align::Left),
        ("item", Align::Left),
        ("cash", Align::Right),
        ("", Align::Left),
    ]);
    for one in touched.iter().take(SHOWN) {
        let head = vec![
            one.payment.to_string(),
            one.business_day.to_string(),
            amount(one.amount_minor, one.currency),
            one.currency.to_string(),
            one.state.to_owned(),
            one.version.to_string(),
            one.rule.clone(),
        ];
        if one.applications.is_empty() {
            table.row([head, vec!["nothing posted".to_owned(), String::new(), String::new()]].concat());
            continue;
        }
        for (place, application) in one.applications.iter().enumerate() {
            let head = if place == 0 { head.clone() } else { vec![String::new(); head.len()] };
            let undone = application.undone_by.as_ref().zip(application.undone_on);
            let state = undone.map_or_else(|| "stands".to_owned(), |(by, day)| format!("undone by {by} on {day}"));
            let item = application.item.clone().unwrap_or_else(|| "on account".to_owned());
            table.row([head, vec![item, amount(application.cash_minor, one.currency), state]].concat());
        }
    }
    table
}

/// What to do about what a fact touched.
fn advice(fact: &ListedFact, touched: &[Touched]) -> String {
    let is_off = matches!(fact.state, FactState::Revoked | FactState::RevokedForGood);
    if !is_off {
        let hint =
            format!("tieout learned revoke {} --note … switches it off and says what to do about what it touched", fact.fact);
        return format!("\n{hint}\n");
    }
    let once = |mut payments: Vec<PaymentId>| {
        payments.sort_unstable();
        payments.dedup();
        payments
    };
    let named = |payments: &[PaymentId]| {
        let shown = payments.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if payments.len() > SHOWN { format!("{shown} and {} more", payments.len() - SHOWN) } else { shown }
    };
    let standing = once(touched.iter().filter(|one| one.standing_minor() != 0).map(|one| one.payment).collect());
    let waiting = once(touched.iter().filter(|one| one.waits()).map(|one| one.payment).collect());
    let mut text = "\nFrom now on it supports nobody, in every process on this ledger.\n".to_owned();
    if !standing.is_empty() {
        text.push_str(&format!(
            "What was posted stands: look at {}. Where one is wrong: tieout exceptions raise {} --note …, then tieout exceptions resolve \
             with reverse\n",
            named(&standing),
            standing[0]
        ));
    }
    if !waiting.is_empty() {
        text.push_str(&format!("A proposal that leans on it waits for a person: {}; take it with care\n", named(&waiting)));
    }
    text.push_str(if fact.state == FactState::RevokedForGood {
        "Nothing teaches it again.\n"
    } else {
        "Three payments that people apply from now on teach it again; what the engine posts does not.\n"
    });
    text
}
