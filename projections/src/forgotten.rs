//! Numbers of orders that were erased in the log: their pseudonyms stand in the views, as they
//! would if these were built anew.

use events::envelope::Position;
use events::id::OrderId;
use events::phone::Phone;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::column::phone;
use crate::orders::{OrderRef, order_ref};
use crate::views::{ViewError, Views};

// The same platform may have been served for orders that still have the number.
const OTHERS: &str = "SELECT EXISTS (SELECT 1 FROM orders WHERE phone = ?1 AND supplier = ?2 AND \
    platform = ?3 AND status = 'completed')";
const SERVED_AT: &str =
    "SELECT at FROM served WHERE supplier = ?1 AND phone = ?2 AND platform = ?3";
const SERVE: &str = "INSERT INTO served VALUES (?1, ?2, ?3, ?4) ON CONFLICT (supplier, phone, \
    platform) DO UPDATE SET at = max(at, excluded.at)";
const UNSERVE: &str = "DELETE FROM served WHERE supplier = ?1 AND phone = ?2 AND platform = ?3";

impl Views {
    /// The orders that a number was on.
    pub async fn places_of_number(&self, phone: Phone) -> Result<Vec<OrderRef>, ViewError> {
        self.read(move |connection| {
            let mut find = connection.prepare_cached(
                "SELECT order_id, account_id, first_revision, last_revision FROM orders \
                 WHERE phone = ?1",
            )?;
            find.query_map(params![phone.as_str()], order_ref)?.collect()
        })
        .await
    }

    /// Puts pseudonyms in the place of these orders' numbers, each with the places of its records
    /// in the log; what was there is overwritten. Blocks.
    pub fn forget_numbers(
        &self,
        orders: &[(OrderId, Vec<Position>)],
        pseudonym: impl Fn(&Phone) -> Phone,
    ) -> Result<(), ViewError> {
        self.change(|transaction| {
            orders.iter().try_for_each(|(order, places)| {
                forget_messages(transaction, places, &pseudonym)?;
                forget(transaction, *order, &pseudonym)
            })
        })
    }
}

/// Of messages of the order that are listed because no code was in them.
fn forget_messages(
    transaction: &Transaction<'_>,
    places: &[Position],
    pseudonym: &impl Fn(&Phone) -> Phone,
) -> rusqlite::Result<()> {
    let mut find = transaction.prepare_cached("SELECT phone FROM strays WHERE position = ?1")?;
    let mut put = transaction.prepare_cached("UPDATE strays SET phone = ?2 WHERE position = ?1")?;
    for place in places.iter().map(|place| i64::try_from(place.0).unwrap_or(i64::MAX)) {
        let found = find.query_row(params![place], |row| phone(row, 0)).optional()?;
        if let Some(number) = found.filter(|number| !number.is_erased()) {
            put.execute(params![place, pseudonym(&number).as_str()])?;
        }
    }
    Ok(())
}

fn forget(
    transaction: &Transaction<'_>,
    order: OrderId,
    pseudonym: &impl Fn(&Phone) -> Phone,
) -> rusqlite::Result<()> {
    let id = order.0.to_be_bytes();
    let mut leased = transaction.prepare_cached(
        "SELECT DISTINCT phone FROM leases WHERE order_id = ?1 AND phone IS NOT NULL",
    )?;
    let leased: Vec<Phone> =
        leased.query_map(params![id], |row| phone(row, 0))?.collect::<rusqlite::Result<_>>()?;
    for number in leased.iter().filter(|number| !number.is_erased()) {
        transaction.execute(
            "UPDATE leases SET phone = ?3 WHERE order_id = ?1 AND phone = ?2",
            params![id, number.as_str(), pseudonym(number).as_str()],
        )?;
    }
    let mut find = transaction.prepare_cached(
        "SELECT phone, supplier, platform FROM orders WHERE order_id = ?1 AND phone IS NOT NULL",
    )?;
    let row = find.query_row(params![id], |row| {
        Ok((phone(row, 0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    });
    let Some((number, supplier, platform)) = row.optional()? else { return Ok(()) };
    if number.is_erased() {
        return Ok(());
    }
    let placed = pseudonym(&number);
    transaction.execute(
        "UPDATE orders SET phone = ?2 WHERE order_id = ?1",
        params![id, placed.as_str()],
    )?;
    let of = params![supplier, number.as_str(), platform];
    let served: Option<i64> = transaction.query_row(SERVED_AT, of, |row| row.get(0)).optional()?;
    let Some(at) = served else { return Ok(()) };
    transaction.execute(SERVE, params![supplier, placed.as_str(), platform, at])?;
    let is_others: bool =
        transaction
            .query_row(OTHERS, params![number.as_str(), supplier, platform], |row| row.get(0))?;
    if !is_others {
        transaction.execute(UNSERVE, of)?;
    }
    Ok(())
}
