//! Deadlines as a calendar that calendar programs read (RFC 5545).

use icalendar::{Calendar, Class, Component, Event, Property};
use jiff::ToSpan;
use jiff::civil::Date;

use super::deadline::Deadline;
use super::judged::sha256;
use super::plan::Plan;

/// The plan's dates as a calendar; what has no date has no event.
pub fn calendar(plan: &Plan) -> String {
    let mut calendar = Calendar::new();
    // The crate writes this name as it is, and a comma would have to be escaped.
    calendar.name("Filing deadlines of a proposed rule");
    calendar.properties.retain(|property| property.key() != "PRODID");
    calendar.append_property(Property::new("PRODID", "-//flopgauge//filing//EN"));
    for deadline in &plan.deadlines {
        if let Some(due) = deadline.due {
            calendar.push(event(plan, deadline, due));
        }
    }
    calendar.done().to_string()
}

fn event(plan: &Plan, deadline: &Deadline, due: Date) -> Event {
    let mut event = Event::new();
    let stamp = plan.as_of.strftime("%Y%m%dT000000Z").to_string();
    let mut description = deadline.reasons.join("\n");
    description.push_str(&format!(
        "\n\nHow well the day is known: {}. {}. A help for preparation, not legal advice.",
        deadline.evidence.name(),
        plan.standing.legal_status_notice
    ));
    event
        .uid(&uid(plan, deadline))
        .summary(&format!("{} due", deadline.what))
        .description(&description)
        .class(Class::Confidential)
        .append_property(Property::new("DTSTAMP", &stamp))
        .append_property(whole_day("DTSTART", due))
        .append_property(whole_day("DTEND", due.saturating_add(1.day())))
        .append_property(Property::new("TRANSP", "TRANSPARENT"));
    event.done()
}

fn whole_day(key: &str, day: Date) -> Property {
    Property::new(key, day.strftime("%Y%m%d").to_string()).add_parameter("VALUE", "DATE").done()
}

/// The same for the same deadline each time, so that a calendar program replaces and does not repeat it.
fn uid(plan: &Plan, deadline: &Deadline) -> String {
    let quarter = deadline.quarter.map_or_else(String::new, |quarter| quarter.to_string());
    // An answer has no quarter; what tells two of one day apart is what they are about.
    let about = if deadline.quarter.is_some() { "" } else { deadline.what.as_str() };
    let received = if deadline.quarter.is_some() { String::new() } else { deadline.reasons.join(";") };
    let text = format!("{}|{}|{quarter}|{about}|{received}", plan.filer.legal_name, deadline.kind.name());
    format!("{}@flopgauge", &sha256(text.as_bytes())[..32])
}
