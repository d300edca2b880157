//! `tieout exceptions`: the queues, for scripts.

mod resolve;
mod show;

use clap::Subcommand;

use super::{Context, Exit, Format};
use crate::{
    domain::{ExceptionId, PaymentId, Reason, RemittanceId},
    store::ExceptionFilter,
    work::Engine,
};

/// What ids of exceptions look like, for help.
const EXCEPTION: &str = "Id of the exception, such as E4; tieout exceptions list shows what waits";

/// Lists, shows and resolves exceptions
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  tieout exceptions list --queue cash_application
  tieout exceptions show E4
  tieout exceptions resolve E4 apply --item INV-1001=980.00 --item INV-1002=220.50
  tieout exceptions resolve E7 accept --proposal 1
  tieout exceptions resolve E8 confirm
  tieout exceptions resolve E9 returned-payment --payment P17
  tieout exceptions raise P17 --note \"paid for another invoice\"
  tieout exceptions assign E4 ann
  tieout exceptions note E4 \"called the customer\"")]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// The open exceptions, oldest first
    List {
        /// Only of this queue
        #[arg(long)]
        queue: Option<String>,
        /// Only for this reason
        #[arg(long)]
        reason: Option<Reason>,
        /// Cleared ones too
        #[arg(long)]
        all: bool,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// One exception with its evidence and proposals
    Show {
        #[arg(help = EXCEPTION)]
        exception: ExceptionId,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Decides an exception, within your limits
    Resolve {
        #[arg(help = EXCEPTION)]
        exception: ExceptionId,
        /// Why; kept with the decision
        #[arg(long, global = true)]
        note: Option<String>,
        /// Doing it twice with the same key does it once
        #[arg(long, global = true)]
        key: Option<String>,
        #[command(subcommand)]
        with: Resolution,
    },
    /// Makes an exception of a payment, an automatically posted one too, so that it can be reversed or decided anew
    Raise {
        /// Id of the payment, such as P17; tieout export payments lists them
        payment: PaymentId,
        /// What the exception is called
        #[arg(long, default_value = "ambiguous")]
        reason: Reason,
        /// Why; the next person reads it
        #[arg(long)]
        note: String,
    },
    /// Gives an exception to somebody
    Assign {
        #[arg(help = EXCEPTION)]
        exception: ExceptionId,
        /// Who takes it
        owner: String,
    },
    /// Adds a note
    Note {
        #[arg(help = EXCEPTION)]
        exception: ExceptionId,
        /// What the next person should know
        text: String,
    },
}

/// What to do about an exception.
#[derive(Debug, Subcommand)]
pub enum Resolution {
    /// Post one of the proposals
    Accept {
        /// Counted from 1, as tieout exceptions show lists them
        #[arg(long, default_value_t = 1)]
        proposal: usize,
        /// Although no relation between payer and customer is known; --note says why
        #[arg(long)]
        unrelated: bool,
    },
    /// Apply chosen amounts to chosen items; the rest stays unapplied
    Apply {
        /// NUMBER=AMOUNT, once per item
        #[arg(long = "item", required = true, value_name = "NUMBER=AMOUNT")]
        items: Vec<String>,
        /// Although no relation between payer and customer is known; --note says why
        #[arg(long)]
        unrelated: bool,
    },
    /// Keep the unapplied cash on the customer's account
    OnAccount {
        /// Customer code, where none is known
        #[arg(long)]
        customer: Option<String>,
        /// Part of the unapplied cash
        #[arg(long, allow_negative_numbers = true)]
        amount: Option<String>,
        /// Although no relation between payer and customer is known; --note says why
        #[arg(long)]
        unrelated: bool,
    },
    /// Close the short-paid part of an item with a reason code
    Deduct {
        #[arg(long, value_name = "NUMBER=AMOUNT")]
        item: String,
        /// Reason code of rules/reasons.toml
        #[arg(long)]
        code: String,
    },
    /// Close a small rest of an item
    WriteOff {
        #[arg(long, value_name = "NUMBER=AMOUNT")]
        item: String,
    },
    /// Ask for the money to be sent back
    Refund {
        /// Part of the unapplied cash
        #[arg(long, allow_negative_numbers = true)]
        amount: Option<String>,
    },
    /// Tie a remittance to the payment
    LinkRemittance {
        /// Id of the remittance, such as R5
        #[arg(long)]
        remittance: RemittanceId,
        /// Payment, where the exception is about the remittance
        #[arg(long)]
        payment: Option<PaymentId>,
    },
    /// Take the remittance off the payment of the exception: it announces something else
    UnlinkRemittance,
    /// The same money came before; without --of, as the exception says
    MarkDuplicate {
        /// The payment that counts in its place
        #[arg(long)]
        of: Option<PaymentId>,
    },
    /// It is other money, however much it looks the same; without --of, than all that the exception names
    NotDuplicate {
        #[arg(long, value_delimiter = ',')]
        of: Vec<PaymentId>,
    },
    /// Take back everything applied from the payment
    Reverse,
    /// The posting that was drawn for the audit was right
    Confirm,
    /// The posting that was drawn for the audit was wrong
    Wrong {
        /// Take it back at once
        #[arg(long)]
        reverse: bool,
    },
    /// Name the payment that a bank return takes back; what it paid is open again
    ReturnedPayment {
        /// Id of the payment that came back, such as P17; tieout export payments lists them
        #[arg(long)]
        payment: PaymentId,
    },
    /// Let a held file post
    ReleaseFile,
    /// Never post anything from a held file
    RejectFile,
    /// Try a job again that failed too often
    Retry,
    /// Nothing to do
    Close,
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let engine = Engine::open_existing(&context.config, context.clock.clone()).await?;
    let exit = match &args.action {
        Action::List { queue, reason, all, format } => {
            let filter = ExceptionFilter {
                open: (!all).then_some(true),
                queue: queue.clone(),
                reason: *reason,
                ..ExceptionFilter::default()
            };
            show::list(&engine, &filter, *format).await?
        }
        Action::Show { exception, format } => show::one(&engine, *exception, *format).await?,
        Action::Resolve { exception, note, key, with } => {
            let request = resolve::Request { exception: *exception, note: note.as_deref(), key: key.as_deref(), with };
            resolve::run(&engine, &context.config, &request).await?
        }
        Action::Raise { payment, reason, note } => resolve::raise(&engine, *payment, *reason, note, &context.config).await?,
        Action::Assign { exception, owner } => resolve::assign(&engine, *exception, owner, &context.config).await?,
        Action::Note { exception, text } => resolve::note(&engine, *exception, text, &context.config).await?,
    };
    // Who only looked has done nothing, and may not be allowed to write.
    if !matches!(args.action, Action::List { .. } | Action::Show { .. }) {
        engine.seal_audit().await?;
    }
    engine.db.close().await;
    Ok(exit)
}
