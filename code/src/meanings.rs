//! What else a candidate may be: a reference, a sum, a date, a number to call.

use super::bind::Bond;
use super::candidate::{Found, Kind};
use super::evidence::Evidence;
use super::lexicon::Class;
use super::number::Grouping;
use super::reason::Reason;
use super::receipt;
use super::shape::{is_day, is_masked, is_money_mixed, is_money_opened, is_postcode};

impl Evidence<'_> {
    pub(super) fn other_meanings(&self, found: &Found, bond: Bond, reasons: &mut Vec<Reason>) {
        for region in self.regions {
            if region.start < found.end
                && found.start < region.end
                && !reasons.contains(&region.reason)
            {
                reasons.push(region.reason);
            }
        }
        let said = bond == Bond::Said;
        let by_means = self.gap_before(found, Class::With) == Some(0);
        let labelled = |class| {
            self.gap_before(found, class).is_some_and(|gap| gap <= 3)
                && !self.is_key_between(found, class)
        };
        if labelled(Class::Account) || (!by_means && labelled(Class::Reference)) {
            reasons.push(if said { Reason::LabelledReference } else { Reason::Reference });
        }
        if self.is_payment() {
            reasons.push(Reason::SpeaksOfMoney);
        }
        if receipt::is_receipt(self, found) && !reasons.contains(&Reason::Reference) {
            reasons.push(Reason::Reference);
        }
        // Where words stand behind what they belong to: "the number with 4812 at its end".
        let ends_with = self.gap_before(found, Class::Ending).is_some_and(|gap| gap <= 4)
            || (found.code.len() <= 4
                && self.gap_after(found, Class::Ending).is_some_and(|gap| gap <= 1));
        if ends_with {
            reasons.push(Reason::CardEnding);
        }
        if self.is_other_kind(found, bond)
            || self.is_for_courier()
            || (!said && is_postcode(self.words.text, found))
        {
            reasons.push(Reason::OtherKindOfCode);
        }
        // `481207#` is dialled, on a telephone or at a door.
        let dialled = self.words.text.at(found.end) == Some('#') && found.kind == Kind::Digits;
        if dialled && !reasons.contains(&Reason::OtherKindOfCode) {
            reasons.push(Reason::OtherKindOfCode);
        }
        if self.is_reply_to(found) {
            reasons.push(Reason::ReplyTo);
        }
        if self.is_old(found) {
            reasons.push(Reason::OldCode);
        }
        let recipient: String = self
            .message
            .recipient
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        if found.code.len() >= 7 && recipient.ends_with(&found.code) {
            reasons.push(Reason::OwnNumber);
        }
        if self.is_in_tag(found) {
            reasons.push(Reason::SendersTag);
        }
        self.as_number(found, said, reasons);
        self.as_sum(found, said, reasons);
    }

    /// What else digits may be: a duration, a year, a day.
    fn as_number(&self, found: &Found, said: bool, reasons: &mut Vec<Reason>) {
        let digits = found.kind == Kind::Digits;
        if digits
            && found.grouping == Grouping::Single
            && found.code.len() <= 5
            && self.words.text.unit_follows(found.end)
        {
            reasons.push(Reason::Duration);
        }
        let year = digits
            && found.code.len() == 4
            && (found.code.starts_with("19") || found.code.starts_with("20"));
        if year && !said && self.gap_before(found, Class::Handle) != Some(0) {
            reasons.push(Reason::Year);
        }
        if digits
            && found.grouping == Grouping::Single
            && is_day(&found.code)
            && !self.words.verb_says(found)
        {
            reasons.push(Reason::Date);
        }
    }

    /// What else letters and digits together may be: a sum with its currency, a masked card.
    fn as_sum(&self, found: &Found, said: bool, reasons: &mut Vec<Reason>) {
        // `RM482.91`: the rest of the amount stands behind its point.
        let cents = matches!((self.words.text.at(found.end), self.words.text.at(found.end + 1)), (Some('.' | ','), Some(digit)) if digit.is_ascii_digit());
        if found.kind == Kind::Mixed
            && found.grouping == Grouping::Single
            && ((!said && is_money_mixed(&found.code)) || (cents && is_money_opened(&found.code)))
        {
            reasons.push(Reason::Amount);
        }
        let masked = matches!(self.words.text.before(found.start), Some('*' | '•'))
            != matches!(self.words.text.at(found.end), Some('*' | '•'));
        if found.kind == Kind::Mixed && !said && (masked || is_masked(&found.code)) {
            reasons.push(Reason::CardEnding);
        }
    }
}
