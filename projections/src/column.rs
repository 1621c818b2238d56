//! How a column of a row is read.

use std::error::Error;
use std::str::FromStr;

use events::order::Status;
use events::phone::Phone;
use rusqlite::Row;

/// A word that is no status is a broken file, and no order's business.
pub fn status(row: &Row<'_>, column: usize) -> rusqlite::Result<Status> {
    let name: String = row.get(column)?;
    let unknown = || {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            format!("{name} is no status").into(),
        )
    };
    Status::named(&name).ok_or_else(unknown)
}

pub fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<u128> {
    Ok(u128::from_be_bytes(row.get(column)?))
}

pub fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

/// A number as the log has it: what stands in the place of an erased one is none that is parsed.
pub fn phone(row: &Row<'_>, column: usize) -> rusqlite::Result<Phone> {
    converted(row, column, Phone::of_log)
}

pub fn parsed<T: FromStr<Err: Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    converted(row, column, str::parse)
}

fn converted<T, E: Error + Send + Sync + 'static>(
    row: &Row<'_>,
    column: usize,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    read(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}
