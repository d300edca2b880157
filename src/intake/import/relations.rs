//! Relations: who may pay for whom, from which day to which.

use chrono::NaiveDate;

use super::{Column, Fields, Importable, Key};
use crate::rules::RelationKind;

/// One dated relation. Payer and debtor are customer codes; they are resolved by whoever stores the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationRow {
    pub payer: String,
    pub pays_for: String,
    pub kind: RelationKind,
    pub from: NaiveDate,
    /// The last day; without it until further notice.
    pub until: Option<NaiveDate>,
}

impl Importable for RelationRow {
    const COLUMNS: &'static [Column] = &[
        Column::required("payer_id"),
        Column::required("pays_for_id"),
        Column::required("kind"),
        Column::required("from"),
        Column::optional("until"),
    ];

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let payer = fields.required("payer_id", "the code of the customer that pays");
        let pays_for = fields.required("pays_for_id", "the code of the customer that it pays for");
        if payer.is_some() && payer == pays_for {
            fields.refuse("pays_for_id", "another customer than the one that pays");
        }
        let expected = "factor, third_party or parent";
        let text = fields.required("kind", expected);
        // Children and siblings follow from the parents of customers.
        let kinds = [RelationKind::Factor, RelationKind::ThirdParty, RelationKind::Parent];
        let kind = text.as_deref().and_then(RelationKind::parse).filter(|kind| kinds.contains(kind));
        if text.is_some() && kind.is_none() {
            fields.refuse("kind", expected);
        }
        let from = fields.required_date("from");
        let until = fields.date("until");
        if from.zip(until).is_some_and(|(from, until)| until < from) {
            fields.refuse("until", "a day not before the first");
        }
        Some(Self { payer: payer?, pays_for: pays_for?, kind: kind?, from: from?, until })
    }

    fn key(&self) -> Key {
        let Self { payer, pays_for, kind, from, .. } = self;
        let shown = format!("{payer} paying for {pays_for} as {} from {from}", kind.as_str());
        Key { column: "payer_id", identity: shown.clone(), shown }
    }
}
