//! Holds activities, call logs, notes, e-mails and projects, each as one plain struct.
//!
//! It decides nothing: the generator and the CSV reader fill these, the vendors tell them.

use super::{Address, Custom, Day, Moment};

/// A guest of an activity from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Address.
    pub email: String,
    /// Name.
    pub name: String,
}

/// A call, meeting, task or other activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Number.
    pub id: u64,
    /// Subject; may be empty.
    pub subject: String,
    /// Key of its kind.
    pub kind: &'static str,
    /// Number of the owner, who may be deleted.
    pub owner: u64,
    /// Number of the deal.
    pub deal: Option<u64>,
    /// Number of the lead.
    pub lead: Option<u64>,
    /// Number of the main person.
    pub person: Option<u64>,
    /// Number of the organization.
    pub organization: Option<u64>,
    /// Number of the project.
    pub project: Option<u64>,
    /// Day it is due.
    pub due_day: Day,
    /// Seconds of that day in UTC; none for a whole day.
    pub due_time: Option<u32>,
    /// Seconds it takes.
    pub duration: Option<u32>,
    /// Time is blocked in the calendar.
    pub busy: bool,
    /// When it was done.
    pub done: Option<Moment>,
    /// Where it takes place.
    pub location: Option<Address>,
    /// Further persons, besides the main one.
    pub others: Vec<u64>,
    /// Guests from outside.
    pub guests: Vec<Guest>,
    /// HTML; may be empty.
    pub note: Option<String>,
    /// Text that guests see; may be empty.
    pub description: String,
    /// Deleted: not listed any more.
    pub deleted: bool,
    /// When it was made.
    pub added: Moment,
    /// When it last changed.
    pub updated: Moment,
}

/// How a telephone call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// They spoke.
    Connected,
    /// Nobody answered.
    NoAnswer,
    /// A message was left.
    LeftMessage,
    /// The line was busy.
    Busy,
}

/// What the telephone noted about an activity of kind call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLog {
    /// Number.
    pub id: u64,
    /// The activity it belongs to.
    pub activity: Activity,
    /// How it ended.
    pub outcome: CallOutcome,
    /// Number that called.
    pub from: String,
    /// Number that was called.
    pub to: String,
    /// When it started.
    pub start: Moment,
    /// Seconds it took.
    pub seconds: u32,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Number.
    pub id: u64,
    /// HTML as typed; up to some 60 KB.
    pub html: String,
    /// Number of the author, who may be deleted.
    pub author: u64,
    /// Number of the deal.
    pub deal: Option<u64>,
    /// Number of the person.
    pub person: Option<u64>,
    /// Number of the organization.
    pub organization: Option<u64>,
    /// Number of the lead.
    pub lead: Option<u64>,
    /// Number of the project.
    pub project: Option<u64>,
    /// Pinned on its first parent.
    pub pinned: bool,
    /// When it was made.
    pub added: Moment,
    /// When it last changed.
    pub updated: Moment,
}

/// One end of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailParty {
    /// Address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Number of the person it is.
    pub person: Option<u64>,
}

/// A sales e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Number.
    pub id: u64,
    /// Number of its thread.
    pub thread: u64,
    /// Number of the user in whose mailbox it is.
    pub user: u64,
    /// Number of the deal.
    pub deal: u64,
    /// Number of the person.
    pub person: u64,
    /// Sender.
    pub from: MailParty,
    /// Receiver.
    pub to: MailParty,
    /// Subject.
    pub subject: String,
    /// HTML.
    pub body: String,
    /// Sent by the user, not to the user.
    pub outgoing: bool,
    /// When it was sent.
    pub sent: Moment,
}

/// How a project stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProjectStatus {
    /// Worked on.
    Open,
    /// Finished.
    Completed,
    /// Given up.
    Canceled,
    /// Deleted: told only on request.
    Deleted,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Number.
    pub id: u64,
    /// Title as typed.
    pub title: String,
    /// Text; may be empty.
    pub description: Option<String>,
    /// How it stands.
    pub status: ProjectStatus,
    /// Number of the board.
    pub board: u64,
    /// Number of the phase.
    pub phase: u64,
    /// Number of the owner, who may be deleted.
    pub owner: u64,
    /// First day.
    pub start: Option<Day>,
    /// Last day.
    pub end: Option<Day>,
    /// Numbers of deals.
    pub deals: Vec<u64>,
    /// Numbers of persons.
    pub persons: Vec<u64>,
    /// Numbers of organizations.
    pub organizations: Vec<u64>,
    /// Put away: on the archived list only.
    pub archived: bool,
    /// When it was made.
    pub added: Moment,
    /// When it last changed.
    pub updated: Moment,
    /// Custom values.
    pub custom: Custom,
}
