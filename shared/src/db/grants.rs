//! What the role of `DATABASE_URL` may do with the tables of Postgres. SQLite has no roles.

use super::migrate::OUR_TABLES;
use super::{ConnectError, Db, DbResult, Pools, on_db};

/// A worker that may not write these sends an email and cannot record it, so a copy would be sent.
const TABLES_OF_A_WORKER: [&str; 2] = ["emails", "email_attempts"];

/// The statements that grant what the role lacks, those for the same privileges together. Tables that do not exist are
/// left out.
const MISSING_GRANTS_POSTGRES: &str = "
SELECT 'GRANT ' || privileges || ' ON ' || string_agg(name, ', ' ORDER BY name) || ' TO ' || quote_ident(current_user)
FROM (
    SELECT tables.name, string_agg(wanted.privilege, ', ' ORDER BY wanted.number) AS privileges
    FROM unnest(string_to_array($1, ' ')) AS tables (name),
         unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS wanted (privilege, number)
    WHERE NOT has_table_privilege(to_regclass(tables.name), wanted.privilege)
    GROUP BY tables.name
) AS missing
GROUP BY privileges
ORDER BY privileges";

impl Db {
    /// The statements that grant the role what it lacks; none where it may do everything that the service does.
    pub(super) async fn missing_grants(&self) -> DbResult<Vec<String>> {
        self.missing_grants_for(&OUR_TABLES).await
    }

    /// Whether a worker can record what it sends.
    ///
    /// # Errors
    /// With the statements that grant what is missing.
    pub async fn require_grants_of_a_worker(&self) -> Result<(), ConnectError> {
        let missing = self.missing_grants_for(&TABLES_OF_A_WORKER).await?;
        if missing.is_empty() { Ok(()) } else { Err(ConnectError::Grants(missing)) }
    }

    async fn missing_grants_for(&self, tables: &[&str]) -> DbResult<Vec<String>> {
        match self.pools {
            Pools::Postgres(_) => on_db!(self.reader(), connection => {
                let asked = sqlx::query_scalar(MISSING_GRANTS_POSTGRES).bind(tables.join(" "));
                asked.fetch_all(&mut *connection).await?
            }),
            Pools::Sqlite { .. } => Ok(Vec::new()),
        }
    }
}
