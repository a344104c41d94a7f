// Runs the SQL on standard input in DuckDB and prints its rows as JSON.
const { DuckDBInstance } = require("@duckdb/node-api");
const sql = require("fs").readFileSync(0, "utf8");

async function main() {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const reader = await connection.runAndReadAll(sql);
  console.log(JSON.stringify(reader.getRowsJson()));
}

main().catch((err) => {
  console.error(err);
  process.exit(1);
});
