//! Statements: SQL that both databases understand, the values that go in, and the rows that come out.
//!
//! Placeholders are `$1`, `$2` and so on; numbers are of 64 bits, a truth value in a table is 0 or 1. What else would
//! differ is kept out of statements: sums are cast to `BIGINT`, columns that may be empty are ordered by
//! `NULLS FIRST` or `NULLS LAST`.

use std::marker::PhantomData;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Postgres, Row as _, Sqlite};

use super::{StoreError, Tx};

/// A statement; `R` says how its rows are read.
pub(crate) struct Statement<R> {
    sql: &'static str,
    values: Vec<Value>,
    reads: PhantomData<R>,
}

/// Rows that are not read.
pub(crate) struct Nothing;
/// Rows of several columns.
pub(crate) struct Columns;
/// Rows of one column.
pub(crate) struct Single;

/// A statement that changes rows.
pub(crate) fn query(sql: &'static str) -> Statement<Nothing> {
    Statement::new(sql)
}

/// A statement that gives rows of several columns.
pub(crate) fn query_as(sql: &'static str) -> Statement<Columns> {
    Statement::new(sql)
}

/// A statement that gives rows of one column.
pub(crate) fn query_scalar(sql: &'static str) -> Statement<Single> {
    Statement::new(sql)
}

/// What goes into a statement.
pub(crate) enum Value {
    Number(Option<i64>),
    Text(Option<String>),
    Octets(Option<Vec<u8>>),
    Truth(bool),
}

macro_rules! values {
    ($($from:ty, $value:ident => $made:expr;)+) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $made
            }
        }
    )+};
}

values! {
    i64, value => Self::Number(Some(value));
    Option<i64>, value => Self::Number(value);
    bool, value => Self::Truth(value);
    &str, value => Self::Text(Some(value.to_owned()));
    &String, value => Self::Text(Some(value.clone()));
    String, value => Self::Text(Some(value));
    Option<String>, value => Self::Text(value);
    &[u8], value => Self::Octets(Some(value.to_vec()));
    Vec<u8>, value => Self::Octets(Some(value));
}

impl<R> Statement<R> {
    fn new(sql: &'static str) -> Self {
        Self {
            sql,
            values: Vec::new(),
            reads: PhantomData,
        }
    }

    /// Gives the next placeholder its value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Notes what is asked, for the test of the plans.
    #[cfg(test)]
    fn note(&self) {
        super::tests::ASKED.with_borrow_mut(|asked| asked.push(self.sql));
    }

    /// PostgreSQL holds no character U+0000 in a text; so neither does SQLite.
    fn check(&self) -> Result<(), StoreError> {
        #[cfg(test)]
        self.note();
        let zero = |value: &Value| matches!(value, Value::Text(Some(text)) if text.contains('\0'));
        match self.values.iter().any(zero) {
            true => Err(StoreError::Zero),
            false => Ok(()),
        }
    }

    fn sqlite(self) -> Query<'static, Sqlite, SqliteArguments> {
        let begun = sqlx::query(self.sql);
        self.values
            .into_iter()
            .fold(begun, |query, value| match value {
                Value::Number(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
                Value::Octets(octets) => query.bind(octets),
                Value::Truth(truth) => query.bind(truth),
            })
    }

    fn postgres(self) -> Query<'static, Postgres, PgArguments> {
        let begun = sqlx::query(self.sql);
        self.values
            .into_iter()
            .fold(begun, |query, value| match value {
                Value::Number(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
                Value::Octets(octets) => query.bind(octets),
                Value::Truth(truth) => query.bind(truth),
            })
    }

    /// Runs it; returns how many rows were changed.
    pub(crate) async fn execute(self, tx: &mut Tx) -> Result<u64, StoreError> {
        self.check()?;
        match tx {
            Tx::Sqlite(tx) => Ok(self.sqlite().execute(&mut **tx).await?.rows_affected()),
            Tx::Postgres(tx) => {
                let asked = super::postgres::bounded(self.postgres().execute(tx.line()?)).await;
                Ok(tx.heard(asked)?.rows_affected())
            }
        }
    }

    async fn rows(self, tx: &mut Tx) -> Result<Vec<Row>, StoreError> {
        self.check()?;
        match tx {
            Tx::Sqlite(tx) => {
                let rows = self.sqlite().fetch_all(&mut **tx).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Tx::Postgres(tx) => {
                let asked = super::postgres::bounded(self.postgres().fetch_all(tx.line()?)).await;
                Ok(tx.heard(asked)?.into_iter().map(Row::Postgres).collect())
            }
        }
    }
}

impl<R> Statement<R> {
    /// All rows.
    pub(crate) async fn fetch_all<T>(self, tx: &mut Tx) -> Result<Vec<T>, StoreError>
    where
        R: Reads<T>,
    {
        let rows = self.rows(tx).await?;
        let rows: Result<_, sqlx::Error> = rows.iter().map(R::read).collect();
        Ok(rows?)
    }

    /// The first row, if there is any.
    pub(crate) async fn fetch_optional<T>(self, tx: &mut Tx) -> Result<Option<T>, StoreError>
    where
        R: Reads<T>,
    {
        let rows = self.rows(tx).await?;
        Ok(rows.first().map(R::read).transpose()?)
    }

    /// The first row; none is an error.
    pub(crate) async fn fetch_one<T>(self, tx: &mut Tx) -> Result<T, StoreError>
    where
        R: Reads<T>,
    {
        let row = self.fetch_optional(tx).await?;
        row.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
    }
}

/// A row of either database.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// A column by its name.
    pub(crate) fn named<T: Cell>(&self, name: &'static str) -> Result<T, sqlx::Error> {
        T::of(self, name)
    }
}

/// How a row is read.
pub(crate) trait Reads<T> {
    fn read(row: &Row) -> Result<T, sqlx::Error>;
}

impl<T: FromRow> Reads<T> for Columns {
    fn read(row: &Row) -> Result<T, sqlx::Error> {
        T::from_row(row)
    }
}

impl<T: Cell> Reads<T> for Single {
    fn read(row: &Row) -> Result<T, sqlx::Error> {
        T::of(row, 0)
    }
}

/// A value that is read from a whole row.
pub(crate) trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error>;
}

/// Where a column of either database's row is.
pub(crate) trait At: sqlx::ColumnIndex<SqliteRow> + sqlx::ColumnIndex<PgRow> + Copy {}

impl<T: sqlx::ColumnIndex<SqliteRow> + sqlx::ColumnIndex<PgRow> + Copy> At for T {}

/// A value that is read from a column.
pub(crate) trait Cell: Sized {
    fn of(row: &Row, at: impl At) -> Result<Self, sqlx::Error>;
}

macro_rules! cells {
    ($($of:ty),+) => {$(
        impl Cell for $of {
            fn of(row: &Row, at: impl At) -> Result<Self, sqlx::Error> {
                match row {
                    Row::Sqlite(row) => row.try_get(at),
                    Row::Postgres(row) => row.try_get(at),
                }
            }
        }
    )+};
}

cells!(
    i64,
    Option<i64>,
    String,
    Option<String>,
    Vec<u8>,
    Option<Vec<u8>>
);

/// A truth value is a number in tables, and what PostgreSQL calls so in expressions.
impl Cell for bool {
    fn of(row: &Row, at: impl At) -> Result<Self, sqlx::Error> {
        match row {
            Row::Sqlite(row) => row.try_get(at),
            Row::Postgres(row) => match row.try_get::<i64, _>(at) {
                Ok(number) => Ok(number != 0),
                Err(_) => row.try_get(at),
            },
        }
    }
}

macro_rules! tuples {
    ($($cell:ident $at:tt),+) => {
        impl<$($cell: Cell),+> FromRow for ($($cell,)+) {
            fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
                Ok(($($cell::of(row, $at)?,)+))
            }
        }
    };
}

tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15);
