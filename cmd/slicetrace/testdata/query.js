// Runs SQL queries in one of two databases and prints their rows as JSON. Standard
// input is {"database": "DuckDB" or "ClickHouse", "queries": [...]}.
const { database, queries } = JSON.parse(require("fs").readFileSync(0, "utf8"));

async function duckDB() {
  const { DuckDBInstance } = require("@duckdb/node-api");
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  return async (sql) => (await connection.runAndReadAll(sql)).getRowsJson();
}

async function clickHouse() {
  const { Session } = require("chdb");
  const session = new Session(); // in a folder that it removes
  // Numbers as texts, since JavaScript would round them.
  const settings = " SETTINGS output_format_json_quote_64bit_integers = 1";
  return async (sql) => JSON.parse(session.query(sql + settings, "JSONCompact")).data;
}

async function main() {
  const run = await (database === "DuckDB" ? duckDB() : clickHouse());
  const rows = [];
  for (const sql of queries) {
    try {
      rows.push(await run(sql));
    } catch (err) {
      throw new Error(`${sql}\n${err}`);
    }
  }
  process.stdout.write(JSON.stringify(rows), () => process.exit(0));
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
