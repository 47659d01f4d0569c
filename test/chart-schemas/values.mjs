// Checks values files against a JSON Schema (draft 7), like helm.
//   node values.mjs SCHEMA FILE...     prints a JSON object: {"FILE": ["/replicas must be integer", …], …}
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import Ajv from "ajv";

const [schema, ...files] = process.argv.slice(2);
const check = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true }).compile(JSON.parse(readFileSync(schema, "utf8")));
const faults = {};
for (const file of files) {
  faults[file] = check(parse(readFileSync(file, "utf8")))
    ? []
    : check.errors.map(({ instancePath, message, params }) => `${instancePath || "/"} ${message} ${params.additionalProperty ?? ""}`.trim());
}
console.log(JSON.stringify(faults));
