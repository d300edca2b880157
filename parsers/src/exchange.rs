//! The envelope a record travelled in: between whom, and under which numbers.

use std::{ops::Deref, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::Text;

/// Who sent a record to whom, and the control numbers that name its place in their exchange.
///
/// The fields of the route are those of the exchange: `exchange.application_receiver`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// What all records of a group have in common, kept once.
    pub route: Arc<Route>,
    /// Transaction set control number (ST02), message reference (UNH 0062).
    pub set_control: Text<'a>,
}

/// Sender, receiver and numbers of one functional group and its interchange. Blanks around them are removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Interchange sender (ISA06, UNB 0004).
    pub sender: String,
    /// Interchange receiver (ISA08, UNB 0010).
    pub receiver: String,
    /// Application sender's code (GS02, UNG 0040).
    pub application_sender: String,
    /// Application receiver's code (GS03, UNG 0044).
    pub application_receiver: String,
    /// Interchange control number (ISA13, UNB 0020), as written.
    pub interchange_control: String,
    /// Group control number (GS06, UNG 0048), as written.
    pub group_control: String,
}

impl Deref for Exchange<'_> {
    type Target = Route;

    fn deref(&self) -> &Route {
        &self.route
    }
}

impl Exchange<'_> {
    /// The same exchange with its own text.
    pub fn into_owned(self) -> Exchange<'static> {
        Exchange { route: self.route, set_control: Text::Owned(self.set_control.into_owned()) }
    }
}

impl<'a> Exchange<'a> {
    pub(crate) fn with_text<'b>(self, text: &mut impl FnMut(Text<'a>) -> Text<'b>) -> Exchange<'b> {
        Exchange { route: self.route, set_control: text(self.set_control) }
    }
}

impl Serialize for Exchange<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Exchange", 7)?;
        object.serialize_field("sender", &self.sender)?;
        object.serialize_field("receiver", &self.receiver)?;
        object.serialize_field("application_sender", &self.application_sender)?;
        object.serialize_field("application_receiver", &self.application_receiver)?;
        object.serialize_field("interchange_control", &self.interchange_control)?;
        object.serialize_field("group_control", &self.group_control)?;
        object.serialize_field("set_control", &self.set_control)?;
        object.end()
    }
}
